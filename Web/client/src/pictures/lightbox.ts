/** What the grid says of a picture. */
export interface Picture {
  readonly id: string;
  readonly version: string;
  readonly name: string;
  readonly about: string;
  readonly url: string;
  readonly link: HTMLAnchorElement;
  readonly thumbnail: string;
  readonly placeholder: string;
}

/** The pictures of the grid, in its order. */
export function picturesOf(root: ParentNode): Picture[] {
  return [...root.querySelectorAll<HTMLAnchorElement>('a[data-picture]')].map((link) => {
    const data = link.dataset;
    const thumbnail = link.querySelector<HTMLImageElement>('.picture-thumbnail');
    return {
      id: data['picture'] ?? '',
      version: data['version'] ?? '',
      name: data['name'] ?? '',
      about: `${data['width']} × ${data['height']} · ${data['bytes']}`,
      url: link.href,
      link,
      thumbnail: thumbnail?.src ?? '',
      placeholder: link.querySelector<HTMLImageElement>('.picture-placeholder')?.src ?? '',
    };
  });
}

/** One picture large: what there is of it at once, then all of it. Keys, buttons and swipes lead to its neighbours. */
export class Lightbox {
  readonly #dialog = get<HTMLDialogElement>('lightbox');
  readonly #stage = get<HTMLElement>('lightbox-stage');
  readonly #rough = get<HTMLImageElement>('lightbox-rough');
  readonly #full = get<HTMLImageElement>('lightbox-full');
  readonly #problem = get<HTMLElement>('lightbox-problem');
  readonly #pictures: () => Picture[];
  #shown: Picture | undefined;
  #touch: { x: number; y: number } | undefined;

  constructor(pictures: () => Picture[]) {
    this.#pictures = pictures;
    this.#dialog.addEventListener('keydown', (event) => this.#onKey(event));
    this.#dialog.addEventListener('close', () => this.#onClose());
    this.#dialog.querySelector('[data-close]')?.addEventListener('click', () => this.close());
    for (const button of this.#dialog.querySelectorAll<HTMLButtonElement>('[data-step]')) {
      button.addEventListener('click', () => this.#step(Number(button.dataset['step'])));
    }
    this.#stage.addEventListener('click', (event) => event.target === this.#stage && this.close());
    this.#stage.addEventListener('pointerdown', (event) => (this.#touch = event.pointerType === 'touch' && event.isPrimary ? { x: event.clientX, y: event.clientY } : undefined));
    this.#stage.addEventListener('pointerup', (event) => this.#onPointerUp(event));
    this.#full.addEventListener('error', () => {
      this.#problem.textContent = 'The full picture did not arrive. This is a smaller one.';
      this.#problem.hidden = false;
    });
    this.#full.addEventListener('load', () => {
      this.#full.toggleAttribute('data-loaded', true);
      this.#rough.hidden = true;
    });
  }

  get shown(): Picture | undefined {
    return this.#dialog.open ? this.#shown : undefined;
  }

  show(picture: Picture): void {
    this.#shown = picture;
    const all = this.#pictures();
    const index = all.findIndex(({ id }) => id === picture.id);
    get('lightbox-name').textContent = picture.name;
    get('lightbox-about').textContent = picture.about;
    get('lightbox-status').textContent = `${picture.name}, ${picture.about}, ${index + 1} of ${all.length}`;
    this.#problem.hidden = true;

    // The thumbnail is in the browser's cache already where it was seen; the placeholder always is.
    const seen = picture.link.querySelector<HTMLImageElement>('.picture-thumbnail');
    this.#rough.src = seen?.complete && seen.naturalWidth > 0 ? seen.currentSrc || seen.src : picture.placeholder;
    this.#rough.hidden = false;
    this.#full.removeAttribute('data-loaded');
    this.#full.removeAttribute('src');
    this.#full.alt = picture.name;
    this.#full.src = picture.url;
    this.#full.hidden = false;
    for (const button of this.#dialog.querySelectorAll<HTMLButtonElement>('[data-step]')) {
      button.disabled = !all[index + Number(button.dataset['step'])];
    }
    if (!this.#dialog.open) {
      this.#dialog.showModal();
    }
    const next = all[index + 1];
    if (next) {
      new Image().src = next.url;
    }
  }

  close(): void {
    this.#dialog.close();
  }

  #step(by: number): void {
    const all = this.#pictures();
    const next = all[all.findIndex(({ id }) => id === this.#shown?.id) + by];
    if (next) {
      this.show(next);
    }
  }

  #onKey(event: KeyboardEvent): void {
    const all = this.#pictures();
    const steps: Record<string, () => void> = {
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      Home: () => all[0] && this.show(all[0]),
      End: () => all.at(-1) && this.show(all.at(-1)!),
    };
    const step = steps[event.key];
    if (step && !event.ctrlKey && !event.altKey && !event.metaKey) {
      event.preventDefault();
      step();
    }
  }

  #onPointerUp(event: PointerEvent): void {
    const from = this.#touch;
    this.#touch = undefined;
    if (from && Math.abs(event.clientX - from.x) > 48 && Math.abs(event.clientX - from.x) > 2 * Math.abs(event.clientY - from.y)) {
      this.#step(event.clientX < from.x ? 1 : -1);
    }
  }

  #onClose(): void {
    this.#full.removeAttribute('src');
    this.#full.hidden = this.#rough.hidden = true;
    const link = this.#pictures().find(({ id }) => id === this.#shown?.id)?.link;
    (link ?? document.getElementById('main'))?.focus();
  }
}

function get<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
