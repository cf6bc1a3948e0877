import type { PixelDescription } from '../manifest';
import { InvalidFrameError, rawSamples, type PixelArray } from './pixels';

const headerBytes = 64;

/**
 * RLE (PS3.5 Annex G): one PackBits segment per byte of a pixel, most significant byte first, sample by sample. Gives
 * interleaved samples. A segment that ends early or runs over is an error, never somebody else's bytes.
 */
export function decodeRle(bytes: Uint8Array, rows: number, columns: number, pixel: PixelDescription): PixelArray {
  const { samplesPerPixel: samples, bitsAllocated } = pixel;
  const isBitmap = bitsAllocated === 1;
  const sampleBytes = isBitmap ? 1 : bitsAllocated / 8;
  const count = isBitmap ? Math.ceil((rows * columns) / 8) : rows * columns;
  const wanted = samples * sampleBytes;
  if (!Number.isInteger(sampleBytes) || bytes.length < headerBytes) {
    throw new InvalidFrameError('The RLE header is missing.');
  }
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const segments = header.getUint32(0, true);
  if (segments !== wanted) {
    throw new InvalidFrameError(`The RLE frame has ${segments} segments, not ${wanted}.`);
  }
  const out = new Uint8Array(count * wanted);
  for (let segment = 0; segment < segments; segment++) {
    const start = header.getUint32(4 + 4 * segment, true);
    const next = segment + 1 < segments ? header.getUint32(8 + 4 * segment, true) : bytes.length;
    if (start < headerBytes || next < start || next > bytes.length) {
      throw new InvalidFrameError(`RLE segment ${segment + 1} lies outside the frame.`);
    }
    const sample = Math.floor(segment / sampleBytes);
    const byte = sampleBytes - 1 - (segment % sampleBytes); // little endian
    unpackSegment(bytes, start, next, out, sample * sampleBytes + byte, wanted, count, segment);
  }
  return rawSamples(out.buffer, rows, columns, { ...pixel, photometric: pixel.photometric === 'YBR_FULL_422' ? 'YBR_FULL' : pixel.photometric });
}

function unpackSegment(bytes: Uint8Array, from: number, end: number, out: Uint8Array, at: number, step: number, count: number, segment: number): void {
  let left = count;
  while (left > 0) {
    if (from >= end) {
      throw new InvalidFrameError(`RLE segment ${segment + 1} ends ${left} bytes early.`);
    }
    const code = bytes[from++]!;
    if (code === 128) {
      continue;
    }
    const isRun = code > 128;
    const length = Math.min(left, isRun ? 257 - code : code + 1);
    if (from + (isRun ? 1 : length) > end) {
      throw new InvalidFrameError(`RLE segment ${segment + 1} ends ${left} bytes early.`);
    }
    for (let i = 0; i < length; i++, at += step) {
      out[at] = bytes[isRun ? from : from + i]!;
    }
    from += isRun ? 1 : code + 1;
    left -= length;
  }
}
