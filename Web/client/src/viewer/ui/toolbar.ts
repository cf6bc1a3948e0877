import type { Preset } from '../imaging/window';
import type { WindowSetting } from '../manifest';
import type { ToolName } from '../stack/presentation';
import { el, icon, type IconName } from './dom';

export interface ToolbarActions {
  onTool(tool: ToolName): void;
  onInvert(): void;
  onReset(): void;
  onCine(): void;
  onPreset(index: number): void;
  onHelp(): void;
  onPanel(): void;
}

const toolButtons: readonly { tool: ToolName; icon: IconName; label: string; key: string }[] = [
  { tool: 'window', icon: 'window', label: 'Window and level', key: 'W' },
  { tool: 'zoom', icon: 'zoom', label: 'Zoom', key: 'Z' },
  { tool: 'pan', icon: 'pan', label: 'Pan', key: 'P' },
  { tool: 'length', icon: 'length', label: 'Measure a length', key: 'L' },
];

/** The 48 pixels above the image: whose study it is, and the tools with their keys. */
export class Toolbar {
  readonly header: HTMLElement;
  readonly tools: HTMLElement;
  readonly #tools = new Map<ToolName, HTMLButtonElement>();
  readonly #invert: HTMLButtonElement;
  readonly #cine: HTMLButtonElement;
  readonly #panel: HTMLButtonElement;
  readonly #presets: HTMLSelectElement;
  readonly #title: HTMLElement;
  readonly #subtitle: HTMLElement;

  constructor(actions: ToolbarActions) {
    for (const { tool, icon: name, label, key } of toolButtons) {
      this.#tools.set(tool, button(name, label, key, () => actions.onTool(tool), { 'aria-pressed': 'false' }));
    }
    this.#invert = button('invert', 'Invert', 'I', () => actions.onInvert(), { 'aria-pressed': 'false' });
    this.#cine = button('play', 'Play as cine', 'Space', () => actions.onCine(), { 'aria-pressed': 'false' }, 'cine');
    this.#panel = button('panel', 'Series panel', 'S', () => actions.onPanel(), { 'aria-expanded': 'true', 'aria-controls': 'viewer-series' });
    this.#presets = el('select', { class: 'v-presets', 'aria-label': 'Window presets (keys 1 to 9)', title: 'Window presets (1-9)' });
    this.#presets.addEventListener('change', () => {
      actions.onPreset(Number(this.#presets.value));
      this.#presets.value = '-1'; // the closed control keeps its name; the window itself stands in the corner of the image
      this.#presets.blur();
    });
    this.#title = el('h1', { class: 'v-title' });
    this.#subtitle = el('span', { class: 'v-subtitle' });
    this.tools = el(
      'div',
      { class: 'v-tools', role: 'toolbar', 'aria-label': 'Image tools' },
      ...this.#tools.values(),
      this.#invert,
      this.#cine,
      button('reset', 'Reset the view', 'R', () => actions.onReset()),
      this.#presets,
    );
    this.header = el(
      'div',
      { class: 'v-header' },
      el('a', { class: 'v-back', href: '/', 'aria-label': 'Back to studies' }, icon('back'), el('span', {}, 'studies')),
      this.#panel,
      el('div', { class: 'v-heading' }, this.#title, this.#subtitle),
      this.tools,
      button('help', 'Keys and help', '?', () => actions.onHelp()),
    );
  }

  setHeading(title: string, subtitle: string): void {
    this.#title.textContent = title || 'Study';
    this.#subtitle.textContent = subtitle;
  }

  setTool(tool: ToolName | undefined): void {
    for (const [name, element] of this.#tools) {
      element.setAttribute('aria-pressed', String(name === tool));
    }
  }

  setInvert(isInverted: boolean): void {
    this.#invert.setAttribute('aria-pressed', String(isInverted));
  }

  setCine(isPlaying: boolean): void {
    this.#cine.setAttribute('aria-pressed', String(isPlaying));
    this.#cine.querySelector('svg')?.replaceWith(icon(isPlaying ? 'pause' : 'play'));
  }

  setPanel(isOpen: boolean): void {
    this.#panel.setAttribute('aria-expanded', String(isOpen));
  }

  setPresets(presets: readonly Preset[]): void {
    this.#presets.replaceChildren(
      el('option', { value: -1, hidden: true }, 'presets'),
      ...presets.map((p, i) => el('option', { value: i }, labelOf(p, i))),
    );
    this.#presets.value = '-1';
    this.#presets.disabled = presets.length === 0;
  }

  /** Marks the preset that is in use. */
  setWindow(window: WindowSetting, presets: readonly Preset[]): void {
    const active = presets.findIndex((p) => p.center === window.center && p.width === window.width);
    for (const [i, option] of [...this.#presets.options].slice(1).entries()) {
      option.textContent = labelOf(presets[i]!, i) + (i === active ? '  ✓' : '');
    }
  }
}

function labelOf(preset: Preset, index: number): string {
  return `${index + 1}  ${preset.name}: W ${Math.round(preset.width)} L ${Math.round(preset.center)}`;
}

function button(name: IconName, label: string, key: string, onClick: () => void, attributes: Record<string, string> = {}, text?: string): HTMLButtonElement {
  return el(
    'button',
    { type: 'button', class: 'v-button', 'aria-label': label, title: `${label} (${key})`, 'aria-keyshortcuts': key, onclick: onClick, ...attributes },
    icon(name),
    el('span', { class: 'v-key', 'aria-hidden': 'true' }, text ?? key),
  );
}
