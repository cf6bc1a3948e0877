import { loadOrder } from './order';

export type FrameState = 'waiting' | 'loading' | 'held' | 'evicted' | 'failed';

export interface FrameQueueOptions<T> {
  readonly count: number;
  readonly maxLoads: number;
  /** Frames ahead of the current one, in the direction of travel, that go before the rest. */
  readonly ahead: number;
  /** Bytes of results held; the farthest from the current frame go first. */
  readonly maxBytes: number;
  /** Of `maxLoads`, how many may be used now; tell of a change with `recheck`. Default: all. */
  readonly slots?: () => number;
  /** Whether a frame may be loaded now; tell of a change with `recheck`. Default: yes. */
  readonly admits?: (index: number) => boolean;
  /** What a frame will take, before it is loaded. */
  readonly estimateBytes: (index: number) => number;
  readonly sizeOf: (value: T) => number;
  /** Loads one frame; rejects with the signal's reason when aborted. */
  readonly load: (index: number, attempt: number, signal: AbortSignal) => Promise<T>;
  /** True when a second try may help: the network failed, not the frame. */
  readonly isTransient: (error: unknown) => boolean;
  readonly onChange?: (index: number, state: FrameState) => void;
}

/**
 * Which frames load, in which order, and which are held. At most `maxLoads` run at once; the current frame goes first and
 * alone until it has arrived, so that nothing competes with the first picture. Scrolling re-orders what waits, and takes
 * the slot of the farthest load when all are busy with other frames. Knows nothing of HTTP, decoding or the screen.
 */
export class FrameQueue<T> {
  readonly #options: FrameQueueOptions<T>;
  readonly #states: FrameState[];
  readonly #errors = new Map<number, Error>();
  readonly #held = new Map<number, T>();
  readonly #loads = new Map<number, AbortController>();
  readonly #waiters = new Map<number, { resolve: (value: T) => void; reject: (error: unknown) => void }[]>();
  #heldBytes = 0;
  #current = 0;
  #direction: 1 | -1 = 1;
  #closed = false;
  #firstArrived = false;

  constructor(options: FrameQueueOptions<T>) {
    this.#options = options;
    this.#states = new Array<FrameState>(options.count).fill('waiting');
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get loading(): number {
    return this.#loads.size;
  }

  /** True when nothing more will load: every frame that fits is held or failed. */
  get isIdle(): boolean {
    return this.#closed || (this.#loads.size === 0 && this.#next(() => true) === undefined);
  }

  state(index: number): FrameState {
    return this.#states[index] ?? 'waiting';
  }

  error(index: number): Error | undefined {
    return this.#errors.get(index);
  }

  get(index: number): T | undefined {
    return this.#held.get(index);
  }

  /** Resolves when the frame is held, now or later; rejects when it fails or the queue is closed. */
  whenHeld(index: number): Promise<T> {
    const held = this.#held.get(index);
    if (held !== undefined) {
      return Promise.resolve(held);
    }
    const failed = this.#errors.get(index);
    if (failed) {
      return Promise.reject(failed);
    }
    if (this.#closed) {
      return Promise.reject(new DOMException('The series was closed.', 'AbortError'));
    }
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(index) ?? [];
      waiters.push({ resolve, reject });
      this.#waiters.set(index, waiters);
    });
  }

  setCurrent(index: number): void {
    if (this.#closed) {
      return;
    }
    if (index !== this.#current) {
      this.#direction = index > this.#current ? 1 : -1;
      this.#current = index;
    }
    this.#makeRoomForCurrent();
    this.#pump();
  }

  /** `slots` or `admits` say something else now. */
  recheck(): void {
    this.#pump();
  }

  /** Tries a failed frame again. */
  retry(index: number): void {
    if (this.#states[index] === 'failed') {
      this.#errors.delete(index);
      this.#set(index, 'waiting');
      this.#pump();
    }
  }

  /** Aborts every load and lets go of every frame. */
  close(): void {
    this.#closed = true;
    for (const load of this.#loads.values()) {
      load.abort();
    }
    for (const waiters of this.#waiters.values()) {
      for (const waiter of waiters) {
        waiter.reject(new DOMException('The series was closed.', 'AbortError'));
      }
    }
    this.#loads.clear();
    this.#waiters.clear();
    this.#held.clear();
    this.#heldBytes = 0;
  }

  #pump(): void {
    while (!this.#closed && this.#loads.size < this.#slots()) {
      const next = this.#next();
      if (next === undefined) {
        return;
      }
      void this.#run(next);
    }
  }

  #slots(): number {
    const { maxLoads, slots } = this.#options;
    return this.#firstArrived ? Math.max(1, Math.min(maxLoads, slots?.() ?? maxLoads)) : 1;
  }

  /** The first frame in order that waits and lies inside what may be held around the current frame. */
  #next(admits = this.#options.admits): number | undefined {
    const { count, ahead, maxBytes, estimateBytes } = this.#options;
    let bytes = 0;
    for (const index of loadOrder(this.#current, count, this.#direction, ahead)) {
      const held = this.#held.get(index);
      bytes += held === undefined ? estimateBytes(index) : this.#options.sizeOf(held);
      if (bytes > maxBytes && index !== this.#current) {
        return undefined;
      }
      const state = this.#states[index];
      if ((state === 'waiting' || state === 'evicted') && (admits?.(index) ?? true)) {
        return index;
      }
    }
    return undefined;
  }

  #makeRoomForCurrent(): void {
    const state = this.#states[this.#current];
    if ((state !== 'waiting' && state !== 'evicted') || this.#loads.size < this.#slots() || !(this.#options.admits?.(this.#current) ?? true)) {
      return;
    }
    const farthest = [...this.#loads.keys()].reduce((a, b) => (this.#distance(a) >= this.#distance(b) ? a : b));
    this.#loads.get(farthest)?.abort();
    this.#loads.delete(farthest);
    this.#set(farthest, 'waiting');
  }

  async #run(index: number): Promise<void> {
    const controller = new AbortController();
    this.#loads.set(index, controller);
    this.#set(index, 'loading');
    for (let attempt = 1; ; attempt++) {
      try {
        const value = await this.#options.load(index, attempt, controller.signal);
        if (this.#loads.get(index) === controller) {
          this.#loads.delete(index);
          this.#keep(index, value);
        }
        break;
      } catch (error) {
        if (this.#loads.get(index) !== controller) {
          break; // aborted: somebody else has the slot
        }
        if (attempt === 1 && this.#options.isTransient(error)) {
          continue;
        }
        this.#loads.delete(index);
        this.#fail(index, error instanceof Error ? error : new Error(String(error)));
        break;
      }
    }
    this.#pump();
  }

  #keep(index: number, value: T): void {
    this.#firstArrived = true;
    this.#held.set(index, value);
    this.#heldBytes += this.#options.sizeOf(value);
    this.#set(index, 'held');
    this.#settle(index, (waiter) => waiter.resolve(value));
    this.#evict();
  }

  #fail(index: number, error: Error): void {
    this.#firstArrived = true;
    this.#errors.set(index, error);
    this.#set(index, 'failed');
    this.#settle(index, (waiter) => waiter.reject(error));
  }

  #evict(): void {
    while (this.#heldBytes > this.#options.maxBytes && this.#held.size > 1) {
      const farthest = [...this.#held.keys()].reduce((a, b) => (this.#distance(a) >= this.#distance(b) ? a : b));
      const value = this.#held.get(farthest);
      if (farthest === this.#current || value === undefined) {
        return;
      }
      this.#held.delete(farthest);
      this.#heldBytes -= this.#options.sizeOf(value);
      this.#set(farthest, 'evicted');
    }
  }

  #settle(index: number, settle: (waiter: { resolve: (value: T) => void; reject: (error: unknown) => void }) => void): void {
    const waiters = this.#waiters.get(index);
    this.#waiters.delete(index);
    waiters?.forEach(settle);
  }

  #set(index: number, state: FrameState): void {
    this.#states[index] = state;
    this.#options.onChange?.(index, state);
  }

  #distance(index: number): number {
    return Math.abs(index - this.#current);
  }
}
