import type { WindowSetting } from '../manifest';

/** Modality values (HU for CT) from black to white. */
export interface ValueRange {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The values at which the display turns black and white (PS3.3 C.11.2.1.2). LINEAR spans width - 1 around center - 0.5;
 * LINEAR_EXACT spans width around center; SIGMOID is drawn over LINEAR's span.
 */
export function toRange(window: WindowSetting): ValueRange {
  const width = Math.max(window.width, window.function === 'LINEAR_EXACT' ? Number.EPSILON : 1);
  if (window.function === 'LINEAR_EXACT') {
    return { lower: window.center - width / 2, upper: window.center + width / 2 };
  }
  return { lower: window.center - 0.5 - (width - 1) / 2, upper: window.center - 0.5 + (width - 1) / 2 };
}

/** The LINEAR window that spans a range; the inverse of {@link toRange}. */
export function toWindow(range: ValueRange): WindowSetting {
  return { center: (range.lower + range.upper + 1) / 2, width: Math.abs(range.upper - range.lower) + 1, function: 'LINEAR' };
}

/** Grey level 0..255 of one modality value. */
export function toGrey(value: number, window: WindowSetting): number {
  if (window.function === 'SIGMOID') {
    return 255 / (1 + Math.exp((-4 * (value - window.center)) / window.width));
  }
  const { lower, upper } = toRange(window);
  if (value <= lower) {
    return 0;
  }
  return value >= upper ? 255 : ((value - lower) / (upper - lower)) * 255;
}

/** A window that shows everything between two values. */
export function windowOver(min: number, max: number): WindowSetting {
  return max > min ? { center: (min + max + 1) / 2, width: max - min + 1, function: 'LINEAR' } : { center: min, width: 1, function: 'LINEAR' };
}

export interface Preset extends WindowSetting {
  readonly name: string;
}

const ctPresets: readonly Preset[] = [
  { name: 'Soft tissue', center: 40, width: 400 },
  { name: 'Lung', center: -600, width: 1500 },
  { name: 'Bone', center: 480, width: 2500 },
  { name: 'Brain', center: 40, width: 80 },
  { name: 'Liver', center: 60, width: 160 },
  { name: 'Mediastinum', center: 50, width: 350 },
  { name: 'Angiography', center: 300, width: 600 },
];

/** Presets 1-9: what the images carry first, then (for CT) the usual ones, then everything in the frame. */
export function presetsFor(modality: string | undefined, stored: readonly WindowSetting[], full: WindowSetting | undefined): readonly Preset[] {
  const presets: Preset[] = stored
    .filter((w, i) => stored.findIndex((other) => other.center === w.center && other.width === w.width) === i)
    .slice(0, 3)
    .map((w, i) => ({ ...w, name: w.explanation?.trim() || (i === 0 ? 'As stored' : `As stored ${i + 1}`) }));
  if (modality === 'CT') {
    presets.push(...ctPresets.filter((p) => !presets.some((s) => s.center === p.center && s.width === p.width)));
  }
  if (full) {
    presets.push({ ...full, name: 'Full range' });
  }
  return presets.slice(0, 9);
}
