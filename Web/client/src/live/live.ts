/**
 * Keeps parts of a page current: an element with `data-live` (the address of its content) is fetched anew every `data-every`
 * milliseconds while someone looks, and says in `data-state` when the server does not answer. What has the focus keeps it.
 */
export function keepLive(root: ParentNode = document): void {
  for (const element of root.querySelectorAll<HTMLElement>('[data-live]')) {
    new LivePart(element).start();
  }
}

const longestPause = 30_000;

class LivePart {
  readonly #element: HTMLElement;
  readonly #address: string;
  readonly #every: number;
  #failures = 0;
  #timer: number | undefined;
  #isFetching = false;

  constructor(element: HTMLElement) {
    this.#element = element;
    this.#address = element.dataset['live'] ?? '';
    this.#every = Number(element.dataset['every'] ?? 2000);
  }

  start(): void {
    document.addEventListener('visibilitychange', () => this.#schedule(document.hidden ? undefined : 0));
    this.#schedule(this.#every);
  }

  #schedule(pause: number | undefined): void {
    window.clearTimeout(this.#timer);
    if (pause !== undefined && !document.hidden) {
      this.#timer = window.setTimeout(() => void this.#refresh(), pause);
    }
  }

  async #refresh(): Promise<void> {
    if (this.#isFetching) {
      return;
    }
    this.#isFetching = true;
    try {
      const answer = await fetch(this.#address, { headers: { Accept: 'text/html' }, signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      replaceContent(this.#element, await answer.text());
      this.#failures = 0;
      this.#element.dataset['state'] = 'live';
    } catch {
      // The last figures stay; they are marked as old, and asked for less and less often.
      this.#failures++;
      this.#element.dataset['state'] = 'stale';
    } finally {
      this.#isFetching = false;
      this.#schedule(pauseAfter(this.#every, this.#failures));
    }
  }
}

/** Doubles with every failure, up to half a minute. */
export function pauseAfter(every: number, failures: number): number {
  return Math.min(every * 2 ** Math.min(failures, 10), Math.max(longestPause, every));
}

function replaceContent(element: HTMLElement, html: string): void {
  const focused = document.activeElement;
  const held = focused instanceof HTMLElement && element.contains(focused) ? nameOf(focused) : null;
  // Parsed apart: the content is our own server's, and scripts in it would not run.
  element.replaceChildren(...new DOMParser().parseFromString(html, 'text/html').body.childNodes);
  if (held !== null) {
    [...element.querySelectorAll<HTMLElement>('a, button')].find((other) => nameOf(other) === held)?.focus({ preventScroll: true });
  }
}

/** What a link or button is known by: where it leads, or its label. */
function nameOf(element: HTMLElement): string | null {
  return element.getAttribute('href') ?? element.getAttribute('aria-label');
}
