import type { FramePrefix } from './previewParser';
import { isFromBrowser, tierOf, type Tier } from './tiers';

/** Unquoted and far below 128 bytes: a CORS-safelisted request header, so no preflight is ever sent. */
export const frameAccept = 'application/octet-stream;transfer-syntax=*';

/** The progressive lossless stream whose first bytes are the preview (HTJ2K, RPCL). Safelisted like the other. */
export const progressiveSyntax = '1.2.840.10008.1.2.4.202';
export const progressiveAccept = `image/jphc;transfer-syntax=${progressiveSyntax}`;

export interface FetchedFrame {
  readonly bytes: ArrayBuffer;
  /** How many of them this answer brought. */
  readonly received: number;
  /** As the answer names it, else as the manifest does. */
  readonly transferSyntax: string | undefined;
  /** From `Cache-Status`; the resource timing corrects it to "browser" later. */
  readonly tier: Tier | undefined;
  readonly startedAt: number;
  readonly headersAt: number;
  readonly arrivedAt: number;
}

/** The server answered, and said no. Never worth a second try at once. */
export class FrameRefusedError extends Error {
  override readonly name = 'FrameRefusedError';
  constructor(
    readonly status: number,
    detail: string,
  ) {
    super(detail);
  }
}

/** The answer could not be had: the connection failed, or it ended before the body was complete. */
export class FrameUnreachableError extends Error {
  override readonly name = 'FrameUnreachableError';
}

/** Prefix and rest are not of one stream: the prefix is worth nothing. */
export class PrefixMismatchError extends Error {
  override readonly name = 'PrefixMismatchError';
}

/** The whole frame, as stored unless `accept` says otherwise. */
export async function fetchFrame(url: string, signal: AbortSignal | undefined, priority: RequestPriority, accept = frameAccept): Promise<FetchedFrame> {
  return (await ask(url, { Accept: accept }, signal, priority)).frame;
}

/**
 * What follows `prefix` in the frame's progressive stream, and the prefix before it: the whole. `bytes=n-` is safelisted too
 * (Fetch 2.2.2). A server or proxy that knows no ranges sends the whole itself.
 */
export async function fetchRest(url: string, prefix: FramePrefix, signal: AbortSignal | undefined, priority: RequestPriority): Promise<FetchedFrame> {
  const { frame, status } = await ask(url, { Accept: progressiveAccept, Range: `bytes=${prefix.bytes.length}-` }, signal, priority);
  if (status !== 206) {
    return frame;
  }
  if (prefix.bytes.length + frame.received !== prefix.length) {
    throw new PrefixMismatchError(`The rest of the frame is ${frame.received} bytes, not ${prefix.length - prefix.bytes.length}.`);
  }
  const whole = new Uint8Array(prefix.length);
  whole.set(prefix.bytes);
  whole.set(new Uint8Array(frame.bytes), prefix.bytes.length);
  return { ...frame, bytes: whole.buffer, transferSyntax: progressiveSyntax };
}

async function ask(url: string, headers: Record<string, string>, signal: AbortSignal | undefined, priority: RequestPriority): Promise<{ frame: FetchedFrame; status: number }> {
  const startedAt = performance.now();
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: signal ?? null, priority, credentials: 'same-origin' });
  } catch (error) {
    throw unlessAborted(error, signal, 'The image service could not be reached.');
  }
  const headersAt = performance.now();
  if (!response.ok) {
    throw new FrameRefusedError(response.status, await explain(response));
  }
  let bytes: ArrayBuffer;
  try {
    bytes = await response.arrayBuffer();
  } catch (error) {
    throw unlessAborted(error, signal, 'The connection ended before the frame was complete.');
  }
  const frame: FetchedFrame = {
    bytes,
    received: bytes.byteLength,
    transferSyntax: transferSyntaxOf(response.headers.get('Content-Type')),
    tier: tierOf(response.headers.get('Cache-Status')),
    startedAt,
    headersAt,
    arrivedAt: performance.now(),
  };
  return { frame, status: response.status };
}

/** `transfer-syntax` of a DICOMweb media type, quoted or not. */
export function transferSyntaxOf(contentType: string | null): string | undefined {
  return /;\s*transfer-syntax="?([0-9.]+)"?/i.exec(contentType ?? '')?.[1];
}

/** A sentence from an RFC 9457 problem, else from the status. */
export async function explain(response: Response): Promise<string> {
  try {
    if (response.headers.get('Content-Type')?.includes('json')) {
      const problem = (await response.json()) as { title?: string; detail?: string };
      const text = problem.detail ?? problem.title;
      if (text) {
        return `${text} (${response.status})`;
      }
    }
  } catch {
    // The body is no JSON after all: the status says enough.
  }
  return `The image service answered ${response.status}${response.statusText ? ' ' + response.statusText : ''}.`;
}

/** The last timing entry of a URL, once the browser has written it. */
export function timingOf(url: string): PerformanceResourceTiming | undefined {
  return performance.getEntriesByName(url, 'resource').at(-1) as PerformanceResourceTiming | undefined;
}

export function tierFromTiming(url: string, tier: Tier | undefined): Tier | undefined {
  const timing = timingOf(url);
  return timing && isFromBrowser(timing) ? 'browser' : tier;
}

function unlessAborted(error: unknown, signal: AbortSignal | undefined, message: string): unknown {
  return signal?.aborted ? signal.reason : new FrameUnreachableError(message, { cause: error });
}
