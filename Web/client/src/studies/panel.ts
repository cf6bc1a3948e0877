import type { ImportProgress } from './importer';

const shownFailures = 200;

/** Shows an import: files, bytes, time left, what failed and why. A region of its own in the corner of the list page. */
export class ImportPanel {
  readonly #root = element('section', 'imports');
  readonly #title = element('h2');
  readonly #action = button('Cancel');
  readonly #bar = element('progress');
  readonly #files = element('span');
  readonly #bytes = element('span');
  readonly #failures = element('details', 'imports-failures');
  readonly #failuresTitle = element('summary');
  readonly #failuresList = element('ul');
  readonly #status = element('p', 'visually-hidden');
  #isPainting = false;
  #latest: ImportProgress | undefined;
  #cancel: () => void = () => undefined;

  constructor() {
    this.#root.hidden = true;
    this.#title.id = 'imports-title';
    this.#root.setAttribute('aria-labelledby', this.#title.id);
    this.#bar.setAttribute('aria-labelledby', this.#title.id);
    this.#status.setAttribute('role', 'status');
    const head = element('div', 'imports-head');
    head.append(this.#title, this.#action);
    const figures = element('div', 'imports-figures');
    figures.append(this.#files, this.#bytes);
    this.#failures.append(this.#failuresTitle, this.#failuresList);
    this.#root.append(head, this.#bar, figures, this.#failures, this.#status);
    document.body.append(this.#root);
    this.#action.addEventListener('click', () => {
      if (this.#latest?.state === 'running') {
        this.#cancel();
      } else {
        this.#root.hidden = true;
      }
    });
  }

  open(cancel: () => void): void {
    this.#cancel = cancel;
    this.#failuresList.replaceChildren();
    this.#failures.open = false;
    this.#root.hidden = false;
    this.#status.textContent = 'Import started';
  }

  /** A folder was chosen or dropped in which there was nothing to import. */
  showNothing(): void {
    if (this.#latest?.state === 'running') {
      return;
    }
    this.open(() => undefined);
    this.show({ files: 0, bytes: 0, doneFiles: 0, doneBytes: 0, storedFiles: 0, failures: [], studies: new Set(), rate: 0, state: 'done' });
  }

  /** Paints at most once per frame, however often it is told. */
  show(progress: ImportProgress): void {
    this.#latest = progress;
    if (!this.#isPainting) {
      this.#isPainting = true;
      requestAnimationFrame(() => {
        this.#isPainting = false;
        if (this.#latest) {
          this.#paint(this.#latest);
        }
      });
    }
  }

  #paint(progress: ImportProgress): void {
    const { state, failures } = progress;
    const wasRunning = this.#root.dataset['state'] === 'running';
    this.#root.dataset['state'] = state === 'done' && failures.length > 0 ? 'failed' : state;
    this.#title.textContent = titleOf(progress);
    this.#bar.max = Math.max(1, progress.bytes);
    this.#bar.value = state === 'done' ? this.#bar.max : progress.doneBytes;
    this.#files.textContent = `${count(progress.doneFiles)} of ${files(progress.files)}`;
    this.#bytes.textContent =
      state === 'running' ? `${bytes(progress.doneBytes)} of ${bytes(progress.bytes)}${timeLeft(progress)}` : bytes(progress.doneBytes);
    this.#action.textContent = state === 'running' ? 'Cancel' : 'Close';
    this.#showFailures(progress);
    if (wasRunning && state !== 'running') {
      this.#status.textContent = this.#title.textContent;
    }
  }

  #showFailures({ failures }: ImportProgress): void {
    this.#failures.hidden = failures.length === 0;
    this.#failuresTitle.textContent = `${files(failures.length)} not stored`;
    for (const { path, reason } of failures.slice(this.#failuresList.childElementCount, shownFailures)) {
      const item = element('li');
      const why = element('span', 'reason');
      why.textContent = reason;
      item.append(path, why);
      this.#failuresList.append(item);
    }
  }
}

function titleOf({ state, files: total, storedFiles, failures }: ImportProgress): string {
  switch (state) {
    case 'running':
      return `Importing ${files(total)}`;
    case 'cancelled':
      return `Import cancelled, ${files(storedFiles)} stored`;
    case 'done':
      return total === 0 ? 'There is nothing to import' : failures.length === 0 ? `${files(storedFiles)} stored` : `${files(storedFiles)} stored, ${count(failures.length)} failed`;
  }
}

function timeLeft({ bytes: total, doneBytes, rate }: ImportProgress): string {
  const seconds = (total - doneBytes) / rate;
  if (!Number.isFinite(seconds) || seconds < 1) {
    return '';
  }
  return seconds < 90 ? `, ${Math.ceil(seconds)} s left` : `, ${Math.ceil(seconds / 60)} min left`;
}

const numbers = new Intl.NumberFormat('en');

function count(value: number): string {
  return numbers.format(value);
}

function files(value: number): string {
  return value === 1 ? '1 file' : `${count(value)} files`;
}

function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled.toFixed(power === 0 || scaled >= 100 ? 0 : 1)} ${units[power]}`;
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, className = ''): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function button(text: string): HTMLButtonElement {
  const made = element('button', 'button');
  made.type = 'button';
  made.textContent = text;
  return made;
}
