import { expect, test } from 'vitest';
import { loadOrder } from '../src/viewer/loading/order';

test('the current frame first, then those ahead, then outward on both sides', () => {
  expect([...loadOrder(5, 11, 1, 3)]).toEqual([5, 6, 7, 8, 4, 3, 2, 9, 1, 10, 0]);
});

test('backward travel looks the other way', () => {
  expect([...loadOrder(5, 11, -1, 3)].slice(0, 6)).toEqual([5, 4, 3, 2, 6, 7]);
});

test.each([
  [0, 8, 1 as const],
  [7, 8, 1 as const],
  [0, 8, -1 as const],
  [3, 1000, -1 as const],
  [0, 1, 1 as const],
])('every frame comes exactly once (current %i of %i)', (current, count, direction) => {
  const order = [...loadOrder(current, count, direction, 3)];
  expect(order).toHaveLength(count);
  expect(new Set(order).size).toBe(count);
  expect(order[0]).toBe(current);
});
