import type { Decoder } from '../decoding/decoder';
import { finish, InvalidFrameError, rawSamples, type DecodedImage } from '../decoding/pixels';
import { codecOf, isLossy } from '../decoding/transferSyntaxes';
import { describeFrame, openingIndex, type FrameDescription, type SeriesManifest } from '../manifest';
import { fetchFrame, FrameUnreachableError, tierFromTiming, timingOf, type FetchedFrame } from './frameFetch';
import { FrameQueue, type FrameState } from './frameQueue';
import type { Tier } from './tiers';

/** What is known of how a frame came. Times in ms, `*At` on the page's clock (`performance.now()`). */
export interface FrameRecord {
  tier: Tier | undefined;
  startedAt: number;
  headersAt: number;
  arrivedAt: number;
  readyAt: number;
  decodeMs: number;
  bytes: number;
  transferSyntax: string;
  isLossless: boolean;
}

export interface SeriesSessionOptions {
  readonly manifest: SeriesManifest;
  readonly imageApi: string;
  readonly decoder: Decoder;
  readonly maxLoads: number;
  readonly maxBytes: number;
  readonly onState?: (index: number, state: FrameState) => void;
  /** A frame's record was written or corrected. */
  readonly onRecord?: (index: number) => void;
}

/** Frames of this many samples or fewer are decoded where they are needed first, without waiting for a worker to start. */
const smallFrameSamples = 1 << 20;

/** One open series: its manifest, its frames as they load, and where each of them came from. */
export class SeriesSession {
  readonly manifest: SeriesManifest;
  readonly queue: FrameQueue<DecodedImage>;
  readonly records = new Map<number, FrameRecord>();
  readonly #options: SeriesSessionOptions;
  #decodedHere = false;
  #current: number;

  constructor(options: SeriesSessionOptions) {
    this.#options = options;
    this.manifest = options.manifest;
    this.#current = openingIndex(options.manifest);
    this.queue = new FrameQueue<DecodedImage>({
      count: options.manifest.frames.length,
      maxLoads: options.maxLoads,
      ahead: 3,
      maxBytes: options.maxBytes,
      estimateBytes: (index) => this.#estimate(index),
      sizeOf: (image) => image.data.byteLength,
      load: (index, _attempt, signal) => this.#load(index, signal),
      isTransient: (error) => error instanceof FrameUnreachableError,
      onChange: options.onState,
    });
  }

  get count(): number {
    return this.manifest.frames.length;
  }

  get current(): number {
    return this.#current;
  }

  /** Makes a frame the current one and (re)orders the loading around it. */
  goTo(index: number): void {
    this.#current = Math.min(Math.max(index, 0), this.count - 1);
    this.queue.setCurrent(this.#current);
  }

  describe(index: number): FrameDescription | undefined {
    return describeFrame(this.manifest, index, this.#options.imageApi);
  }

  close(): void {
    this.queue.close();
  }

  #estimate(index: number): number {
    const frame = this.describe(index);
    if (!frame) {
      return 0;
    }
    const { samplesPerPixel, bitsAllocated, photometric } = frame.pixel;
    const bytesPerPixel = samplesPerPixel > 1 || photometric === 'PALETTE COLOR' ? 3 : bitsAllocated <= 8 ? 1 : bitsAllocated <= 16 ? 2 : 4;
    return frame.geometry.rows * frame.geometry.columns * bytesPerPixel;
  }

  async #load(index: number, signal: AbortSignal): Promise<DecodedImage> {
    const frame = this.describe(index);
    if (!frame) {
      throw new InvalidFrameError('The manifest does not say how large this frame is.');
    }
    const fetched = await fetchFrame(frame.url, signal, index === this.#current ? 'high' : 'low');
    const transferSyntax = fetched.transferSyntax && codecOf(fetched.transferSyntax) ? fetched.transferSyntax : frame.transferSyntax;
    const { image, ms } = await this.#decode(frame, transferSyntax, fetched.bytes, signal);
    this.#record(index, frame, fetched, transferSyntax, ms);
    return image;
  }

  async #decode(frame: FrameDescription, transferSyntax: string, bytes: ArrayBuffer, signal: AbortSignal): Promise<{ image: DecodedImage; ms: number }> {
    const { rows, columns } = frame.geometry;
    const request = { bytes, transferSyntax, rows, columns, pixel: frame.pixel };
    const isSmall = rows * columns * frame.pixel.samplesPerPixel <= smallFrameSamples;
    if (!this.#decodedHere && isSmall && codecOf(transferSyntax) === 'raw') {
      this.#decodedHere = true;
      const started = performance.now();
      const image = finish(rawSamples(bytes, rows, columns, frame.pixel), rows, columns, frame.pixel, 'raw');
      return { image, ms: performance.now() - started };
    }
    return this.#options.decoder.decode(request, signal);
  }

  #record(index: number, frame: FrameDescription, fetched: FetchedFrame, transferSyntax: string, decodeMs: number): void {
    const record: FrameRecord = {
      tier: tierFromTiming(frame.url, fetched.tier),
      startedAt: fetched.startedAt,
      headersAt: fetched.headersAt,
      arrivedAt: fetched.arrivedAt,
      readyAt: performance.now(),
      decodeMs,
      bytes: this.manifest.frames[index]?.length ?? 0,
      transferSyntax,
      isLossless: !isLossy(transferSyntax),
    };
    this.records.set(index, record);
    this.#options.onRecord?.(index);
    if (!timingOf(frame.url)) {
      // The browser writes the timing entry a little after the body has been read.
      setTimeout(() => {
        record.tier = tierFromTiming(frame.url, fetched.tier);
        this.#options.onRecord?.(index);
      }, 60);
    }
  }
}
