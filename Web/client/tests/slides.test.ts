import { describe, expect, it } from 'vitest';
import { lengthText, magnification, numberText, scaleBar } from '../src/slides/scale';
import { tileAddress, tileSource } from '../src/slides/tiles';

describe('scaleBar', () => {
  it('is the longest round length that fits', () => {
    expect(scaleBar(0.0005, 1, 160)).toEqual({ text: '50 µm', width: 100 });
    expect(scaleBar(0.00025, 1, 160)).toEqual({ text: '20 µm', width: 80 });
    expect(scaleBar(0.02, 1, 160)).toEqual({ text: '2 mm', width: 100 });
    expect(scaleBar(0.0125, 1, 160)).toEqual({ text: '2 mm', width: 160 });
  });

  it('never leaves its place, and uses most of it', () => {
    for (let mm = 1e-6; mm < 100; mm *= 1.37) {
      const bar = scaleBar(mm, 1, 160)!;
      expect(bar.width).toBeLessThanOrEqual(160.0001);
      expect(bar.width).toBeGreaterThan(63);
    }
  });

  it('counts pixels where the spacing is unknown', () => {
    expect(scaleBar(undefined, 8, 160)).toEqual({ text: '1000 px', width: 125 });
  });

  it('is nothing without a size', () => {
    expect(scaleBar(undefined, 0)).toBeUndefined();
    expect(scaleBar(Number.NaN, 1)).toBeUndefined();
  });
});

describe('magnification', () => {
  it('is the lens at full size', () => {
    expect(magnification(1, 40, 0.00025)).toBe(40);
    expect(magnification(0.5, 20, undefined)).toBe(10);
  });

  it('follows from the spacing without a lens, for slides only', () => {
    expect(magnification(1, undefined, 0.00025)).toBeCloseTo(40);
    expect(magnification(1, undefined, 0.14)).toBeUndefined();
    expect(magnification(1, undefined, undefined)).toBeUndefined();
  });
});

describe('texts', () => {
  it('are short', () => {
    expect(lengthText(0.0005)).toBe('0.5 µm');
    expect(lengthText(15.234)).toBe('15.2 mm');
    expect(lengthText(0.9)).toBe('900 µm');
    expect(numberText(0.263)).toBe('0.26');
    expect(numberText(1234.5)).toBe('1235');
  });
});

describe('tileSource', () => {
  const slide = {
    isSlide: true, width: 6000, height: 4224, tileSize: 256, levels: [0, 1, 2, 3, 4, 5].map((level) => ({ level, isStored: level > 0 })),
    tiles: '/api/dicom/1.2/tiles/{level}/{x}/{y}?series=1.3&v=00', associated: [],
  };

  it('has our levels as they are', () => {
    const source = tileSource('http://api', slide);
    expect([source.minLevel, source.maxLevel, source.tileOverlap]).toEqual([0, 5, 0]);
    expect(source.getTileUrl(5, 23, 16)).toBe('http://api/api/dicom/1.2/tiles/5/23/16?series=1.3&v=00');
    expect(tileAddress(slide.tiles, 0, 0, 0)).toBe('/api/dicom/1.2/tiles/0/0/0?series=1.3&v=00');
  });
});
