import { isFromBrowser, tierOf, type Tier } from '../viewer/loading/tiers';

/** How far a download is: bytes on the wire, of a total where the server said it. */
export interface DownloadProgress {
  readonly done: number;
  readonly total: number | undefined;
  /** Since the request was made. */
  readonly ms: number;
}

export interface ServerStep {
  readonly name: string;
  readonly ms: number;
  readonly description: string;
}

/** A file that has arrived, and how. Times in ms since the request. */
export interface Download {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly tier: Tier | undefined;
  readonly cacheStatus: string;
  readonly firstByteMs: number;
  readonly ms: number;
  readonly steps: readonly ServerStep[];
}

/** The server answered, and not with the file. `message` is a sentence for people. */
export class DownloadError extends Error {}

export interface DownloadOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** `Cache-Control` of the request; the browser's own cache is then left out. Absent: a request like any other. */
  readonly cacheControl?: string;
}

/**
 * Fetches a file and tells how far it is. The bytes that are counted are those that have arrived, so the bar is true; where they came from is
 * `Cache-Status`, corrected to "browser" when the resource timing says that nothing was transferred.
 */
export async function download(url: string, options: DownloadOptions): Promise<Download> {
  performance.clearResourceTimings();
  const started = performance.now();
  const response = await request(url, options);
  const firstByteMs = performance.now() - started;
  if (!response.ok || !response.body) {
    throw new DownloadError(await reasonOf(response));
  }
  const length = response.headers.get('Content-Encoding') ? null : response.headers.get('Content-Length');
  const total = length === null ? undefined : Number(length);
  const bytes = await readAll(response.body, total, (done) => options.onProgress({ done, total, ms: performance.now() - started }));
  const ms = performance.now() - started;
  const cacheStatus = response.headers.get('Cache-Status') ?? '';
  const timing = await timingOf(url);
  return {
    bytes,
    tier: timing && !options.cacheControl && isFromBrowser(timing) ? 'browser' : tierOf(cacheStatus),
    cacheStatus,
    firstByteMs,
    ms,
    steps: stepsOf(response.headers.get('Server-Timing')),
  };
}

async function request(url: string, options: DownloadOptions): Promise<Response> {
  try {
    return await fetch(url, {
      signal: options.signal,
      ...(options.cacheControl ? { cache: 'no-store', headers: { 'Cache-Control': options.cacheControl } } : {}),
    });
  } catch (error) {
    if (options.signal.aborted) {
      throw error;
    }
    throw new DownloadError('The image server cannot be reached.');
  }
}

/** One buffer where the length is known, no copy at the end; grown by pieces where it is not. */
async function readAll(body: ReadableStream<Uint8Array>, total: number | undefined, onBytes: (done: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  let buffer = new Uint8Array(total ?? 1 << 20);
  let done = 0;
  for (;;) {
    const { value, done: isEnd } = await reader.read().catch((error: unknown) => {
      throw error instanceof DOMException && error.name === 'AbortError' ? error : new DownloadError('The connection broke off before the file was complete.');
    });
    if (isEnd) {
      break;
    }
    if (done + value.length > buffer.length) {
      const larger = new Uint8Array(Math.max(buffer.length * 2, done + value.length));
      larger.set(buffer.subarray(0, done));
      buffer = larger;
    }
    buffer.set(value, done);
    done += value.length;
    onBytes(done);
  }
  if (total !== undefined && done !== total) {
    throw new DownloadError('The connection broke off before the file was complete.');
  }
  return done === buffer.length ? buffer : buffer.slice(0, done);
}

/** The timing's entry is written a moment after the last byte. */
async function timingOf(url: string): Promise<PerformanceResourceTiming | undefined> {
  for (let i = 0; i < 5; i++) {
    const found = performance.getEntriesByName(url, 'resource').at(-1);
    if (found) {
      return found as PerformanceResourceTiming;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

/** Reads `Server-Timing`: `cache;dur=0.2;desc="memory", origin;dur=41`. */
export function stepsOf(header: string | null): ServerStep[] {
  if (!header) {
    return [];
  }
  return header.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).flatMap((part) => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim());
    const value = (key: string) => parameters.find((parameter) => parameter.startsWith(`${key}=`))?.slice(key.length + 1).replace(/^"|"$/g, '');
    const ms = Number(value('dur'));
    return name && Number.isFinite(ms) ? [{ name, ms, description: value('desc') ?? '' }] : [];
  });
}

/** A problem's own words (RFC 9457), else what the status means for someone who looks at a picture. */
export async function reasonOf(response: Response): Promise<string> {
  if (response.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    const problem = (await response.json().catch(() => ({}))) as { detail?: unknown };
    if (typeof problem.detail === 'string') {
      return problem.detail;
    }
  }
  switch (response.status) {
    case 404:
      return 'The file is not there any more.';
    case 401:
    case 403:
      return 'You may not open this file.';
    case 502:
    case 503:
    case 504:
      return 'The place where the file is kept does not answer.';
    default:
      return `The image server answered ${response.status}.`;
  }
}

/** The volume's bytes as they are read: inflated, where they are gzip. Off the page's thread, by the browser itself. */
export async function unpack(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    return bytes.buffer.byteLength === bytes.length ? bytes.buffer : bytes.slice().buffer;
  }
  try {
    return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch {
    throw new DownloadError('The file is damaged: it cannot be unpacked.');
  }
}
