import { mayBeDicom, store, type StoreOutcome } from './stow';

const atOnce = 4;

export interface ImportFile {
  readonly file: File;
  /** Path below what was dropped, for people. */
  readonly path: string;
}

export interface ImportFailure {
  readonly path: string;
  readonly reason: string;
}

/** Where an import stands; bytes count files that are done, however they ended, and what others have sent. */
export interface ImportProgress {
  readonly files: number;
  readonly bytes: number;
  readonly doneFiles: number;
  readonly doneBytes: number;
  readonly storedFiles: number;
  readonly failures: readonly ImportFailure[];
  readonly studies: ReadonlySet<string>;
  /** Bytes per second over the last seconds, 0 before the first. */
  readonly rate: number;
  readonly state: 'running' | 'done' | 'cancelled';
}

/** Stores files a few at a time and keeps count. Files can be added while it runs. */
export class Importer {
  readonly #endpoint: string;
  readonly #onChange: (progress: ImportProgress) => void;
  readonly #cancelled = new AbortController();
  readonly #waiting: ImportFile[] = [];
  readonly #sending = new Map<ImportFile, number>();
  readonly #failures: ImportFailure[] = [];
  readonly #studies = new Set<string>();
  readonly #rate = new RateMeter();
  #files = 0;
  #bytes = 0;
  #doneFiles = 0;
  #doneBytes = 0;
  #storedFiles = 0;

  constructor(endpoint: string, onChange: (progress: ImportProgress) => void) {
    this.#endpoint = endpoint;
    this.#onChange = onChange;
  }

  add(files: readonly ImportFile[]): void {
    for (const file of files) {
      this.#waiting.push(file);
      this.#files += 1;
      this.#bytes += file.file.size;
    }
    while (this.#sending.size < atOnce && this.#waiting.length > 0) {
      this.#startNext();
    }
    this.#report();
  }

  /** Stops at once. What is stored stays stored. */
  cancel(): void {
    this.#waiting.length = 0;
    this.#cancelled.abort();
    this.#report();
  }

  get progress(): ImportProgress {
    const isRunning = this.#sending.size > 0 || this.#waiting.length > 0;
    const sent = [...this.#sending.values()].reduce((sum, bytes) => sum + bytes, 0);
    return {
      files: this.#files,
      bytes: this.#bytes,
      doneFiles: this.#doneFiles,
      doneBytes: this.#doneBytes + sent,
      storedFiles: this.#storedFiles,
      failures: this.#failures,
      studies: this.#studies,
      rate: this.#rate.update(this.#doneBytes + sent, performance.now()),
      state: this.#cancelled.signal.aborted ? 'cancelled' : isRunning ? 'running' : 'done',
    };
  }

  #startNext(): void {
    const next = this.#waiting.shift();
    if (next) {
      this.#sending.set(next, 0);
      void this.#send(next);
    }
  }

  async #send(item: ImportFile): Promise<void> {
    let outcome: StoreOutcome;
    try {
      outcome = (await mayBeDicom(item.file))
        ? await store(this.#endpoint, item.file, (bytes) => this.#sent(item, bytes), this.#cancelled.signal)
        : { stored: false, reason: 'Not a DICOM file', isFatal: false };
    } catch {
      // Cancelled, or the file went away since it was dropped.
      outcome = { stored: false, reason: 'The file could not be read', isFatal: false };
    }
    this.#sending.delete(item);
    if (this.#cancelled.signal.aborted) {
      return;
    }
    this.#finish(item, outcome);
    this.#startNext();
    this.#report();
  }

  #sent(item: ImportFile, bytes: number): void {
    this.#sending.set(item, bytes);
    this.#report();
  }

  #finish(item: ImportFile, outcome: StoreOutcome): void {
    this.#doneFiles += 1;
    this.#doneBytes += item.file.size;
    if (outcome.stored) {
      this.#storedFiles += 1;
      if (outcome.study) {
        this.#studies.add(outcome.study);
      }
      return;
    }
    this.#failures.push({ path: item.path, reason: outcome.reason });
    if (outcome.isFatal) {
      for (const { file, path } of this.#waiting.splice(0)) {
        this.#doneFiles += 1;
        this.#doneBytes += file.size;
        this.#failures.push({ path, reason: outcome.reason });
      }
    }
  }

  #report(): void {
    this.#onChange(this.progress);
  }
}

/** Bytes per second over a sliding window of some seconds. */
export class RateMeter {
  static readonly #window = 4_000; // ms
  readonly #samples: { at: number; bytes: number }[] = [];

  update(bytes: number, at: number): number {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[1]?.at ?? at) > RateMeter.#window) {
      this.#samples.shift();
    }
    const oldest = this.#samples[0];
    const elapsed = oldest ? at - oldest.at : 0;
    return oldest && elapsed > 0 ? ((bytes - oldest.bytes) * 1000) / elapsed : 0;
  }
}
