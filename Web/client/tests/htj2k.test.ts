import createCodec from '@cornerstonejs/codec-openjph/wasmjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { decode } from '../src/viewer/decoding/decode';
import { decodeHtj2k } from '../src/viewer/decoding/htj2k';
import { InvalidFrameError } from '../src/viewer/decoding/pixels';
import type { PixelDescription } from '../src/viewer/manifest';
import { encodeHtj2k, type Htj2kStream } from './htj2kEncoder';

// Under node the codec reads its file; the bundler would give an address.
vi.mock('@cornerstonejs/codec-openjph/wasm?url', async () => ({ default: (await import('./htj2kEncoder')).wasmPath }));

const [rows, columns] = [61, 90];
const pixel: PixelDescription = { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, highBit: 15, isSigned: true, photometric: 'MONOCHROME2', slope: 1, intercept: -24 };
const samples = Int16Array.from({ length: rows * columns }, (_, i) => Math.round(900 * Math.sin((i % columns) / 9) * Math.cos(i / columns / 7)) + ((i * 7919) % 31));
let whole: Htj2kStream;
beforeAll(async () => {
  whole = await encodeHtj2k(samples, rows, columns);
});

test('a whole stream gives every sample', async () => {
  const image = await decodeHtj2k(whole.bytes, rows, columns);
  expect(image).toMatchObject({ rows, columns, bitsPerSample: 16 });
  expect(image.samples).toEqual(samples);
});

test.each([1, 2, 3])('a prefix that lacks %i resolutions gives the picture that the whole gives at that size', async (missing) => {
  const prefix = whole.bytes.slice(0, whole.ends.at(-1 - missing));
  const [fromPrefix, fromWhole] = [await decodeHtj2k(prefix, rows, columns, missing), await decodeHtj2k(whole.bytes, rows, columns, missing)];
  expect([fromPrefix.rows, fromPrefix.columns]).toEqual([Math.ceil(rows / 2 ** missing), Math.ceil(columns / 2 ** missing)]);
  expect(fromPrefix.samples).toEqual(fromWhole.samples);
});

test('an enlarged prefix lies where the frame lies, with its modality values', async () => {
  const flat = await encodeHtj2k(Int16Array.from({ length: rows * columns }, (_, i) => (i % columns) * 8), rows, columns);
  const { data, rows: r, columns: c } = await decode({ bytes: flat.bytes.slice(0, flat.ends.at(-3)).buffer, transferSyntax: '1.2.840.10008.1.2.4.202', rows, columns, pixel, missingLevels: 2, isEnlarged: true });
  expect([r, c]).toEqual([rows, columns]);
  for (let column = 8; column < columns - 8; column++) {
    expect(Math.abs(data[30 * columns + column]! - (column * 8 - 24))).toBeLessThanOrEqual(4);
  }
});

describe('a stream that cannot be decoded is an error, never the frame before', () => {
  const bad: Record<string, () => [Uint8Array, number, number, number]> = {
    'cut in its header': () => [whole.bytes.slice(0, 30), rows, columns, 0],
    junk: () => [new Uint8Array(500).fill(7), rows, columns, 0],
    empty: () => [new Uint8Array(0), rows, columns, 0],
    'of another size': () => [whole.bytes, rows + 1, columns, 0],
    'that lacks more resolutions than it has': () => [whole.bytes, rows, columns, 8],
  };
  test.each(Object.entries(bad))('%s', async (_, make) => {
    await decodeHtj2k(whole.bytes, rows, columns);
    await expect(decodeHtj2k(...make())).rejects.toBeInstanceOf(InvalidFrameError);
    expect((await decodeHtj2k(whole.bytes, rows, columns)).samples).toEqual(samples);
  });
});

test('the codec keeps its promise on how it fails', async () => {
  // decodeHtj2k relies on it: a decoder that failed says so and keeps old pixels.
  const codec = new (await createCodec({ print: () => undefined, printErr: () => undefined })).HTJ2KDecoder();
  codec.getEncodedBuffer(whole.bytes.length).set(whole.bytes);
  codec.readHeader();
  codec.decodeSubResolution(0);
  expect(codec.getLastErrorMessage()).toBe('');
  codec.getEncodedBuffer(30).set(whole.bytes.subarray(0, 30));
  codec.readHeader();
  expect(codec.getIsHeaderValid()).toBe(false);
  codec.decodeSubResolution(0);
  expect(codec.getLastErrorMessage()).not.toBe('');
  expect(codec.getDecodedBuffer().byteLength).toBe(samples.byteLength);
});
