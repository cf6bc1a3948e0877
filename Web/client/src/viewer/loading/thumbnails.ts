import type { SeriesEntry } from '../config';
import type { Decoder } from '../decoding/decoder';
import type { DecodedImage } from '../decoding/pixels';
import { codecOf } from '../decoding/transferSyntaxes';
import { describeFrame, type SeriesManifest } from '../manifest';
import { fetchFrame } from './frameFetch';
import type { Manifests } from './manifestFetch';

export interface ThumbnailLoaderOptions {
  readonly imageApi: string;
  readonly manifests: Manifests;
  readonly decoder: Decoder;
}

export interface ThumbnailRun {
  /** True while the open series still loads: thumbnails wait. */
  readonly isBusy: () => boolean;
  readonly onThumbnail: (series: SeriesEntry, manifest: SeriesManifest | undefined, image: DecodedImage | undefined) => void;
}

const pollMs = 150;

/** Draws the other series' small pictures, one after the other, from one frame each, once the open series has loaded. */
export class ThumbnailLoader {
  readonly #options: ThumbnailLoaderOptions;
  #controller: AbortController | undefined;

  constructor(options: ThumbnailLoaderOptions) {
    this.#options = options;
  }

  run(series: readonly SeriesEntry[], run: ThumbnailRun): void {
    this.pause();
    const controller = new AbortController();
    this.#controller = controller;
    void this.#work(series, run, controller.signal);
  }

  pause(): void {
    this.#controller?.abort();
    this.#controller = undefined;
  }

  async #work(series: readonly SeriesEntry[], run: ThumbnailRun, signal: AbortSignal): Promise<void> {
    for (const entry of series) {
      do {
        await new Promise((resolve) => setTimeout(resolve, pollMs));
        if (signal.aborted) {
          return;
        }
      } while (run.isBusy());
      let manifest: SeriesManifest | undefined;
      try {
        manifest = await this.#options.manifests.get(entry);
        const image = await this.#middleImage(manifest, signal);
        if (!signal.aborted) {
          run.onThumbnail(entry, manifest, image);
        }
      } catch {
        if (!signal.aborted) {
          run.onThumbnail(entry, manifest, undefined); // the row keeps its plain place; opening the series says why
        }
      }
    }
  }

  async #middleImage(manifest: SeriesManifest, signal: AbortSignal): Promise<DecodedImage | undefined> {
    const frame = describeFrame(manifest, Math.floor(manifest.frames.length / 2), this.#options.imageApi);
    if (!frame) {
      return undefined;
    }
    const { bytes, transferSyntax } = await fetchFrame(frame.url, signal, 'low');
    const { image } = await this.#options.decoder.decode(
      {
        bytes,
        transferSyntax: transferSyntax && codecOf(transferSyntax) ? transferSyntax : frame.transferSyntax,
        rows: frame.geometry.rows,
        columns: frame.geometry.columns,
        pixel: frame.pixel,
      },
      signal,
    );
    return image;
  }
}
