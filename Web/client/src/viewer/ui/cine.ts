const framesPerSecond = 15;

export interface CineOptions {
  /** Goes to the next frame; false when there is nothing to play. */
  readonly next: () => boolean;
  readonly onChange: (isPlaying: boolean) => void;
}

/** Plays the stack at a steady pace; a frame that is not there yet is waited for. */
export class Cine {
  readonly #options: CineOptions;
  #handle: number | undefined;
  #last = 0;

  constructor(options: CineOptions) {
    this.#options = options;
  }

  toggle(): void {
    if (this.#handle === undefined) {
      this.#last = performance.now();
      this.#handle = requestAnimationFrame((time) => this.#tick(time));
      this.#options.onChange(true);
    } else {
      this.stop();
    }
  }

  stop(): void {
    if (this.#handle !== undefined) {
      cancelAnimationFrame(this.#handle);
      this.#handle = undefined;
      this.#options.onChange(false);
    }
  }

  #tick(time: number): void {
    const interval = 1000 / framesPerSecond;
    if (time - this.#last >= interval - 2) {
      this.#last = Math.max(this.#last + interval, time - interval);
      if (!this.#options.next()) {
        this.stop();
        return;
      }
    }
    this.#handle = requestAnimationFrame((next) => this.#tick(next));
  }
}
