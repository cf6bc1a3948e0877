import { describe, expect, test } from 'vitest';
import { FrameQueue, type FrameQueueOptions } from '../src/viewer/loading/frameQueue';

/** Loads that the test ends by hand, in the order in which the queue asked for them. */
class Loads {
  readonly started: number[] = [];
  readonly attempts: number[] = [];
  readonly aborted: number[] = [];
  readonly #open = new Map<number, { resolve: (value: number) => void; reject: (error: unknown) => void }>();

  readonly load = (index: number, attempt: number, signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      this.started.push(index);
      this.attempts.push(attempt);
      this.#open.set(index, { resolve, reject });
      signal.addEventListener('abort', () => {
        this.aborted.push(index);
        this.#open.delete(index);
        reject(signal.reason);
      });
    });

  get open(): number[] {
    return [...this.#open.keys()];
  }

  async finish(index: number, bytes = 1): Promise<void> {
    const load = this.#open.get(index);
    this.#open.delete(index);
    load?.resolve(bytes);
    await settle();
  }

  async fail(index: number, error: Error): Promise<void> {
    const load = this.#open.get(index);
    this.#open.delete(index);
    load?.reject(error);
    await settle();
  }
}

class NetworkError extends Error {}
const settle = () => new Promise((resolve) => setTimeout(resolve));

function queueOf(count: number, loads: Loads, options: Partial<FrameQueueOptions<number>> = {}): FrameQueue<number> {
  return new FrameQueue<number>({
    count,
    maxLoads: 6,
    ahead: 3,
    maxBytes: 1_000_000,
    estimateBytes: () => 1,
    sizeOf: (value) => value,
    load: loads.load,
    isTransient: (error) => error instanceof NetworkError,
    ...options,
  });
}

describe('order', () => {
  test('the first frame loads alone, then six at once, three ahead first', async () => {
    const loads = new Loads();
    const queue = queueOf(20, loads);
    queue.setCurrent(10);
    expect(loads.started).toEqual([10]);
    await loads.finish(10);
    expect(loads.started).toEqual([10, 11, 12, 13, 9, 8, 7]);
    expect(queue.loading).toBe(6);
  });

  test('scrolling re-orders what waits', async () => {
    const loads = new Loads();
    const queue = queueOf(40, loads, { maxLoads: 2 });
    queue.setCurrent(0);
    await loads.finish(0);
    queue.setCurrent(30);
    await loads.finish(30);
    await loads.finish(31);
    expect(loads.started.slice(3)).toEqual([30, 31, 32]);
  });

  test('a jump takes the slot of the farthest load, and that frame waits again', async () => {
    const loads = new Loads();
    const queue = queueOf(100, loads, { maxLoads: 3 });
    queue.setCurrent(0);
    await loads.finish(0);
    expect(loads.open).toEqual([1, 2, 3]);
    queue.setCurrent(90);
    expect(loads.aborted).toEqual([1]);
    expect(queue.state(1)).toBe('waiting');
    expect(queue.state(90)).toBe('loading');
    expect(queue.loading).toBe(3);
  });

  test('a jump to a frame that is loading or held aborts nothing', async () => {
    const loads = new Loads();
    const queue = queueOf(100, loads, { maxLoads: 3 });
    queue.setCurrent(0);
    await loads.finish(0);
    queue.setCurrent(3);
    queue.setCurrent(0);
    expect(loads.aborted).toEqual([]);
  });

  test('never more loads than allowed, and every frame in the end', async () => {
    const loads = new Loads();
    const queue = queueOf(50, loads);
    queue.setCurrent(25);
    let most = 0;
    while (!queue.isIdle) {
      most = Math.max(most, queue.loading);
      await loads.finish(loads.open[0]!);
    }
    expect(most).toBe(6);
    expect(new Set(loads.started).size).toBe(50);
    expect(loads.started).toHaveLength(50);
  });
});

describe('abort', () => {
  test('closing aborts every load, rejects who waits and starts nothing more', async () => {
    const loads = new Loads();
    const queue = queueOf(20, loads);
    queue.setCurrent(0);
    await loads.finish(0);
    const waiting = queue.whenHeld(15);
    queue.close();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await settle();
    expect(loads.aborted.sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(queue.heldBytes).toBe(0);
    queue.setCurrent(9);
    expect(loads.started).not.toContain(9);
  });

  test('a load that ends after its abort changes nothing', async () => {
    const slow: ((value: number) => void)[] = [];
    const queue = queueOf(3, new Loads(), { load: () => new Promise<number>((resolve) => slow.push(resolve)) });
    queue.setCurrent(0);
    queue.close();
    slow.forEach((resolve) => resolve(1));
    await settle();
    expect(queue.get(0)).toBeUndefined();
    expect(queue.heldBytes).toBe(0);
  });
});

describe('failure', () => {
  test('a network failure is tried once more', async () => {
    const loads = new Loads();
    const queue = queueOf(1, loads);
    queue.setCurrent(0);
    await loads.fail(0, new NetworkError('gone'));
    expect(loads.attempts).toEqual([1, 2]);
    await loads.finish(0);
    expect(queue.state(0)).toBe('held');
  });

  test('a second network failure fails the frame, and the rest goes on', async () => {
    const loads = new Loads();
    const queue = queueOf(3, loads);
    queue.setCurrent(0);
    const waiting = expect(queue.whenHeld(0)).rejects.toThrow('gone again');
    await loads.fail(0, new NetworkError('gone'));
    await loads.fail(0, new NetworkError('gone again'));
    await waiting;
    expect(queue.state(0)).toBe('failed');
    expect(queue.error(0)?.message).toBe('gone again');
    expect(loads.open).toEqual([1, 2]);
  });

  test('a refused frame is not tried again until asked to', async () => {
    const loads = new Loads();
    const queue = queueOf(1, loads);
    queue.setCurrent(0);
    await loads.fail(0, new Error('404'));
    expect(loads.attempts).toEqual([1]);
    queue.retry(0);
    expect(loads.attempts).toEqual([1, 1]);
    await loads.finish(0);
    expect(queue.state(0)).toBe('held');
    expect(queue.error(0)).toBeUndefined();
  });
});

describe('memory', () => {
  test('only what fits around the current frame is loaded', async () => {
    const loads = new Loads();
    const queue = queueOf(100, loads, { maxBytes: 10 });
    queue.setCurrent(50);
    while (!queue.isIdle) {
      await loads.finish(loads.open[0]!);
    }
    expect(queue.heldBytes).toBe(10);
    expect(loads.started).toHaveLength(10);
    expect(Math.max(...loads.started.map((i) => Math.abs(i - 50)))).toBeLessThanOrEqual(6);
  });

  test('the farthest frame goes first, and comes back when scrolled to', async () => {
    const loads = new Loads();
    const changes: string[] = [];
    const queue = queueOf(100, loads, { maxBytes: 10, onChange: (index, state) => changes.push(`${index} ${state}`) });
    queue.setCurrent(0);
    while (!queue.isIdle) {
      await loads.finish(loads.open[0]!);
    }
    queue.setCurrent(20);
    while (!queue.isIdle) {
      await loads.finish(loads.open[0]!);
    }
    expect(queue.state(0)).toBe('evicted');
    expect(queue.state(20)).toBe('held');
    expect(queue.heldBytes).toBeLessThanOrEqual(10);
    expect(changes).toContain('0 evicted');
    queue.setCurrent(0);
    expect(queue.state(0)).toBe('loading');
  });

  test('the current frame is held even when it alone is too large', async () => {
    const loads = new Loads();
    const queue = queueOf(3, loads, { maxBytes: 10, estimateBytes: () => 50 });
    queue.setCurrent(1);
    await loads.finish(1, 50);
    expect(queue.get(1)).toBe(50);
    expect(queue.isIdle).toBe(true);
  });
});
