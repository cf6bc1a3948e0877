import { describe, expect, test } from 'vitest';
import { nameRgb, readJpegHeader } from '../src/viewer/decoding/jpegHeader';
import { InvalidFrameError } from '../src/viewer/decoding/pixels';
import { decodeRle } from '../src/viewer/decoding/rle';
import { codecOf, isLossy } from '../src/viewer/decoding/transferSyntaxes';
import type { PixelDescription } from '../src/viewer/manifest';

const pixel = (bitsAllocated: number, samplesPerPixel = 1): PixelDescription => ({
  samplesPerPixel,
  bitsAllocated,
  bitsStored: bitsAllocated,
  highBit: bitsAllocated - 1,
  isSigned: false,
  photometric: samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2',
});

/** A frame of the given PackBits segments (PS3.5 G.5). */
function rle(...segments: number[][]): Uint8Array {
  const header = new Uint32Array(16);
  header[0] = segments.length;
  let at = 64;
  segments.forEach((segment, i) => {
    header[i + 1] = at;
    at += segment.length;
  });
  return new Uint8Array([...new Uint8Array(header.buffer), ...segments.flat()]);
}

describe('RLE', () => {
  test('runs and literals', () => {
    expect([...decodeRle(rle([0xfe, 7, 0x01, 1, 2]), 1, 5, pixel(8))]).toEqual([7, 7, 7, 1, 2]);
  });
  test('16 bits: high bytes first', () => {
    expect([...decodeRle(rle([0x01, 0x12, 0x34], [0x01, 0xab, 0xcd]), 1, 2, pixel(16))]).toEqual([0x12ab, 0x34cd]);
  });
  test('32 bits in four segments', () => {
    expect([...decodeRle(rle([0, 1], [0, 2], [0, 3], [0, 4]), 1, 1, pixel(32))]).toEqual([0x01020304]);
  });
  test('colour comes out interleaved, of 8 and of 16 bits', () => {
    expect([...decodeRle(rle([1, 1, 4], [1, 2, 5], [1, 3, 6]), 1, 2, pixel(8, 3))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...decodeRle(rle([0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6]), 1, 1, pixel(16, 3))]).toEqual([0x0102, 0x0304, 0x0506]);
  });
  test('a padding byte and the code 128 mean nothing', () => {
    expect([...decodeRle(rle([0x80, 0x01, 1, 2, 0]), 1, 2, pixel(8))]).toEqual([1, 2]);
  });
  test.each<[string, Uint8Array]>([
    ['no header', new Uint8Array(10)],
    ['too few segments', rle([1, 1, 2])],
    ['a segment that ends early', rle([0, 1], [0, 1])],
    ['a literal beyond its segment', rle([0x7f, 1], [1, 1, 2])],
    ['an offset beyond the frame', new Uint8Array(new Uint32Array([2, 64, 5000, ...new Array<number>(20).fill(0)]).buffer)],
    ['offsets that go backwards', new Uint8Array(new Uint32Array([2, 80, 64, ...new Array<number>(20).fill(0)]).buffer)],
  ])('%s is an error', (_, bytes) => expect(() => decodeRle(bytes, 1, 2, pixel(16))).toThrow(InvalidFrameError));
});

describe('JPEG headers', () => {
  const frame = (precision: number, components: number) => [0xff, 0xc0, 0, 11, precision, 0, 1, 0, 1, components, 0, 0x11, 0];
  const adobe = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 1];
  test('precision and components', () => {
    expect(readJpegHeader(new Uint8Array([0xff, 0xd8, ...frame(12, 1)]))).toEqual({ precision: 12, components: 1, namesColors: false });
  });
  test('an Adobe segment names the colours', () => {
    expect(readJpegHeader(new Uint8Array([0xff, 0xd8, ...adobe, ...frame(8, 3)]))).toEqual({ precision: 8, components: 3, namesColors: true });
  });
  test('RGB is named where nothing was', () => {
    const named = nameRgb(new Uint8Array([0xff, 0xd8, ...frame(8, 3)]));
    expect(readJpegHeader(named)).toEqual({ precision: 8, components: 3, namesColors: true });
    expect(named[named.indexOf(0xee) + 14]).toBe(0);
  });
  test.each([[[]], [[0xff, 0xd8]], [[0xff, 0xd8, 1, 2, 3, 4]], [[0xff, 0xd8, 0xff, 0xda, 0, 2]], [[0xff, 0xd8, 0xff, 0xe0, 0, 0]]])('%s has none', (bytes) => expect(readJpegHeader(new Uint8Array(bytes))).toBeUndefined());
});

test('transfer syntaxes', () => {
  expect(codecOf('1.2.840.10008.1.2.1')).toBe('raw');
  expect(codecOf('1.2.840.10008.1.2.4.201')).toBe('htj2k');
  expect(codecOf('1.2.3')).toBeUndefined();
  expect(isLossy('1.2.840.10008.1.2.4.50')).toBe(true);
  expect(isLossy('1.2.840.10008.1.2.4.90')).toBe(false);
});
