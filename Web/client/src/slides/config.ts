/** What the page tells its scripts, in `<script type="application/json" id="platform-config">`. */
export interface SlideConfig {
  /** Public address of ImageApi, without a slash at the end. */
  readonly imageApi: string;
  readonly study?: string | null;
  readonly series?: string | null;
}

/** What ImageApi says of a slide (`/api/dicom/{case}/slide`), as far as the page needs it. */
export interface SlideDescription {
  readonly isSlide: boolean;
  readonly instance?: string;
  readonly width: number;
  readonly height: number;
  readonly tileSize: number;
  readonly levels: readonly { readonly level: number; readonly isStored: boolean }[];
  /** Distance of pixels in mm. */
  readonly spacing?: { readonly x: number; readonly y: number };
  readonly objectivePower?: number;
  /** Address of a tile below ImageApi, with `{level}`, `{x}` and `{y}`. */
  readonly tiles: string;
  readonly associated: readonly { readonly kind: string; readonly width: number; readonly height: number; readonly url: string }[];
}

/** What ImageApi says of a case (`/api/dicom/{case}`): the instances of its series. */
export interface CaseDescription {
  readonly series: readonly { readonly uid: string; readonly files: readonly string[] }[];
}

export function readConfig(root: Document): SlideConfig | undefined {
  const text = root.getElementById('platform-config')?.textContent;
  return text ? (JSON.parse(text) as SlideConfig) : undefined;
}

/** The element that the page is made with; it is an error of ours if it lacks. */
export function element<T extends HTMLElement>(selector: string): T {
  const found = document.querySelector<T>(selector);
  if (!found) {
    throw new Error(`The page has no ${selector}.`);
  }
  return found;
}
