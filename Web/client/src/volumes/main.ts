import './volumes.css';
import { element, readConfig, type VolumeConfig, type VolumeDescription, type VolumeEntry } from './config';
import { DownloadError, type DownloadProgress } from './download';
import { bytesText, timeText, valueText } from './format';
import { listenToKeys } from './keys';
import { describe, load, type LoadedVolume } from './load';
import { colormaps, views, type Crosshair, type View, type Viewport } from './viewport';

/** `/volumes`: one volume, its progress, its controls. */
class VolumePage {
  readonly #config: VolumeConfig;
  readonly #volume: VolumeEntry;
  readonly #stage: HTMLElement;
  readonly #abort = new AbortController();
  #crosshair: Crosshair | undefined;
  #window: readonly [number, number] | undefined;
  #loaded: LoadedVolume | undefined;
  #shownAt = 0;

  constructor(config: VolumeConfig, volume: VolumeEntry, stage: HTMLElement) {
    this.#config = config;
    this.#volume = volume;
    this.#stage = stage;
  }

  async start(): Promise<void> {
    this.#tell('loading');
    document.querySelector('.volume-list a[aria-current]')?.scrollIntoView({ block: 'nearest' });
    element(this.#stage, '#cancel').addEventListener('click', () => this.#abort.abort());
    const { signal } = this.#abort;
    const description = describe(this.#config, this.#volume, signal);
    description.then((known) => this.#describe(known), () => undefined);
    try {
      // The code that draws comes while the bytes do.
      const drawing = import('./viewport');
      const loading = load(this.#config, this.#volume, { signal, onProgress: (progress) => this.#showProgress(progress) }, description);
      const [{ Viewport }, loaded] = await Promise.all([drawing, loading]);
      this.#loaded = loaded;
      element(this.#stage, '#loading-title').textContent = `Drawing ${this.#volume.name}`;
      const viewport = await Viewport.create(element<HTMLCanvasElement>(this.#stage, '#canvas')).catch(() => {
        throw new DownloadError('This browser offers no WebGL 2, which drawing volumes takes.');
      });
      this.#listen(viewport);
      const drawingFrom = performance.now();
      await viewport.show(loaded.bytes, loaded.image);
      this.#shownAt = performance.now() - drawingFrom;
      this.#showSource(loaded);
      element(this.#stage, '#loading').hidden = true;
      this.#tell('ready');
    } catch (error) {
      this.#fail(error, signal.aborted);
    }
  }

  #tell(state: string): void {
    this.#stage.dataset['state'] = state;
    window.__volumes = { state, tier: this.#loaded?.download.tier, ms: this.#loaded?.download.ms ?? 0, crosshair: this.#crosshair, window: this.#window };
  }

  #showProgress({ done, total, ms }: DownloadProgress): void {
    const bar = element<HTMLProgressElement>(this.#stage, '#progress');
    const known = total ?? this.#volume.bytes ?? undefined;
    if (known) {
      bar.max = known;
      bar.value = Math.min(done, known);
    }
    element(this.#stage, '#progress-bytes').textContent = known ? `${bytesText(done)} of ${bytesText(known)}` : bytesText(done);
    const rest = known && ms > 500 ? ((known - done) / done) * ms : undefined;
    element(this.#stage, '#progress-rest').textContent = rest === undefined ? '' : `${timeText(Math.max(rest, 100))} left`;
  }

  #describe(known: VolumeDescription | undefined): void {
    if (!known) {
      return;
    }
    const about = document.querySelector('.volume-list a[aria-current] [data-about]');
    if (about) {
      about.textContent = ` · ${bytesText(known.bytes)} · ${known.geometry.sizes.join(' × ')} · ${known.type.name}`;
    }
    if (known.geometry.orientationSource === 'none') {
      element(this.#stage, '#volume-note').textContent = 'This file does not state its orientation: left and right may be exchanged.';
    }
  }

  /** "24.0 MB from origin in 4.1 s", and the steps beneath. */
  #showSource(loaded: LoadedVolume): void {
    const { download } = loaded;
    const source = element(this.#stage, '#source');
    source.textContent = sourceText(loaded);
    source.dataset['tier'] = download.tier ?? '';
    const rows: [string, number][] = [
      ['Waiting for the first byte', download.firstByteMs],
      ['Receiving', download.ms - download.firstByteMs],
      ['Unpacking', loaded.unpackMs],
      ['Drawing', this.#shownAt],
      ...download.steps.map((step): [string, number] => [`Server: ${step.name}${step.description ? ` (${step.description})` : ''}`, step.ms]),
    ];
    const steps = element(this.#stage, '#steps');
    steps.replaceChildren(
      ...rows.map(([name, ms]) => {
        const row = document.createElement('tr');
        const [head, time] = [document.createElement('th'), document.createElement('td')];
        head.scope = 'row';
        [head.textContent, time.textContent] = [name, timeText(ms)];
        row.append(head, time);
        return row;
      }),
    );
  }

  #fail(error: unknown, isCancelled: boolean): void {
    const box = element(this.#stage, '#loading');
    box.querySelector('progress')?.remove();
    element(box, '.volume-figures').remove();
    const title = element(box, '#loading-title');
    title.setAttribute('role', 'alert');
    title.textContent = isCancelled
      ? 'Loading was cancelled.'
      : error instanceof DownloadError
        ? `${this.#volume.name} cannot be shown. ${error.message}`
        : `${this.#volume.name} cannot be shown: it is damaged, or no volume that can be drawn here.`;
    const again = document.createElement('a');
    again.className = 'button primary';
    again.href = location.href;
    again.textContent = isCancelled ? 'Load it' : 'Try again';
    element(box, '#cancel').replaceWith(again);
    this.#tell(isCancelled ? 'cancelled' : 'failed');
  }

  #listen(viewport: Viewport): void {
    const [from, to] = [element<HTMLInputElement>(this.#stage, '#window-from'), element<HTMLInputElement>(this.#stage, '#window-to')];
    const place = element(this.#stage, '#location');
    viewport.onCrosshair = (crosshair) => {
      this.#crosshair = crosshair;
      const [x, y, z] = crosshair.mm.map((mm) => mm.toFixed(1));
      place.textContent = `${x} ${y} ${z} mm · value ${valueText(crosshair.value)}`;
      this.#tell(this.#stage.dataset['state'] ?? '');
    };
    viewport.onWindow = (black, white) => {
      this.#window = [black, white];
      [from.value, to.value] = [valueText(black), valueText(white)];
      this.#tell(this.#stage.dataset['state'] ?? '');
    };
    for (const field of [from, to]) {
      field.disabled = false;
      field.addEventListener('change', () => {
        const [black, white] = [Number(from.value), Number(to.value)];
        const isRange = Number.isFinite(black) && Number.isFinite(white) && from.value.trim() !== '' && white > black;
        field.setAttribute('aria-invalid', String(!isRange));
        if (isRange) {
          viewport.setWindow(black, white);
        }
      });
    }

    const table = element<HTMLSelectElement>(this.#stage, '#colormap');
    table.append(...colormaps.map((name) => new Option(name, name)));
    table.disabled = false;
    table.addEventListener('change', () => viewport.setColormap(table.value));

    const setView = (view: View): void => {
      viewport.setView(view);
      for (const button of this.#stage.querySelectorAll<HTMLElement>('[data-view]')) {
        button.setAttribute('aria-pressed', String(button.dataset['view'] === view));
      }
    };
    for (const button of this.#stage.querySelectorAll<HTMLElement>('[data-view]')) {
      button.addEventListener('click', () => setView(button.dataset['view'] as View));
    }
    const reset = (): void => {
      viewport.reset();
      table.value = 'gray';
      setView('all');
      for (const field of [from, to]) {
        field.removeAttribute('aria-invalid');
      }
    };
    const button = element<HTMLButtonElement>(this.#stage, '#reset');
    button.disabled = false;
    button.addEventListener('click', reset);
    listenToKeys({
      setView: (index) => setView(views[index] ?? 'all'),
      move: (right, front, top) => viewport.move(right, front, top),
      invert: () => viewport.invert(),
      focusWindow: () => from.select(),
      reset,
    });
  }
}

/** "24.0 MB from origin in 4.1 s". */
function sourceText({ size, download }: LoadedVolume): string {
  const from = download.tier === 'origin' ? 'the origin' : download.tier === 'browser' ? 'this browser' : download.tier;
  return `${bytesText(size)}${from ? ` from ${from}` : ''} in ${timeText(download.ms)}`;
}

const config = readConfig(document);
const stage = document.getElementById('stage');
if (config?.volume && stage) {
  void new VolumePage(config, config.volume, stage).start();
}
