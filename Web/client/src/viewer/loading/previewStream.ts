import { explain, FrameRefusedError, FrameUnreachableError } from './frameFetch';
import { PreviewParser, type PreviewRecord } from './previewParser';
import { tierOf, type Tier } from './tiers';

/** What the answer's headers said. */
export interface PreviewAnswer {
  readonly url: string;
  readonly tier: Tier | undefined;
  readonly startedAt: number;
  readonly headersAt: number;
  /** The series' version that the prefixes are of, where the answer says so. */
  readonly version: string | undefined;
}

/**
 * The first bytes of every frame of a series, in one answer (`GET /api/series/{uid}/preview`). The request goes out when the
 * stream is opened; records are read once the manifest says how many frames there must be.
 */
export class PreviewStream {
  readonly url: string;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  readonly #response: Promise<Response>;

  constructor(url: string) {
    this.url = url;
    this.#response = fetch(url, { signal: this.#abort.signal, priority: 'high', credentials: 'same-origin' });
    this.#response.catch(() => undefined); // told by read()
  }

  /**
   * Hands over each record as it comes; resolves when every frame has had one. Rejects with {@link FrameRefusedError},
   * {@link FrameUnreachableError}, `PreviewBrokenError`, or the reason of the abort.
   */
  async read(frames: number, onAnswer: (answer: PreviewAnswer) => void, onRecord: (record: PreviewRecord) => void): Promise<void> {
    const signal = this.#abort.signal;
    let response: Response;
    try {
      response = await this.#response;
    } catch (error) {
      throw signal.aborted ? signal.reason : new FrameUnreachableError('The previews could not be reached.', { cause: error });
    }
    const headersAt = performance.now();
    if (!response.ok || !response.body) {
      throw new FrameRefusedError(response.status, await explain(response));
    }
    onAnswer({
      url: this.url,
      tier: tierOf(response.headers.get('Cache-Status')),
      startedAt: this.#startedAt,
      headersAt,
      version: versionOf(response.headers.get('Content-Location')) ?? versionOf(this.url),
    });
    const parser = new PreviewParser(frames);
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        signal.throwIfAborted();
        if (done) {
          parser.end();
          return;
        }
        for (const record of parser.push(value)) {
          onRecord(record);
        }
      }
    } catch (error) {
      this.close();
      throw error instanceof TypeError ? new FrameUnreachableError('The connection ended within the previews.', { cause: error }) : error;
    }
  }

  /** Nothing more is read, and nothing more is sent. */
  close(): void {
    this.#abort.abort();
  }
}

function versionOf(address: string | null): string | undefined {
  return /[?&]v=([0-9a-f]{16})\b/i.exec(address ?? '')?.[1]?.toLowerCase();
}
