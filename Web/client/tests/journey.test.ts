import { expect, test } from 'vitest';
import { describeServer } from '../src/viewer/journey';
import { describeCounts } from '../src/viewer/ui/loadBar';

const step = (name: string, description: string, duration: number) => ({ name, description, duration }) as PerformanceServerTiming;

test('the server\'s steps name the tier and the time', () => {
  expect(describeServer({ serverTiming: [step('cache', 'disk', 1.25), step('write', '', 0.5)] })).toBe('cache disk 1.3 ms, write 0.5 ms');
  expect(describeServer({ serverTiming: [step('cache', 'memory', 0), step('idle', '', 0)] })).toBe('cache memory 0.0 ms');
  expect(describeServer({ serverTiming: [] })).toBe('');
});

test('the load bar says in words what its colours say', () => {
  expect(describeCounts({ browser: 0, memory: 40, redis: 0, disk: 24, object: 0, origin: 0, failed: 1 })).toBe('40 from memory, 24 from disk');
});
