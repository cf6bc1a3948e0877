import { MULTIPLANAR_TYPE, Niivue, NVImage, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue';

export const views = ['all', 'axial', 'coronal', 'sagittal', 'render'] as const;
export type View = (typeof views)[number];

/** Colour tables that suit medical images; NiiVue has many more. */
export const colormaps = ['gray', 'viridis', 'inferno', 'plasma', 'hot', 'bone', 'cool', 'jet'] as const;

export interface Crosshair {
  /** In mm: to the right, to the front, to the top. */
  readonly mm: readonly [number, number, number];
  readonly value: number;
}

const sliceTypes: Record<View, SLICE_TYPE> = {
  all: SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  render: SLICE_TYPE.RENDER,
};

/** A volume on a canvas, drawn by NiiVue: all that knows of it. It fetches nothing; it is given bytes. */
export class Viewport {
  onCrosshair: (crosshair: Crosshair) => void = () => undefined;
  onWindow: (from: number, to: number) => void = () => undefined;

  private constructor(private readonly niivue: Niivue) {}

  /** @throws where the browser offers no WebGL 2. */
  static async create(canvas: HTMLCanvasElement): Promise<Viewport> {
    const niivue = new Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.3, 0.76, 1, 0.8],
      crosshairWidth: 1,
      show3Dcrosshair: true,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      multiplanarLayout: MULTIPLANAR_TYPE.GRID,
      isOrientCube: false,
      dragAndDropEnabled: false,
      loadingText: '',
      logLevel: 'silent',
      isResizeCanvas: true,
      fontMinPx: 13,
      fontColor: [0.9, 0.91, 0.93, 1],
    });
    await niivue.attachToCanvas(canvas);
    const viewport = new Viewport(niivue);
    niivue.onLocationChange = (location) => {
      const { mm, values } = location as { mm: [number, number, number]; values: { value: number }[] };
      viewport.onCrosshair({ mm: [mm[0], mm[1], mm[2]], value: values[0]?.value ?? NaN });
    };
    niivue.onIntensityChange = () => viewport.tellWindow();
    return viewport;
  }

  /** Shows a volume in place of the one before. `image` holds the voxels of a pair. */
  async show(bytes: ArrayBuffer, image?: ArrayBuffer): Promise<void> {
    for (const volume of [...this.niivue.volumes]) {
      this.niivue.removeVolume(volume);
    }
    // NiiVue's own defaults, which its types do not let one leave out; the name says only that it is NIfTI.
    const volume = await NVImage.new(bytes, 'volume.nii', 'gray', 1, image ?? null, NaN, NaN, true, 0.02, false, false, '', 0, 0, NaN, NaN, true, null, 0, null);
    this.niivue.addVolume(volume);
    this.niivue.setSliceType(SLICE_TYPE.MULTIPLANAR);
    this.niivue.createOnLocationChange();
    this.tellWindow();
  }

  setView(view: View): void {
    this.niivue.setSliceType(sliceTypes[view]);
  }

  setColormap(name: string): void {
    const volume = this.niivue.volumes[0];
    if (volume) {
      this.niivue.setColormap(volume.id, name);
    }
  }

  invert(): boolean {
    const volume = this.niivue.volumes[0];
    if (!volume) {
      return false;
    }
    volume.colormapInvert = !volume.colormapInvert;
    this.niivue.updateGLVolume();
    return volume.colormapInvert;
  }

  /** The values that are black and white. */
  setWindow(from: number, to: number): void {
    const volume = this.niivue.volumes[0];
    if (volume) {
      volume.cal_min = from;
      volume.cal_max = to;
      this.niivue.updateGLVolume();
      this.tellWindow();
    }
  }

  /** Window, colours, view, zoom and crosshair as they were. */
  reset(): void {
    const volume = this.niivue.volumes[0];
    if (!volume) {
      return;
    }
    volume.colormapInvert = false;
    this.niivue.setColormap(volume.id, 'gray');
    this.niivue.setPan2Dxyzmm([0, 0, 0, 1]);
    this.niivue.setRenderAzimuthElevation(110, 10);
    this.niivue.scene.crosshairPos = [0.5, 0.5, 0.5];
    this.niivue.setSliceType(SLICE_TYPE.MULTIPLANAR);
    this.setWindow(volume.robust_min ?? volume.cal_min ?? 0, volume.robust_max ?? volume.cal_max ?? 1);
    this.niivue.createOnLocationChange();
  }

  /** Moves the crosshair by voxels: to the right, to the front, to the top. */
  move(right: number, front: number, top: number): void {
    this.niivue.moveCrosshairInVox(right, front, top);
  }

  private tellWindow(): void {
    const volume = this.niivue.volumes[0];
    if (volume) {
      this.onWindow(volume.cal_min ?? 0, volume.cal_max ?? 0);
    }
  }
}
