import { PictureError, send } from './api';

const atOnce = 2;

/** Sends pictures, two at a time, and shows each one's way in a corner of the page. */
export class Uploads {
  readonly #url: string;
  readonly #changed: () => void;
  readonly #root = document.createElement('section');
  readonly #title = document.createElement('h2');
  readonly #list = document.createElement('ul');
  readonly #close = document.createElement('button');
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;
  #stored = 0;
  #failed = 0;
  #total = 0;
  #abort = new AbortController();

  constructor(url: string, changed: () => void) {
    this.#url = url;
    this.#changed = changed;
    this.#root.className = 'uploads';
    this.#root.hidden = true;
    this.#title.id = 'uploads-title';
    this.#title.setAttribute('role', 'status');
    this.#root.setAttribute('aria-labelledby', this.#title.id);
    this.#close.type = 'button';
    this.#close.className = 'button quiet';
    this.#close.addEventListener('click', () => this.#stopOrClose());
    const head = document.createElement('div');
    head.className = 'uploads-head';
    head.append(this.#title, this.#close);
    this.#root.append(head, this.#list);
    document.body.append(this.#root);
  }

  add(files: readonly File[]): void {
    if (files.length === 0) {
      return;
    }
    if (this.#running === 0) {
      this.#list.replaceChildren();
      this.#stored = this.#failed = this.#total = 0;
      this.#abort = new AbortController();
    }
    this.#root.hidden = false;
    this.#total += files.length;
    for (const file of files) {
      this.#waiting.push(this.#row(file));
    }
    while (this.#running < atOnce && this.#waiting.length > 0) {
      void this.#work();
    }
    this.#tell();
  }

  async #work(): Promise<void> {
    this.#running++;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      await next();
      this.#tell();
    }
    this.#running--;
    this.#tell();
    if (this.#running === 0 && this.#stored > 0) {
      this.#changed();
    }
  }

  #row(file: File): () => Promise<void> {
    const item = document.createElement('li');
    const name = document.createElement('p');
    const bar = document.createElement('progress');
    const state = document.createElement('p');
    item.className = 'upload';
    name.className = 'upload-name';
    name.textContent = file.name;
    state.className = 'upload-state';
    state.textContent = 'Waiting';
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute('aria-label', `${file.name} sent`);
    item.append(name, bar, state);
    this.#list.append(item);
    return async () => {
      try {
        if (this.#abort.signal.aborted) {
          throw new PictureError('Cancelled.');
        }
        state.textContent = 'Sending';
        await send('POST', this.#url, file, {
          signal: this.#abort.signal,
          onProgress: (share) => {
            bar.value = share;
            state.textContent = share < 1 ? `Sending, ${Math.floor(100 * share)} %` : 'Being stored';
          },
        });
        this.#stored++;
        item.dataset['state'] = 'stored';
        state.textContent = '✓ Stored';
      } catch (error) {
        this.#failed++;
        item.dataset['state'] = 'failed';
        state.textContent = `✕ ${error instanceof PictureError ? error.message : 'It could not be sent.'}`;
      }
      bar.remove();
    };
  }

  #tell(): void {
    const done = this.#stored + this.#failed;
    this.#title.textContent =
      done < this.#total
        ? `Adding pictures: ${done} of ${this.#total}`
        : this.#failed === 0
          ? `${this.#stored} ${this.#stored === 1 ? 'picture' : 'pictures'} added`
          : `${this.#stored} added, ${this.#failed} not`;
    this.#close.textContent = done < this.#total ? 'Cancel' : 'Close';
  }

  #stopOrClose(): void {
    if (this.#stored + this.#failed < this.#total) {
      this.#abort.abort();
    } else {
      this.#root.hidden = true;
    }
  }
}
