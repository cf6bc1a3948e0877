/** Decimal, three digits at most: "23.6 MB". */
export function bytesText(bytes: number): string {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['KB', 1e3]] as const) {
    if (bytes >= size) {
      const value = bytes / size;
      return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${unit}`;
    }
  }
  return `${bytes} B`;
}

/** "0.21 s", "4.1 s", "75 s"; below 100 ms "38 ms". */
export function timeText(ms: number): string {
  if (ms < 100) {
    return `${Math.max(1, Math.round(ms))} ms`;
  }
  const s = ms / 1000;
  return `${s < 1 ? s.toFixed(2) : s < 20 ? s.toFixed(1) : s.toFixed(0)} s`;
}

/** A value as the window's fields and the crosshair show it: four digits that matter. */
export function valueText(value: number): string {
  if (!Number.isFinite(value)) {
    return '–';
  }
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) {
    return String(value);
  }
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? value.toExponential(3) : String(Number(value.toPrecision(4)));
}
