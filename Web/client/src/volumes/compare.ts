import './volumes.css';
import { element, readConfig, type VolumeConfig, type VolumeEntry } from './config';
import { DownloadError } from './download';
import { bytesText, timeText } from './format';
import { describe, load, type LoadedVolume } from './load';
import type { Viewport } from './viewport';

type Side = 'without' | 'with';

/** Neither side uses the browser's cache; "with" takes whatever the image server has that is fresh. */
const cacheControls: Record<Side, string> = { without: 'no-store', with: 'max-age=31536000' };

/** `/volumes/compare`: the same file twice, one after the other, so that neither takes the other's line. */
class Comparison {
  readonly #config: VolumeConfig;
  readonly #volume: VolumeEntry;
  readonly #root: HTMLElement;
  readonly #viewports = new Map<Side, Viewport>();
  readonly #abort = new AbortController();

  constructor(config: VolumeConfig, volume: VolumeEntry, root: HTMLElement) {
    this.#config = config;
    this.#volume = volume;
    this.#root = root;
  }

  async start(): Promise<void> {
    const again = element<HTMLButtonElement>(this.#root, '#again');
    again.addEventListener('click', () => void this.#run());
    const choice = element<HTMLSelectElement>(this.#root, '#volume');
    choice.addEventListener('change', () => choice.form?.requestSubmit());
    addEventListener('pagehide', () => this.#abort.abort());
    await this.#run();
  }

  async #run(): Promise<void> {
    const again = element<HTMLButtonElement>(this.#root, '#again');
    const verdict = element(this.#root, '#verdict');
    again.disabled = true;
    verdict.textContent = '';
    this.#setState('running');
    this.#clearChart();
    for (const side of ['without', 'with'] as const) {
      this.#tellSide(side, 'waiting', ' ', 'waiting');
    }
    try {
      const without = await this.#load('without');
      let filled: LoadedVolume | undefined;
      let cached = await this.#load('with');
      if (cached.download.tier === 'origin') {
        // Nobody had asked for it yet: that filled the cache. What everybody gets from now on is the next one.
        filled = cached;
        this.#tellSide('with', 'loading', timeText(filled.download.ms), 'filled the cache, once for everybody; now again');
        cached = await this.#load('with');
      }
      this.#draw(without, cached);
      verdict.textContent = verdictText(without, cached, filled);
      // Not before both have arrived: drawing keeps the page busy, and would be counted against the second one.
      await this.#show('without', without);
      await this.#show('with', cached);
      this.#setState('done');
    } catch (error) {
      verdict.textContent = error instanceof DownloadError ? error.message : 'The volume cannot be drawn: it is damaged, or this browser offers no WebGL 2.';
      this.#setState('failed');
    }
    again.disabled = false;
  }

  async #load(side: Side): Promise<LoadedVolume> {
    const box = element(this.#root, `#${side}`);
    const bar = element<HTMLProgressElement>(box, 'progress');
    this.#tellSide(side, 'loading', ' ', 'asking');
    const { signal } = this.#abort;
    const loaded = await load(
      this.#config,
      this.#volume,
      {
        signal,
        cacheControl: cacheControls[side],
        onProgress: ({ done, total, ms }) => {
          const known = total ?? this.#volume.bytes ?? done;
          bar.value = known ? done / known : 0;
          this.#tellSide(side, 'loading', timeText(ms), `${bytesText(done)} of ${bytesText(known)}`);
        },
      },
      describe(this.#config, this.#volume, signal),
    ).catch((error: unknown) => {
      this.#tellSide(side, 'failed', ' ', 'failed');
      throw error;
    });
    bar.value = 1;
    this.#tellSide(side, 'drawing', timeText(loaded.download.ms), `${bytesText(loaded.size)} from ${loaded.download.tier === 'origin' ? 'the origin' : (loaded.download.tier ?? 'the image server')}`);
    return loaded;
  }

  async #show(side: Side, loaded: LoadedVolume): Promise<void> {
    const box = element(this.#root, `#${side}`);
    const viewport = await this.#viewportOf(side, box);
    await viewport.show(loaded.bytes, loaded.image);
    box.dataset['state'] = 'ready';
  }

  async #viewportOf(side: Side, box: HTMLElement): Promise<Viewport> {
    let viewport = this.#viewports.get(side);
    if (!viewport) {
      const { Viewport } = await import('./viewport');
      viewport = await Viewport.create(element<HTMLCanvasElement>(box, 'canvas'));
      this.#viewports.set(side, viewport);
    }
    return viewport;
  }

  #setState(state: string): void {
    this.#root.dataset['state'] = state;
    window.__volumes = { state };
  }

  #tellSide(side: Side, state: string, time: string, from: string): void {
    const box = element(this.#root, `#${side}`);
    box.dataset['state'] = state;
    element(box, '[data-time]').textContent = time;
    element(box, '[data-from]').textContent = from;
  }

  #clearChart(): void {
    for (const side of ['without', 'with']) {
      element(this.#root, `[data-bar="${side}"]`).style.width = '0';
      element(this.#root, `[data-value="${side}"]`).textContent = ' ';
    }
  }

  #draw(without: LoadedVolume, cached: LoadedVolume): void {
    const longest = Math.max(without.download.ms, cached.download.ms);
    for (const [side, { download }] of [['without', without], ['with', cached]] as const) {
      const bar = element(this.#root, `[data-bar="${side}"]`);
      bar.style.width = `${(100 * download.ms) / longest}%`;
      bar.dataset['tier'] = download.tier ?? 'origin';
      element(this.#root, `[data-value="${side}"]`).textContent = `${timeText(download.ms)} · ${download.tier ?? 'origin'}`;
    }
  }
}

function verdictText(without: LoadedVolume, cached: LoadedVolume, filled: LoadedVolume | undefined): string {
  if (cached.download.tier === 'origin') {
    return 'The image server kept nothing of this file: both came from the origin.';
  }
  const times = without.download.ms / cached.download.ms;
  const share = times >= 1.05 ? `${times >= 10 ? times.toFixed(0) : times.toFixed(1)} times as fast through the cache.` : 'No faster through the cache: the origin is as near as the cache.';
  return filled ? `${share} Filling it took ${timeText(filled.download.ms)}, once for everybody.` : share;
}

const config = readConfig(document);
const root = document.getElementById('compare');
if (config?.volume && root) {
  void new Comparison(config, config.volume, root).start();
}
