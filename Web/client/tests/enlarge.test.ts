import { expect, test } from 'vitest';
import { enlarge } from '../src/viewer/decoding/enlarge';
import type { DecodedImage } from '../src/viewer/decoding/pixels';

function grey(rows: number, columns: number, data: DecodedImage['data']): DecodedImage {
  return { rows, columns, data, isColor: false, isInverted: false, min: Math.min(...data), max: Math.max(...data) };
}

test('samples lie on every fourth pixel, and what is between them is between them', () => {
  const small = grey(2, 2, Int16Array.of(-400, 0, 0, 400));
  const large = enlarge(small, 8, 8, 2);
  const at = (row: number, column: number) => large.data[row * 8 + column];
  expect([large.rows, large.columns, large.min, large.max]).toEqual([8, 8, -400, 400]);
  expect([at(0, 0), at(0, 4), at(4, 0), at(4, 4)]).toEqual([-400, 0, 0, 400]);
  expect([at(0, 1), at(0, 2), at(0, 3)]).toEqual([-300, -200, -100]);
  expect([at(2, 2), at(7, 7), at(0, 7), at(7, 0)]).toEqual([0, 400, 0, 0]);
});

test('a ramp stays a ramp, in sizes that four does not divide', () => {
  const [rows, columns] = [30, 21];
  const small = grey(8, 6, Uint16Array.from({ length: 48 }, (_, i) => (i % 6) * 40 + Math.floor(i / 6) * 4));
  const { data } = enlarge(small, rows, columns, 2);
  for (let row = 0; row < 28; row++) {
    for (let column = 0; column < 20; column++) {
      expect(data[row * columns + column]).toBe(column * 10 + row);
    }
  }
  expect(data.length).toBe(rows * columns);
});

test.each([Uint8Array, Uint16Array, Int16Array, Float32Array])('extremes of %o are kept', (Type) => {
  const most = Type === Float32Array ? 1e6 : Type === Uint8Array ? 255 : Type === Uint16Array ? 65535 : 32767;
  const least = Type === Int16Array ? -32768 : Type === Float32Array ? -0.125 : 0;
  const { data } = enlarge(grey(1, 2, Type.of(least, most) as DecodedImage['data']), 4, 8, 2);
  expect(data).toBeInstanceOf(Type);
  expect([data[0], data[7]]).toEqual([least, most]);
  for (let i = 1; i < 8; i++) {
    expect(data[i]).toBeGreaterThanOrEqual(data[i - 1]!);
  }
});

test('colours stay apart', () => {
  const small: DecodedImage = { rows: 1, columns: 2, isColor: true, isInverted: false, min: 0, max: 255, data: Uint8Array.of(0, 100, 200, 80, 100, 40) };
  const { data } = enlarge(small, 2, 4, 1);
  expect([...data.subarray(0, 12)]).toEqual([0, 100, 200, 40, 100, 120, 80, 100, 40, 80, 100, 40]);
});
