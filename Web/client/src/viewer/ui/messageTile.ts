import { el } from './dom';

export interface Message {
  readonly kind: 'loading' | 'slow' | 'failed' | 'empty' | 'bad-frame';
  readonly title: string;
  readonly text?: string;
  readonly lines?: readonly string[];
  readonly actions?: readonly { label: string; run: () => void }[];
}

/** What stands in the viewport when there is no image to show: what happened, what still works, what to do next. */
export class MessageTile {
  readonly element = el('div', { class: 'v-message', hidden: true });

  get kind(): string | undefined {
    return this.element.hidden ? undefined : this.element.dataset['kind'];
  }

  show(message: Message): void {
    this.element.hidden = false;
    this.element.dataset['kind'] = message.kind;
    if (message.kind === 'failed' || message.kind === 'bad-frame') {
      this.element.setAttribute('role', 'alert');
    } else {
      this.element.removeAttribute('role');
    }
    const isTrouble = message.kind === 'failed' || message.kind === 'bad-frame';
    this.element.replaceChildren(
      el(
        'div',
        { class: 'v-message-box' },
        isTrouble && el('span', { class: 'v-sign', 'aria-hidden': 'true' }, '!'),
        el('p', { class: 'v-message-title' }, message.title),
        message.text !== undefined && el('p', { class: 'v-message-text' }, message.text),
        message.lines && el('ul', { class: 'v-message-lines' }, ...message.lines.map((line) => el('li', {}, line))),
        message.actions && el('div', { class: 'v-message-actions' }, ...message.actions.map((action) => el('button', { type: 'button', class: 'v-action', onclick: action.run }, action.label))),
      ),
    );
  }

  hide(): void {
    this.element.hidden = true;
    this.element.replaceChildren();
  }
}
