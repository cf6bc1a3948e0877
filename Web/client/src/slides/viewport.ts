import OpenSeadragon from 'openseadragon';
import type { SlideDescription } from './config';
import { tileSource } from './tiles';

export interface ViewportEvents {
  /** Something moved, or the size changed. */
  changed(): void;
  /** How many tiles are on their way and how many could not be had. */
  tiles(loading: number, failed: number): void;
  /** The pointer is over a pixel of the slide; undefined beside it. */
  pointed(at: { readonly x: number; readonly y: number } | undefined): void;
}

const maxZoomPixelRatio = 4;
const panStep = 0.15;

/** The slide on the screen: OpenSeadragon, behind what the page needs of it. */
export class Viewport {
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #events: ViewportEvents;
  #failed = new Set<string>();

  constructor(canvas: HTMLElement, map: HTMLElement, events: ViewportEvents) {
    this.#events = events;
    withoutStyleElement();
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#viewer = OpenSeadragon({
      element: canvas,
      drawer: 'canvas',
      tabIndex: -1,
      showNavigationControl: false,
      showNavigator: true,
      navigatorElement: map,
      navigatorAutoFade: false,
      navigatorOpacity: 1,
      navigatorBackground: '#000',
      navigatorDisplayRegionColor: '#4cc2ff',
      // The answers are read by scripts, so that a failed one says why, and no page's policy has to allow pictures of another site.
      loadTilesWithAjax: true,
      imageLoaderLimit: 6,
      timeout: 40_000,
      tileRetryMax: 3,
      tileRetryDelay: 1_500,
      maxImageCacheCount: 300,
      maxZoomPixelRatio,
      minZoomImageRatio: 0.7,
      visibilityRatio: 0.4,
      animationTime: still ? 0 : 0.5,
      blendTime: still ? 0 : 0.1,
      immediateRender: false,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchToZoom: true, flickEnabled: !still, clickToZoom: false, dblClickToZoom: true },
    } as OpenSeadragon.Options);
    this.#listen();
  }

  /** Shows a slide, whole. Rejects where it cannot be opened. */
  open(imageApi: string, slide: SlideDescription): Promise<void> {
    this.#failed = new Set();
    return new Promise((resolve, reject) => {
      this.#viewer.addOnceHandler('open', () => resolve());
      this.#viewer.addOnceHandler('open-failed', () => reject(new Error('The slide could not be opened.')));
      this.#viewer.open({ tileSource: tileSource(imageApi, slide) } as unknown as OpenSeadragon.TileSourceSpecifier);
    });
  }

  /** Pixels of the screen per pixel of the slide. */
  get zoom(): number {
    const item = this.#viewer.world.getItemAt(0);
    return item ? item.viewportToImageZoom(this.#viewer.viewport.getZoom(true)) : 1;
  }

  zoomBy(factor: number): void {
    this.#viewer.viewport.zoomBy(factor);
    this.#viewer.viewport.applyConstraints();
  }

  fit(): void {
    this.#viewer.viewport.goHome();
  }

  /** One pixel of the slide per pixel of the screen. */
  showFull(): void {
    const item = this.#viewer.world.getItemAt(0);
    if (item) {
      this.#viewer.viewport.zoomTo(item.imageToViewportZoom(1));
      this.#viewer.viewport.applyConstraints();
    }
  }

  /** Moves the view by parts of it. */
  pan(right: number, down: number, isWhole: boolean): void {
    const bounds = this.#viewer.viewport.getBounds();
    const step = isWhole ? 0.9 : panStep;
    this.#viewer.viewport.panBy(new OpenSeadragon.Point(right * step * bounds.width, down * step * bounds.height));
    this.#viewer.viewport.applyConstraints();
  }

  /** Asks once more for the tiles that failed. */
  retry(): void {
    this.#failed = new Set();
    this.#tell();
    this.#viewer.world.resetItems();
    this.#viewer.forceRedraw();
  }

  #listen(): void {
    const viewer = this.#viewer;
    // The page has keys of its own.
    viewer.addHandler('canvas-key', (event) => {
      event.preventDefaultAction = true;
    });
    for (const name of ['animation', 'animation-finish', 'open', 'resize'] as const) {
      viewer.addHandler(name, () => this.#events.changed());
    }
    viewer.addHandler('tile-load-failed', (event: unknown) => {
      const { tile } = event as { tile?: { cacheKey?: string; level: number; x: number; y: number } };
      if (tile) {
        this.#failed.add(`${tile.level}/${tile.x}/${tile.y}`);
      }
      this.#tell();
    });
    viewer.addHandler('tile-loaded', (event: unknown) => {
      const { tile } = event as { tile?: { level: number; x: number; y: number } };
      if (tile) {
        this.#failed.delete(`${tile.level}/${tile.x}/${tile.y}`);
      }
      this.#tell();
    });
    viewer.addHandler('update-viewport', () => this.#tell());
    // What is on its way ends a moment after the last event tells of it.
    setInterval(() => this.#tell(), 250);
    const tracker = new OpenSeadragon.MouseTracker({
      element: viewer.container,
      moveHandler: (event: unknown) => this.#point((event as { position: OpenSeadragon.Point }).position),
      leaveHandler: () => this.#events.pointed(undefined),
    } as OpenSeadragon.MouseTrackerOptions);
    tracker.setTracking(true);
  }

  #point(position: OpenSeadragon.Point): void {
    const item = this.#viewer.world.getItemAt(0);
    if (!item) {
      return;
    }
    const { x, y } = item.viewerElementToImageCoordinates(position);
    const size = item.getContentSize();
    this.#events.pointed(x >= 0 && y >= 0 && x < size.x && y < size.y ? { x, y } : undefined);
  }

  #tell(): void {
    const loader = (this.#viewer as unknown as { imageLoader?: { jobsInProgress: number; jobQueue: unknown[] } }).imageLoader;
    this.#events.tiles(loader ? loader.jobsInProgress + loader.jobQueue.length : 0, this.#failed.size);
  }
}

/**
 * OpenSeadragon adds a style element, which the page's content security policy refuses, unless it finds one of its own. An element of that name and of no known
 * namespace is found and means nothing; what it would say (no outline of a focused canvas) does not apply, because the canvas cannot be focused.
 */
function withoutStyleElement(): void {
  if (!document.querySelector('style[data-openseadragon-mobile-css]')) {
    const style = document.createElementNS('urn:platform:none', 'style');
    style.setAttribute('data-openseadragon-mobile-css', '');
    document.head.append(style);
  }
}
