import { format, formatBytes, type FirstImage } from '../journey';
import { tiers, type Tier } from '../loading/tiers';
import { el, icon } from './dom';

const targetMs = 500;

export interface WhyFigures {
  readonly counts: Record<Tier | 'failed', number>;
  readonly heldBytes: number;
  /** How the current slice came. */
  readonly slice: SliceSource | undefined;
}

/** The two parts of a frame: the preview, and what followed it (or the whole at once). Times in ms. */
export interface SliceSource {
  readonly number: number;
  readonly preview: PartSource | undefined;
  readonly rest: PartSource | undefined;
}

export interface PartSource {
  readonly bytes: number;
  readonly tier: Tier | undefined;
  readonly waitMs: number;
  readonly downloadMs: number;
  readonly decodeMs: number;
}

/** Why the first image took as long as it did: every step with its time, and where the frames came from. */
export class WhyPanel {
  readonly element: HTMLElement;
  readonly #content = el('div', { class: 'v-why-content' });

  constructor(onClose: () => void) {
    this.element = el(
      'section',
      { class: 'v-why', id: 'viewer-why', 'aria-label': 'How the images came', hidden: true },
      el('div', { class: 'v-why-head' }, el('h2', {}, 'First image'), el('button', { type: 'button', class: 'v-button', 'aria-label': 'Close', onclick: onClose }, icon('close'))),
      this.#content,
    );
  }

  get isOpen(): boolean {
    return !this.element.hidden;
  }

  setOpen(isOpen: boolean): void {
    this.element.hidden = !isOpen;
    if (isOpen) {
      this.element.querySelector('button')?.focus();
    }
  }

  set(first: FirstImage | undefined, { counts, heldBytes, slice }: WhyFigures): void {
    if (!first) {
      this.#content.replaceChildren(el('p', {}, 'No image has been drawn yet.'));
      return;
    }
    const isGood = first.ms < targetMs;
    const scale = 100 / Math.max(first.ms, 1);
    this.#content.replaceChildren(
      el('p', { class: 'v-why-figure' }, el('strong', {}, format(first.ms)), el('span', { class: isGood ? 'is-good' : 'is-warn' }, isGood ? `✓ below ${targetMs} ms` : `! above ${targetMs} ms`)),
      el('p', { class: 'v-why-what' }, `From ${first.cause === 'navigation' ? 'the start of the navigation' : 'the click on the series'} until ${first.isPreview ? 'a preview of it was' : 'its pixels were'} on the canvas${first.tier ? `; ${first.isPreview ? 'the preview' : 'the frame'} came from ${tierNames[first.tier]}` : ''}.`),
      el(
        'ol',
        { class: 'v-steps' },
        ...first.steps.map((step) => {
          const fill = el('span', { class: 'v-step-fill' });
          fill.style.left = `${Math.min(99, step.start * scale)}%`;
          fill.style.width = `${Math.max(1, Math.min(100 - Math.min(99, step.start * scale), step.duration * scale))}%`;
          return el(
            'li',
            {},
            el('span', { class: 'v-step-name' }, step.name),
            el('span', { class: 'v-step-time' }, format(step.duration)),
            el('span', { class: 'v-step-track', 'aria-hidden': 'true' }, fill),
            step.detail ? el('span', { class: 'v-step-detail' }, step.detail) : undefined,
          );
        }),
      ),
      ...(slice ? describeSlice(slice) : []),
      el('h2', {}, 'Frames by tier'),
      el(
        'ul',
        { class: 'v-tiers' },
        ...tiers.map((tier) => el('li', {}, el('span', { class: 'v-swatch', 'data-tier': tier, 'aria-hidden': 'true' }), el('span', {}, tier), el('span', { class: 'v-count' }, String(counts[tier])))),
        counts.failed > 0 && el('li', {}, el('span', { class: 'v-swatch', 'data-tier': 'failed', 'aria-hidden': 'true' }), el('span', {}, 'failed !'), el('span', { class: 'v-count' }, String(counts.failed))),
      ),
      el('p', { class: 'v-why-what' }, `${(heldBytes / 1_000_000).toFixed(0)} MB of decoded images held.`),
    );
  }
}

function describeSlice({ number, preview, rest }: SliceSource): Node[] {
  const row = (name: string, part: PartSource | undefined) =>
    el(
      'tr',
      {},
      el('th', { scope: 'row' }, name),
      ...(part
        ? [el('td', {}, formatBytes(part.bytes)), el('td', {}, part.tier ?? '–'), el('td', {}, format(part.waitMs)), el('td', {}, format(part.downloadMs)), el('td', {}, format(part.decodeMs))]
        : [el('td', { colspan: 5, class: 'v-why-pending' }, 'on its way')]),
    );
  return [
    el('h2', {}, `Slice ${number}`),
    el(
      'table',
      { class: 'v-parts' },
      el('thead', {}, el('tr', {}, ...['Part', 'Bytes', 'From', 'Wait', 'Load', 'Decode'].map((title) => el('th', { scope: 'col' }, title)))),
      el('tbody', {}, preview && row('Preview', preview), row(preview ? 'Rest' : 'Whole', rest)),
    ),
  ];
}

const tierNames: Readonly<Record<Tier, string>> = {
  browser: "the browser's cache",
  memory: "the server's memory",
  redis: 'Redis',
  disk: "the server's disk cache",
  object: 'the object store that the servers share',
  origin: 'the origin',
};
