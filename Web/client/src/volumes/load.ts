import type { VolumeConfig, VolumeDescription, VolumeEntry } from './config';
import { download, DownloadError, reasonOf, unpack, type Download, type DownloadProgress } from './download';

/** A volume's bytes, ready to be drawn. */
export interface LoadedVolume {
  readonly bytes: ArrayBuffer;
  /** Of a pair: the bytes of its image. */
  readonly image: ArrayBuffer | undefined;
  /** How the file came; of a pair, the header, with the times of both together. */
  readonly download: Download;
  /** Bytes that came. */
  readonly size: number;
  readonly unpackMs: number;
}

/** What the volume is; undefined where ImageApi could not say: it can be drawn all the same. Broken volumes are told of, and not drawn. */
export async function describe(config: VolumeConfig, volume: VolumeEntry, signal: AbortSignal): Promise<VolumeDescription | undefined> {
  const url = `${config.imageApi}${volume.url}${volume.url.includes('?') ? '&' : '?'}fields=geometry`;
  const response = await fetch(url, { signal }).catch(() => undefined);
  if (response?.status === 422) {
    throw new DownloadError(await reasonOf(response));
  }
  return response?.ok ? ((await response.json()) as VolumeDescription) : undefined;
}

export async function load(
  config: VolumeConfig,
  volume: VolumeEntry,
  options: { signal: AbortSignal; onProgress: (progress: DownloadProgress) => void; cacheControl?: string },
  description: Promise<VolumeDescription | undefined>,
): Promise<LoadedVolume> {
  const first = await download(config.imageApi + volume.file, options);
  const imagePath = /\.hdr(\.gz)?$/i.test(volume.file) ? (await description)?.image : undefined;
  const second = imagePath
    ? await download(config.imageApi + imagePath, {
        ...options,
        onProgress: ({ done, total, ms }) =>
          options.onProgress({ done: done + first.bytes.length, total: total === undefined ? undefined : total + first.bytes.length, ms: ms + first.ms }),
      })
    : undefined;
  await description;
  const unpacking = performance.now();
  const bytes = await unpack(first.bytes);
  const image = second ? await unpack(second.bytes) : undefined;
  return {
    bytes,
    image,
    download: second ? { ...second, ms: first.ms + second.ms, firstByteMs: first.firstByteMs } : first,
    size: first.bytes.length + (second?.bytes.length ?? 0),
    unpackMs: performance.now() - unpacking,
  };
}
