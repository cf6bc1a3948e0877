import { timingOf } from './loading/frameFetch';
import type { Tier } from './loading/tiers';

/** One step on the way to the first picture; times in ms since the start of the journey. */
export interface JourneyStep {
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  readonly detail?: string;
}

export interface FirstImage {
  /** From the navigation (or the click on a series) until the picture was drawn on the canvas. */
  readonly ms: number;
  readonly tier: Tier | undefined;
  readonly cause: 'navigation' | 'click';
  /** The picture was a preview: the whole frame came later. */
  readonly isPreview: boolean;
  readonly steps: readonly JourneyStep[];
}

/** How the bytes of the first picture came: a frame's, or the first of a preview stream. */
export interface FirstBytes {
  readonly url: string;
  readonly isPreview: boolean;
  readonly tier: Tier | undefined;
  readonly startedAt: number;
  readonly headersAt: number;
  readonly arrivedAt: number;
  readonly readyAt: number;
  readonly decodeMs: number;
  readonly bytes: number;
}

export interface JourneyMarks {
  readonly cause: 'navigation' | 'click';
  readonly startedAt: number;
  readonly manifestUrl: string | undefined;
  readonly manifestStartedAt: number;
  readonly manifestAt: number;
  readonly drawStartedAt: number;
  readonly drawnAt: number;
}

/** Puts the marks, the frame's record and the browser's own timings into the steps that the user can read. */
export function describeJourney(marks: JourneyMarks, record: FirstBytes): FirstImage {
  const at = (time: number) => time - marks.startedAt;
  const steps: JourneyStep[] = [];
  const add = (name: string, from: number, to: number, detail?: string) =>
    steps.push({ name, start: Math.max(0, at(from)), duration: Math.max(0, to - from), ...(detail ? { detail } : {}) });

  if (marks.cause === 'navigation') {
    const page = performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming | undefined;
    if (page && page.responseEnd > 0) {
      add('Page', marks.startedAt, page.responseEnd, page.transferSize === 0 ? 'from the browser' : undefined);
      add('Script', page.responseEnd, marks.manifestStartedAt);
    } else {
      add('Page and script', marks.startedAt, marks.manifestStartedAt);
    }
  }
  const manifestTiming = marks.manifestUrl ? timingOf(marks.manifestUrl) : undefined;
  add('Manifest', marks.manifestStartedAt, marks.manifestAt, manifestTiming && describeServer(manifestTiming));
  const what = record.isPreview ? 'Preview' : 'Frame';
  const timing = timingOf(record.url);
  if (timing && timing.responseStart > 0) {
    const lookup = timing.domainLookupEnd - timing.domainLookupStart;
    const connect = timing.connectEnd - timing.connectStart;
    const setup = lookup + connect > 0.05 ? `DNS ${format(lookup)}, connect ${format(connect)}` : 'connection reused';
    add(`${what}: request`, timing.startTime, timing.responseStart, [setup, describeServer(timing)].filter(Boolean).join('; '));
    add(`${what}: download`, timing.responseStart, record.arrivedAt, record.bytes > 0 ? formatBytes(record.bytes) : undefined);
  } else {
    add(`${what}: request`, record.startedAt, record.headersAt);
    add(`${what}: download`, record.headersAt, record.arrivedAt, record.bytes > 0 ? formatBytes(record.bytes) : undefined);
  }
  add('Decode', record.arrivedAt, record.readyAt, `${format(record.decodeMs)} in the decoder`);
  add('Draw', marks.drawStartedAt, marks.drawnAt);
  return { ms: at(marks.drawnAt), tier: record.tier, cause: marks.cause, isPreview: record.isPreview, steps };
}

export function format(ms: number): string {
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : ms < 9995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : bytes < 999_500 ? `${(bytes / 1000).toFixed(0)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** What the server said of its own work (`Server-Timing`): each step, where it found what it needed, how long that took. */
export function describeServer(timing: Pick<PerformanceResourceTiming, 'serverTiming'>): string {
  return timing.serverTiming
    .filter((entry) => entry.duration > 0 || entry.description)
    .map((entry) => [entry.name, entry.description, format(entry.duration)].filter(Boolean).join(' '))
    .join(', ');
}
