import { isFromBrowser, tierOf, type Tier } from './tiers';

/** Unquoted and far below 128 bytes: a CORS-safelisted request header, so no preflight is ever sent. */
export const frameAccept = 'application/octet-stream;transfer-syntax=*';

export interface FetchedFrame {
  readonly bytes: ArrayBuffer;
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

export async function fetchFrame(url: string, signal: AbortSignal | undefined, priority: RequestPriority): Promise<FetchedFrame> {
  const startedAt = performance.now();
  let response: Response;
  try {
    response = await fetch(url, { headers: { Accept: frameAccept }, signal: signal ?? null, priority, credentials: 'same-origin' });
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
  return {
    bytes,
    transferSyntax: transferSyntaxOf(response.headers.get('Content-Type')),
    tier: tierOf(response.headers.get('Cache-Status')),
    startedAt,
    headersAt,
    arrivedAt: performance.now(),
  };
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
