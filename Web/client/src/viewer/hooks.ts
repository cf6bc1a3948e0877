import type { FirstImage } from './journey';
import type { Tier } from './loading/tiers';
import type { WindowSetting } from './manifest';

/**
 * What tests and measurements read, as `window.__platform`. Nothing in the viewer depends on it. Indices are 0-based,
 * positions are CSS pixels within the page.
 */
export interface PlatformHooks {
  /** loading: no image yet; ready: an image (or a bad frame's tile) is shown; empty: the series has none; failed: no manifest. */
  readonly state: 'loading' | 'ready' | 'empty' | 'failed';
  readonly series: string | undefined;
  readonly currentSlice: number;
  /** The slice whose pixels are on the canvas now; behind `currentSlice` while it loads. */
  readonly shownSlice: number | undefined;
  readonly sliceCount: number;
  readonly window: WindowSetting | undefined;
  readonly isInverted: boolean;
  /** True while what is shown is exactly what was stored, and its codec lost nothing. */
  readonly isLossless: boolean | undefined;
  /** True while what is shown is a preview, and says so. */
  readonly isPreview: boolean;
  /** Slices that there is a picture of, previews among them. */
  readonly usable: number;
  /** When the last of them became so, and when the last came whole; ms on the page's clock, undefined before. */
  readonly usableAt: number | undefined;
  readonly completeAt: number | undefined;
  readonly firstImage: FirstImage | undefined;
  /** One per series opened. */
  readonly firstImages: readonly FirstImage[];
  readonly tiers: Readonly<Record<Tier | 'failed', number>>;
  readonly failed: readonly number[];
  /** Nothing more will load: every frame that fits is held or has failed. */
  readonly isComplete: boolean;
  readonly heldBytes: number;
  /** What draws: the plain canvas of the first moments, or Cornerstone3D. */
  readonly renderer: 'plain' | 'cornerstone';
  readonly areToolsReady: boolean;
  canvas(): HTMLCanvasElement | undefined;
  pixelToPage(column: number, row: number): { x: number; y: number } | undefined;
  goTo(index: number): void;
}

declare global {
  interface Window {
    __platform?: PlatformHooks;
  }
}
