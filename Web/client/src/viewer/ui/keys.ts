import type { ToolName } from '../stack/presentation';

export interface KeyActions {
  scroll(by: number): void;
  toEdge(last: boolean): void;
  tool(tool: ToolName): void;
  invert(): void;
  reset(): void;
  cine(): void;
  preset(index: number): void;
  series(by: number): void;
  flipHorizontal(): void;
  flipVertical(): void;
  rotate(): void;
  deleteSelected(): void;
  zoom(factor: number): void;
  search(): void;
  help(): void;
  panel(): void;
  why(): void;
  escape(): void;
}

/** The keys of the help dialog, wherever the focus is, except where a control needs them itself. */
export function listenToKeys(actions: KeyActions): void {
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => actions.scroll(1),
    ArrowRight: () => actions.scroll(1),
    ArrowUp: () => actions.scroll(-1),
    ArrowLeft: () => actions.scroll(-1),
    PageDown: () => actions.scroll(10),
    PageUp: () => actions.scroll(-10),
    Home: () => actions.toEdge(false),
    End: () => actions.toEdge(true),
    w: () => actions.tool('window'),
    z: () => actions.tool('zoom'),
    p: () => actions.tool('pan'),
    l: () => actions.tool('length'),
    i: () => actions.invert(),
    r: () => actions.reset(),
    ' ': () => actions.cine(),
    '[': () => actions.series(-1),
    ']': () => actions.series(1),
    h: () => actions.flipHorizontal(),
    v: () => actions.flipVertical(),
    o: () => actions.rotate(),
    Delete: () => actions.deleteSelected(),
    Backspace: () => actions.deleteSelected(),
    '+': () => actions.zoom(1.2),
    '=': () => actions.zoom(1.2),
    '-': () => actions.zoom(1 / 1.2),
    '/': () => actions.search(),
    '?': () => actions.help(),
    s: () => actions.panel(),
    t: () => actions.why(),
    Escape: () => actions.escape(),
  };
  // While capturing: Cornerstone's tools prevent every key's default on the element that they focus.
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) {
      return;
    }
    const target = event.target instanceof Element ? event.target : undefined;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (target?.closest('input, textarea, select, [contenteditable]') && key !== 'Escape') {
      return;
    }
    if (key === ' ' && target?.closest('button, a, summary')) {
      return; // space presses what has the focus
    }
    const action = /^[1-9]$/.test(key) ? () => actions.preset(Number(key) - 1) : keys[key];
    if (action) {
      event.preventDefault();
      action();
    }
  }, { capture: true });
}
