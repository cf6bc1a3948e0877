/** A length as people write it: micrometres below a millimetre. */
export function lengthText(mm: number): string {
  if (mm < 1) {
    return `${numberText(mm * 1000)} µm`;
  }
  return mm < 10_000 ? `${numberText(mm)} mm` : `${numberText(mm / 1000)} m`;
}

export interface ScaleBar {
  readonly text: string;
  /** In CSS pixels. */
  readonly width: number;
}

/**
 * The longest round length (1, 2 or 5 times a power of ten) that takes no more than `most` CSS pixels.
 * @param mmPerPixel of the screen; undefined where the slide does not tell its spacing: the bar is in pixels of the slide then.
 * @param pixelsPerPixel pixels of the slide per CSS pixel.
 */
export function scaleBar(mmPerPixel: number | undefined, pixelsPerPixel: number, most = 160): ScaleBar | undefined {
  const unit = mmPerPixel ?? pixelsPerPixel;
  if (!(unit > 0) || !Number.isFinite(unit)) {
    return undefined;
  }
  const longest = unit * most;
  const power = 10 ** Math.floor(Math.log10(longest));
  const step = [5, 2, 1].find((each) => each * power <= longest * (1 + 1e-9)) ?? 1;
  const length = step * power;
  return { text: mmPerPixel === undefined ? `${numberText(length)} px` : lengthText(length), width: length / unit };
}

/**
 * How much is magnified, as through a microscope: the lens at one pixel of the slide per pixel of the screen, more or less by the zoom. Without a lens that is told,
 * pathology's convention stands in: 10 µm divided by the spacing (0.25 µm is 40x). Undefined without either.
 */
export function magnification(zoom: number, objectivePower: number | undefined, mmPerPixel: number | undefined): number | undefined {
  const whole = objectivePower ?? (mmPerPixel !== undefined && mmPerPixel < 0.005 ? 0.01 / mmPerPixel : undefined);
  return whole === undefined ? undefined : whole * zoom;
}

/** Three digits at most, none of them for show. */
export function numberText(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(Math.max(digits, value < 0.01 ? 4 : 0))));
}
