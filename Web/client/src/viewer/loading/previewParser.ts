/** One frame of a preview stream. */
export interface PreviewRecord {
  /** 0-based, in the manifest's order. */
  readonly index: number;
  /** The first bytes of the frame's HTJ2K stream (transfer syntax .202); undefined: the frame has none, and is had as the manifest says. */
  readonly prefix: FramePrefix | undefined;
}

export interface FramePrefix {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Length of the whole stream; what is missing is `bytes={bytes.length}-`. */
  readonly length: number;
  /** Resolutions that `bytes` lacks: 2 means a picture of a quarter of the rows and columns. */
  readonly missingLevels: number;
}

/** The stream breaks its own rules. What it gave before stands. */
export class PreviewBrokenError extends Error {
  override readonly name = 'PreviewBrokenError';
}

const streamHeaderBytes = 16;
const recordHeaderBytes = 12;
const mostResolutions = 33; // ISO/IEC 15444-1 A.6.1: at most 32 decompositions
const mostStreamBytes = 1 << 30;
const mostMissingLevels = 8;

/**
 * Reads `application/vnd.platform.preview` from chunks of any size, without ever holding more than the record at hand. Every
 * number is checked before anything is allocated for it: the sender may be broken or hostile.
 */
export class PreviewParser {
  readonly #frames: number;
  readonly #mostPrefixBytes: number;
  readonly #seen: Uint8Array;
  /** Headers, gathered until they are whole. */
  readonly #head = new Uint8Array(recordHeaderBytes + 4 * mostResolutions + 4);
  readonly #view = new DataView(this.#head.buffer);
  #headBytes = 0;
  #wanted = streamHeaderBytes;
  #part: 'stream' | 'record' | 'ends' | 'body' = 'stream';
  #body = new Uint8Array(0);
  #bodyBytes = 0;
  #done = 0;

  /** `frames`: as many as the manifest has. `mostPrefixBytes`: no frame's prefix is larger. */
  constructor(frames: number, mostPrefixBytes = 32 << 20) {
    this.#frames = frames;
    this.#mostPrefixBytes = mostPrefixBytes;
    this.#seen = new Uint8Array(frames);
  }

  /** Every frame has had its record. */
  get isComplete(): boolean {
    return this.#part !== 'stream' && this.#done === this.#frames;
  }

  /** Yields the records that `chunk` completes; throws {@link PreviewBrokenError}. */
  *push(chunk: Uint8Array): Generator<PreviewRecord> {
    let at = 0;
    while (at < chunk.length) {
      if (this.isComplete) {
        throw new PreviewBrokenError('Bytes follow the last frame.');
      }
      if (this.#part === 'body') {
        const count = Math.min(chunk.length - at, this.#body.length - this.#bodyBytes);
        this.#body.set(chunk.subarray(at, at + count), this.#bodyBytes);
        this.#bodyBytes += count;
        at += count;
        if (this.#bodyBytes === this.#body.length) {
          yield this.#finish();
        }
        continue;
      }
      const count = Math.min(chunk.length - at, this.#wanted - this.#headBytes);
      this.#head.set(chunk.subarray(at, at + count), this.#headBytes);
      this.#headBytes += count;
      at += count;
      if (this.#headBytes === this.#wanted) {
        const record = this.#readHead();
        if (record) {
          yield record;
        }
      }
    }
  }

  /** To be called at the end of the stream. */
  end(): void {
    if (!this.isComplete) {
      throw new PreviewBrokenError(`The stream ended after ${this.#done} of ${this.#frames} frames.`);
    }
  }

  #readHead(): PreviewRecord | undefined {
    switch (this.#part) {
      case 'stream':
        this.#readStreamHeader();
        return this.#expectRecord();
      case 'record':
        this.#wanted = recordHeaderBytes + 4 * this.#resolutions + 4;
        check(this.#index < this.#frames, 'A frame that the series does not have');
        check(this.#seen[this.#index] === 0, 'A frame that came before');
        check(this.#kind <= 1, 'A record of unknown kind');
        check(this.#resolutions <= mostResolutions && (this.#kind === 0 || this.#resolutions > 0), 'A number of resolutions that cannot be');
        this.#part = 'ends';
        return undefined;
      case 'ends':
        return this.#readEnds();
      default:
        return undefined;
    }
  }

  #readStreamHeader(): void {
    const magic = String.fromCharCode(...this.#head.subarray(0, 4));
    check(magic === 'PLPV' && this.#view.getUint16(4, true) === 1, 'No preview of version 1');
    check(this.#view.getUint32(8, true) === this.#frames, 'Another number of frames than in the manifest');
  }

  #readEnds(): PreviewRecord | undefined {
    const bytes = this.#view.getUint32(this.#wanted - 4, true);
    if (this.#kind === 0) {
      check(bytes === 0, 'Bytes of a frame that has no preview');
      return this.#finish();
    }
    const length = this.#view.getUint32(8, true);
    check(length <= mostStreamBytes && this.#endOf(this.#resolutions - 1) === length, 'A frame whose last resolution does not end it');
    let previous = 0;
    for (let r = 0; r < this.#resolutions; r++) {
      check(this.#endOf(r) > previous, 'Resolutions that do not follow each other');
      previous = this.#endOf(r);
    }
    check(bytes <= this.#mostPrefixBytes && this.#levelsMissingOf(bytes) !== undefined, 'A prefix that ends within a resolution, or is too long');
    this.#part = 'body';
    this.#body = new Uint8Array(bytes);
    this.#bodyBytes = 0;
    return undefined;
  }

  #finish(): PreviewRecord {
    const index = this.#index;
    const prefix = this.#kind === 0 ? undefined : { bytes: this.#body, length: this.#view.getUint32(8, true), missingLevels: this.#levelsMissingOf(this.#body.length)! };
    this.#seen[index] = 1;
    this.#done++;
    this.#body = new Uint8Array(0);
    this.#expectRecord();
    return { index, prefix };
  }

  #expectRecord(): undefined {
    this.#part = 'record';
    this.#headBytes = 0;
    this.#wanted = recordHeaderBytes;
  }

  get #index(): number {
    return this.#view.getUint32(0, true);
  }

  get #kind(): number {
    return this.#head[4]!;
  }

  get #resolutions(): number {
    return this.#head[5]!;
  }

  #endOf(resolution: number): number {
    return this.#view.getUint32(recordHeaderBytes + 4 * resolution, true);
  }

  #levelsMissingOf(bytes: number): number | undefined {
    for (let r = 0; r < this.#resolutions; r++) {
      const missing = this.#resolutions - 1 - r;
      if (this.#endOf(r) === bytes && missing <= mostMissingLevels) {
        return missing;
      }
    }
    return undefined;
  }
}

function check(isTrue: boolean, what: string): void {
  if (!isTrue) {
    throw new PreviewBrokenError(`${what} (in the preview).`);
  }
}
