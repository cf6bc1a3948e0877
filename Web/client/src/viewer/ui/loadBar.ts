import type { FrameState } from '../loading/frameQueue';
import { tiers, type Tier } from '../loading/tiers';
import { el } from './dom';

export interface LoadCell {
  readonly state: FrameState;
  readonly tier: Tier | undefined;
  /** There is a preview to look at until the whole frame is here. */
  readonly hasPreview: boolean;
}

export interface LoadBarActions {
  onScrub(index: number): void;
  onRetryFailed(): void;
}

const barHeight = 16;
const signHeight = 5;
const previewHeight = 6;

/**
 * The load bar under the stack, which is also the scrubber: one cell per frame (or per pixel column when there are more
 * frames than pixels), coloured by the tier that the frame came from. A preview fills only the lower part of its cell until the
 * whole frame is here; a failed frame is red and carries a sign above.
 */
export class LoadBar {
  readonly element: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #track: HTMLElement;
  readonly #summary: HTMLElement;
  readonly #retry: HTMLButtonElement;
  readonly #actions: LoadBarActions;
  #cells: LoadCell[] = [];
  #current = 0;
  #isScheduled = false;

  constructor(actions: LoadBarActions) {
    this.#actions = actions;
    this.#canvas = el('canvas', { class: 'v-bar-canvas', 'aria-hidden': 'true' });
    this.#track = el('div', { class: 'v-bar-track', role: 'slider', tabindex: 0, 'aria-label': 'Slice', 'aria-orientation': 'horizontal', 'aria-valuemin': 1, 'aria-valuemax': 1, 'aria-valuenow': 1 }, this.#canvas);
    this.#summary = el('span', { class: 'v-bar-summary' });
    this.#retry = el('button', { type: 'button', class: 'v-bar-retry', hidden: true, onclick: () => actions.onRetryFailed() }, 'try again');
    this.element = el('div', { class: 'v-bar' }, this.#track, el('div', { class: 'v-bar-side' }, this.#summary, this.#retry));
    this.#track.addEventListener('pointerdown', (event) => {
      this.#track.setPointerCapture(event.pointerId);
      this.#scrub(event);
    });
    this.#track.addEventListener('pointermove', (event) => {
      if (event.buttons & 1) {
        this.#scrub(event);
      } else {
        this.#hint(event);
      }
    });
    new ResizeObserver(() => this.#schedule()).observe(this.#track);
  }

  reset(count: number): void {
    this.#cells = Array.from({ length: count }, () => ({ state: 'waiting' as const, tier: undefined, hasPreview: false }));
    this.#track.setAttribute('aria-valuemax', String(Math.max(1, count)));
    this.#schedule();
  }

  setCell(index: number, cell: LoadCell): void {
    this.#cells[index] = cell;
    this.#schedule();
  }

  setCurrent(index: number, text: string): void {
    this.#current = index;
    this.#track.setAttribute('aria-valuenow', String(index + 1));
    this.#track.setAttribute('aria-valuetext', text);
    this.#schedule();
  }

  /** Cells by tier, and how many failed. */
  counts(): Record<Tier | 'failed', number> {
    const counts = { browser: 0, memory: 0, redis: 0, disk: 0, object: 0, origin: 0, failed: 0 };
    for (const { state, tier } of this.#cells) {
      if (state === 'failed') {
        counts.failed++;
      } else if (tier && (state === 'held' || state === 'evicted')) {
        counts[tier]++;
      }
    }
    return counts;
  }

  #scrub(event: PointerEvent): void {
    const index = this.#indexAt(event);
    if (index !== undefined) {
      this.#actions.onScrub(index);
    }
  }

  #hint(event: PointerEvent): void {
    const index = this.#indexAt(event);
    const cell = index === undefined ? undefined : this.#cells[index];
    if (index !== undefined && cell) {
      this.#track.title = `slice ${index + 1}: ${describeCell(cell)}`;
    }
  }

  #indexAt(event: PointerEvent): number | undefined {
    const box = this.#track.getBoundingClientRect();
    if (this.#cells.length === 0 || box.width === 0) {
      return undefined;
    }
    const at = Math.floor(((event.clientX - box.left) / box.width) * this.#cells.length);
    return Math.min(Math.max(at, 0), this.#cells.length - 1);
  }

  #schedule(): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      requestAnimationFrame(() => {
        this.#isScheduled = false;
        this.#draw();
      });
    }
  }

  #draw(): void {
    const counts = this.counts();
    const there = this.#cells.filter(isThere).length;
    const previews = this.#cells.filter((cell) => !isThere(cell) && cell.hasPreview).length;
    this.#summary.textContent = this.#cells.length === 0 ? '' : counts.failed > 0 ? `${counts.failed} of ${this.#cells.length} failed` : `${there} / ${this.#cells.length}`;
    this.#summary.title = [describeCounts(counts), previews > 0 && `${previews} as previews`].filter(Boolean).join(', ');
    this.#summary.classList.toggle('is-failed', counts.failed > 0);
    this.#retry.hidden = counts.failed === 0;

    const ratio = window.devicePixelRatio || 1;
    const width = Math.round(this.#track.clientWidth * ratio);
    const height = Math.round((barHeight + signHeight) * ratio);
    const context = this.#canvas.getContext('2d');
    if (!context || width === 0) {
      return;
    }
    this.#canvas.width = width;
    this.#canvas.height = height;
    const style = getComputedStyle(this.#track);
    const color = (name: string) => style.getPropertyValue(name).trim();
    const colors: Record<string, string> = Object.fromEntries(tiers.map((tier) => [tier, color(`--v-tier-${tier}`)]));
    const top = signHeight * ratio;
    const count = this.#cells.length;
    const cellWidth = width / count;
    const gap = cellWidth >= 4 * ratio ? ratio : 0;
    for (let i = 0; i < count; i++) {
      const { state, tier, hasPreview } = this.#cells[i]!;
      const x = Math.floor(i * cellWidth);
      const w = Math.max(1, Math.floor((i + 1) * cellWidth) - x - gap);
      context.globalAlpha = state === 'evicted' ? 0.45 : 1;
      context.fillStyle =
        state === 'failed' ? color('--v-bad') : state === 'held' || state === 'evicted' ? (colors[tier ?? ''] || color('--v-muted')) : state === 'loading' ? color('--v-loading') : color('--v-line');
      context.fillRect(x, top, w, height - top);
      if (hasPreview && (state === 'waiting' || state === 'loading')) {
        context.fillStyle = color('--v-preview');
        context.fillRect(x, height - previewHeight * ratio, w, previewHeight * ratio);
      }
      if (state === 'failed') {
        const middle = x + w / 2;
        const half = 3.5 * ratio;
        context.beginPath();
        context.moveTo(middle - half, 0);
        context.lineTo(middle + half, 0);
        context.lineTo(middle, signHeight * ratio);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    const w = Math.max(2 * ratio, cellWidth - gap);
    const x = Math.min(width - w, Math.max(0, this.#current * cellWidth + (cellWidth - gap - w) / 2));
    context.fillStyle = color('--v-handle');
    context.fillRect(x, top - 2 * ratio, w, height - top + 2 * ratio);
  }
}

/** "40 from memory, 24 from disk": what the colours say, in words. */
export function describeCounts(counts: Readonly<Record<Tier | 'failed', number>>): string {
  return tiers
    .filter((tier) => counts[tier] > 0)
    .map((tier) => `${counts[tier]} from ${tier}`)
    .join(', ');
}

function isThere({ state }: LoadCell): boolean {
  return state === 'held' || state === 'evicted';
}

export function describeCell({ state, tier, hasPreview }: LoadCell): string {
  switch (state) {
    case 'failed':
      return 'failed';
    case 'held':
      return tier ?? 'loaded';
    case 'evicted':
      return `${tier ?? 'loaded'}, no longer held`;
    default:
      return hasPreview ? `preview, the whole ${state === 'loading' ? 'is loading' : 'is waited for'}` : state;
  }
}
