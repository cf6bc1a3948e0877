import { expect, test } from 'vitest';
import { pauseAfter } from '../src/live/live';

test.each([
  [2000, 0, 2000],
  [2000, 1, 4000],
  [2000, 3, 16000],
  [2000, 20, 30000],
  [60000, 5, 60000],
])('every %i ms after %i failures: %i ms', (every, failures, pause) => expect(pauseAfter(every, failures)).toBe(pause));
