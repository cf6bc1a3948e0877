import { cosinesOf, markersFor, type OrientationMarkers } from '../imaging/orientation';
import { paint } from '../imaging/paint';
import type { WindowSetting } from '../manifest';
import type { Presentation, ShownImage } from './presentation';

/**
 * Draws the stack on a plain 2D canvas, fitted to the viewport, until Cornerstone3D is there: the same pixels through
 * the same window, some hundred milliseconds earlier.
 */
export class PlainPresentation implements Presentation {
  readonly #host: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  #shown: ShownImage | undefined;
  #isInverted = false;

  constructor(host: HTMLElement) {
    this.#host = host;
    this.#canvas = document.createElement('canvas');
    this.#canvas.className = 'viewer-plain';
    host.append(this.#canvas);
  }

  show(shown: ShownImage): Promise<void> {
    this.#shown = shown;
    this.#draw();
    return Promise.resolve();
  }

  setWindow(window: WindowSetting): void {
    if (this.#shown) {
      this.#shown = { ...this.#shown, window };
      this.#draw();
    }
  }

  setInvert(isInverted: boolean): void {
    this.#isInverted = isInverted;
    this.#draw();
  }

  zoom(): number | undefined {
    const fit = this.#fit();
    return fit && fit.width / this.#shown!.image.columns;
  }

  markers(): OrientationMarkers | undefined {
    const cosines = cosinesOf(this.#shown?.frame.geometry.orientation);
    return cosines && markersFor(cosines.row, cosines.column.map((c) => -c) as unknown as [number, number, number]);
  }

  pixelToCanvas(column: number, row: number): { x: number; y: number } | undefined {
    const fit = this.#fit();
    return (
      fit && {
        x: fit.left + ((column + 0.5) * fit.width) / this.#shown!.image.columns,
        y: fit.top + ((row + 0.5) * fit.height) / this.#shown!.image.rows,
      }
    );
  }

  canvas(): HTMLCanvasElement | undefined {
    return this.#canvas;
  }

  resize(): void {
    this.#place();
  }

  dispose(): void {
    this.#canvas.remove();
  }

  #draw(): void {
    if (this.#shown) {
      paint(this.#shown.image, this.#shown.window, this.#isInverted, this.#canvas);
      this.#place();
    }
  }

  #place(): void {
    const fit = this.#fit();
    if (fit) {
      Object.assign(this.#canvas.style, { left: `${fit.left}px`, top: `${fit.top}px`, width: `${fit.width}px`, height: `${fit.height}px` });
    }
  }

  /** The largest box with the image's proportions in mm that the viewport takes. */
  #fit(): { left: number; top: number; width: number; height: number } | undefined {
    if (!this.#shown) {
      return undefined;
    }
    const { rows, columns } = this.#shown.image;
    const [rowSpacing = 1, columnSpacing = 1] = this.#shown.frame.geometry.pixelSpacing ?? [];
    const [millimetresWide, millimetresHigh] = [columns * columnSpacing, rows * rowSpacing];
    const { clientWidth, clientHeight } = this.#host;
    const scale = Math.min(clientWidth / millimetresWide, clientHeight / millimetresHigh);
    const [width, height] = [millimetresWide * scale, millimetresHigh * scale];
    return { left: (clientWidth - width) / 2, top: (clientHeight - height) / 2, width, height };
  }
}
