import { describe, expect, test } from 'vitest';
import { cosinesOf, directionLabel, markersFor, opposite, type Vector } from '../src/viewer/imaging/orientation';

describe('directionLabel', () => {
  test.each<[Vector, string]>([
    [[1, 0, 0], 'L'],
    [[-1, 0, 0], 'R'],
    [[0, 1, 0], 'P'],
    [[0, -1, 0], 'A'],
    [[0, 0, 1], 'H'],
    [[0, 0, -1], 'F'],
    [[0.8, 0.6, 0], 'LP'],
    [[0.5, -0.7, 0.51], 'AHL'],
    [[0.9999, 0.01, 0.01], 'L'],
    [[0, 0, 0], ''],
  ])('%s is %s', (direction, label) => expect(directionLabel(direction)).toBe(label));
});

test('opposites', () => {
  expect(opposite('LP')).toBe('RA');
  expect(opposite('HRA')).toBe('FLP');
});

describe('markersFor', () => {
  test('axial: the patient’s right on the left of the screen, anterior on top', () => {
    expect(markersFor([1, 0, 0], [0, -1, 0])).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
  });
  test('axial, flipped left to right', () => {
    expect(markersFor([-1, 0, 0], [0, -1, 0])).toEqual({ left: 'L', right: 'R', top: 'A', bottom: 'P' });
  });
  test('axial, turned a quarter clockwise: what was on top is on the right', () => {
    expect(markersFor([0, -1, 0], [-1, 0, 0])).toEqual({ left: 'P', right: 'A', top: 'R', bottom: 'L' });
  });
  test('coronal and sagittal', () => {
    expect(markersFor([1, 0, 0], [0, 0, 1])).toEqual({ left: 'R', right: 'L', top: 'H', bottom: 'F' });
    expect(markersFor([0, 1, 0], [0, 0, 1])).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' });
  });
});

describe('cosinesOf', () => {
  test('takes an orientation', () => expect(cosinesOf([1, 0, 0, 0, 1, 0])).toEqual({ row: [1, 0, 0], column: [0, 1, 0] }));
  test.each([[undefined], [null], [[]], [[1, 0, 0, 0, 1]], [[0, 0, 0, 0, 0, 0]], [[1, 0, 0, 1, 0, 0]], [[NaN, 0, 0, 0, 1, 0]], [[2, 0, 0, 0, 1, 0]]])('refuses %s', (orientation) =>
    expect(cosinesOf(orientation as number[])).toBeUndefined(),
  );
});
