export interface KeyActions {
  setView(index: number): void;
  move(right: number, front: number, top: number): void;
  invert(): void;
  focusWindow(): void;
  reset(): void;
}

const moves: Record<string, [number, number, number]> = {
  ArrowLeft: [-1, 0, 0],
  ArrowRight: [1, 0, 0],
  ArrowUp: [0, 1, 0],
  ArrowDown: [0, -1, 0],
  PageUp: [0, 0, 1],
  PageDown: [0, 0, -1],
};

/**
 * The keys of the page. While events are captured: NiiVue has keys of its own on the canvas, with other meanings. Fields keep theirs, and so does
 * whatever scrolls, as long as the canvas is not focused.
 */
export function listenToKeys(actions: KeyActions): void {
  const dialog = document.querySelector<HTMLDialogElement>('#keys');
  document.querySelector('[data-keys]')?.addEventListener('click', () => dialog?.showModal());
  window.addEventListener(
    'keydown',
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || dialog?.open || isField(event.target)) {
        return;
      }
      const isOnCanvas = event.target instanceof HTMLCanvasElement || event.target === document.body;
      const move = isOnCanvas ? moves[event.key] : undefined;
      const action = move ? () => actions.move(...move) : actionOf(event.key, actions, dialog);
      if (action) {
        event.preventDefault();
        event.stopPropagation();
        action();
      } else if (event.target instanceof HTMLCanvasElement) {
        event.stopPropagation();
      }
    },
    { capture: true },
  );
}

function actionOf(key: string, actions: KeyActions, dialog: HTMLDialogElement | null): (() => void) | undefined {
  switch (key.toLowerCase()) {
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
      return () => actions.setView(Number(key) - 1);
    case 'i':
      return actions.invert;
    case 'w':
      return actions.focusWindow;
    case 'r':
      return actions.reset;
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

/** Opens the volume before or after the current one of the list. */
function follow(step: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('.volume-list a')];
  links[links.findIndex((link) => link.hasAttribute('aria-current')) + step]?.click();
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
