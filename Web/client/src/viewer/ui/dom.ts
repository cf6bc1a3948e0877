type Child = Node | string | undefined | false;
type Attributes = Readonly<Record<string, string | number | boolean | undefined | ((event: never) => void)>>;

/** One element with attributes, `on...` listeners and children; an attribute that is false or undefined is left out. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      element.addEventListener(name.replace(/^on/, ''), value as EventListener);
    } else if (value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

const paths = {
  back: 'M10 3 5 8l5 5',
  panel: 'M2.5 3h11v10h-11zM6.5 3v10',
  window: 'M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11',
  zoom: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.4 10.4 14 14M5 7h4M7 5v4',
  pan: 'M8 1.5v13M1.5 8h13M6 3.5l2-2 2 2M6 12.5l2 2 2-2M3.5 6l-2 2 2 2M12.5 6l2 2-2 2',
  length: 'M1.5 10.5l9-9 4 4-9 9zM4.5 7.5l1.5 1.5M7 5l1.5 1.5M9.5 2.5 11 4',
  invert: 'M2.5 2.5h11v11h-11zM13.5 2.5v11h-11z',
  reset: 'M3 8a5 5 0 1 1 1.6 3.7M3 12.5V9.2h3.3',
  play: 'M4.5 2.8v10.4L13 8z',
  pause: 'M5 3v10M11 3v10',
  help: 'M5.8 6a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.6M8 12.2v.1',
  close: 'M4 4l8 8M12 4l-8 8',
} as const;
export type IconName = keyof typeof paths;

const filled: ReadonlySet<IconName> = new Set<IconName>(['play']);
const halfFilled: ReadonlySet<IconName> = new Set<IconName>(['window', 'invert']);

export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'v-icon');
  svg.setAttribute('aria-hidden', 'true');
  for (const [i, part] of paths[name].split(/(?=M)/).entries()) {
    const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    path.setAttribute('d', part);
    const isFilled = filled.has(name) || (name === 'window' && i === 0) || (name === 'invert' && i === 1);
    path.setAttribute('class', isFilled ? 'filled' : '');
    svg.append(path);
  }
  if (halfFilled.has(name)) {
    svg.classList.add('half');
  }
  return svg;
}

/** Reads and writes a preference of this browser; without storage everything stays at its default. */
export const preferences = {
  get(name: string): string | null {
    try {
      return localStorage.getItem(`viewer.${name}`);
    } catch {
      return null;
    }
  },
  set(name: string, value: string): void {
    try {
      localStorage.setItem(`viewer.${name}`, value);
    } catch {
      // Private windows may refuse: the preference lasts as long as the page.
    }
  },
};

/** DICOM person names as people read them: "PHANTOM^CT^^Dr" is "PHANTOM, CT". */
export function personName(value: string | undefined): string {
  const [family = '', given = '', middle = ''] = (value ?? '').split('=')[0]!.split('^');
  return [family, [given, middle].filter(Boolean).join(' ')].filter(Boolean).join(', ');
}

/** "20261120" to "2026-11-20"; anything else as it is. */
export function isoDate(value: string | undefined): string {
  return value && /^\d{8}$/.test(value) ? `${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}` : (value ?? '');
}
