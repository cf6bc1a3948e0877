import {
  cache,
  Enums,
  imageLoader,
  init as initCore,
  metaData,
  RenderingEngine,
  utilities,
  type StackViewport,
  type Types,
} from '@cornerstonejs/core';
import { cosinesOf, markersFor, type OrientationMarkers, type Vector } from '../imaging/orientation';
import { toRange, toWindow } from '../imaging/window';
import type { DecodedImage } from '../decoding/pixels';
import type { FrameDescription, WindowSetting } from '../manifest';
import type { InteractivePresentation, PresentationEvents, ShownImage, ToolName } from './presentation';
import type { StackTools } from './tools';

const viewportId = 'stack';
const engineId = 'viewer';
const scheme = 'platform';

interface OpenSeries {
  readonly key: string;
  readonly count: number;
  readonly describe: (index: number) => FrameDescription | undefined;
  readonly modality: string | undefined;
}

/**
 * The stack on Cornerstone3D. Cornerstone never fetches: its loader (scheme `platform:`) is given each decoded image just
 * before it is shown, and lets go of it when the queue does. Image ids are `platform:<series>/<frame index>`.
 */
export class CornerstonePresentation implements InteractivePresentation {
  readonly #element: HTMLDivElement;
  readonly #events: PresentationEvents;
  readonly #engine: RenderingEngine;
  readonly #images = new Map<string, { readonly image: Types.IImage; readonly pixels: DecodedImage }>();
  /** The one preview held: they are made anew from few bytes, and would take as much as whole frames. */
  #previewId: string | undefined;
  readonly #frames = new Map<string, FrameDescription>();
  readonly #viewport: Types.IStackViewport;
  #series: OpenSeries | undefined;
  #isStackSet = false;
  #shown: ShownImage | undefined;
  #window: WindowSetting | undefined;
  #isInverted = false;
  #isSettingWindow = false;
  #showing: Promise<void> = Promise.resolve();
  #tools: Promise<StackTools> | undefined;
  #tool: ToolName | undefined;

  private constructor(element: HTMLDivElement, events: PresentationEvents, engine: RenderingEngine) {
    this.#element = element;
    this.#events = events;
    this.#engine = engine;
    this.#viewport = engine.getViewport(viewportId) as Types.IStackViewport;
    imageLoader.registerImageLoader(scheme, (imageId) => ({ promise: this.#imageFor(imageId) }));
    metaData.addProvider((type: string, imageId: string) => this.#metadata(type, imageId), 10_000);
    element.addEventListener(Enums.Events.CAMERA_MODIFIED, () => this.#events.onView());
    element.addEventListener(Enums.Events.VOI_MODIFIED, (event) => this.#onVoi((event as Types.EventTypes.VoiModifiedEvent).detail.range));
  }

  /** Starts WebGL step by step, each a task of its own: the page keeps scrolling meanwhile. */
  static async create(element: HTMLDivElement, events: PresentationEvents): Promise<CornerstonePresentation> {
    initCore({ rendering: { webGlContextCount: 1 } } as Types.Cornerstone3DConfig);
    await breathe();
    const engine = new RenderingEngine(engineId);
    await breathe();
    engine.enableElement({ viewportId, type: Enums.ViewportType.STACK, element, defaultOptions: { background: [0, 0, 0] } });
    await breathe();
    return new CornerstonePresentation(element, events, engine);
  }

  openSeries(key: string, count: number, describe: (index: number) => FrameDescription | undefined, modality: string | undefined): void {
    this.#releaseAll();
    this.#series = { key, count, describe, modality };
    this.#isStackSet = false;
    this.#isInverted = false;
    this.#shown = undefined;
  }

  /** Shows are done one after the other; of those that came in meanwhile only the last one is drawn. */
  show(shown: ShownImage): Promise<void> {
    this.#shown = shown;
    this.#showing = this.#showing.catch(() => undefined).then(() => (this.#shown === shown ? this.#draw(shown) : undefined));
    return this.#showing;
  }

  setWindow(window: WindowSetting): void {
    this.#window = window;
    this.#applyWindow(window);
    this.#viewport.render();
  }

  setInvert(isInverted: boolean): void {
    this.#isInverted = isInverted;
    this.#applyInvert();
    this.#viewport.render();
  }

  async setTool(tool: ToolName | undefined): Promise<void> {
    this.#tool = tool;
    // Measuring and dragging come after the first picture: their code does too.
    this.#tools ??= import('./tools').then(({ StackTools }) => new StackTools(engineId, viewportId));
    (await this.#tools).activate(this.#tool);
  }

  async deleteSelected(): Promise<void> {
    (await this.#tools)?.deleteSelected();
    this.#viewport.render();
  }

  reset(): void {
    this.#viewport.resetCamera();
    this.#viewport.setViewPresentation({ rotation: 0, flipHorizontal: false, flipVertical: false } as Types.ViewPresentation);
    this.#viewport.resetCamera();
    this.#isInverted = false;
    this.#applyInvert();
    this.#viewport.render();
  }

  flipHorizontal(): void {
    this.#viewport.setCamera({ flipHorizontal: !this.#viewport.getCamera().flipHorizontal });
    this.#viewport.render();
  }

  flipVertical(): void {
    this.#viewport.setCamera({ flipVertical: !this.#viewport.getCamera().flipVertical });
    this.#viewport.render();
  }

  rotate(): void {
    const { rotation = 0 } = this.#viewport.getViewPresentation();
    this.#viewport.setViewPresentation({ rotation: (rotation + 90) % 360 } as Types.ViewPresentation);
    this.#viewport.render();
  }

  zoomBy(factor: number): void {
    this.#viewport.setZoom(Math.min(Math.max(this.#viewport.getZoom() * factor, 0.2), 20));
    this.#viewport.render();
  }

  panBy(x: number, y: number): void {
    const [panX, panY] = this.#viewport.getPan();
    this.#viewport.setPan([panX + x, panY + y]);
    this.#viewport.render();
  }

  zoom(): number | undefined {
    const here = this.pixelToCanvas(0, 0);
    const next = this.pixelToCanvas(1, 0);
    return here && next && Math.hypot(next.x - here.x, next.y - here.y);
  }

  markers(): OrientationMarkers | undefined {
    if (!this.#isStackSet || !cosinesOf(this.#shown?.frame.geometry.orientation)) {
      return undefined;
    }
    const origin = this.#viewport.canvasToWorld([0, 0]);
    const direction = (to: Types.Point2): Vector => {
      const world = this.#viewport.canvasToWorld(to);
      const v = [world[0] - origin[0], world[1] - origin[1], world[2] - origin[2]] as const;
      const length = Math.hypot(...v) || 1;
      return [v[0] / length, v[1] / length, v[2] / length];
    };
    const down = direction([0, 100]);
    return markersFor(direction([100, 0]), [-down[0], -down[1], -down[2]]);
  }

  pixelToCanvas(column: number, row: number): { x: number; y: number } | undefined {
    const imageData = this.#isStackSet ? this.#viewport.getImageData() : undefined;
    if (!imageData) {
      return undefined;
    }
    const world = imageData.imageData.indexToWorld?.([column, row, 0]) as Types.Point3;
    const [x, y] = this.#viewport.worldToCanvas(world);
    return { x, y };
  }

  canvas(): HTMLCanvasElement | undefined {
    return this.#viewport.getCanvas();
  }

  resize(): void {
    this.#engine.resize(true, true);
  }

  /** The queue let go of a frame: so does Cornerstone. */
  release(index: number): void {
    this.#release(this.#idOf(index));
  }

  #release(imageId: string): void {
    if (this.#images.delete(imageId)) {
      cache.removeImageLoadObject(imageId, { force: true });
    }
  }

  dispose(): void {
    this.#releaseAll();
    this.#engine.destroy();
  }

  async #draw(shown: ShownImage): Promise<void> {
    if (!this.#series) {
      return;
    }
    const imageId = this.#idOf(shown.index);
    this.#frames.set(imageId, shown.frame);
    const isNew = this.#images.get(imageId)?.pixels !== shown.image;
    if (isNew) {
      this.#keep(imageId, shown, this.#series.modality);
    }
    const rendered = this.#nextRender();
    if (this.#isStackSet && isNew && this.#viewport.getCurrentImageIdIndex() === shown.index) {
      // The whole frame in its preview's place: the same slice, which the stack would not load again.
      (this.#viewport as StackViewport).renderImageObject(this.#images.get(imageId)!.image);
    } else if (this.#isStackSet) {
      await this.#viewport.setImageIdIndex(shown.index);
    } else {
      const series = this.#series;
      await this.#viewport.setStack(
        Array.from({ length: series.count }, (_, index) => this.#idOf(index)),
        shown.index,
      );
      this.#isStackSet = true;
      this.#window = undefined;
    }
    if (!sameWindow(this.#window, shown.window)) {
      this.#window = shown.window;
      this.#applyWindow(shown.window);
    }
    this.#applyInvert();
    this.#viewport.render();
    await rendered;
    this.#events.onView();
  }

  #keep(imageId: string, shown: ShownImage, modality: string | undefined): void {
    this.#release(imageId);
    if (this.#previewId !== undefined && this.#previewId !== imageId) {
      this.#release(this.#previewId);
    }
    this.#previewId = shown.isPreview ? imageId : undefined;
    this.#images.set(imageId, { image: createImage(imageId, shown, modality), pixels: shown.image });
  }

  #nextRender(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#element.removeEventListener(Enums.Events.IMAGE_RENDERED, done);
        resolve();
      };
      // A hidden page draws nothing: do not wait for ever.
      const timer = setTimeout(done, 1000);
      this.#element.addEventListener(Enums.Events.IMAGE_RENDERED, done);
    });
  }

  #applyWindow(window: WindowSetting): void {
    if (!this.#isStackSet || this.#shown?.image.isColor) {
      return;
    }
    this.#isSettingWindow = true;
    const VOILUTFunction = window.function === 'SIGMOID' ? Enums.VOILUTFunctionType.SAMPLED_SIGMOID : Enums.VOILUTFunctionType.LINEAR;
    this.#viewport.setProperties({ voiRange: toRange(window), VOILUTFunction });
    this.#isSettingWindow = false;
  }

  #applyInvert(): void {
    if (this.#isStackSet) {
      this.#viewport.setProperties({ invert: this.#isInverted !== (this.#shown?.image.isInverted ?? false) });
    }
  }

  #onVoi(range: Types.VOIRange): void {
    if (!this.#isSettingWindow && this.#isStackSet && this.#window && !this.#shown?.image.isColor) {
      const window = toWindow(range);
      if (!sameWindow(window, this.#window)) {
        this.#window = window;
        this.#events.onWindow(window);
      }
    }
  }

  #imageFor(imageId: string): Promise<Types.IImage> {
    const held = this.#images.get(imageId);
    return held ? Promise.resolve(held.image) : Promise.reject(new Error('The frame is not loaded.'));
  }

  #idOf(index: number): string {
    return `${scheme}:${this.#series?.key ?? ''}/${index}`;
  }

  #releaseAll(): void {
    for (const imageId of this.#images.keys()) {
      cache.removeImageLoadObject(imageId, { force: true });
    }
    this.#images.clear();
    this.#frames.clear();
  }

  #metadata(type: string, imageId: string): unknown {
    if (!imageId?.startsWith(`${scheme}:`) || !this.#series) {
      return undefined;
    }
    const frame = this.#frames.get(imageId) ?? this.#series.describe(Number(imageId.slice(imageId.lastIndexOf('/') + 1)));
    return frame && metadataOf(type, frame, this.#series);
  }
}

/** Lets input and painting in between two pieces of work. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function metadataOf(type: string, frame: FrameDescription, series: OpenSeries): unknown {
  const { geometry, pixel, position } = frame;
  const modules = Enums.MetadataModules;
  switch (type) {
    case modules.IMAGE_PLANE: {
      const cosines = cosinesOf(geometry.orientation);
      const [rowSpacing, columnSpacing] = geometry.pixelSpacing ?? [];
      return {
        frameOfReferenceUID: geometry.frameOfReference ?? undefined,
        rows: geometry.rows,
        columns: geometry.columns,
        imageOrientationPatient: cosines ? [...cosines.row, ...cosines.column] : [1, 0, 0, 0, 1, 0],
        rowCosines: cosines?.row ?? [1, 0, 0],
        columnCosines: cosines?.column ?? [0, 1, 0],
        imagePositionPatient: position?.length === 3 ? position : [0, 0, 0],
        pixelSpacing: rowSpacing && columnSpacing ? [rowSpacing, columnSpacing] : undefined,
        rowPixelSpacing: rowSpacing,
        columnPixelSpacing: columnSpacing,
      };
    }
    case modules.IMAGE_PIXEL:
      return {
        samplesPerPixel: pixel.samplesPerPixel,
        photometricInterpretation: pixel.photometric,
        rows: geometry.rows,
        columns: geometry.columns,
        bitsAllocated: pixel.bitsAllocated,
        bitsStored: pixel.bitsStored,
        highBit: pixel.highBit,
        pixelRepresentation: pixel.isSigned ? 1 : 0,
      };
    case modules.GENERAL_SERIES:
      return { modality: series.modality, seriesInstanceUID: series.key };
    case modules.MODALITY_LUT:
      return { rescaleSlope: pixel.slope ?? 1, rescaleIntercept: pixel.intercept ?? 0, rescaleType: pixel.rescaleType ?? undefined };
    case modules.VOI_LUT:
      return frame.window ? { windowCenter: [frame.window.center], windowWidth: [frame.window.width] } : {};
    default:
      return undefined;
  }
}

function createImage(imageId: string, { image, frame, window }: ShownImage, modality: string | undefined): Types.IImage {
  const { rows, columns, data, isColor } = image;
  const numberOfComponents = isColor ? 3 : 1;
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({ scalarData: data, width: columns, height: rows, numberOfComponents });
  const [rowPixelSpacing = 1, columnPixelSpacing = 1] = frame.geometry.pixelSpacing ?? [];
  const shown = isColor ? { center: 128, width: 256 } : window;
  return {
    imageId,
    dataType: data.constructor.name as Types.PixelDataTypedArrayString,
    color: isColor,
    rgba: false,
    numberOfComponents,
    rows,
    columns,
    height: rows,
    width: columns,
    rowPixelSpacing,
    columnPixelSpacing,
    sizeInBytes: data.byteLength,
    // The values are modality values already (decoding/pixels.ts).
    slope: 1,
    intercept: 0,
    preScale: { enabled: true, scaled: true, scalingParameters: { rescaleSlope: 1, rescaleIntercept: 0, modality: modality ?? '' } },
    invert: image.isInverted,
    minPixelValue: image.min,
    maxPixelValue: image.max,
    windowCenter: shown.center,
    windowWidth: shown.width,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    voxelManager: voxelManager as Types.IVoxelManager<number>,
    getPixelData: () => data as Types.PixelDataTypedArray,
    getCanvas: undefined as unknown as () => HTMLCanvasElement,
    imageFrame: { photometricInterpretation: frame.pixel.photometric } as unknown as Types.IImage['imageFrame'],
  } as Types.IImage;
}

function sameWindow(a: WindowSetting | undefined, b: WindowSetting): boolean {
  return a !== undefined && Math.abs(a.center - b.center) < 1e-6 && Math.abs(a.width - b.width) < 1e-6 && (a.function ?? 'LINEAR') === (b.function ?? 'LINEAR');
}
