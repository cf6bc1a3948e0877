import type { PixelDescription } from '../manifest';
import type { Codec } from './transferSyntaxes';

export type PixelArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array;

/** A frame ready for the screen: modality values (HU for CT) of one sample, or RGB of three, row by row. */
export interface DecodedImage {
  readonly rows: number;
  readonly columns: number;
  readonly isColor: boolean;
  /** MONOCHROME1: the smallest value is white (PS3.3 C.7.6.3.1.2). */
  readonly isInverted: boolean;
  readonly data: Uint8Array | Uint16Array | Int16Array | Float32Array;
  readonly min: number;
  readonly max: number;
}

/** The bytes are no frame of this description. */
export class InvalidFrameError extends Error {
  override readonly name = 'InvalidFrameError';
}

/** The frame may be fine; this viewer cannot show it. */
export class UnsupportedFrameError extends Error {
  override readonly name = 'UnsupportedFrameError';
}

/** Splits native little endian bytes into samples; one bit per pixel is unpacked, lowest bit first (PS3.5 8.1.1). */
export function rawSamples(bytes: ArrayBuffer, rows: number, columns: number, pixel: PixelDescription): PixelArray {
  const samples = rows * columns * pixel.samplesPerPixel;
  const isSubsampled = pixel.photometric === 'YBR_FULL_422' && pixel.samplesPerPixel === 3;
  const stored = isSubsampled ? rows * columns * 2 : samples;
  const wanted = pixel.bitsAllocated === 1 ? Math.ceil(stored / 8) : stored * (pixel.bitsAllocated / 8);
  if (bytes.byteLength < wanted) {
    throw new InvalidFrameError(`The frame is cut short: ${bytes.byteLength} bytes of ${wanted}.`);
  }
  switch (pixel.bitsAllocated) {
    case 1: {
      const packed = new Uint8Array(bytes);
      const bits = new Uint8Array(samples);
      for (let i = 0; i < samples; i++) {
        bits[i] = (packed[i >> 3]! >> (i & 7)) & 1;
      }
      return bits;
    }
    case 8:
      return pixel.isSigned ? new Int8Array(bytes, 0, stored) : new Uint8Array(bytes, 0, stored);
    case 16:
      return pixel.isSigned ? new Int16Array(bytes, 0, stored) : new Uint16Array(bytes, 0, stored);
    case 32:
      return pixel.isSigned ? new Int32Array(bytes, 0, stored) : new Uint32Array(bytes, 0, stored);
    default:
      throw new UnsupportedFrameError(`${pixel.bitsAllocated} bits per sample cannot be shown.`);
  }
}

/**
 * From the samples of a codec to an image: clears or sign-extends unused bits, applies the modality LUT or converts to
 * RGB, finds the extremes. May write into `samples`. `precision` is the stream's own number of bits, where its codec tells.
 */
export function finish(samples: PixelArray, rows: number, columns: number, pixel: PixelDescription, codec: Codec, precision?: number): DecodedImage {
  if (pixel.samplesPerPixel === 1 && pixel.photometric !== 'PALETTE COLOR') {
    return finishGrey(samples, rows, columns, pixel, codec, precision);
  }
  const data = pixel.photometric === 'PALETTE COLOR' ? fromPalette(samples, rows, columns, pixel, codec) : toRgb(samples, rows, columns, pixel, codec);
  return { rows, columns, isColor: true, isInverted: false, data, min: 0, max: 255 };
}

function finishGrey(samples: PixelArray, rows: number, columns: number, pixel: PixelDescription, codec: Codec, precision?: number): DecodedImage {
  const count = rows * columns;
  if (samples.length < count) {
    throw new InvalidFrameError(`The decoder gave ${samples.length} values of ${count}.`);
  }
  const stored = trimBits(samples.length === count ? samples : samples.subarray(0, count), pixel, codec, precision);
  const slope = pixel.slope ?? 1;
  const intercept = pixel.intercept ?? 0;
  const [low, high] = extremes(stored);
  const first = low * slope + intercept;
  const last = high * slope + intercept;
  const min = Math.min(first, last);
  const max = Math.max(first, last);
  const common = { rows, columns, isColor: false, isInverted: pixel.photometric === 'MONOCHROME1', min, max };
  const isWhole = Number.isInteger(slope) && Number.isInteger(intercept) && !(stored instanceof Float32Array);
  if (slope === 1 && intercept === 0 && (stored instanceof Uint8Array || stored instanceof Uint16Array || stored instanceof Int16Array)) {
    return { ...common, data: stored };
  }
  let data: Int16Array | Uint16Array | Float32Array;
  if (isWhole && min >= -32768 && max <= 32767) {
    data = stored instanceof Int16Array ? stored : new Int16Array(count);
  } else if (isWhole && min >= 0 && max <= 65535) {
    data = stored instanceof Uint16Array ? stored : new Uint16Array(count);
  } else {
    data = new Float32Array(count);
  }
  for (let i = 0; i < count; i++) {
    data[i] = stored[i]! * slope + intercept;
  }
  return { ...common, data };
}

/**
 * Unused bits may hold anything, overlays in old files (PS3.5 8.1.1). Native and RLE samples have them; the other codecs
 * give plain values, which at most lack the sign.
 */
function trimBits(samples: PixelArray, pixel: PixelDescription, codec: Codec, precision?: number): PixelArray {
  const container = samples.BYTES_PER_ELEMENT * 8;
  const isStored = codec === 'raw' || codec === 'rle';
  const bits = isStored ? pixel.bitsStored : (precision ?? pixel.bitsStored);
  if (pixel.bitsAllocated === 1 || samples instanceof Float32Array || bits >= container || bits < 1) {
    return pixel.isSigned && bits === container ? asSigned(samples) : samples;
  }
  const below = isStored ? Math.max(0, pixel.highBit + 1 - bits) : 0;
  const up = 32 - bits - below;
  const down = 32 - bits;
  if (pixel.isSigned) {
    const signed = asSigned(samples);
    for (let i = 0; i < signed.length; i++) {
      signed[i] = (signed[i]! << up) >> down;
    }
    return signed;
  }
  if (isStored) {
    for (let i = 0; i < samples.length; i++) {
      samples[i] = (samples[i]! << up) >>> down;
    }
  }
  return samples;
}

function asSigned(samples: PixelArray): PixelArray {
  const { buffer, byteOffset, length } = samples;
  if (samples instanceof Uint8Array) {
    return new Int8Array(buffer as ArrayBuffer, byteOffset, length);
  }
  if (samples instanceof Uint16Array) {
    return new Int16Array(buffer as ArrayBuffer, byteOffset, length);
  }
  return samples instanceof Uint32Array ? new Int32Array(buffer as ArrayBuffer, byteOffset, length) : samples;
}

function extremes(values: PixelArray): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < low) {
      low = value;
    }
    if (value > high) {
      high = value;
    }
  }
  return [low, high];
}

/** Any three-sample frame to interleaved 8-bit RGB (PS3.3 C.7.6.3.1.2). */
function toRgb(samples: PixelArray, rows: number, columns: number, pixel: PixelDescription, codec: Codec): Uint8Array {
  const count = rows * columns;
  if (pixel.samplesPerPixel !== 3) {
    throw new UnsupportedFrameError(`${pixel.samplesPerPixel} samples per pixel cannot be shown.`);
  }
  const isSubsampled = codec === 'raw' && pixel.photometric === 'YBR_FULL_422';
  const wanted = isSubsampled ? count * 2 : count * 3;
  if (samples.length < wanted) {
    throw new InvalidFrameError(`The decoder gave ${samples.length} values of ${wanted}.`);
  }
  const shift = pixel.bitsAllocated > 8 ? pixel.bitsStored - 8 : 0;
  const at = (index: number) => (shift > 0 ? samples[index]! >> shift : samples[index]!);
  const out = new Uint8Array(count * 3);
  if (isSubsampled) {
    // Two pixels share one Cb and one Cr: Y1 Y2 Cb Cr.
    for (let i = 0, from = 0; i < count; i += 2, from += 4) {
      ybrToRgb(at(from), at(from + 2), at(from + 3), out, i * 3);
      if (i + 1 < count) {
        ybrToRgb(at(from + 1), at(from + 2), at(from + 3), out, i * 3 + 3);
      }
    }
    return out;
  }
  const isPlanar = codec === 'raw' && pixel.isPlanar === true;
  const [step, plane] = isPlanar ? [1, count] : [3, 1];
  const isYbr = needsYbr(pixel.photometric, codec);
  for (let i = 0; i < count; i++) {
    const from = i * step;
    if (isYbr) {
      ybrToRgb(at(from), at(from + plane), at(from + 2 * plane), out, i * 3);
    } else {
      out[i * 3] = at(from);
      out[i * 3 + 1] = at(from + plane);
      out[i * 3 + 2] = at(from + 2 * plane);
    }
  }
  return out;
}

/** JPEG decoders give RGB already, and so do those of JPEG 2000 where its own colour transform was used. */
function needsYbr(photometric: string, codec: Codec): boolean {
  return (photometric === 'YBR_FULL' || photometric === 'YBR_FULL_422') && codec !== 'jpeg';
}

/** PS3.3 C.7.6.3.1.2, full range. */
function ybrToRgb(y: number, cb: number, cr: number, out: Uint8Array, at: number): void {
  out[at] = clamp(y + 1.402 * (cr - 128));
  out[at + 1] = clamp(y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128));
  out[at + 2] = clamp(y + 1.772 * (cb - 128));
}

function clamp(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.round(value);
}

/** PS3.3 C.7.6.3.1.5: values below the first entry take the first, values beyond the last take the last. */
function fromPalette(samples: PixelArray, rows: number, columns: number, pixel: PixelDescription, codec: Codec): Uint8Array {
  const count = rows * columns;
  const palette = pixel.palette;
  if (!palette) {
    throw new InvalidFrameError('The palette is missing.');
  }
  if (samples.length < count) {
    throw new InvalidFrameError(`The decoder gave ${samples.length} values of ${count}.`);
  }
  const tables = [palette.red, palette.green, palette.blue].map((text) => tableOf(text, palette.bits));
  const values = trimBits(samples, pixel, codec);
  const out = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) {
      const table = tables[c]!;
      const entry = Math.min(Math.max(values[i]! - palette.first, 0), table.length - 1);
      out[i * 3 + c] = table[entry]!;
    }
  }
  return out;
}

function tableOf(base64: string, bits: number): Uint8Array {
  const text = atob(base64);
  const entries = new Uint8Array(text.length >> 1);
  let largest = 0;
  for (let i = 0; i < entries.length; i++) {
    largest = Math.max(largest, text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8));
  }
  // Some makers say 16 bits and fill only the lower 8.
  const shift = bits > 8 && largest > 255 ? bits - 8 : 0;
  for (let i = 0; i < entries.length; i++) {
    entries[i] = (text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8)) >> shift;
  }
  if (entries.length === 0) {
    throw new InvalidFrameError('The palette is empty.');
  }
  return entries;
}
