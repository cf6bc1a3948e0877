/**
 * The order in which frames are wanted: the current one, `ahead` frames in the direction of travel, then outward on both
 * sides. `direction` is 1 or -1; frames that do not exist are left out.
 */
export function* loadOrder(current: number, count: number, direction: 1 | -1, ahead: number): Generator<number> {
  const exists = (index: number) => index >= 0 && index < count;
  if (exists(current)) {
    yield current;
  }
  for (let step = 1; step <= ahead; step++) {
    const index = current + direction * step;
    if (exists(index)) {
      yield index;
    }
  }
  for (let step = 1; step < count; step++) {
    const forward = current + direction * step;
    if (step > ahead && exists(forward)) {
      yield forward;
    }
    const backward = current - direction * step;
    if (exists(backward)) {
      yield backward;
    }
  }
}
