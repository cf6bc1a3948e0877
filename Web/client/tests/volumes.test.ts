import { describe, expect, it } from 'vitest';
import { stepsOf, unpack } from '../src/volumes/download';
import { bytesText, timeText, valueText } from '../src/volumes/format';

describe('figures', () => {
  it('have three digits and a unit', () => {
    expect([971, 732_300, 23_593_312, 123_000_000, 4_200_000_000].map(bytesText)).toEqual(['971 B', '732 KB', '23.6 MB', '123 MB', '4.2 GB']);
    expect([0.2, 38, 210, 4100, 75_000].map(timeText)).toEqual(['1 ms', '38 ms', '0.21 s', '4.1 s', '75 s']);
    expect([0, -1000, 0.123456, 1234.5678, 2e9, 1e-6, NaN].map(valueText)).toEqual(['0', '-1000', '0.1235', '1235', '2.000e+9', '1.000e-6', '–']);
  });
});

describe('Server-Timing', () => {
  it('is read with quoted descriptions, and left out where it has no duration', () => {
    expect(stepsOf('cache;desc="origin, far";dur=0.271, app;dur=12')).toEqual([
      { name: 'cache', ms: 0.271, description: 'origin, far' },
      { name: 'app', ms: 12, description: '' },
    ]);
    expect(stepsOf('cache;desc="memory"')).toEqual([]);
    expect(stepsOf(null)).toEqual([]);
  });
});

describe('unpack', () => {
  it('inflates gzip, leaves other bytes alone, and refuses damaged ones', async () => {
    const plain = new Uint8Array([1, 2, 3, 4, 5]);
    const packed = new Uint8Array(await new Response(new Blob([plain]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
    expect(new Uint8Array(await unpack(packed))).toEqual(plain);
    expect(new Uint8Array(await unpack(plain))).toEqual(plain);
    await expect(unpack(packed.slice(0, 12))).rejects.toThrow('damaged');
  });
});
