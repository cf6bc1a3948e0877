import type { StudyList } from './list';

const pause = 1500; // ms between two looks at the list
const reopenAfter = 30_000; // ms, where the service turned the listener away
const maxPictures = 300;

/**
 * Listens to ImageApi's events while someone looks at the list. A study that arrived, and belongs to what is searched for, is
 * told in a quiet line; the list itself changes when the person says so. Figures of the studies shown, and pictures that came
 * with an event, appear in their places.
 */
export class Arrivals {
  readonly #results: HTMLElement;
  readonly #list: StudyList;
  readonly #notice = document.createElement('button');
  readonly #pictures = new Map<string, string>();
  readonly #arrived = new Set<string>();
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reopening: ReturnType<typeof setTimeout> | undefined;
  #looking: AbortController | undefined;
  #hasListened = false;

  constructor(results: HTMLElement, list: StudyList) {
    this.#results = results;
    this.#list = list;
    this.#notice.type = 'button';
    this.#notice.className = 'arrivals';
    this.#notice.hidden = true;
    this.#notice.addEventListener('click', () => void this.#show());
    list.onShown = () => this.#onShown();
    results.after(this.#notice);
  }

  start(): void {
    // Each listener holds one of the few connections that a browser has for a host: only where someone looks.
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#close() : this.#open()));
    addEventListener('pagehide', () => this.#close());
    addEventListener('pageshow', () => this.#open());
    if (!document.hidden) {
      this.#open();
    }
  }

  #open(): void {
    const imageApi = this.#results.dataset['imageApi'];
    if (this.#source || imageApi === undefined || document.hidden) {
      return;
    }
    clearTimeout(this.#reopening);
    const source = (this.#source = new EventSource(`${imageApi}/api/events`));
    source.addEventListener('open', () => {
      if (this.#hasListened) {
        this.#lookSoon(); // what came while nobody listened
      }
      this.#hasListened = true;
    });
    source.addEventListener('study', (event) => {
      const { study } = JSON.parse((event as MessageEvent<string>).data) as { study: string };
      this.#arrived.add(study);
      this.#lookSoon();
    });
    source.addEventListener('lost', () => this.#lookSoon());
    source.addEventListener('thumbnail', (event) => {
      const { series, dataUrl } = JSON.parse((event as MessageEvent<string>).data) as { series: string; dataUrl: string };
      this.#keepPicture(series, dataUrl);
    });
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) {
        this.#close();
        this.#reopening = setTimeout(() => this.#open(), reopenAfter);
      }
    });
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#looking?.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#reopening);
    this.#timer = undefined;
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => void this.#look(), pause);
  }

  async #look(): Promise<void> {
    this.#looking = new AbortController();
    const fresh = await this.#list.peek(this.#looking.signal);
    this.#timer = undefined;
    if (!fresh) {
      if (this.#source && this.#results.getAttribute('aria-busy') === 'true') {
        this.#lookSoon();
      }
      return;
    }
    const isEmpty = this.#results.querySelector('tr[data-study]') === null;
    if (isEmpty && fresh.querySelector('tr[data-study]')) {
      await this.#show(); // there is nothing that could move
      return;
    }
    this.#list.update(fresh);
    this.#showPictures();
    const count = Math.max(newRows(this.#results, fresh).length, totalOf(fresh) - totalOf(this.#results));
    this.#tell(count);
  }

  #tell(count: number): void {
    const text = count > 0 ? (count === 1 ? '1 new study' : `${count} new studies`) : '';
    if (text !== this.#notice.textContent) {
      this.#notice.textContent = text;
      this.#notice.hidden = count <= 0;
      if (text) {
        this.#list.announce(text);
      }
    }
  }

  async #show(): Promise<void> {
    const hadFocus = document.activeElement === this.#notice;
    await this.#list.refresh(this.#arrived);
    const first = this.#results.querySelector<HTMLElement>('tr.is-new .row-link') ?? this.#list.rows[0];
    if (hadFocus && first) {
      first.focus();
    }
    this.#arrived.clear();
  }

  #onShown(): void {
    this.#tell(0);
    this.#showPictures();
  }

  #keepPicture(series: string, dataUrl: string): void {
    if (!/^data:image\/(webp|jpeg|png);base64,/.test(dataUrl)) {
      return;
    }
    this.#pictures.set(series, dataUrl);
    for (const oldest of this.#pictures.keys()) {
      if (this.#pictures.size <= maxPictures) {
        break;
      }
      this.#pictures.delete(oldest);
    }
    this.#showPictures();
  }

  /** A picture that an event brought is there before the service is asked for it. */
  #showPictures(): void {
    for (const image of this.#results.querySelectorAll<HTMLImageElement>('img[data-series]')) {
      const dataUrl = this.#pictures.get(image.dataset['series'] ?? '');
      if (dataUrl && !(image.complete && image.naturalWidth > 0)) {
        image.src = dataUrl;
      }
    }
  }
}

function newRows(shown: ParentNode, fresh: ParentNode): string[] {
  const uids = (root: ParentNode) => [...root.querySelectorAll<HTMLElement>('tr[data-study]')].map((row) => row.dataset['study'] ?? '');
  const before = new Set(uids(shown));
  return uids(fresh).filter((uid) => !before.has(uid));
}

function totalOf(list: ParentNode): number {
  return Number(list.querySelector<HTMLElement>('.count')?.dataset['total'] ?? NaN) || 0;
}
