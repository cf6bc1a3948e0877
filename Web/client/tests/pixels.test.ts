import { describe, expect, test } from 'vitest';
import { finish, InvalidFrameError, rawSamples, UnsupportedFrameError } from '../src/viewer/decoding/pixels';
import type { PixelDescription } from '../src/viewer/manifest';

const grey: PixelDescription = { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, highBit: 15, isSigned: false, photometric: 'MONOCHROME2' };
const rgb: PixelDescription = { samplesPerPixel: 3, bitsAllocated: 8, bitsStored: 8, highBit: 7, isSigned: false, photometric: 'RGB' };
const words = (...values: number[]) => new Uint16Array(values).buffer;
const bytes = (...values: number[]) => new Uint8Array(values).buffer;
const raw = (buffer: ArrayBuffer, columns: number, pixel: PixelDescription, rows = 1) => finish(rawSamples(buffer, rows, columns, pixel), rows, columns, pixel, 'raw');

describe('grey', () => {
  test('12 bits with an overlay in the upper four: only the image counts', () => {
    const image = raw(words(0xf123, 0x0fff), 2, { ...grey, bitsStored: 12, highBit: 11 });
    expect([...image.data]).toEqual([0x123, 0xfff]);
    expect([image.min, image.max]).toEqual([0x123, 0xfff]);
  });
  test('bits stored above an unused low nibble are moved down', () => {
    expect([...raw(words(0xabc7), 1, { ...grey, bitsStored: 12, highBit: 15 }).data]).toEqual([0xabc]);
  });
  test('12 signed bits are sign-extended', () => {
    const image = raw(words(0x0800, 0x07ff, 0x0fff), 3, { ...grey, bitsStored: 12, highBit: 11, isSigned: true });
    expect([...image.data]).toEqual([-2048, 2047, -1]);
  });
  test('the modality LUT gives whole Hounsfield units in 16 bits', () => {
    const image = raw(words(0, 1024, 4095), 3, { ...grey, bitsStored: 12, highBit: 11, slope: 1, intercept: -1024 });
    expect(image.data).toBeInstanceOf(Int16Array);
    expect([...image.data]).toEqual([-1024, 0, 3071]);
    expect([image.min, image.max]).toEqual([-1024, 3071]);
  });
  test('a fractional slope keeps its fractions', () => {
    const image = raw(words(1, 3), 2, { ...grey, slope: 0.25, intercept: 0.5 });
    expect(image.data).toBeInstanceOf(Float32Array);
    expect([...image.data]).toEqual([0.75, 1.25]);
  });
  test('a negative slope turns the extremes around', () => {
    const image = raw(words(0, 100), 2, { ...grey, slope: -1, intercept: 0 });
    expect([image.min, image.max]).toEqual([-100, 0]);
  });
  test('values that do not fit 16 signed bits are not cut', () => {
    expect([...raw(words(0, 65535), 2, grey).data]).toEqual([0, 65535]);
    expect([...raw(words(0, 65535), 2, { ...grey, intercept: -1 }).data]).toEqual([-1, 65534]);
  });
  test('MONOCHROME1 is marked, not changed', () => {
    const image = raw(words(7), 1, { ...grey, photometric: 'MONOCHROME1' });
    expect(image.isInverted).toBe(true);
    expect([...image.data]).toEqual([7]);
  });
  test('one bit per pixel, lowest bit first', () => {
    const pixel = { ...grey, bitsAllocated: 1, bitsStored: 1, highBit: 0 };
    expect([...raw(bytes(0b0000_0101, 0b1), 9, pixel).data]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 1]);
  });
  test('signed 8-bit values', () => {
    expect([...raw(bytes(0xff, 0x7f), 2, { ...grey, bitsAllocated: 8, bitsStored: 8, highBit: 7, isSigned: true }).data]).toEqual([-1, 127]);
  });
  test('a codec that left the sign to its caller', () => {
    const image = finish(new Uint16Array([0xffff, 5]), 1, 2, { ...grey, isSigned: true }, 'jpeg-ls');
    expect([...image.data]).toEqual([-1, 5]);
  });
});

describe('colour', () => {
  test('interleaved and planar RGB are the same picture', () => {
    const interleaved = raw(bytes(1, 2, 3, 4, 5, 6), 2, rgb);
    const planar = raw(bytes(1, 4, 2, 5, 3, 6), 2, { ...rgb, isPlanar: true });
    expect([...interleaved.data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...planar.data]).toEqual([...interleaved.data]);
    expect(interleaved.isColor).toBe(true);
  });
  test('planar is the manifest’s word about native pixels; codecs give interleaved ones', () => {
    expect([...finish(new Uint8Array([1, 2, 3, 4, 5, 6]), 1, 2, { ...rgb, isPlanar: true }, 'rle').data]).toEqual([1, 2, 3, 4, 5, 6]);
  });
  test('YBR_FULL: grey stays grey, red is red', () => {
    const image = raw(bytes(128, 128, 128, 76, 85, 255), 2, { ...rgb, photometric: 'YBR_FULL' });
    expect([...image.data.slice(0, 3)]).toEqual([128, 128, 128]);
    expect(image.data[3]).toBeGreaterThan(250);
    expect(image.data[4]).toBeLessThan(4);
    expect(image.data[5]).toBeLessThan(4);
  });
  test('YBR_FULL_422: two pixels share their chroma', () => {
    const image = raw(bytes(10, 200, 128, 128), 2, { ...rgb, photometric: 'YBR_FULL_422' });
    expect([...image.data]).toEqual([10, 10, 10, 200, 200, 200]);
  });
  test('JPEG and the JPEG 2000 colour transforms are RGB when they come out of the codec', () => {
    const samples = () => new Uint8Array([10, 20, 30]);
    expect([...finish(samples(), 1, 1, { ...rgb, photometric: 'YBR_FULL_422' }, 'jpeg').data]).toEqual([10, 20, 30]);
    expect([...finish(samples(), 1, 1, { ...rgb, photometric: 'YBR_RCT' }, 'jpeg-2000').data]).toEqual([10, 20, 30]);
  });
  test('16-bit colour is shown in its upper 8 bits', () => {
    expect([...raw(words(0xff00, 0x8000, 0x00ff), 1, { ...rgb, bitsAllocated: 16, bitsStored: 16, highBit: 15 }).data]).toEqual([255, 128, 0]);
  });
  test('palette: values below and above the table take its ends', () => {
    const table = (...entries: number[]) => Buffer.from(new Uint16Array(entries).buffer).toString('base64');
    const pixel: PixelDescription = {
      ...grey,
      bitsAllocated: 8,
      bitsStored: 8,
      highBit: 7,
      photometric: 'PALETTE COLOR',
      palette: { red: table(0x1000, 0x2000, 0xff00), green: table(0, 0, 0), blue: table(0xffff, 0xffff, 0), first: 10, bits: 16 },
    };
    expect([...raw(bytes(0, 11, 200), 3, pixel).data]).toEqual([0x10, 0, 0xff, 0x20, 0, 0xff, 0xff, 0, 0]);
  });
});

describe('bad frames', () => {
  test('cut short', () => expect(() => raw(words(1, 2), 3, grey)).toThrow(InvalidFrameError));
  test('a decoder that gives too little', () => expect(() => finish(new Uint8Array(5), 1, 2, rgb, 'jpeg')).toThrow(InvalidFrameError));
  test('more samples than can be shown', () => expect(() => raw(bytes(1, 2, 3, 4), 1, { ...rgb, samplesPerPixel: 4, photometric: 'CMYK' })).toThrow(UnsupportedFrameError));
  test('an unknown container', () => expect(() => raw(words(1), 1, { ...grey, bitsAllocated: 12 })).toThrow(UnsupportedFrameError));
  test('a palette that is missing', () => expect(() => raw(bytes(1), 1, { ...grey, bitsAllocated: 8, bitsStored: 8, highBit: 7, photometric: 'PALETTE COLOR' })).toThrow(InvalidFrameError));
});

describe('precision', () => {
  test('a stream of 16 bits in a file that says 14 keeps its 16', () => {
    const image = finish(new Int16Array([-2971, 9000]), 1, 2, { ...grey, isSigned: true, bitsStored: 14, highBit: 15 }, 'jpeg-2000', 16);
    expect([...image.data]).toEqual([-2971, 9000]);
  });
  test('12 bits without a sign in a signed file are sign-extended from 12', () => {
    expect([...finish(new Uint16Array([0xfff]), 1, 1, { ...grey, isSigned: true, bitsStored: 16 }, 'jpeg-ls', 12).data]).toEqual([-1]);
  });
});
