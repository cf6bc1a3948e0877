/** What the page tells its scripts, in `<script type="application/json" id="platform-config">`. */
export interface VolumeConfig {
  /** Public address of ImageApi, without a slash at the end. */
  readonly imageApi: string;
  readonly volume?: VolumeEntry | null;
}

export interface VolumeEntry {
  readonly origin: string;
  readonly path: string;
  readonly name: string;
  readonly bytes?: number | null;
  /** Where it is described, below ImageApi. */
  readonly url: string;
  /** Where its bytes are, below ImageApi. */
  readonly file: string;
}

/** What ImageApi says of a volume (`/api/volumes/{origin}/{path}?fields=geometry`), as far as the page needs it. */
export interface VolumeDescription {
  readonly bytes: number;
  /** Of a pair: where the bytes of the image are. */
  readonly image?: string;
  readonly geometry: {
    readonly sizes: readonly number[];
    readonly spacingMm: readonly number[];
    readonly orientation?: string;
    readonly orientationSource: 'sform' | 'qform' | 'none';
  };
  readonly type: { readonly name: string };
}

export function readConfig(root: Document): VolumeConfig | undefined {
  const text = root.getElementById('platform-config')?.textContent;
  return text ? (JSON.parse(text) as VolumeConfig) : undefined;
}

/** The element that the page is made with; it is an error of ours if it lacks. */
export function element<T extends HTMLElement>(root: ParentNode, selector: string): T {
  const found = root.querySelector<T>(selector);
  if (!found) {
    throw new Error(`The page has no ${selector}.`);
  }
  return found;
}
