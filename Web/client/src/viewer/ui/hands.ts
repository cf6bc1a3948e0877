export interface HandActions {
  scroll(by: number): void;
  zoom(factor: number): void;
  /** True while one finger scrolls instead of using a tool. */
  scrollsByTouch(): boolean;
}

const wheelPixelsPerSlice = 40;
const swipePixelsPerSlice = 10;

/** Wheel and swipe over the image: scrolling is always at hand, whatever tool is chosen. */
export function listenToHands(stage: HTMLElement, actions: HandActions): void {
  let wheel = 0;
  stage.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      if (event.ctrlKey) {
        actions.zoom(Math.exp(-Math.sign(event.deltaY) * 0.1));
        return;
      }
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * wheelPixelsPerSlice;
      if (Math.sign(pixels) !== Math.sign(wheel)) {
        wheel = 0;
      }
      // One notch of a mouse wheel is one slice, however many pixels the system makes of it; a touchpad adds up.
      if (Math.abs(pixels) >= wheelPixelsPerSlice) {
        wheel = 0;
        actions.scroll(Math.sign(pixels));
        return;
      }
      wheel += pixels;
      const slices = Math.trunc(wheel / wheelPixelsPerSlice);
      if (slices !== 0) {
        wheel -= slices * wheelPixelsPerSlice;
        actions.scroll(slices);
      }
    },
    { passive: false },
  );

  const fingers = new Set<number>();
  let from = 0;
  let isSwipe = false;
  stage.addEventListener('pointerdown', (event) => {
    if (event.pointerType === 'touch') {
      fingers.add(event.pointerId);
      isSwipe = fingers.size === 1 && actions.scrollsByTouch() && !(event.target as Element).closest('button');
      from = event.clientY;
    }
  });
  stage.addEventListener('pointermove', (event) => {
    if (event.pointerType === 'touch' && isSwipe && fingers.has(event.pointerId)) {
      const slices = Math.trunc((from - event.clientY) / swipePixelsPerSlice);
      if (slices !== 0) {
        from -= slices * swipePixelsPerSlice;
        actions.scroll(slices);
      }
    }
  });
  for (const type of ['pointerup', 'pointercancel'] as const) {
    addEventListener(type, (event) => fingers.delete(event.pointerId));
  }
  stage.addEventListener('contextmenu', (event) => event.preventDefault());
}
