import type { DecodedImage } from '../decoding/pixels';
import type { WindowSetting } from '../manifest';
import { toGrey, toRange } from './window';

/** Draws an image as the screen shows it, one canvas pixel for one image pixel. */
export function paint(image: DecodedImage, window: WindowSetting, invert: boolean, canvas: HTMLCanvasElement | OffscreenCanvas): void {
  canvas.width = image.columns;
  canvas.height = image.rows;
  const context = canvas.getContext('2d') as CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;
  if (!context) {
    return;
  }
  const picture = context.createImageData(image.columns, image.rows);
  fill(new Uint32Array(picture.data.buffer), image, window, invert !== image.isInverted, 1, image.columns, image.rows);
  context.putImageData(picture, 0, 0);
}

/** Draws a small picture by taking every n-th pixel: at most `size` pixels on the longer side. */
export function paintSmall(image: DecodedImage, window: WindowSetting, size: number, canvas: HTMLCanvasElement): void {
  const step = Math.max(1, Math.ceil(Math.max(image.columns, image.rows) / size));
  const columns = Math.max(1, Math.floor(image.columns / step));
  const rows = Math.max(1, Math.floor(image.rows / step));
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d');
  if (!context) {
    return;
  }
  const picture = context.createImageData(columns, rows);
  fill(new Uint32Array(picture.data.buffer), image, window, image.isInverted, step, columns, rows);
  context.putImageData(picture, 0, 0);
}

function fill(out: Uint32Array, image: DecodedImage, window: WindowSetting, invert: boolean, step: number, columns: number, rows: number): void {
  const { data } = image;
  const flip = invert ? 255 : 0;
  let at = 0;
  if (image.isColor) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0, from = y * step * image.columns * 3; x < columns; x++, from += step * 3) {
        out[at++] = 0xff000000 | ((data[from + 2]! ^ flip) << 16) | ((data[from + 1]! ^ flip) << 8) | (data[from]! ^ flip);
      }
    }
    return;
  }
  const isSigmoid = window.function === 'SIGMOID';
  const { lower, upper } = toRange(window);
  const scale = upper > lower ? 255 / (upper - lower) : 0;
  for (let y = 0; y < rows; y++) {
    for (let x = 0, from = y * step * image.columns; x < columns; x++, from += step) {
      const value = data[from]!;
      const level = isSigmoid ? toGrey(value, window) : value <= lower ? 0 : value >= upper ? 255 : (value - lower) * scale;
      const grey = ((level + 0.5) | 0) ^ flip;
      out[at++] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
    }
  }
}
