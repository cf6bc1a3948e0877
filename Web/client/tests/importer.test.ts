import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Importer, RateMeter, type ImportProgress } from '../src/studies/importer';

/** A browser's XMLHttpRequest as far as the import uses it; a test ends each request by hand. */
class FakeRequest {
  static sent: FakeRequest[] = [];
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onloadend: () => void = () => undefined;
  status = 0;
  responseText = '';
  aborted = false;
  open(): void {}
  setRequestHeader(): void {}
  send(): void {
    FakeRequest.sent.push(this);
  }
  abort(): void {
    this.aborted = true;
    this.onloadend();
  }
  answer(status: number, text = '{}'): void {
    this.status = status;
    this.responseText = text;
    this.onloadend();
  }
}

const dicom = (name: string, size = 1000) => {
  const data = new Uint8Array(size);
  data.set([0x44, 0x49, 0x43, 0x4d], 128);
  return { file: new File([data], name), path: name };
};

let latest: ImportProgress;
const importer = () => new Importer('http://images/dicomweb/studies', (progress) => (latest = progress));
const sent = (count: number) => vi.waitFor(() => expect(FakeRequest.sent).toHaveLength(count));

beforeEach(() => {
  FakeRequest.sent = [];
  vi.stubGlobal('XMLHttpRequest', FakeRequest);
});

afterEach(() => vi.unstubAllGlobals());

describe('Importer', () => {
  test('sends four at once and the rest as they end', async () => {
    importer().add(Array.from({ length: 6 }, (_, i) => dicom(`${i}`)));
    await sent(4);
    FakeRequest.sent[0]?.answer(200);
    await sent(5);
    expect(latest).toMatchObject({ state: 'running', files: 6, doneFiles: 1, storedFiles: 1, bytes: 6000 });
  });

  test('counts what is stored, what is not, and why', async () => {
    importer().add([dicom('a'), dicom('b'), { file: new File(['text'], 'c'), path: 'c' }]);
    await sent(2);
    FakeRequest.sent[0]?.answer(200);
    FakeRequest.sent[1]?.answer(409, '{"00081198":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[49152]}}]}}');
    await vi.waitFor(() => expect(latest.state).toBe('done'));
    expect(latest).toMatchObject({ doneFiles: 3, storedFiles: 1 });
    expect(latest.failures).toEqual([
      { path: 'c', reason: 'Not a DICOM file' },
      { path: 'b', reason: 'Not a readable DICOM file' },
    ]);
  });

  test('bytes on their way count', async () => {
    importer().add([dicom('a', 5000)]);
    await sent(1);
    FakeRequest.sent[0]?.upload.onprogress?.({ loaded: 3000 });
    expect(latest.doneBytes).toBe(3000);
    FakeRequest.sent[0]?.upload.onprogress?.({ loaded: 5100 }); // the multipart's own bytes are no file's
    expect(latest.doneBytes).toBe(5000);
  });

  test('a full disk ends it: nothing more is sent, everything is accounted for', async () => {
    importer().add(Array.from({ length: 10 }, (_, i) => dicom(`${i}`)));
    await sent(4);
    for (const request of FakeRequest.sent) {
      request.answer(507, '{"detail":"The disk is full."}');
    }
    await vi.waitFor(() => expect(latest.state).toBe('done'));
    expect(FakeRequest.sent).toHaveLength(4);
    expect(latest.failures).toHaveLength(10);
    expect(latest).toMatchObject({ doneFiles: 10, doneBytes: 10_000, storedFiles: 0 });
  });

  test('cancelling aborts what is on its way and sends nothing more', async () => {
    const running = importer();
    running.add(Array.from({ length: 10 }, (_, i) => dicom(`${i}`)));
    await sent(4);
    FakeRequest.sent[0]?.answer(200);
    await sent(5);
    running.cancel();
    expect(FakeRequest.sent.filter((request) => request.aborted)).toHaveLength(4);
    await Promise.resolve();
    expect(FakeRequest.sent).toHaveLength(5);
    expect(latest).toMatchObject({ state: 'cancelled', storedFiles: 1 });
  });

  test('files can be added while it runs', async () => {
    const running = importer();
    running.add([dicom('a')]);
    await sent(1);
    running.add([dicom('b')]);
    await sent(2);
    FakeRequest.sent.forEach((request) => request.answer(200));
    await vi.waitFor(() => expect(latest).toMatchObject({ state: 'done', files: 2, storedFiles: 2 }));
  });
});

describe('RateMeter', () => {
  test('bytes per second over the last seconds', () => {
    const meter = new RateMeter();
    expect(meter.update(0, 0)).toBe(0);
    expect(meter.update(1_000_000, 1000)).toBe(1_000_000);
    for (let second = 2; second <= 20; second++) {
      meter.update(1_000_000, 1000 * second);
    }
    expect(meter.update(1_000_000, 21_000)).toBe(0); // nothing for longer than the window
  });
});
