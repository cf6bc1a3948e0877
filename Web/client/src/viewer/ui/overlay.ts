import type { OrientationMarkers } from '../imaging/orientation';
import type { FirstImage } from '../journey';
import { format } from '../journey';
import { el } from './dom';

export interface CornerTexts {
  readonly topLeft: readonly string[];
  readonly topRight: readonly string[];
}

/** What stands in the corners and at the edges of the viewport; the middle is the image's. */
export class Overlay {
  readonly elements: readonly HTMLElement[];
  readonly #topLeft = el('div', { class: 'v-corner v-top-left' });
  readonly #topRight = el('div', { class: 'v-corner v-top-right' });
  readonly #windowText = el('span', { class: 'v-window-text' });
  readonly #zoomText = el('span', {});
  readonly #sliceText = el('span', { class: 'v-slice-text' });
  readonly #sourceText = el('span', { class: 'v-source' });
  readonly #qualityText = el('span', { class: 'v-quality', hidden: true });
  readonly #firstImage: HTMLButtonElement;
  readonly #markers = {
    left: el('div', { class: 'v-marker v-marker-left', 'aria-hidden': 'true' }),
    right: el('div', { class: 'v-marker v-marker-right', 'aria-hidden': 'true' }),
    top: el('div', { class: 'v-marker v-marker-top', 'aria-hidden': 'true' }),
    bottom: el('div', { class: 'v-marker v-marker-bottom', 'aria-hidden': 'true' }),
  };

  constructor(onFirstImage: () => void) {
    this.#firstImage = el('button', { type: 'button', class: 'v-first', 'aria-expanded': 'false', 'aria-controls': 'viewer-why', hidden: true, title: 'Time until the first image was on the screen; click for the steps', onclick: onFirstImage });
    this.elements = [
      this.#topLeft,
      this.#topRight,
      el('div', { class: 'v-corner v-bottom-left' }, el('div', {}, this.#windowText), el('div', {}, this.#zoomText)),
      el('div', { class: 'v-corner v-bottom-right' }, this.#firstImage, el('div', { class: 'v-slice-line' }, this.#sliceText, this.#sourceText, this.#qualityText)),
      ...Object.values(this.#markers),
    ];
  }

  setCorners({ topLeft, topRight }: CornerTexts): void {
    this.#topLeft.replaceChildren(...topLeft.filter(Boolean).map((line) => el('div', {}, line)));
    this.#topRight.replaceChildren(...topRight.filter(Boolean).map((line) => el('div', {}, line)));
  }

  setWindow(text: string): void {
    this.#windowText.textContent = text;
  }

  setZoom(zoom: number | undefined): void {
    this.#zoomText.textContent = zoom === undefined ? '' : `zoom ${zoom.toFixed(zoom < 10 ? 2 : 1)}x`;
  }

  setSlice(text: string, ms: number | undefined, tier: string | undefined, quality: string | undefined): void {
    this.#sliceText.textContent = text;
    this.#sourceText.textContent = [ms === undefined ? '' : format(ms), tier ?? ''].filter(Boolean).join(' · ');
    if (tier) {
      this.#sourceText.dataset['tier'] = tier;
    } else {
      delete this.#sourceText.dataset['tier'];
    }
    this.#qualityText.hidden = !quality;
    this.#qualityText.textContent = quality ?? '';
    this.#qualityText.title = quality === 'preview' ? 'A quarter of the rows and columns, enlarged. Distances are true; the whole image is on its way.' : '';
  }

  setMarkers(markers: OrientationMarkers | undefined): void {
    for (const side of ['left', 'right', 'top', 'bottom'] as const) {
      this.#markers[side].textContent = markers?.[side] ?? '';
    }
  }

  setFirstImage(first: FirstImage | undefined): void {
    this.#firstImage.hidden = !first;
    this.#firstImage.textContent = first ? `first image ${format(first.ms)}${first.tier ? ' · ' + first.tier : ''}` : '';
  }

  setWhyOpen(isOpen: boolean): void {
    this.#firstImage.setAttribute('aria-expanded', String(isOpen));
  }

  focusFirstImage(): void {
    this.#firstImage.focus();
  }
}
