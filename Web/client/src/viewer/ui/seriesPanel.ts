import type { SeriesEntry } from '../config';
import type { DecodedImage } from '../decoding/pixels';
import { paintSmall } from '../imaging/paint';
import { windowOver } from '../imaging/window';
import type { WindowSetting } from '../manifest';
import { el } from './dom';

const thumbnailPixels = 128;

interface Row {
  readonly button: HTMLButtonElement;
  readonly canvas: HTMLCanvasElement;
  readonly note: HTMLElement;
}

/** The study's series, each with a small picture of its middle frame once there is time to draw one. */
export class SeriesPanel {
  readonly element: HTMLElement;
  readonly #list: HTMLOListElement;
  readonly #rows = new Map<string, Row>();
  readonly #onOpen: (uid: string) => void;

  constructor(onOpen: (uid: string) => void) {
    this.#onOpen = onOpen;
    this.#list = el('ol', { class: 'v-series-list' });
    this.element = el('nav', { class: 'v-series', id: 'viewer-series', 'aria-label': 'Series' }, this.#list);
  }

  setSeries(series: readonly SeriesEntry[]): void {
    this.#rows.clear();
    this.#list.replaceChildren(...series.map((entry) => el('li', {}, this.#row(entry))));
  }

  /** Bones of rows while the list is not known yet. */
  setSkeleton(): void {
    this.#list.replaceChildren(...[0, 1].map(() => el('li', {}, el('div', { class: 'v-series-row v-skeleton', 'aria-hidden': 'true' }))));
  }

  setCurrent(uid: string): void {
    for (const [key, { button }] of this.#rows) {
      if (key === uid) {
        button.setAttribute('aria-current', 'true');
        button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      } else {
        button.removeAttribute('aria-current');
      }
    }
  }

  setNote(uid: string, note: string): void {
    const row = this.#rows.get(uid);
    if (row) {
      row.note.textContent = note;
    }
  }

  hasThumbnail(uid: string): boolean {
    return this.#rows.get(uid)?.canvas.dataset['state'] !== undefined;
  }

  setThumbnail(uid: string, image: DecodedImage | undefined, window?: WindowSetting): void {
    const row = this.#rows.get(uid);
    if (!row) {
      return;
    }
    row.canvas.dataset['state'] = image ? 'drawn' : 'none';
    if (image) {
      paintSmall(image, window ?? windowOver(image.min, image.max), thumbnailPixels, row.canvas);
    }
  }

  #row(entry: SeriesEntry): HTMLButtonElement {
    const canvas = el('canvas', { class: 'v-thumbnail', width: 1, height: 1, 'aria-hidden': 'true', 'data-state': entry.hasImages === false ? 'none' : undefined });
    const note = el('span', { class: 'v-series-note' }, entry.instances ? `${entry.instances} ${entry.instances === 1 ? 'instance' : 'instances'}` : '');
    const button = el(
      'button',
      { type: 'button', class: 'v-series-row', onclick: () => this.#onOpen(entry.uid) },
      canvas,
      el(
        'span',
        { class: 'v-series-text' },
        el('span', { class: 'v-series-name' }, entry.description ? `${entry.number ?? ''} ${entry.description}`.trim() : `Series ${entry.number ?? ''}`.trim()),
        el('span', { class: 'v-series-modality' }, entry.modality ?? ''),
        note,
      ),
    );
    this.#rows.set(entry.uid, { button, canvas, note });
    return button;
  }
}
