import type { PlatformConfig, SeriesEntry } from './config';
import { Decoder } from './decoding/decoder';
import { UnsupportedFrameError, type DecodedImage } from './decoding/pixels';
import type { PlatformHooks } from './hooks';
import { presetsFor, windowOver, type Preset } from './imaging/window';
import { describeJourney, type FirstBytes, type FirstImage } from './journey';
import { Manifests, searchSeries } from './loading/manifestFetch';
import { SeriesSession } from './loading/session';
import { PreviewStream } from './loading/previewStream';
import { openingIndex, type SeriesManifest, type WindowSetting } from './manifest';
import { PlainPresentation } from './stack/plainPresentation';
import type { InteractivePresentation, Presentation, ToolName } from './stack/presentation';
import { Cine } from './ui/cine';
import { el, isoDate, personName, preferences } from './ui/dom';
import { HelpDialog } from './ui/helpDialog';
import { listenToHands } from './ui/hands';
import { listenToKeys } from './ui/keys';
import { LoadBar } from './ui/loadBar';
import { MessageTile } from './ui/messageTile';
import { Overlay } from './ui/overlay';
import { SeriesPanel } from './ui/seriesPanel';
import { Toolbar } from './ui/toolbar';
import { WhyPanel, type PartSource, type SliceSource } from './ui/whyPanel';

const slowMs = 2500;
const narrow = '(max-width: 720px)';

/**
 * The viewer: one study, one open series, one current slice. It owns the state; what draws (Presentation), what loads
 * (SeriesSession) and what shows (ui/) are told.
 *
 * The first picture is drawn on a plain canvas as soon as its frame is there. Cornerstone3D, a hundred times the code,
 * comes right after and takes over on the same pixels; everything interactive waits for it.
 */
export class Viewer {
  readonly #host: HTMLElement;
  readonly #config: PlatformConfig;
  readonly #manifests: Manifests;
  readonly #decoder = new Decoder();

  readonly #toolbar: Toolbar;
  readonly #panel: SeriesPanel;
  readonly #overlay: Overlay;
  readonly #bar: LoadBar;
  readonly #why: WhyPanel;
  readonly #tile = new MessageTile();
  readonly #help = new HelpDialog();
  readonly #live = el('div', { class: 'v-live', role: 'status', 'aria-live': 'polite' });
  readonly #stage: HTMLElement;
  readonly #canvasHost: HTMLDivElement;
  readonly #cine: Cine;

  #series: readonly SeriesEntry[] = [];
  #entry: SeriesEntry | undefined;
  #session: SeriesSession | undefined;
  #presentation: Presentation;
  #retiring: Presentation | undefined;
  #cornerstone: InteractivePresentation | undefined;
  #areToolsReady = false;
  #presets: readonly Preset[] = [];
  #userWindow: WindowSetting | undefined;
  #isInverted = false;
  #tool: ToolName | undefined;
  #shownIndex: number | undefined;
  /** What is shown is a preview. */
  #isPreview = false;
  #state: PlatformHooks['state'] = 'loading';
  readonly #firstImages: FirstImage[] = [];
  #correctFirstImage: () => void = () => undefined;
  #openings = 0;
  #isDrawScheduled = false;
  #isCornerstoneWanted = false;
  #whyTimer: ReturnType<typeof setTimeout> | undefined;
  #liveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, config: PlatformConfig) {
    this.#host = host;
    this.#config = config;
    this.#manifests = new Manifests(config.imageApi);
    this.#toolbar = new Toolbar({
      onTool: (tool) => this.#chooseTool(tool),
      onInvert: () => this.#setInvert(!this.#isInverted),
      onReset: () => this.#reset(),
      onCine: () => this.#cine.toggle(),
      onPreset: (index) => this.#choosePreset(index),
      onHelp: () => this.#help.toggle(),
      onPanel: () => this.#togglePanel(),
    });
    this.#panel = new SeriesPanel((uid) => void this.#open(this.#series.find((s) => s.uid === uid), 'click', performance.now()));
    this.#overlay = new Overlay(() => this.#toggleWhy());
    this.#bar = new LoadBar({ onScrub: (index) => this.#goTo(index), onRetryFailed: () => this.#retryFailed() });
    this.#why = new WhyPanel(() => this.#toggleWhy());
    this.#canvasHost = el('div', { class: 'v-canvas' });
    this.#stage = el('section', { id: 'viewport', class: 'v-stage', tabindex: 0, 'aria-label': 'Image', 'aria-describedby': 'viewer-hint' }, this.#canvasHost, ...this.#overlay.elements, this.#tile.element, el('p', { id: 'viewer-hint', class: 'v-live' }, 'Arrow keys change the slice; press ? for all keys.'));
    this.#presentation = new PlainPresentation(this.#canvasHost);
    this.#cine = new Cine({
      next: () => this.#nextCineFrame(),
      onChange: (isPlaying) => this.#toolbar.setCine(isPlaying),
    });
    this.#build();
  }

  start(): void {
    this.#decoder.prepare();
    this.#publishHooks();
    listenToKeys({
      scroll: (by) => this.#goTo(this.#current + by),
      toEdge: (last) => this.#goTo(last ? this.#count - 1 : 0),
      tool: (tool) => this.#chooseTool(tool),
      invert: () => this.#setInvert(!this.#isInverted),
      reset: () => this.#reset(),
      cine: () => this.#cine.toggle(),
      preset: (index) => this.#choosePreset(index),
      series: (by) => this.#openNeighbour(by),
      flipHorizontal: () => this.#cornerstone?.flipHorizontal(),
      flipVertical: () => this.#cornerstone?.flipVertical(),
      rotate: () => this.#cornerstone?.rotate(),
      deleteSelected: () => void this.#cornerstone?.deleteSelected(),
      zoom: (factor) => this.#cornerstone?.zoomBy(factor),
      search: () => location.assign('/#search'),
      help: () => this.#help.toggle(),
      panel: () => this.#togglePanel(),
      why: () => this.#toggleWhy(),
      escape: () => this.#why.isOpen && this.#toggleWhy(),
    });
    listenToHands(this.#stage, {
      scroll: (by) => this.#goTo(this.#current + by),
      zoom: (factor) => this.#cornerstone?.zoomBy(factor),
      scrollsByTouch: () => this.#tool === undefined,
    });
    new ResizeObserver(() => this.#presentation.resize()).observe(this.#stage);
    void this.#openStudy();
  }

  get #current(): number {
    return this.#session?.current ?? 0;
  }

  get #count(): number {
    return this.#session?.count ?? 0;
  }

  #build(): void {
    const patient = this.#host.querySelector('.viewer-patient')?.textContent?.trim();
    const study = this.#host.querySelector('.viewer-study')?.textContent?.trim();
    this.#host.replaceChildren(this.#toolbar.header, this.#panel.element, this.#stage, this.#bar.element, this.#why.element, this.#help.element, this.#live);
    this.#host.classList.add('is-live');
    this.#toolbar.setHeading(patient ?? '', study ?? '');
    this.#toolbar.setPresets([]);
    const stored = preferences.get('panel');
    this.#setPanel(stored ? stored === 'open' : !matchMedia(narrow).matches || this.#config.series.length > 1);
  }

  async #openStudy(): Promise<void> {
    try {
      this.#series = this.#config.series;
      if (this.#series.length === 0) {
        this.#panel.setSkeleton();
        this.#series = await searchSeries(this.#config.imageApi, this.#config.study);
      }
      this.#panel.setSeries(this.#series);
      const first = this.#series.find((s) => s.uid === this.#config.firstSeries) ?? this.#series.find((s) => s.hasImages !== false) ?? this.#series[0];
      if (first) {
        await this.#open(first, 'navigation', 0);
      } else {
        this.#fail({ kind: 'empty', title: 'This study holds no series.', text: 'It may have been removed, or its files are still being indexed.', actions: [this.#backAction()] });
      }
    } catch (error) {
      this.#fail({ kind: 'failed', title: 'The study cannot be opened.', text: messageOf(error), actions: [{ label: 'Try again', run: () => location.reload() }, this.#backAction()] });
    }
  }

  async #open(entry: SeriesEntry | undefined, cause: 'navigation' | 'click', startedAt: number): Promise<void> {
    if (!entry) {
      return;
    }
    const opening = ++this.#openings;
    this.#cine.stop();
    this.#session?.close();
    this.#session = undefined;
    this.#entry = entry;
    this.#state = 'loading';
    this.#shownIndex = undefined;
    this.#isPreview = false;
    this.#userWindow = undefined;
    this.#isInverted = false;
    this.#toolbar.setInvert(false);
    this.#panel.setCurrent(entry.uid);
    this.#bar.reset(0);
    this.#overlay.setFirstImage(undefined);
    this.#overlay.setSlice('', undefined, undefined, undefined);
    this.#overlay.setMarkers(undefined);
    this.#canvasHost.dataset['state'] = 'loading';
    this.#tile.show({ kind: 'loading', title: '' });
    const slow = setTimeout(() => {
      if (opening === this.#openings && this.#state === 'loading') {
        const waitsFor = this.#session ? 'The first frame is on its way; the service has not finished it yet.' : 'The image service has not answered yet.';
        this.#tile.show({ kind: 'slow', title: 'This takes longer than usual.', text: waitsFor, actions: [{ label: 'Try again', run: () => void this.#open(entry, 'click', performance.now()) }, this.#backAction()] });
      }
    }, slowMs);

    // Asked for beside the manifest: a round trip less until the first picture. It starts with the frame that the series opens on.
    const stream = entry.preview ? new PreviewStream(entry.preview) : undefined;
    const manifestStartedAt = performance.now();
    let manifest: SeriesManifest;
    try {
      manifest = await this.#manifests.get(entry);
    } catch (error) {
      clearTimeout(slow);
      stream?.close();
      if (opening === this.#openings) {
        this.#fail({
          kind: 'failed',
          title: 'This series cannot be opened.',
          text: `${messageOf(error)} ${this.#series.length > 1 ? 'The other series of the study may still open.' : ''}`,
          actions: [{ label: 'Try again', run: () => void this.#open(entry, 'click', performance.now()) }, this.#backAction()],
        });
        this.#loadCornerstone();
      }
      return;
    }
    if (opening !== this.#openings) {
      clearTimeout(slow);
      stream?.close();
      return;
    }
    const manifestAt = performance.now();
    this.#describeSeries(manifest, entry);
    if (manifest.frames.length === 0) {
      clearTimeout(slow);
      stream?.close();
      this.#state = 'empty';
      this.#tile.show({
        kind: 'empty',
        title: 'This series has no images.',
        text: (manifest.others?.length ?? 0) > 0 ? 'It holds documents, which this viewer lists but does not show:' : 'It may hold documents that this viewer does not show.',
        lines: (manifest.others ?? []).map((other) => other.title || other.sopClass || other.instance),
      });
      this.#loadCornerstone();
      this.#panel.showThumbnails();
      return;
    }

    const session = new SeriesSession({
      manifest,
      imageApi: this.#config.imageApi,
      decoder: this.#decoder,
      stream,
      maxLoads: this.#config.maxLoads,
      maxBytes: this.#config.maxImageBytes,
      onState: (index, state) => {
        this.#updateCell(index);
        if (state === 'evicted') {
          this.#cornerstone?.release(index);
        }
        if (state === 'held') {
          this.#onHeld(session, index);
        }
        if (state === 'failed' && this.#session === session && index === session.current) {
          this.#scheduleDraw();
        }
      },
      onRecord: (index) => this.#session === session && (this.#updateCell(index), this.#updateSlice()),
      onPreviewsComplete: () => this.#session === session && (this.#correctFirstImage(), this.#updateSlice()),
      onPreview: (index) => {
        if (this.#session === session) {
          this.#updateCell(index);
          if (index === session.current && this.#state === 'ready') {
            this.#scheduleDraw();
          }
        }
      },
    });
    this.#session = session;
    this.#bar.reset(session.count);
    this.#cornerstone?.openSeries(manifest.series, session.count, (index) => session.describe(index), manifest.modality);
    this.#updateSlice();
    session.goTo(openingIndex(manifest));

    try {
      await session.whenPicture(session.current);
      if (opening !== this.#openings) {
        return;
      }
      const drawStartedAt = performance.now();
      await this.#draw();
      await nextPaint();
      if (opening === this.#openings && this.#shownIndex !== undefined) {
        this.#onFirstImage(session, this.#shownIndex, { cause, startedAt, manifestUrl: entry.manifest, manifestStartedAt, manifestAt, drawStartedAt, drawnAt: performance.now() });
      }
    } catch {
      if (opening === this.#openings) {
        await this.#draw(); // shows the bad frame
      }
    } finally {
      clearTimeout(slow);
    }
    if (opening === this.#openings) {
      this.#loadCornerstone();
      this.#panel.showThumbnails();
    }
  }

  #onFirstImage(session: SeriesSession, index: number, marks: Parameters<typeof describeJourney>[0]): void {
    const bytes = this.#firstBytesOf(session, index);
    if (!bytes) {
      return;
    }
    const first = describeJourney(marks, bytes);
    const place = this.#firstImages.push(first) - 1;
    performance.measure('platform:first-image', { start: marks.startedAt, end: marks.drawnAt, detail: first });
    this.#overlay.setFirstImage(first);
    this.#updateWhy();
    // The timing entry, and with it the browser's tier, comes a moment later; that of a stream at its end.
    this.#correctFirstImage = () => {
      const corrected = describeJourney(marks, { ...bytes, tier: (bytes.isPreview ? session.previewTimes(index) : session.records.get(index))?.tier });
      this.#firstImages[place] = corrected;
      if (this.#session === session) {
        this.#overlay.setFirstImage(corrected);
        this.#updateWhy();
      }
    };
    setTimeout(this.#correctFirstImage, 120);
  }

  /** What the picture on the canvas was made of. */
  #firstBytesOf(session: SeriesSession, index: number): FirstBytes | undefined {
    const preview = this.#isPreview ? session.previewTimes(index) : undefined;
    if (preview) {
      return { ...preview, isPreview: true };
    }
    const record = session.records.get(index);
    const url = session.describe(index)?.url;
    return record && url ? { ...record, url, isPreview: false } : undefined;
  }

  /** Fetches and starts Cornerstone3D once; it takes over from the plain canvas. */
  #loadCornerstone(): void {
    if (this.#isCornerstoneWanted) {
      return;
    }
    this.#isCornerstoneWanted = true;
    this.#startCornerstone().catch((error: unknown) => {
      // The plain canvas goes on showing and scrolling; only the tools are missing.
      this.#isCornerstoneWanted = false;
      console.error('Cornerstone3D did not start', error);
    });
  }

  async #startCornerstone(): Promise<void> {
    const startedAt = performance.now();
    const { CornerstonePresentation } = await import('./stack/cornerstonePresentation');
    const host = el('div', { class: 'v-cornerstone' });
    this.#canvasHost.prepend(host); // beneath the plain canvas, until it shows the same
    const cornerstone = await CornerstonePresentation.create(host, {
      onWindow: (window) => this.#onWindow(window),
      onView: () => this.#updateView(),
    });
    const session = this.#session;
    if (session) {
      cornerstone.openSeries(session.manifest.series, session.count, (index) => session.describe(index), session.manifest.modality);
    }
    this.#cornerstone = cornerstone;
    await this.#takeOver(cornerstone);
    performance.measure('platform:renderer', { start: startedAt, end: performance.now() });
  }

  async #takeOver(cornerstone: InteractivePresentation): Promise<void> {
    this.#retiring = this.#presentation; // stays on top until the same slice is drawn beneath it
    cornerstone.setInvert(this.#isInverted);
    this.#presentation = cornerstone;
    this.#shownIndex = undefined;
    await this.#draw();
    await cornerstone.setTool(this.#tool);
    this.#areToolsReady = true;
  }

  #describeSeries(manifest: SeriesManifest, entry: SeriesEntry): void {
    const { patient } = manifest;
    const date = isoDate(manifest.studyDate);
    this.#toolbar.setHeading(personName(patient?.name) || '(no name)', [manifest.modality, date].filter(Boolean).join(' '));
    this.#overlay.setCorners({
      topLeft: [personName(patient?.name), [patient?.id, patient?.sex, isoDate(patient?.birthDate)].filter(Boolean).join(' · ')],
      topRight: [`series ${manifest.number ?? entry.number ?? ''}${manifest.description ? `: ${manifest.description}` : ''}`, [manifest.studyDescription, date].filter(Boolean).join(' · ')],
    });
    const others = manifest.others?.length ?? 0;
    const images = manifest.frames.length;
    this.#panel.setNote(entry.uid, [images > 0 ? `${images} ${images === 1 ? 'image' : 'images'}` : '', others > 0 ? `${others} ${others === 1 ? 'document' : 'documents'}` : ''].filter(Boolean).join(', ') || 'no images');
  }

  #onHeld(session: SeriesSession, index: number): void {
    if (this.#session !== session) {
      return;
    }
    if (index === session.current && this.#state === 'ready') {
      this.#scheduleDraw();
    }
  }

  #goTo(index: number): void {
    const session = this.#session;
    if (!session || session.count === 0 || !Number.isInteger(index)) {
      return;
    }
    const target = Math.min(Math.max(index, 0), session.count - 1);
    if (target === session.current && this.#shownIndex === target) {
      return;
    }
    session.goTo(target);
    this.#updateSlice();
    this.#announce();
    if (this.#state === 'ready') {
      this.#scheduleDraw();
    }
  }

  /** However many wheel events come in one frame, one image is drawn. */
  #scheduleDraw(): void {
    if (!this.#isDrawScheduled) {
      this.#isDrawScheduled = true;
      requestAnimationFrame(() => {
        this.#isDrawScheduled = false;
        void this.#draw();
      });
    }
  }

  /** Shows the current frame if it is there, the reason if it failed, and otherwise what was shown before. */
  async #draw(): Promise<void> {
    const session = this.#session;
    if (!session) {
      return;
    }
    const index = session.current;
    const picture = session.picture(index);
    const image = picture?.image;
    const frame = session.describe(index);
    const error = session.queue.error(index);
    if (error) {
      this.#showBadFrame(session, index, error);
      return;
    }
    if (!picture || !image || !frame) {
      this.#canvasHost.dataset['state'] = 'waiting';
      return;
    }
    const window = this.#userWindow ?? this.#storedWindow(index, image);
    this.#refreshPresets(session, index, image);
    await this.#presentation.show({ index, image, frame, window, isPreview: picture.isPreview });
    this.#retiring?.dispose();
    this.#retiring = undefined;
    if (this.#session !== session || session.current !== index) {
      return;
    }
    this.#shownIndex = index;
    this.#isPreview = picture.isPreview;
    this.#state = 'ready';
    this.#canvasHost.dataset['state'] = 'shown';
    this.#tile.hide();
    this.#showWindow(window, image);
    this.#updateView();
    this.#updateSlice();
    if (picture.isPreview && session.queue.get(index)) {
      this.#scheduleDraw(); // the whole frame came while its preview was being drawn
    }
  }

  #showBadFrame(session: SeriesSession, index: number, error: Error): void {
    this.#retiring?.dispose();
    this.#retiring = undefined;
    const failed = Array.from({ length: session.count }, (_, i) => i).filter((i) => session.queue.state(i) === 'failed').length;
    const others = session.count - failed;
    this.#state = 'ready';
    this.#shownIndex = undefined;
    this.#isPreview = false;
    this.#canvasHost.dataset['state'] = 'bad';
    this.#overlay.setMarkers(undefined);
    this.#tile.show({
      kind: 'bad-frame',
      title: `Slice ${index + 1} cannot be shown`,
      text: `${error.message}${others > 0 ? ` The other ${others === 1 ? 'slice is' : `${others} slices are`} not affected.` : ''}`,
      // What this viewer cannot decode now it cannot decode in a minute.
      ...(error instanceof UnsupportedFrameError ? {} : { actions: [{ label: 'Try again', run: () => this.#retry(index) }] }),
    });
    this.#updateSlice();
  }

  #retry(index: number): void {
    this.#session?.queue.retry(index);
    this.#stage.focus();
  }

  #retryFailed(): void {
    const session = this.#session;
    for (let index = 0; session && index < session.count; index++) {
      session.queue.retry(index);
    }
  }

  #storedWindow(index: number, image: DecodedImage): WindowSetting {
    return this.#session?.describe(index)?.window ?? windowOver(image.min, image.max);
  }

  #refreshPresets(session: SeriesSession, index: number, image: DecodedImage): void {
    const { window: frameWindow } = session.describe(index) ?? {};
    const stored = [frameWindow, ...(session.manifest.windows ?? [])].filter((w): w is WindowSetting => w !== undefined && w !== null);
    const presets = image.isColor ? [] : presetsFor(session.manifest.modality, stored, windowOver(image.min, image.max));
    if (JSON.stringify(presets) !== JSON.stringify(this.#presets)) {
      this.#presets = presets;
      this.#toolbar.setPresets(presets);
    }
  }

  #showWindow(window: WindowSetting, image: DecodedImage): void {
    this.#overlay.setWindow(image.isColor ? '' : `W ${roundWindow(window.width)} L ${roundWindow(window.center)}`);
    this.#toolbar.setWindow(window, this.#presets);
  }

  #choosePreset(index: number): void {
    const preset = this.#presets[index];
    if (preset) {
      this.#onWindow(preset);
      this.#presentation.setWindow(preset);
    }
  }

  #onWindow(window: WindowSetting): void {
    this.#userWindow = window;
    const picture = this.#session?.picture(this.#current);
    if (picture) {
      this.#showWindow(window, picture.image);
    }
  }

  #setInvert(isInverted: boolean): void {
    this.#isInverted = isInverted;
    this.#toolbar.setInvert(isInverted);
    this.#presentation.setInvert(isInverted);
  }

  #chooseTool(tool: ToolName): void {
    this.#tool = this.#tool === tool ? undefined : tool;
    this.#toolbar.setTool(this.#tool);
    this.#stage.dataset['tool'] = this.#tool ?? '';
    void this.#cornerstone?.setTool(this.#tool);
  }

  #reset(): void {
    this.#userWindow = undefined;
    this.#isInverted = false;
    this.#toolbar.setInvert(false);
    if (this.#cornerstone) {
      this.#cornerstone.reset();
    } else {
      this.#presentation.setInvert(false);
    }
    this.#scheduleDraw();
  }

  #openNeighbour(by: number): void {
    const at = this.#series.findIndex((s) => s.uid === this.#entry?.uid);
    const next = this.#series[at + by];
    if (next) {
      void this.#open(next, 'click', performance.now());
    }
  }

  #nextCineFrame(): boolean {
    const session = this.#session;
    if (!session || session.count < 2) {
      return false;
    }
    const next = (session.current + 1) % session.count;
    const state = session.queue.state(next);
    if (state === 'held' || state === 'failed' || session.hasPreview(next)) {
      this.#goTo(next);
    } else {
      session.goTo(session.current); // keeps the queue working towards it
    }
    return true;
  }

  #togglePanel(): void {
    const isOpen = this.#host.dataset['panel'] !== 'open';
    this.#setPanel(isOpen);
    preferences.set('panel', isOpen ? 'open' : 'folded');
  }

  #setPanel(isOpen: boolean): void {
    this.#host.dataset['panel'] = isOpen ? 'open' : 'folded';
    this.#toolbar.setPanel(isOpen);
  }

  #toggleWhy(): void {
    const isOpen = !this.#why.isOpen;
    this.#updateWhy();
    this.#why.setOpen(isOpen);
    this.#overlay.setWhyOpen(isOpen);
    this.#host.dataset['why'] = isOpen ? 'open' : 'folded';
    if (!isOpen) {
      this.#overlay.focusFirstImage();
    }
  }

  #updateWhy(): void {
    this.#why.set(this.#firstImageOfSeries, { counts: this.#bar.counts(), heldBytes: this.#session?.heldBytes ?? 0, slice: this.#sliceSource() });
  }

  #sliceSource(): SliceSource | undefined {
    const session = this.#session;
    const preview = session?.previewTimes(session.current);
    const whole = session?.records.get(session.current);
    const part = (times: NonNullable<typeof preview>): PartSource => ({
      bytes: times.bytes,
      tier: times.tier,
      waitMs: times.headersAt - times.startedAt,
      downloadMs: times.arrivedAt - times.headersAt,
      decodeMs: times.decodeMs,
    });
    return session && (preview || whole)
      ? { number: session.current + 1, preview: preview && part(preview), rest: whole && part({ ...whole, url: '' }) }
      : undefined;
  }

  get #firstImageOfSeries(): FirstImage | undefined {
    return this.#shownIndex === undefined && this.#state === 'loading' ? undefined : this.#firstImages.at(-1);
  }

  #updateCell(index: number): void {
    const session = this.#session;
    if (session) {
      this.#bar.setCell(index, { state: session.queue.state(index), tier: session.records.get(index)?.tier, hasPreview: session.hasPreview(index) });
      if (this.#why.isOpen) {
        this.#scheduleWhy();
      }
    }
  }

  #scheduleWhy(): void {
    this.#whyTimer ??= setTimeout(() => {
      this.#whyTimer = undefined;
      this.#updateWhy();
    }, 250);
  }

  #updateSlice(): void {
    const session = this.#session;
    if (!session || session.count === 0) {
      return;
    }
    const index = session.current;
    const record = session.records.get(index);
    const state = session.queue.state(index);
    const text = `slice ${index + 1}/${session.count}`;
    const isHere = state === 'held';
    const preview = isHere ? undefined : session.previewTimes(index);
    const times = isHere ? record : preview;
    const isPreview = this.#isPreview && this.#shownIndex === index;
    this.#overlay.setSlice(
      text,
      times && times.readyAt - times.startedAt,
      state === 'failed' ? 'failed !' : times ? times.tier : 'loading',
      isPreview ? 'preview' : isHere && record && !record.isLossless ? 'stored lossy' : undefined,
    );
    this.#bar.setCurrent(index, `Slice ${index + 1} of ${session.count}${isPreview ? ', preview' : ''}`);
    if (this.#why.isOpen) {
      this.#scheduleWhy();
    }
  }

  #announce(): void {
    clearTimeout(this.#liveTimer);
    this.#liveTimer = setTimeout(() => {
      this.#live.textContent = `Slice ${this.#current + 1} of ${this.#count}`;
    }, 500);
  }

  #updateView(): void {
    this.#overlay.setZoom(this.#presentation.zoom());
    this.#overlay.setMarkers(this.#canvasHost.dataset['state'] === 'bad' ? undefined : this.#presentation.markers());
  }

  #fail(message: Parameters<MessageTile['show']>[0]): void {
    this.#state = message.kind === 'empty' ? 'empty' : 'failed';
    this.#canvasHost.dataset['state'] = 'none';
    this.#tile.show(message);
  }

  #backAction(): { label: string; run: () => void } {
    return { label: 'Back to studies', run: () => location.assign('/') };
  }

  #publishHooks(): void {
    const viewer = this;
    window.__platform = {
      get state() {
        return viewer.#state;
      },
      get series() {
        return viewer.#entry?.uid;
      },
      get currentSlice() {
        return viewer.#current;
      },
      get shownSlice() {
        return viewer.#shownIndex;
      },
      get sliceCount() {
        return viewer.#count;
      },
      get window() {
        const picture = viewer.#session?.picture(viewer.#current);
        return viewer.#userWindow ?? (picture && viewer.#storedWindow(viewer.#current, picture.image));
      },
      get isInverted() {
        return viewer.#isInverted;
      },
      get isLossless() {
        return viewer.#shownIndex === undefined ? undefined : !viewer.#isPreview && viewer.#session?.records.get(viewer.#shownIndex)?.isLossless;
      },
      get isPreview() {
        return viewer.#isPreview;
      },
      get usable() {
        return viewer.#session?.usable ?? 0;
      },
      get usableAt() {
        return viewer.#session?.usableAt;
      },
      get completeAt() {
        return viewer.#session?.completeAt;
      },
      get firstImage() {
        return viewer.#firstImageOfSeries;
      },
      get firstImages() {
        return viewer.#firstImages;
      },
      get tiers() {
        return viewer.#bar.counts();
      },
      get failed() {
        const session = viewer.#session;
        return session ? Array.from({ length: session.count }, (_, i) => i).filter((i) => session.queue.state(i) === 'failed') : [];
      },
      get isComplete() {
        return viewer.#session?.queue.isIdle ?? false;
      },
      get heldBytes() {
        return viewer.#session?.heldBytes ?? 0;
      },
      get renderer() {
        return viewer.#presentation === viewer.#cornerstone ? 'cornerstone' : 'plain';
      },
      get areToolsReady() {
        return viewer.#areToolsReady;
      },
      canvas: () => viewer.#presentation.canvas(),
      pixelToPage: (column, row) => {
        const at = viewer.#presentation.pixelToCanvas(column, row);
        const box = viewer.#canvasHost.getBoundingClientRect();
        return at && { x: box.left + at.x, y: box.top + at.y };
      },
      goTo: (index) => viewer.#goTo(index),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function roundWindow(value: number): string {
  return Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toPrecision(3);
}

/** Resolves once the browser has put what was drawn on the screen. */
function nextPaint(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 250); // a hidden page has no frames
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        clearTimeout(timer);
        resolve();
      };
      port2.postMessage(undefined);
    });
  });
}
