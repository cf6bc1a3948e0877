import { describe, expect, test } from 'vitest';
import { describeFrame, openingIndex, type SeriesManifest } from '../src/viewer/manifest';

const manifest: SeriesManifest = {
  version: '0123456789abcdef',
  study: '1.2',
  series: '1.2.3',
  geometry: { rows: 4, columns: 5, isVolume: true },
  pixel: { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 12, highBit: 11, isSigned: false, photometric: 'MONOCHROME2', slope: 1, intercept: -1024 },
  window: { center: 40, width: 400 },
  frames: [
    { instance: '1', frame: 1, url: '/dicomweb/a/frames/1?v=0', transferSyntax: '1.2.840.10008.1.2.1' },
    { instance: '2', frame: 1, url: '/dicomweb/b/frames/1?v=0', transferSyntax: '1.2.840.10008.1.2.1', geometry: { rows: 8 }, pixel: { slope: 2 }, window: { center: 1, width: 2 } },
  ],
};

describe('describeFrame', () => {
  test('the series’ values stand for a frame that says nothing', () => {
    expect(describeFrame(manifest, 0, 'http://localhost:5101')).toMatchObject({
      url: 'http://localhost:5101/dicomweb/a/frames/1?v=0',
      geometry: { rows: 4, columns: 5 },
      pixel: { slope: 1, intercept: -1024 },
      window: { center: 40, width: 400 },
    });
  });
  test('what a frame says goes before, the rest stays', () => {
    expect(describeFrame(manifest, 1, 'http://localhost:5101')).toMatchObject({ geometry: { rows: 8, columns: 5 }, pixel: { slope: 2, intercept: -1024 }, window: { center: 1, width: 2 } });
  });
  test('no such frame, or a frame without a size, is undefined', () => {
    expect(describeFrame(manifest, 2, 'http://localhost:5101')).toBeUndefined();
    expect(describeFrame({ ...manifest, geometry: undefined }, 0, 'http://localhost:5101')).toBeUndefined();
  });
});

test('a volume opens in its middle, anything else at its beginning', () => {
  expect(openingIndex(manifest)).toBe(1);
  expect(openingIndex({ ...manifest, geometry: { rows: 4, columns: 5, isVolume: false } })).toBe(0);
});
