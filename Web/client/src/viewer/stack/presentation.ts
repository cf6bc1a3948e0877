import type { DecodedImage } from '../decoding/pixels';
import type { OrientationMarkers } from '../imaging/orientation';
import type { FrameDescription, WindowSetting } from '../manifest';

export type ToolName = 'window' | 'zoom' | 'pan' | 'length';

/** One image to show: which frame it is, what is known of it, and how it is windowed. */
export interface ShownImage {
  readonly index: number;
  readonly image: DecodedImage;
  readonly frame: FrameDescription;
  readonly window: WindowSetting;
  /** The image stands in for the whole frame, of the same size, and gives way to it. */
  readonly isPreview: boolean;
}

/**
 * Whatever draws the stack: the plain 2D canvas of the first moments, then Cornerstone3D. `show` resolves when the pixels
 * are on the canvas.
 */
export interface Presentation {
  show(shown: ShownImage): Promise<void>;
  setWindow(window: WindowSetting): void;
  setInvert(isInverted: boolean): void;
  /** CSS pixels per image pixel along a row; undefined while nothing is shown. */
  zoom(): number | undefined;
  markers(): OrientationMarkers | undefined;
  /** CSS position within the viewport of the centre of an image pixel. */
  pixelToCanvas(column: number, row: number): { x: number; y: number } | undefined;
  canvas(): HTMLCanvasElement | undefined;
  resize(): void;
  dispose(): void;
}

/** What only the full presentation can do. */
export interface InteractivePresentation extends Presentation {
  openSeries(key: string, count: number, describe: (index: number) => FrameDescription | undefined, modality: string | undefined): void;
  setTool(tool: ToolName | undefined): Promise<void>;
  reset(): void;
  flipHorizontal(): void;
  flipVertical(): void;
  rotate(): void;
  zoomBy(factor: number): void;
  panBy(x: number, y: number): void;
  /** Takes the selected measurements away. */
  deleteSelected(): Promise<void>;
  release(index: number): void;
}

export interface PresentationEvents {
  onWindow(window: WindowSetting): void;
  onView(): void;
}
