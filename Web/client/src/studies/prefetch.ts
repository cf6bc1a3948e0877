// Makes a click on a study feel instant: the viewer's code, the series' manifest and its previews (or its first frame) are asked
// for when a person is about to open it. Only what the viewer asks for in the same words, so that the browser's cache answers it then;
// little, one study at a time, and nothing at all for people who save data.

import type { PlatformConfig } from '../viewer/config';
import { frameAccept } from '../viewer/loading/frameFetch';
import { openingIndex, previewUrl, type SeriesManifest } from '../viewer/manifest';

const dwell = 80; // ms that a pointer rests on a row before it means something
const maxStudies = 20; // per page: someone who reads the list with the pointer opens few of what they pass
const maxBytes = 2_000_000; // of a first frame, or of a series' previews
const previewPart = 1 / 20; // of the bytes as stored, or less

export function prefetchOnIntent(results: HTMLElement): void {
  if ((navigator as { connection?: { saveData?: boolean } }).connection?.saveData) {
    return;
  }
  const prefetcher = new Prefetcher(results.dataset['viewerCode']?.split(' ') ?? []);
  const studyOf = (event: Event) => (event.target as Element).closest<HTMLElement>('tr[data-study]')?.dataset['study'];

  let waiting: ReturnType<typeof setTimeout> | undefined;
  results.addEventListener('pointerover', (event) => {
    clearTimeout(waiting);
    const study = studyOf(event);
    if (study) {
      waiting = setTimeout(() => prefetcher.want(study), dwell);
    }
  });
  results.addEventListener('pointerleave', () => {
    clearTimeout(waiting);
    prefetcher.stop();
  });
  for (const certain of ['pointerdown', 'focusin'] as const) {
    results.addEventListener(certain, (event) => {
      clearTimeout(waiting);
      const study = studyOf(event);
      if (study) {
        prefetcher.want(study);
      }
    });
  }
}

class Prefetcher {
  readonly #code: readonly string[];
  readonly #done = new Set<string>();
  #study: string | undefined;
  #running: AbortController | undefined;
  #hasCode = false;

  constructor(code: readonly string[]) {
    this.#code = code;
  }

  want(study: string): void {
    this.#wantCode();
    if (study === this.#study || this.#done.has(study) || this.#done.size >= maxStudies) {
      return;
    }
    this.stop();
    this.#study = study;
    this.#running = new AbortController();
    void this.#fetchFirstPictures(study, this.#running.signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#study = undefined;
  }

  #wantCode(): void {
    if (this.#hasCode) {
      return;
    }
    this.#hasCode = true;
    for (const address of this.#code) {
      const link = document.createElement('link');
      link.rel = 'prefetch';
      link.as = address.endsWith('.css') ? 'style' : 'script';
      link.href = address;
      document.head.append(link);
    }
  }

  async #fetchFirstPictures(study: string, signal: AbortSignal): Promise<void> {
    try {
      const config = (await get(`/view/${study}/config`, {}, signal).then((answer) => answer.json())) as PlatformConfig;
      const series = config.series.find(({ uid }) => uid === config.firstSeries);
      if (!series?.manifest) {
        return;
      }
      const manifest = (await get(series.manifest, {}, signal).then((answer) => answer.json())) as SeriesManifest;
      const opening = openingIndex(manifest);
      const previews = previewUrl(manifest, config.imageApi, opening);
      const frame = manifest.frames[opening];
      if (previews) {
        if (previewPart * manifest.frames.reduce((sum, { length }) => sum + (length ?? 0), 0) <= maxBytes) {
          await get(series.preview ?? previews, {}, signal).then((answer) => answer.arrayBuffer());
        }
      } else if (frame && (frame.length ?? 0) <= maxBytes) {
        await get(new URL(frame.url, config.imageApi + '/').href, { Accept: frameAccept }, signal).then((answer) => answer.arrayBuffer());
      }
      this.#done.add(study);
    } catch {
      // Speculation: what failed or was left is asked for again by whoever needs it.
    } finally {
      if (this.#study === study) {
        this.#study = undefined;
      }
    }
  }
}

async function get(address: string, headers: HeadersInit, signal: AbortSignal): Promise<Response> {
  const answer = await fetch(address, { headers, signal, priority: 'low', credentials: 'same-origin' });
  if (!answer.ok) {
    throw new Error(`status ${answer.status}`);
  }
  return answer;
}
