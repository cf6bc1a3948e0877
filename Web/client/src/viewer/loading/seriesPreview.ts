import type { Decoder } from '../decoding/decoder';
import { enlarge } from '../decoding/enlarge';
import type { DecodedImage } from '../decoding/pixels';
import type { FrameDescription } from '../manifest';
import { reduced } from '../decoding/reduced';
import { progressiveSyntax, tierFromTiming } from './frameFetch';
import type { FramePrefix, PreviewRecord } from './previewParser';
import type { PreviewAnswer, PreviewStream } from './previewStream';
import type { Tier } from './tiers';

/** How a frame's preview came. Times in ms, `*At` on the page's clock. */
export interface PreviewTimes {
  tier: Tier | undefined;
  readonly url: string;
  readonly startedAt: number;
  readonly headersAt: number;
  readonly arrivedAt: number;
  readyAt: number;
  decodeMs: number;
  /** Of the prefix. */
  readonly bytes: number;
}

export interface SeriesPreviewOptions {
  readonly count: number;
  readonly decoder: Decoder;
  readonly describe: (index: number) => FrameDescription | undefined;
  /** Version of the manifest: prefixes of any other are not used. */
  readonly version: string;
  /** For prefixes and small pictures together, half each. */
  readonly maxBytes: number;
  /** How urgent a frame's picture is, smallest first. */
  readonly rank: (index: number) => number;
  /** A frame's prefix arrived, or is known not to come. */
  readonly onRecord: (index: number) => void;
  /** A frame's picture can be had. */
  readonly onPicture: (index: number) => void;
  /** The stream has ended, well or not. */
  readonly onEnd: () => void;
  /** Times and tiers are final. */
  readonly onSettled: () => void;
}

interface Entry {
  readonly prefix: FramePrefix | undefined;
  /** There was a prefix, and no room for it. */
  readonly isDropped: boolean;
  readonly times: PreviewTimes;
  /** The small picture; large frames keep none and are decoded when one looks. */
  small?: DecodedImage;
  /** Of the small picture, there or on its way. */
  pictureBytes?: number;
  isDecoding?: boolean;
  isUndecodable?: boolean;
}

/** A frame up to this many pixels is enlarged where it is shown: about a millisecond. A larger one in a worker, when it is wanted. */
const smallFramePixels = 1 << 20;

/**
 * The previews of one open series: what has arrived of the stream, and the pictures in it. It never fails; a frame that has no
 * preview here comes by the plain road.
 */
export class SeriesPreview {
  readonly #options: SeriesPreviewOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #waiters = new Map<number, (() => void)[]>();
  readonly #abort = new AbortController();
  #stream: PreviewStream | undefined;
  #answer: PreviewAnswer | undefined;
  #isRunning = true;
  #prefixBytes = 0;
  #pictureBytes = 0;
  #shown: { readonly index: number; readonly image: DecodedImage } | undefined;

  constructor(options: SeriesPreviewOptions) {
    this.#options = options;
  }

  /** More records may come. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  get bytes(): number {
    return this.#prefixBytes + this.#pictureBytes;
  }

  /** Reads the first of the streams that turns out to be of the manifest's version. */
  async read(...streams: (PreviewStream | (() => PreviewStream))[]): Promise<void> {
    for (const given of streams) {
      if (this.#abort.signal.aborted) {
        break;
      }
      const stream = typeof given === 'function' ? given() : given;
      this.#stream = stream;
      try {
        await stream.read(this.#options.count, (answer) => this.#onAnswer(answer), (record) => this.#onRecord(record, performance.now()));
        break;
      } catch (error) {
        stream.close();
        if (!(error instanceof OtherVersionError)) {
          break; // what has come stands; the rest comes as the manifest says
        }
      }
    }
    this.#isRunning = false;
    if (!this.#abort.signal.aborted) {
      this.#correctTier();
      this.#options.onEnd();
    }
  }

  /** The stream has said what there is for this frame. */
  has(index: number): boolean {
    return this.#entries.has(index);
  }

  /** The frame's progressive stream is known to exist though no prefix of it is held, or its record is on its way. */
  mayBeProgressive(index: number): boolean {
    return this.#entries.get(index)?.isDropped ?? (this.#isRunning && !this.has(index));
  }

  prefix(index: number): FramePrefix | undefined {
    return this.#entries.get(index)?.prefix;
  }

  times(index: number): PreviewTimes | undefined {
    const entry = this.#entries.get(index);
    return entry?.prefix && entry.times;
  }

  hasPicture(index: number): boolean {
    const entry = this.#entries.get(index);
    return entry?.small !== undefined || this.#shown?.index === index;
  }

  /** The frame at its full size; undefined while there is none. What it takes to make one begins with the question. */
  picture(index: number): DecodedImage | undefined {
    if (this.#shown?.index === index) {
      return this.#shown.image;
    }
    const entry = this.#entries.get(index);
    const frame = this.#options.describe(index);
    if (!entry?.prefix || !frame) {
      return undefined;
    }
    if (entry.small) {
      this.#shown = { index, image: enlarge(entry.small, frame.geometry.rows, frame.geometry.columns, entry.prefix.missingLevels) };
      return this.#shown.image;
    }
    void this.#decode(index, entry, true);
    return undefined;
  }

  /** Resolves once there is a picture; never, where none comes. */
  whenPicture(index: number): Promise<void> {
    return this.hasPicture(index) ? Promise.resolve() : new Promise((resolve) => this.#waiters.set(index, [...(this.#waiters.get(index) ?? []), resolve]));
  }

  /** The whole frame is there: its preview is not shown any more. */
  letGo(index: number): void {
    if (this.#shown?.index === index) {
      this.#shown = undefined;
    }
  }

  /** The prefix is no part of the frame's stream, or gives no picture. */
  forget(index: number): void {
    const entry = this.#entries.get(index);
    if (entry) {
      this.#prefixBytes -= entry.prefix?.bytes.length ?? 0;
      this.#pictureBytes -= entry.pictureBytes ?? 0;
      this.#entries.set(index, { prefix: undefined, isDropped: false, times: entry.times });
    }
    this.letGo(index);
  }

  close(): void {
    this.#abort.abort(new DOMException('The series was closed.', 'AbortError'));
    this.#stream?.close();
    this.#entries.clear();
    this.#waiters.clear();
    this.#shown = undefined;
    this.#prefixBytes = this.#pictureBytes = 0;
  }

  /** The browser writes the timing entry, which says whether it had the answer itself, a little after the end. */
  #correctTier(): void {
    const answer = this.#answer;
    setTimeout(() => {
      const tier = answer && tierFromTiming(answer.url, answer.tier);
      for (const { times } of this.#entries.values()) {
        times.tier = tier;
      }
      this.#options.onSettled();
    }, 60);
  }

  #onAnswer(answer: PreviewAnswer): void {
    // Bytes of two versions in one frame would be nobody's picture.
    if (answer.version !== this.#options.version.toLowerCase()) {
      throw new OtherVersionError();
    }
    this.#answer = answer;
  }

  #onRecord({ index, prefix }: PreviewRecord, arrivedAt: number): void {
    const { url, tier, startedAt, headersAt } = this.#answer!;
    const isKept = prefix !== undefined && this.#prefixBytes + prefix.bytes.length <= this.#options.maxBytes / 2;
    const entry: Entry = {
      prefix: isKept ? prefix : undefined,
      isDropped: prefix !== undefined && !isKept,
      times: { tier, url, startedAt, headersAt, arrivedAt, readyAt: arrivedAt, decodeMs: 0, bytes: prefix?.bytes.length ?? 0 },
    };
    this.#entries.set(index, entry);
    if (isKept) {
      this.#prefixBytes += prefix.bytes.length;
      const frame = this.#options.describe(index);
      const pictureBytes = frame && frame.geometry.rows * frame.geometry.columns <= smallFramePixels ? smallBytes(frame, prefix.missingLevels) : Infinity;
      if (this.#pictureBytes + pictureBytes <= this.#options.maxBytes / 2) {
        this.#pictureBytes += entry.pictureBytes = pictureBytes;
        void this.#decode(index, entry, false);
      } else if (this.#waiters.has(index)) {
        void this.#decode(index, entry, true);
      }
    }
    this.#options.onRecord(index);
  }

  async #decode(index: number, entry: Entry, isEnlarged: boolean): Promise<void> {
    const frame = this.#options.describe(index);
    if (entry.isDecoding || entry.isUndecodable || !entry.prefix || !frame) {
      return;
    }
    entry.isDecoding = true;
    const { rows, columns } = frame.geometry;
    const { bytes, missingLevels } = entry.prefix;
    try {
      const { image, ms } = await this.#options.decoder.decode(
        { bytes: bytes.slice().buffer, transferSyntax: progressiveSyntax, rows, columns, pixel: frame.pixel, missingLevels, isEnlarged },
        { signal: this.#abort.signal, rank: () => this.#options.rank(index) },
      );
      if (this.#entries.get(index) !== entry) {
        return; // forgotten, or the series was closed
      }
      entry.times.decodeMs = ms;
      entry.times.readyAt = performance.now();
      if (isEnlarged) {
        this.#shown = { index, image };
      } else {
        entry.small = image;
      }
      this.#options.onPicture(index);
      this.#waiters.get(index)?.forEach((resolve) => resolve());
      this.#waiters.delete(index);
    } catch {
      entry.isUndecodable = true; // whether the frame is damaged, the whole of it will tell
    } finally {
      entry.isDecoding = false;
    }
  }
}

/** At most: values of 16 bits, or of 32 where the modality's slope is no whole number. */
function smallBytes({ geometry, pixel }: FrameDescription, missingLevels: number): number {
  const bytesPerPixel = pixel.samplesPerPixel > 1 ? 3 : Number.isInteger(pixel.slope ?? 1) && Number.isInteger(pixel.intercept ?? 0) ? 2 : 4;
  return reduced(geometry.rows, missingLevels) * reduced(geometry.columns, missingLevels) * bytesPerPixel;
}

class OtherVersionError extends Error {}
