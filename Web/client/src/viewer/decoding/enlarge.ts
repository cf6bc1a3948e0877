import type { DecodedImage } from './pixels';

/**
 * A picture that lacks `missingLevels` resolutions, at the size of the whole frame: rows, columns, spacing and with them every
 * measurement stay true. Linear between samples, which lie on every 2^n-th pixel, the first on the first (the low-pass filter of
 * ISO/IEC 15444-1 F.3 is symmetric about even samples); so nothing moves when the whole frame takes its place.
 */
export function enlarge(image: DecodedImage, rows: number, columns: number, missingLevels: number): DecodedImage {
  const from = image.data;
  const channels = image.isColor ? 3 : 1;
  const to = new (from.constructor as new (length: number) => DecodedImage['data'])(rows * columns * channels);
  const scale = 1 << missingLevels;
  const width = image.columns * channels;
  const isFloat = from instanceof Float32Array;
  // Whole numbers are rounded at the end: sixteen bits and twice the levels fit into 32.
  const divide = isFloat || missingLevels > 7 ? (value: number) => (isFloat ? value / (scale * scale) : Math.round(value / (scale * scale))) : undefined;
  const shift = 2 * missingLevels;
  const half = divide || missingLevels === 0 ? 0 : 1 << (shift - 1);
  const line = divide ? new Float64Array(width + channels) : new Int32Array(width + channels); // one sample more, for the last one to lean on
  for (let y = 0; y < rows; y++) {
    const upper = Math.min(y >> missingLevels, image.rows - 1) * width;
    const lower = Math.min(upper + width, (image.rows - 1) * width);
    const down = y & (scale - 1);
    const up = scale - down;
    for (let i = 0; i < width; i++) {
      line[i] = from[upper + i]! * up + from[lower + i]! * down;
    }
    line.copyWithin(width, width - channels, width);
    const end = (y + 1) * columns * channels;
    for (let channel = 0; channel < channels; channel++) {
      for (let x = channel, at = y * columns * channels + channel; at < end; x += channels) {
        const step = line[x + channels]! - line[x]!;
        const stop = Math.min(at + scale * channels, end);
        for (let value = line[x]! * scale + half; at < stop; at += channels, value += step) {
          to[at] = divide ? divide(value) : value >> shift;
        }
      }
    }
  }
  return { ...image, rows, columns, data: to };
}
