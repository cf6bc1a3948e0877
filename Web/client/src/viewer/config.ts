/** What the page tells its scripts, in `<script type="application/json" id="platform-config">`. */
export interface PlatformConfig {
  /** Public address of ImageApi, without a slash at the end. */
  readonly imageApi: string;
  readonly study: string;
  /** The series to open; absent: the first that has images. */
  readonly firstSeries?: string;
  /** The study's series in reading order; empty: the viewer asks ImageApi. */
  readonly series: readonly SeriesEntry[];
  /** Frames asked for at once; default 6, what a browser gives one host over HTTP/1.1. */
  readonly maxLoads: number;
  /** Decoded images held, in bytes; default 180 MB. */
  readonly maxImageBytes: number;
}

export interface SeriesEntry {
  readonly uid: string;
  readonly modality?: string;
  readonly number?: number | null;
  readonly description?: string;
  readonly instances?: number;
  /** False for documents, presentation states and the like; absent: not known. */
  readonly hasImages?: boolean;
  /** Address of the series' manifest, the one that the page preloads. */
  readonly manifest?: string;
  /** Address of the series' preview stream, whichever its version; the page preloads the first. */
  readonly preview?: string;
  /** Address of a small picture of the series. */
  readonly thumbnail?: string;
}

export const defaultMaxLoads = 6;
export const defaultMaxImageBytes = 180_000_000;

export function readConfig(root: Document): PlatformConfig {
  const script = root.getElementById('platform-config');
  if (!script?.textContent) {
    throw new Error('The page carries no configuration (#platform-config).');
  }
  const given = JSON.parse(script.textContent) as Partial<PlatformConfig>;
  if (typeof given.imageApi !== 'string' || typeof given.study !== 'string') {
    throw new Error('The page names no image service or no study.');
  }
  return {
    imageApi: given.imageApi.replace(/\/+$/, ''),
    study: given.study,
    ...(given.firstSeries ? { firstSeries: given.firstSeries } : {}),
    series: given.series ?? [],
    maxLoads: positive(given.maxLoads) ?? defaultMaxLoads,
    maxImageBytes: positive(given.maxImageBytes) ?? defaultMaxImageBytes,
  };
}

function positive(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}
