export type Vector = readonly [number, number, number];

/** Left, top, right and bottom of the screen in patient directions. */
export interface OrientationMarkers {
  readonly left: string;
  readonly right: string;
  readonly top: string;
  readonly bottom: string;
}

/** Components smaller than this (about 5.7 degrees) give no letter. */
const negligible = 0.1;

/**
 * The letters of a direction in the patient's coordinates (PS3.3 C.7.6.1.1.1: +x left, +y posterior, +z head), strongest
 * first: "A", "LP", "HRA".
 */
export function directionLabel([x, y, z]: Vector): string {
  return [
    { size: Math.abs(x), letter: x > 0 ? 'L' : 'R' },
    { size: Math.abs(y), letter: y > 0 ? 'P' : 'A' },
    { size: Math.abs(z), letter: z > 0 ? 'H' : 'F' },
  ]
    .filter((axis) => axis.size > negligible)
    .sort((a, b) => b.size - a.size)
    .map((axis) => axis.letter)
    .join('');
}

export function opposite(label: string): string {
  const other: Record<string, string> = { A: 'P', P: 'A', L: 'R', R: 'L', H: 'F', F: 'H' };
  return [...label].map((letter) => other[letter] ?? letter).join('');
}

/** `right` and `up` are the screen's directions in the patient's coordinates, after flips and rotation. */
export function markersFor(right: Vector, up: Vector): OrientationMarkers {
  const r = directionLabel(right);
  const t = directionLabel(up);
  return { right: r, left: opposite(r), top: t, bottom: opposite(t) };
}

/** Row and column cosines of an Image Orientation (Patient), or undefined when it is none (PS3.3 C.7.6.2.1.1). */
export function cosinesOf(orientation: readonly number[] | null | undefined): { row: Vector; column: Vector } | undefined {
  if (orientation?.length !== 6 || !orientation.every(Number.isFinite)) {
    return undefined;
  }
  const row = orientation.slice(0, 3) as unknown as Vector;
  const column = orientation.slice(3, 6) as unknown as Vector;
  const unit = (v: Vector) => Math.abs(Math.hypot(...v) - 1) < 0.01;
  const dot = row[0] * column[0] + row[1] * column[1] + row[2] * column[2];
  return unit(row) && unit(column) && Math.abs(dot) < 0.01 ? { row, column } : undefined;
}
