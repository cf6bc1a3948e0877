/** The series manifest of ImageApi (`GET /api/series/{uid}/manifest`): all that the viewer needs to know of a series. */
export interface SeriesManifest {
  readonly version: string;
  /** Address of the preview stream; absent where no frame of the series has a preview. */
  readonly preview?: string | null;
  readonly study: string;
  readonly series: string;
  readonly modality?: string;
  readonly number?: number;
  readonly description?: string;
  readonly patient?: { readonly name?: string; readonly id?: string; readonly sex?: string; readonly birthDate?: string };
  readonly studyDate?: string;
  readonly studyDescription?: string;
  readonly geometry?: Geometry;
  readonly pixel?: PixelDescription;
  readonly window?: WindowSetting;
  readonly windows?: readonly WindowSetting[];
  readonly frames: readonly ManifestFrame[];
  readonly others?: readonly { readonly instance: string; readonly sopClass?: string; readonly title?: string }[];
}

/** Row and column counts, [row, column] spacing in mm, direction cosines of a row and a column (PS3.3 C.7.6.2). */
export interface Geometry {
  readonly rows: number;
  readonly columns: number;
  readonly pixelSpacing?: readonly number[] | null;
  readonly orientation?: readonly number[] | null;
  readonly frameOfReference?: string | null;
  readonly spacing?: number | null;
  readonly isVolume?: boolean;
}

/** The image pixel and modality LUT modules (PS3.3 C.7.6.3, C.11.1). */
export interface PixelDescription {
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly isSigned: boolean;
  readonly isPlanar?: boolean;
  readonly photometric: string;
  readonly slope?: number | null;
  readonly intercept?: number | null;
  readonly rescaleType?: string | null;
  readonly paddingValue?: number | null;
  readonly palette?: Palette | null;
}

/** Palette colour tables: base64 of 16-bit little endian entries; `first` is the stored value of entry 0. */
export interface Palette {
  readonly red: string;
  readonly green: string;
  readonly blue: string;
  readonly first: number;
  readonly bits: number;
}

export interface WindowSetting {
  readonly center: number;
  readonly width: number;
  readonly function?: string | null;
  readonly explanation?: string | null;
}

export interface ManifestFrame {
  readonly instance: string;
  /** 1-based, as on the wire. */
  readonly frame: number;
  readonly number?: number | null;
  readonly url: string;
  readonly transferSyntax: string;
  readonly length?: number | null;
  /** SHA-256 of the pixels, where it is known already. */
  readonly pixelDigest?: string | null;
  /** Where each resolution of the progressive stream ends, where it is known already. */
  readonly resolutionEnds?: readonly number[] | null;
  readonly position?: readonly number[] | null;
  readonly geometry?: Partial<Geometry>;
  readonly pixel?: Partial<PixelDescription>;
  readonly window?: WindowSetting;
}

/** Everything of one frame: the series' values with the frame's own over them. */
export interface FrameDescription {
  readonly url: string;
  readonly transferSyntax: string;
  readonly geometry: Geometry;
  readonly pixel: PixelDescription;
  readonly window: WindowSetting | undefined;
  readonly position: readonly number[] | undefined;
}

/** `frameIndex` is 0-based. Undefined when the manifest does not say how large the frame or its pixels are. */
export function describeFrame(manifest: SeriesManifest, frameIndex: number, imageApi: string): FrameDescription | undefined {
  const frame = manifest.frames[frameIndex];
  if (!frame) {
    return undefined;
  }
  const geometry = { ...manifest.geometry, ...frame.geometry } as Geometry;
  const pixel = { ...manifest.pixel, ...frame.pixel } as PixelDescription;
  if (!(geometry.rows > 0 && geometry.columns > 0 && pixel.bitsAllocated > 0)) {
    return undefined;
  }
  return {
    url: new URL(frame.url, imageApi + '/').href,
    transferSyntax: frame.transferSyntax,
    geometry,
    pixel,
    window: frame.window ?? manifest.window ?? undefined,
    position: frame.position ?? undefined,
  };
}

/** Where a series opens: a volume in its middle, anything else at its beginning. */
export function openingIndex(manifest: SeriesManifest): number {
  return manifest.geometry?.isVolume ? Math.floor(manifest.frames.length / 2) : 0;
}

export function manifestUrl(imageApi: string, seriesUid: string): string {
  return `${imageApi}/api/series/${encodeURIComponent(seriesUid)}/manifest`;
}

/** Pictures of a quarter of the rows and columns, of the frame at `from` (0-based) first, then outward. */
export function previewUrl(manifest: Pick<SeriesManifest, 'preview'>, imageApi: string, from: number): string | undefined {
  if (!manifest.preview) {
    return undefined;
  }
  const url = new URL(manifest.preview, imageApi + '/');
  return `${url.href}${url.search ? '&' : '?'}resolution=1/4&from=${from}`;
}
