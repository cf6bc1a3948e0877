import type { SlideDescription } from './config';

/** The pyramid as OpenSeadragon takes it; its levels are ours: 0 the smallest, halves rounded up. */
export function tileSource(imageApi: string, slide: SlideDescription) {
  return {
    width: slide.width,
    height: slide.height,
    tileSize: slide.tileSize,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: slide.levels.length - 1,
    getTileUrl: (level: number, x: number, y: number) => imageApi + tileAddress(slide.tiles, level, x, y),
  };
}

export function tileAddress(template: string, level: number, x: number, y: number): string {
  return template.replace('{level}', String(level)).replace('{x}', String(x)).replace('{y}', String(y));
}
