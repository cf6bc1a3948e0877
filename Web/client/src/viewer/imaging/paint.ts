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
  fill(new Uint32Array(picture.data.buffer), image, window, invert !== image.isInverted);
  context.putImageData(picture, 0, 0);
}

function fill(out: Uint32Array, image: DecodedImage, window: WindowSetting, invert: boolean): void {
  const { data } = image;
  const flip = invert ? 255 : 0;
  if (image.isColor) {
    for (let at = 0, from = 0; at < out.length; at++, from += 3) {
      out[at] = 0xff000000 | ((data[from + 2]! ^ flip) << 16) | ((data[from + 1]! ^ flip) << 8) | (data[from]! ^ flip);
    }
    return;
  }
  const isSigmoid = window.function === 'SIGMOID';
  const { lower, upper } = toRange(window);
  const scale = upper > lower ? 255 / (upper - lower) : 0;
  for (let at = 0; at < out.length; at++) {
    const value = data[at]!;
    const level = isSigmoid ? toGrey(value, window) : value <= lower ? 0 : value >= upper ? 255 : (value - lower) * scale;
    const grey = ((level + 0.5) | 0) ^ flip;
    out[at] = 0xff000000 | (grey << 16) | (grey << 8) | grey;
  }
}
