import type { SeriesEntry } from '../config';
import { el } from './dom';

interface Row {
  readonly button: HTMLButtonElement;
  readonly note: HTMLElement;
}

/** The study's series, each with the service's small picture of its middle frame. */
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

  /** Asks for the small pictures; to be called when nothing more urgent is on the line. */
  showThumbnails(): void {
    for (const image of this.#list.querySelectorAll<HTMLImageElement>('img[data-src]')) {
      image.src = image.dataset['src']!;
      delete image.dataset['src'];
    }
  }

  setNote(uid: string, note: string): void {
    const row = this.#rows.get(uid);
    if (row) {
      row.note.textContent = note;
    }
  }

  #row(entry: SeriesEntry): HTMLButtonElement {
    const note = el('span', { class: 'v-series-note' }, entry.instances ? `${entry.instances} ${entry.instances === 1 ? 'instance' : 'instances'}` : '');
    const button = el(
      'button',
      { type: 'button', class: 'v-series-row', onclick: () => this.#onOpen(entry.uid) },
      this.#thumbnail(entry),
      el(
        'span',
        { class: 'v-series-text' },
        el('span', { class: 'v-series-name' }, entry.description ? `${entry.number ?? ''} ${entry.description}`.trim() : `Series ${entry.number ?? ''}`.trim()),
        el('span', { class: 'v-series-modality' }, entry.modality ?? ''),
        note,
      ),
    );
    this.#rows.set(entry.uid, { button, note });
    return button;
  }

  /** Decorative: the row says what it is. Where the service has none, the plain place stays. */
  #thumbnail(entry: SeriesEntry): HTMLElement {
    if (!entry.thumbnail || entry.hasImages === false) {
      return el('span', { class: 'v-thumbnail', 'aria-hidden': 'true', 'data-state': 'none' });
    }
    const image = el('img', { class: 'v-thumbnail', alt: '', width: 56, height: 56, loading: 'lazy', decoding: 'async', fetchpriority: 'low', crossorigin: 'anonymous', 'data-src': entry.thumbnail });
    image.addEventListener('load', () => (image.dataset['state'] = 'shown'));
    image.addEventListener('error', () => (image.dataset['state'] = 'none'));
    return image;
  }
}
