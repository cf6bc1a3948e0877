import { describe, expect, test } from 'vitest';
import { presetsFor, toGrey, toRange, toWindow, windowOver } from '../src/viewer/imaging/window';

describe('toRange', () => {
  test('LINEAR: PS3.3 C.11.2.1.2.1, c = 2048, w = 4096 spans 0 to 4095', () => {
    expect(toRange({ center: 2048, width: 4096 })).toEqual({ lower: 0, upper: 4095 });
  });
  test('LINEAR of width 1 is a threshold', () => {
    expect(toRange({ center: 2048, width: 1 })).toEqual({ lower: 2047.5, upper: 2047.5 });
  });
  test('LINEAR_EXACT spans the width around the center', () => {
    expect(toRange({ center: 40, width: 400, function: 'LINEAR_EXACT' })).toEqual({ lower: -160, upper: 240 });
  });
  test('a width below 1 does not turn the range around', () => {
    const { lower, upper } = toRange({ center: 0, width: 0 });
    expect(upper).toBeGreaterThanOrEqual(lower);
  });
  test('toWindow is its inverse', () => {
    const window = { center: 40, width: 400, function: 'LINEAR' };
    expect(toWindow(toRange(window))).toEqual(window);
  });
});

describe('toGrey', () => {
  test.each([
    [-1000, 0],
    [-160, 0],
    [239, 255],
    [3000, 255],
    [39.5, 127.5],
  ])('soft tissue: %f HU is %f', (value, grey) => expect(toGrey(value, { center: 40, width: 400 })).toBeCloseTo(grey, 6));
  test('SIGMOID is half way at the center', () => {
    const window = { center: 100, width: 50, function: 'SIGMOID' };
    expect(toGrey(100, window)).toBeCloseTo(127.5);
    expect(toGrey(150, window)).toBeCloseTo(255 / (1 + Math.exp(-4)));
  });
});

test('windowOver shows the smallest value black and the largest white', () => {
  const window = windowOver(-1024, 3071);
  expect(toGrey(-1024, window)).toBe(0);
  expect(toGrey(3071, window)).toBe(255);
  expect(windowOver(7, 7).width).toBe(1);
});

describe('presetsFor', () => {
  const stored = { center: 50, width: 350, explanation: 'SOFT' };
  test('what is stored comes first, under its own name', () => {
    const presets = presetsFor('CT', [stored, stored], windowOver(0, 100));
    expect(presets[0]).toMatchObject({ name: 'SOFT', center: 50, width: 350 });
    expect(presets.filter((p) => p.center === 50 && p.width === 350)).toHaveLength(1);
    expect(presets.length).toBeLessThanOrEqual(9);
    expect(presets.map((p) => p.name)).toContain('Lung');
  });
  test('other modalities get no Hounsfield windows', () => {
    expect(presetsFor('MR', [stored], windowOver(0, 100)).map((p) => p.name)).toEqual(['SOFT', 'Full range']);
  });
});
