// The study list with scripts: searches while one types and swaps the part of the page that the server renders for it.
// The server's header X-List-Address is what goes into the history: what is typed stands there only sealed.

const typingPause = 140; // ms
const firstRetry = 2_000;
const lastRetry = 30_000;

type HistoryStep = 'push' | 'replace' | 'keep';

export class StudyList {
  readonly #results: HTMLElement;
  readonly #form: HTMLFormElement;
  readonly #status = document.getElementById('studies-status');
  #running: AbortController | undefined;
  #typing: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryAfter = firstRetry;
  /** Told whenever another list stands there. */
  onShown: () => void = () => undefined;

  constructor(results: HTMLElement, form: HTMLFormElement) {
    this.#results = results;
    this.#form = form;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#search('replace');
    });
    form.addEventListener('input', (event) => {
      if (event.target === this.searchBox) {
        clearTimeout(this.#typing);
        this.#typing = setTimeout(() => void this.#search('replace'), typingPause);
      }
    });
    form.addEventListener('change', (event) => {
      if (event.target !== this.searchBox && !this.#awaitsDates) {
        void this.#search('push');
      }
    });
    results.addEventListener('click', (event) => this.#follow(event));
    addEventListener('popstate', () => void this.#restore());
    document.addEventListener('visibilitychange', () => this.#retryWhileUnavailable());
    this.#retryWhileUnavailable();
  }

  get searchBox(): HTMLInputElement {
    return this.#form.elements.namedItem('text') as HTMLInputElement;
  }

  get rows(): HTMLAnchorElement[] {
    return [...this.#results.querySelectorAll<HTMLAnchorElement>('.row-link')];
  }

  /** The link to the previous or next page, where there is one. */
  pageLink(rel: 'prev' | 'next'): HTMLAnchorElement | null {
    return this.#results.querySelector<HTMLAnchorElement>(`a[rel="${rel}"]`);
  }

  /** Shows what is stored now, at the same place. Rows of `added` studies are marked. */
  async refresh(added: ReadonlySet<string> = new Set()): Promise<void> {
    await this.#show(fragmentOf(location.href), {}, 'keep');
    for (const row of this.#results.querySelectorAll<HTMLElement>('tr[data-study]')) {
      row.classList.toggle('is-new', added.has(row.dataset['study'] ?? ''));
    }
  }

  /** What the server would show now at the same place; undefined while another request runs, or where there is no answer. */
  async peek(signal: AbortSignal): Promise<Document | undefined> {
    if (this.#results.getAttribute('aria-busy') === 'true') {
      return undefined;
    }
    try {
      const answer = await fetch(fragmentOf(location.href), { signal });
      return answer.ok && this.#results.getAttribute('aria-busy') !== 'true' ? new DOMParser().parseFromString(await answer.text(), 'text/html') : undefined;
    } catch {
      return undefined;
    }
  }

  /** Figures and pictures of the studies that are shown, as they are now; no row comes, goes or moves. */
  update(fresh: Document): void {
    for (const row of this.#results.querySelectorAll<HTMLElement>('tr[data-study]')) {
      const now = fresh.querySelector(`tr[data-study="${CSS.escape(row.dataset['study'] ?? '')}"]`);
      for (const name of ['series', 'number']) {
        const [cell, cellNow] = [row.querySelector(`td.${name}`), now?.querySelector(`td.${name}`)];
        if (cell && cellNow && cell.textContent !== cellNow.textContent) {
          cell.replaceChildren(...cellNow.childNodes);
        }
      }
    }
  }

  /** For people who do not see the list: said when they are at rest. */
  announce(text: string): void {
    this.#announce(text);
  }

  /** "Dates…" was chosen and no date given yet: nothing to ask for. */
  get #awaitsDates(): boolean {
    const values = new FormData(this.#form);
    return values.get('period') === 'range' && !values.get('from') && !values.get('to');
  }

  async #search(step: HistoryStep): Promise<void> {
    clearTimeout(this.#typing);
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(this.#form)) {
      body.append(name, String(value));
    }
    await this.#show('/studies', { method: 'POST', body }, step);
  }

  #follow(event: MouseEvent): void {
    const link = (event.target as Element).closest<HTMLAnchorElement>('a[data-list-link], a[data-clear]');
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    if (link.dataset['clear'] !== undefined) {
      this.#clearForm();
    }
    if (link.dataset['sort']) {
      (this.#form.elements.namedItem('sort') as HTMLSelectElement).value = link.dataset['sort'];
    }
    const refocus = focusPath(link);
    void this.#show(fragmentOf(link.href), {}, 'push').then((shown) => {
      if (shown && link.rel) {
        scrollTo(0, 0);
      }
      const next = refocus ? this.#results.querySelector<HTMLElement>(refocus) : undefined;
      (next ?? this.searchBox).focus({ preventScroll: true });
    });
  }

  #clearForm(): void {
    for (const name of ['text', 'modality', 'from', 'to']) {
      (this.#form.elements.namedItem(name) as HTMLInputElement).value = '';
    }
    (this.#form.elements.namedItem('period') as HTMLSelectElement).value = 'any';
  }

  /** Back and forward: the whole page again, because the form belongs to the address too. */
  async #restore(): Promise<void> {
    const page = await this.#fetch(location.href, {});
    if (!page) {
      return;
    }
    const parsed = new DOMParser().parseFromString(page.html, 'text/html');
    const [form, results] = [parsed.getElementById('search'), parsed.getElementById('studies')];
    if (!form || !results) {
      location.reload();
      return;
    }
    this.#form.replaceChildren(...form.children);
    this.#put(results.innerHTML);
  }

  async #show(address: string, request: RequestInit, step: HistoryStep): Promise<boolean> {
    const page = await this.#fetch(address, request);
    if (!page) {
      return false;
    }
    this.#put(page.html);
    if (page.address && step !== 'keep') {
      history[step === 'push' ? 'pushState' : 'replaceState'](null, '', page.address);
    }
    return true;
  }

  /** Undefined where another request took over or this site did not answer; the list then stays as it is. */
  async #fetch(address: string, request: RequestInit): Promise<{ html: string; address: string | null } | undefined> {
    this.#running?.abort();
    const running = (this.#running = new AbortController());
    this.#results.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(address, { ...request, signal: running.signal });
      const html = await answer.text();
      // 503 is a page too: it says that the image server is down or slow.
      if (!answer.ok && answer.status !== 503) {
        throw new Error(`status ${answer.status}`);
      }
      return { html, address: answer.headers.get('X-List-Address') };
    } catch {
      if (this.#running === running) {
        this.#announce('The list could not be refreshed: this site does not answer.');
      }
      return undefined;
    } finally {
      if (this.#running === running) {
        this.#results.removeAttribute('aria-busy');
      }
    }
  }

  #put(html: string): void {
    this.#results.innerHTML = html;
    this.#announce(this.#results.querySelector('.count, .state h2')?.textContent ?? '');
    this.#retryWhileUnavailable();
    this.onShown();
  }

  #announce(text: string): void {
    if (this.#status) {
      this.#status.textContent = text;
    }
  }

  /** The list comes back by itself once the image server answers again. */
  #retryWhileUnavailable(): void {
    clearTimeout(this.#retry);
    if (!this.#results.querySelector('[data-unavailable]')) {
      this.#retryAfter = firstRetry;
      return;
    }
    if (document.visibilityState !== 'visible') {
      return;
    }
    this.#retry = setTimeout(() => {
      this.#retryAfter = Math.min(2 * this.#retryAfter, lastRetry);
      void this.refresh().finally(() => this.#retryWhileUnavailable());
    }, this.#retryAfter);
  }
}

/** The address of the list alone for an address of the page. */
function fragmentOf(address: string): string {
  return '/studies' + new URL(address, location.href).search;
}

/** How to find a link again in a list that was put in its place. */
function focusPath(link: HTMLAnchorElement): string | undefined {
  if (link.rel) {
    return `a[rel="${link.rel}"], .row-link`;
  }
  const column = link.closest('th')?.className;
  return column ? `th.${column} > a` : '.row-link, .state a';
}
