import type { Decoder } from '../decoding/decoder';
import { finish, InvalidFrameError, rawSamples, type DecodedImage } from '../decoding/pixels';
import { codecOf, isLossy } from '../decoding/transferSyntaxes';
import { describeFrame, openingIndex, previewUrl, type FrameDescription, type SeriesManifest } from '../manifest';
import { fetchFrame, fetchRest, FrameRefusedError, FrameUnreachableError, PrefixMismatchError, progressiveAccept, progressiveSyntax, tierFromTiming, timingOf, type FetchedFrame } from './frameFetch';
import { FrameQueue, type FrameState } from './frameQueue';
import { PreviewStream } from './previewStream';
import { SeriesPreview, type PreviewTimes } from './seriesPreview';
import type { Tier } from './tiers';

/** What is known of how a frame came. Times in ms, `*At` on the page's clock (`performance.now()`). */
export interface FrameRecord {
  tier: Tier | undefined;
  startedAt: number;
  headersAt: number;
  arrivedAt: number;
  readyAt: number;
  decodeMs: number;
  /** That the answer brought: with a preview, what followed it. */
  bytes: number;
  transferSyntax: string;
  isLossless: boolean;
}

/** What there is to see of a frame now. */
export interface Picture {
  readonly image: DecodedImage;
  /** Enlarged from the first bytes; the whole frame is still to come. */
  readonly isPreview: boolean;
}

export interface SeriesSessionOptions {
  readonly manifest: SeriesManifest;
  readonly imageApi: string;
  readonly decoder: Decoder;
  readonly maxLoads: number;
  readonly maxBytes: number;
  /** Asked for before the manifest was there. */
  readonly stream?: PreviewStream | undefined;
  readonly onState?: (index: number, state: FrameState) => void;
  /** A frame's record was written or corrected. */
  readonly onRecord?: (index: number) => void;
  /** There is a preview of the frame to show. */
  readonly onPreview?: (index: number) => void;
  /** The stream of previews has ended, and what is told of it is final. */
  readonly onPreviewsComplete?: () => void;
}

/** Frames of this many samples or fewer are decoded where they are needed first, without waiting for a worker to start. */
const smallFrameSamples = 1 << 20;

/** Of the bytes held, this part is for previews. */
const previewShare = 1 / 6;

/** While previews come the line is theirs, and the current frame's; but no longer than this: then they come too slowly to wait for. */
const longestPatienceMs = 1500;

/**
 * One open series: its manifest, its frames as they load, and where each of them came from. Where the manifest offers previews,
 * one stream brings the first bytes of every frame, and what follows them is then asked for by range: no byte comes twice.
 */
export class SeriesSession {
  readonly manifest: SeriesManifest;
  readonly queue: FrameQueue<DecodedImage>;
  readonly records = new Map<number, FrameRecord>();
  readonly #options: SeriesSessionOptions;
  readonly #preview: SeriesPreview | undefined;
  readonly #patience: ReturnType<typeof setTimeout> | undefined;
  #isPatient: boolean;
  /** The user went somewhere: the frame there is not left to the stream's order. */
  #hasMoved = false;
  readonly #usable = new Set<number>();
  #usableAt: number | undefined;
  #completeAt: number | undefined;
  #decodedHere = false;
  #current: number;

  constructor(options: SeriesSessionOptions) {
    this.#options = options;
    this.manifest = options.manifest;
    this.#current = openingIndex(options.manifest);
    this.#preview = this.#openPreview();
    this.#isPatient = this.#preview !== undefined;
    this.#patience = this.#preview && setTimeout(() => this.#endPatience(), longestPatienceMs);
    this.queue = new FrameQueue<DecodedImage>({
      count: options.manifest.frames.length,
      maxLoads: options.maxLoads,
      ahead: 3,
      maxBytes: options.maxBytes * (this.#preview ? 1 - previewShare : 1),
      slots: () => (this.#preview?.isRunning ? options.maxLoads - 1 : options.maxLoads),
      admits: (index) => this.#admits(index),
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

  get heldBytes(): number {
    return this.queue.heldBytes + (this.#preview?.bytes ?? 0);
  }

  /** Makes a frame the current one and (re)orders the loading around it. */
  goTo(index: number): void {
    const target = Math.min(Math.max(index, 0), this.count - 1);
    this.#hasMoved ||= target !== this.#current;
    this.#current = target;
    this.queue.setCurrent(this.#current);
  }

  describe(index: number): FrameDescription | undefined {
    return describeFrame(this.manifest, index, this.#options.imageApi);
  }

  /** The whole frame, else its preview. */
  picture(index: number): Picture | undefined {
    const whole = this.queue.get(index);
    if (whole) {
      this.#preview?.letGo(index);
      return { image: whole, isPreview: false };
    }
    const preview = this.#preview?.picture(index);
    return preview && { image: preview, isPreview: true };
  }

  /** Resolves when there is a picture of the frame, rejects when there will be none. */
  async whenPicture(index: number): Promise<void> {
    const whole = this.queue.whenHeld(index);
    await (this.#preview ? Promise.race([whole, this.#preview.whenPicture(index)]) : whole);
  }

  /** Frames that there is, or was, a picture of. */
  get usable(): number {
    return this.#usable.size;
  }

  /** When every frame had a picture, and when every one had come whole; undefined before. */
  get usableAt(): number | undefined {
    return this.#usableAt;
  }

  get completeAt(): number | undefined {
    return this.#completeAt;
  }

  hasPreview(index: number): boolean {
    return this.#preview?.hasPicture(index) ?? false;
  }

  previewTimes(index: number): PreviewTimes | undefined {
    return this.#preview?.times(index);
  }

  close(): void {
    clearTimeout(this.#patience);
    this.queue.close();
    this.#preview?.close();
    this.#options.stream?.close();
  }

  #openPreview(): SeriesPreview | undefined {
    const { manifest, imageApi, decoder, maxBytes, stream, onRecord, onPreview } = this.#options;
    const url = previewUrl(manifest, imageApi, this.#current);
    if (!url) {
      stream?.close();
      return undefined;
    }
    const preview = new SeriesPreview({
      count: manifest.frames.length,
      decoder,
      describe: (index) => this.describe(index),
      version: manifest.version,
      maxBytes: maxBytes * previewShare,
      rank: (index) => this.#distance(index) / (manifest.frames.length + 1), // a millisecond each: before any whole frame but the current one
      onRecord: (index) => {
        onRecord?.(index);
        if (index === this.#current) {
          this.queue.recheck();
        }
      },
      onPicture: (index) => {
        this.#count(index);
        if (this.queue.get(index) === undefined) {
          onPreview?.(index);
        }
      },
      onEnd: () => this.#endPatience(),
      onSettled: () => this.#options.onPreviewsComplete?.(),
    });
    void preview.read(...(stream ? [stream] : []), () => new PreviewStream(url));
    return preview;
  }

  #endPatience(): void {
    clearTimeout(this.#patience);
    this.#isPatient = false;
    this.queue.recheck();
  }

  /** While previews come: the current frame once its prefix is here (or at once, when the user went there), others later. */
  #admits(index: number): boolean {
    const preview = this.#preview;
    if (!preview?.isRunning) {
      return true;
    }
    if (index === this.#current) {
      return preview.has(index) || this.#hasMoved || !this.#isPatient;
    }
    return !this.#isPatient && preview.has(index);
  }

  #count(index: number): void {
    this.#usable.add(index);
    if (this.#usable.size === this.count) {
      this.#usableAt ??= performance.now();
    }
  }

  /** Of decoding whole frames: the current one before everything, the others after the previews. */
  #rank(index: number): number {
    return index === this.#current ? -1 : 1 + this.#distance(index);
  }

  #distance(index: number): number {
    return Math.abs(index - this.#current);
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
    try {
      return await this.#loadProgressive(index, frame, signal);
    } catch (error) {
      if (!(error instanceof FrameRefusedError || error instanceof PrefixMismatchError || error instanceof InvalidFrameError) || !this.#preview) {
        throw error;
      }
      this.#preview.forget(index);
      return await this.#finish(index, frame, await fetchFrame(frame.url, signal, this.#priority(index)), signal);
    }
  }

  async #loadProgressive(index: number, frame: FrameDescription, signal: AbortSignal): Promise<DecodedImage> {
    const prefix = this.#preview?.prefix(index);
    const priority = this.#priority(index);
    if (prefix && prefix.bytes.length === prefix.length) {
      const { startedAt, headersAt, arrivedAt, tier } = this.#preview!.times(index)!;
      return this.#finish(index, frame, { bytes: prefix.bytes.slice().buffer, received: 0, transferSyntax: progressiveSyntax, tier, startedAt, headersAt, arrivedAt }, signal);
    }
    if (prefix) {
      return this.#finish(index, frame, await fetchRest(frame.url, prefix, signal, priority), signal);
    }
    return this.#finish(index, frame, await fetchFrame(frame.url, signal, priority, this.#preview?.mayBeProgressive(index) ? progressiveAccept : undefined), signal);
  }

  async #finish(index: number, frame: FrameDescription, fetched: FetchedFrame, signal: AbortSignal): Promise<DecodedImage> {
    const transferSyntax = fetched.transferSyntax && codecOf(fetched.transferSyntax) ? fetched.transferSyntax : frame.transferSyntax;
    const { image, ms } = await this.#decode(index, frame, transferSyntax, fetched.bytes, signal);
    this.#record(index, frame, fetched, transferSyntax, ms);
    return image;
  }

  #priority(index: number): RequestPriority {
    return index === this.#current ? 'high' : 'low';
  }

  async #decode(index: number, frame: FrameDescription, transferSyntax: string, bytes: ArrayBuffer, signal: AbortSignal): Promise<{ image: DecodedImage; ms: number }> {
    const { rows, columns } = frame.geometry;
    const request = { bytes, transferSyntax, rows, columns, pixel: frame.pixel };
    const isSmall = rows * columns * frame.pixel.samplesPerPixel <= smallFrameSamples;
    if (!this.#decodedHere && isSmall && codecOf(transferSyntax) === 'raw') {
      this.#decodedHere = true;
      const started = performance.now();
      const image = finish(rawSamples(bytes, rows, columns, frame.pixel), rows, columns, frame.pixel, 'raw');
      return { image, ms: performance.now() - started };
    }
    return this.#options.decoder.decode(request, { signal, rank: () => this.#rank(index) });
  }

  #record(index: number, frame: FrameDescription, fetched: FetchedFrame, transferSyntax: string, decodeMs: number): void {
    const record: FrameRecord = {
      tier: tierFromTiming(frame.url, fetched.tier),
      startedAt: fetched.startedAt,
      headersAt: fetched.headersAt,
      arrivedAt: fetched.arrivedAt,
      readyAt: performance.now(),
      decodeMs,
      bytes: fetched.received,
      transferSyntax,
      isLossless: !isLossy(transferSyntax),
    };
    this.records.set(index, record);
    this.#count(index);
    if (this.records.size === this.count) {
      this.#completeAt ??= record.readyAt;
    }
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
