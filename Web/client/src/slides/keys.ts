export interface KeyActions {
  pan(right: number, down: number, isWhole: boolean): void;
  zoom(factor: number): void;
  fit(): void;
  full(): void;
  /** To another image of the series. */
  step(by: number): void;
}

const moves: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const zoomStep = 1.5;

/** The keys of the page. Arrows belong to the slide only while it, or nothing, is focused: elsewhere they scroll. */
export function listenToKeys(actions: KeyActions): void {
  const dialog = document.querySelector<HTMLDialogElement>('#keys');
  const view = document.querySelector('#view');
  document.querySelector('[data-keys]')?.addEventListener('click', () => dialog?.showModal());
  window.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog?.open) {
      return;
    }
    const isOnView = event.target === document.body || (event.target instanceof Node && view?.contains(event.target) === true);
    const move = isOnView ? moves[event.key] : undefined;
    const action = move ? () => actions.pan(move[0], move[1], event.shiftKey) : actionOf(event.key, actions, dialog);
    if (action) {
      event.preventDefault();
      action();
    }
  });
}

function actionOf(key: string, actions: KeyActions, dialog: HTMLDialogElement | null): (() => void) | undefined {
  switch (key.toLowerCase()) {
    case '+':
    case '=':
      return () => actions.zoom(zoomStep);
    case '-':
    case '_':
      return () => actions.zoom(1 / zoomStep);
    case '0':
    case 'r':
      return actions.fit;
    case '1':
      return actions.full;
    case ',':
      return () => actions.step(-1);
    case '.':
      return () => actions.step(1);
    case '[':
      return () => follow(-1);
    case ']':
      return () => follow(1);
    case '?':
      return () => dialog?.showModal();
    default:
      return undefined;
  }
}

/** Opens the slide before or after the current one of the list. */
function follow(step: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.slide-list a')];
  links[links.findIndex((link) => link.hasAttribute('aria-current')) + step]?.click();
}
