import './slides.css';
import { element, readConfig, type CaseDescription, type SlideConfig, type SlideDescription } from './config';
import { listenToKeys } from './keys';
import { lengthText, magnification, numberText, scaleBar } from './scale';
import type { Viewport } from './viewport';

declare global {
  interface Window {
    /** What tests read of the page. */
    __slides?: { state: string; zoom: number; loading: number; failed: number };
  }
}

/** `/slides`: one slide, its controls, what is beside it. */
class SlidePage {
  readonly #config: SlideConfig;
  readonly #study: string;
  readonly #series: string;
  readonly #stage = element('#stage');
  #slide: SlideDescription | undefined;
  #viewport: Viewport | undefined;
  #images: readonly string[] = [];
  #image = 0;
  #counts = { loading: 0, failed: 0 };
  #drawing = 0;

  constructor(config: SlideConfig, study: string, series: string) {
    [this.#config, this.#study, this.#series] = [config, study, series];
  }

  async start(): Promise<void> {
    document.querySelector('.slide-list a[aria-current]')?.scrollIntoView({ block: 'nearest' });
    element('#again').addEventListener('click', () => void this.#open());
    if (matchMedia('(max-width: 720px)').matches) {
      for (const details of document.querySelectorAll<HTMLDetailsElement>('.slides details')) {
        details.open = false;
      }
    }
    await this.#open();
    await this.#findImages();
  }

  async #open(): Promise<void> {
    this.#tell('loading');
    element('#failed').hidden = true;
    element('#loading').hidden = false;
    try {
      // The code that draws comes while the description does.
      const [{ Viewport }, slide] = await Promise.all([import('./viewport'), this.#describe()]);
      this.#slide = slide;
      if (!this.#viewport) {
        this.#viewport = new Viewport(element('#canvas'), element('#map'), {
          changed: () => this.#redraw(),
          tiles: (loading, failed) => this.#showTiles(loading, failed),
          pointed: (at) => this.#showPosition(at),
        });
        this.#listen(this.#viewport);
      }
      await this.#viewport.open(this.#config.imageApi, slide);
      element('#loading').hidden = true;
      this.#showAbout(slide);
      this.#redraw();
      this.#tell('ready');
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : 'Something in this page went wrong.');
    }
  }

  async #describe(): Promise<SlideDescription> {
    const image = this.#images[this.#image];
    const query = `series=${encodeURIComponent(this.#series)}${image ? `&instance=${encodeURIComponent(image)}` : ''}`;
    return this.#get<SlideDescription>(`/api/dicom/${encodeURIComponent(this.#study)}/slide?${query}`);
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.#config.imageApi + path, { headers: { Accept: 'application/json' } }).catch(() => {
      throw new Error('The image server cannot be reached.');
    });
    if (!response.ok) {
      const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
      throw new Error(problem.detail ?? problem.title ?? `The image server answered ${response.status}.`);
    }
    return (await response.json()) as T;
  }

  /** Where a series is no slide, its other images can be stepped to. */
  async #findImages(): Promise<void> {
    if (!this.#slide || this.#slide.isSlide) {
      return;
    }
    const found = await this.#get<CaseDescription>(`/api/dicom/${encodeURIComponent(this.#study)}`).catch(() => undefined);
    this.#images = found?.series.find((series) => series.uid === this.#series)?.files ?? [];
    this.#image = Math.max(0, this.#images.indexOf(this.#slide.instance ?? ''));
    this.#showStep();
  }

  #step(by: number): void {
    const next = this.#image + by;
    if (next >= 0 && next < this.#images.length) {
      this.#image = next;
      this.#showStep();
      void this.#open();
    }
  }

  #showStep(): void {
    element('#steps').hidden = this.#images.length < 2;
    element('#step').textContent = `${this.#image + 1} / ${this.#images.length}`;
    element<HTMLButtonElement>('#previous').disabled = this.#image === 0;
    element<HTMLButtonElement>('#next').disabled = this.#image === this.#images.length - 1;
  }

  #listen(viewport: Viewport): void {
    const on = (id: string, action: () => void) => {
      const button = element<HTMLButtonElement>(id);
      button.disabled = false;
      button.addEventListener('click', action);
    };
    on('#zoom-in', () => viewport.zoomBy(1.5));
    on('#zoom-out', () => viewport.zoomBy(1 / 1.5));
    on('#fit', () => viewport.fit());
    on('#full', () => viewport.showFull());
    on('#previous', () => this.#step(-1));
    on('#next', () => this.#step(1));
    on('#retry', () => viewport.retry());
    listenToKeys({
      pan: (right, down, isWhole) => viewport.pan(right, down, isWhole),
      zoom: (factor) => viewport.zoomBy(factor),
      fit: () => viewport.fit(),
      full: () => viewport.showFull(),
      step: (by) => this.#step(by),
    });
  }

  #tell(state: string): void {
    this.#stage.dataset['state'] = state;
    window.__slides = { state, zoom: this.#viewport?.zoom ?? 0, ...this.#counts };
  }

  #fail(reason: string): void {
    element('#loading').hidden = true;
    element('#failed').hidden = false;
    element('#failed-title').textContent = 'The slide cannot be shown';
    element('#failed-reason').textContent = reason;
    this.#tell('failed');
  }

  /** Once per frame, however often the view moves. */
  #redraw(): void {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#showScale());
  }

  #showScale(): void {
    const { zoom } = this.#viewport ?? { zoom: 0 };
    if (!this.#slide || !(zoom > 0)) {
      return;
    }
    const spacing = this.#slide.spacing?.x;
    const power = magnification(zoom, this.#slide.objectivePower, spacing);
    element('#magnification').textContent = power === undefined ? `${numberText(zoom * 100)} %` : `${numberText(power)}×`;
    const bar = scaleBar(spacing === undefined ? undefined : spacing / zoom, 1 / zoom);
    element('#scale').hidden = bar === undefined;
    if (bar) {
      element('#scale-text').textContent = bar.text;
      element('#scale-bar').style.width = `${bar.width}px`;
    }
    this.#tell(this.#stage.dataset['state'] ?? '');
  }

  #showPosition(at: { x: number; y: number } | undefined): void {
    const { spacing } = this.#slide ?? {};
    element('#position').textContent = !at
      ? '\u00a0'
      : spacing
        ? `${lengthText(at.x * spacing.x)}, ${lengthText(at.y * spacing.y)}`
        : `${Math.floor(at.x)}, ${Math.floor(at.y)} px`;
  }

  #showTiles(loading: number, failed: number): void {
    if (loading === this.#counts.loading && failed === this.#counts.failed) {
      return;
    }
    this.#counts = { loading, failed };
    const tiles = element('#tiles');
    tiles.dataset['state'] = failed > 0 ? 'failed' : loading > 0 ? 'loading' : 'done';
    tiles.textContent = failed > 0 ? `${failed} ${failed === 1 ? 'tile' : 'tiles'} missing` : loading > 0 ? 'Loading' : '';
    element('#retry').hidden = failed === 0;
    this.#tell(this.#stage.dataset['state'] ?? '');
  }

  #showAbout(slide: SlideDescription): void {
    const { width, height, spacing, objectivePower } = slide;
    const facts: [string, string | undefined][] = [
      ['Size', `${width.toLocaleString('en')} × ${height.toLocaleString('en')} px`],
      ['Extent', spacing ? `${lengthText(width * spacing.x)} × ${lengthText(height * spacing.y)}` : undefined],
      ['Pixel', spacing ? (spacing.x === spacing.y ? lengthText(spacing.x) : `${lengthText(spacing.x)} × ${lengthText(spacing.y)}`) : 'spacing unknown'],
      ['Objective', objectivePower ? `${numberText(objectivePower)}×` : undefined],
      ['Levels', `${slide.levels.length}, ${slide.levels.filter((level) => level.isStored).length} stored`],
    ];
    element('#facts').replaceChildren(
      ...facts.flatMap(([name, value]) => {
        if (value === undefined) {
          return [];
        }
        const pair = document.createElement('div');
        const [term, description] = [document.createElement('dt'), document.createElement('dd')];
        [term.textContent, description.textContent] = [name, value];
        pair.append(term, description);
        return [pair];
      }),
    );
    element('#associated').replaceChildren(...slide.associated.map((picture) => this.#associated(picture)));
  }

  #associated({ kind, width, height, url }: SlideDescription['associated'][number]): HTMLElement {
    const figure = document.createElement('figure');
    const image = document.createElement('img');
    const caption = document.createElement('figcaption');
    caption.textContent = kind[0]!.toUpperCase() + kind.slice(1);
    [image.alt, image.width, image.height] = [`${caption.textContent} of the slide`, width, height];
    figure.append(image, caption);
    void this.#showPicture(image, caption, url);
    return figure;
  }

  async #showPicture(image: HTMLImageElement, caption: HTMLElement, url: string): Promise<void> {
    try {
      const response = await fetch(`${this.#config.imageApi}${url}&viewport=512,512`, { headers: { Accept: 'image/jpeg' } });
      if (!response.ok) {
        throw new Error(String(response.status));
      }
      const address = URL.createObjectURL(await response.blob());
      image.addEventListener('load', () => URL.revokeObjectURL(address), { once: true });
      image.src = address;
    } catch {
      image.hidden = true;
      caption.textContent += ' cannot be shown';
    }
  }
}

const config = readConfig(document);
if (config?.study && config.series) {
  void new SlidePage(config, config.study, config.series).start();
}
