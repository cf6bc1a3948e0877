import { el, icon } from './dom';

const keys: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'Scroll',
    [
      ['wheel, ↑ ↓ ← →', 'one slice'],
      ['Page Up, Page Down', 'ten slices'],
      ['Home, End', 'first, last slice'],
      ['space', 'cine'],
      ['[  ]', 'previous, next series'],
    ],
  ],
  [
    'Look',
    [
      ['W', 'window and level: drag'],
      ['1 - 9', 'window presets'],
      ['Z', 'zoom: drag; also Ctrl + wheel, + and -'],
      ['P', 'pan: drag; also the middle button'],
      ['L', 'measure a length'],
      ['Delete', 'remove the chosen measurement'],
      ['I', 'invert'],
      ['H, V, O', 'flip left to right, top to bottom, rotate'],
      ['R', 'reset the view'],
    ],
  ],
  [
    'Page',
    [
      ['S', 'fold the series panel'],
      ['T', 'why the first image took its time'],
      ['/', 'search studies'],
      ['?', 'this help'],
    ],
  ],
  [
    'Touch',
    [
      ['one finger', 'scroll, or the chosen tool'],
      ['two fingers', 'zoom and move'],
      ['bar below', 'drag to a slice'],
    ],
  ],
];

/** All keys on one page. */
export class HelpDialog {
  readonly element: HTMLDialogElement;

  constructor() {
    this.element = el(
      'dialog',
      { class: 'v-help', 'aria-labelledby': 'viewer-help-title' },
      el('div', { class: 'v-why-head' }, el('h2', { id: 'viewer-help-title' }, 'Keys'), el('button', { type: 'button', class: 'v-button', 'aria-label': 'Close', onclick: () => this.element.close() }, icon('close'))),
      el(
        'div',
        { class: 'v-help-groups' },
        ...keys.map(([title, list]) => el('section', {}, el('h3', {}, title), el('dl', {}, ...list.flatMap(([key, what]) => [el('dt', {}, key), el('dd', {}, what)])))),
      ),
    );
    this.element.addEventListener('click', (event) => {
      if (event.target === this.element) {
        this.element.close();
      }
    });
  }

  toggle(): void {
    if (this.element.open) {
      this.element.close();
    } else {
      this.element.showModal();
    }
  }
}
