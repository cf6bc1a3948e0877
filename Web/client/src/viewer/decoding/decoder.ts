import type { PixelDescription } from '../manifest';
import { InvalidFrameError, UnsupportedFrameError, type DecodedImage } from './pixels';

export interface DecodeRequest {
  /** Encoded bytes; ownership passes to the worker. */
  readonly bytes: ArrayBuffer;
  readonly transferSyntax: string;
  readonly rows: number;
  readonly columns: number;
  readonly pixel: PixelDescription;
  /** HTJ2K only: `bytes` end with an earlier resolution, and so does the picture. Absent: the whole frame. */
  readonly missingLevels?: number;
  /** A picture that lacks resolutions is given at the size of the whole frame. */
  readonly isEnlarged?: boolean;
}

/** Nothing to decode yet: fetch and start the codec that most frames need. Not answered. */
export interface PrepareRequest {
  readonly prepare: 'htj2k';
}

export interface DecodeAnswer {
  readonly image?: DecodedImage;
  readonly error?: { readonly name: string; readonly message: string };
  /** Time in the worker. */
  readonly ms: number;
}

export interface DecodeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Asked whenever a worker is free: the smallest goes first, and of equals the newest. Default 0. */
  readonly rank?: () => number;
}

interface Job extends DecodeOptions {
  readonly request: DecodeRequest;
  readonly resolve: (answer: { image: DecodedImage; ms: number }) => void;
  readonly reject: (error: unknown) => void;
}

/** A worker that says nothing for this long is replaced: a stream may be made to keep a decoder busy for ever. */
const longestDecodeMs = 20_000;

/** A few decoding workers; a frame waits until one is idle, and what the user looks at goes first. */
export class Decoder {
  readonly #idle: Worker[] = [];
  readonly #waiting: Job[] = [];
  #workers = 0;
  readonly #size: number;

  constructor(size = Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1))) {
    this.#size = size;
  }

  /** Starts a worker and its codec before there is anything to decode. */
  prepare(): void {
    if (this.#workers === 0) {
      const worker = this.#start();
      worker.postMessage({ prepare: 'htj2k' } satisfies PrepareRequest);
      this.#idle.push(worker);
    }
  }

  /** Rejects with {@link InvalidFrameError}, {@link UnsupportedFrameError} or the signal's reason. */
  decode(request: DecodeRequest, options: DecodeOptions = {}): Promise<{ image: DecodedImage; ms: number }> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...options, request, resolve, reject });
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0 && (this.#idle.length > 0 || this.#workers < this.#size)) {
      const job = this.#takeFirst();
      if (job.signal?.aborted) {
        job.reject(job.signal.reason);
        continue;
      }
      this.#run(job, this.#idle.pop() ?? this.#start());
    }
  }

  #takeFirst(): Job {
    let first = 0;
    let least = Infinity;
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const { signal, rank } = this.#waiting[i]!;
      const own = signal?.aborted ? -Infinity : (rank?.() ?? 0);
      if (own < least) {
        [first, least] = [i, own];
      }
    }
    return this.#waiting.splice(first, 1)[0]!;
  }

  #start(): Worker {
    this.#workers++;
    return new Worker(new URL('./decode.worker.ts', import.meta.url), { type: 'module', name: 'decoder' });
  }

  #run(job: Job, worker: Worker): void {
    const end = (isUsable: boolean) => {
      clearTimeout(timer);
      worker.onmessage = null;
      worker.onerror = null;
      if (isUsable) {
        this.#idle.push(worker);
      } else {
        worker.terminate();
        this.#workers--;
      }
      this.#pump();
    };
    const timer = setTimeout(() => {
      job.reject(new InvalidFrameError(`The decoder did not finish within ${longestDecodeMs / 1000} s.`));
      end(false);
    }, longestDecodeMs);
    worker.onmessage = (event: MessageEvent<DecodeAnswer>) => {
      const { image, error, ms } = event.data;
      if (image) {
        job.resolve({ image, ms });
      } else {
        job.reject(error?.name === 'UnsupportedFrameError' ? new UnsupportedFrameError(error.message) : new InvalidFrameError(error?.message));
      }
      end(true);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      job.reject(new InvalidFrameError(`The decoder failed${event.message ? ': ' + event.message : ''}.`));
      end(false);
    };
    worker.postMessage(job.request, [job.request.bytes]);
  }
}
