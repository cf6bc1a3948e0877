import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Decoder, DecodeRequest } from '../src/viewer/decoding/decoder';
import { InvalidFrameError, type DecodedImage } from '../src/viewer/decoding/pixels';
import { frameAccept, progressiveAccept } from '../src/viewer/loading/frameFetch';
import { PreviewStream } from '../src/viewer/loading/previewStream';
import { SeriesSession, type SeriesSessionOptions } from '../src/viewer/loading/session';
import type { SeriesManifest } from '../src/viewer/manifest';
import { header, noPreview, recordOf } from './previews';

const size = 8; // rows and columns
const raw = '1.2.840.10008.1.2.1';
const version = '00112233445566ff';
const [prefixBytes, wholeBytes] = [40, 400];

/** A service with one series. A frame's progressive stream is wholeBytes of its own number plus the position. */
class Service {
  count = 9;
  readonly asked: { url: string; accept: string | undefined; range: string | undefined }[] = [];
  open = 0;
  mostOpen = 0;
  closedEarly = 0;
  knowsRanges = true;
  /** What the preview answers; default: everything at once. */
  preview: (response: ServerResponse, from: number) => void = (response, from) => response.end(Buffer.concat([header(this.count), ...this.order(from).map((i) => this.record(i))]));
  frame: (index: number, response: ServerResponse) => boolean = () => false;
  #server: Server | undefined;
  address = '';

  async start(): Promise<void> {
    this.#server = createServer((request, response) => this.#answer(request, response));
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
    this.address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  get manifest(): SeriesManifest {
    return {
      version,
      study: '1.2',
      series: '1.2.3',
      preview: `/preview?v=${version}`,
      geometry: { rows: size, columns: size, isVolume: true },
      pixel: { samplesPerPixel: 1, bitsAllocated: 16, bitsStored: 16, highBit: 15, isSigned: false, photometric: 'MONOCHROME2' },
      frames: Array.from({ length: this.count }, (_, i) => ({ instance: `1.2.3.${i}`, frame: 1, url: `/frames/${i}`, transferSyntax: raw })),
    };
  }

  order(from: number): number[] {
    return Array.from({ length: this.count }, (_, i) => i).sort((a, b) => Math.abs(a - from) - Math.abs(b - from) || b - a);
  }

  stream(index: number): Uint8Array {
    return Uint8Array.from({ length: wholeBytes }, (_, i) => (index * 17 + i) & 255);
  }

  record(index: number): Uint8Array {
    return recordOf(index, [10, 20, 30, prefixBytes, 100, wholeBytes], this.stream(index).subarray(0, prefixBytes));
  }

  framesAsked(): string[] {
    return this.asked.filter(({ url }) => url.startsWith('/frames')).map(({ url, range, accept }) => `${url.slice(8)} ${range ?? (accept === frameAccept ? 'as stored' : 'whole')}`);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', this.address);
    const { accept, range } = request.headers;
    this.asked.push({ url: url.pathname + url.search, accept, range });
    this.open++;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.on('close', () => {
      this.open--;
      this.closedEarly += response.writableFinished ? 0 : 1;
    });
    if (url.pathname === '/preview') {
      this.preview(response, Number(url.searchParams.get('from') ?? Math.floor(this.count / 2)));
      return;
    }
    const index = Number(url.pathname.slice(8));
    if (this.frame(index, response)) {
      return;
    }
    if (accept === frameAccept) {
      response.writeHead(200, { 'Content-Type': `application/octet-stream;transfer-syntax=${raw}` }).end(new Uint8Array(size * size * 2).fill(index));
      return;
    }
    const first = this.knowsRanges && range ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    response.writeHead(first > 0 ? 206 : 200, { 'Content-Type': 'image/jphc;transfer-syntax=1.2.840.10008.1.2.4.202' }).end(this.stream(index).subarray(first));
  }
}

/** Gives the bytes as the picture, so that a test sees what was put together. */
const decoder = {
  decode({ bytes, rows, columns, missingLevels = 0, transferSyntax }: DecodeRequest) {
    const isWhole = missingLevels === 0;
    if (transferSyntax !== raw && bytes.byteLength !== (isWhole ? wholeBytes : prefixBytes)) {
      return Promise.reject(new InvalidFrameError('The stream is not whole.'));
    }
    const scale = 2 ** missingLevels;
    const image: DecodedImage = { rows: rows / scale, columns: columns / scale, isColor: false, isInverted: false, min: 0, max: 1, data: new Uint8Array(bytes) };
    return Promise.resolve({ image, ms: 1 });
  },
} as unknown as Decoder;

let service: Service;
let session: SeriesSession | undefined;
beforeEach(async () => {
  service = new Service();
  await service.start();
});
afterEach(() => {
  session?.close();
  session = undefined;
  service.stop();
});

function open(options: Partial<SeriesSessionOptions> = {}): SeriesSession {
  session = new SeriesSession({ manifest: service.manifest, imageApi: service.address, decoder, maxLoads: 6, maxBytes: 10_000_000, ...options });
  session.goTo(session.current);
  return session;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; !isTrue(); i++) {
    if (i > 1000) {
      throw new Error('It never came to that.');
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function expectWhole(opened: SeriesSession): void {
  for (let index = 0; index < service.count; index++) {
    expect([...opened.queue.get(index)!.data]).toEqual([...service.stream(index)]);
  }
}

test('one stream of previews, then the rest of each frame once, from the current one outward', async () => {
  const previews: number[] = [];
  const opened = open({ onPreview: (index) => previews.push(index) });
  await until(() => opened.queue.isIdle);
  expect(service.asked[0]!.url).toBe(`/preview?v=${version}&resolution=1/4&from=4`);
  expect(service.asked.filter(({ url }) => url.startsWith('/preview'))).toHaveLength(1);
  const asked = service.framesAsked();
  expect(asked[0]).toBe(`4 bytes=${prefixBytes}-`);
  expect([...asked].sort()).toEqual(Array.from({ length: 9 }, (_, i) => `${i} bytes=${prefixBytes}-`));
  expect(service.asked.slice(1).every(({ accept }) => accept === progressiveAccept && accept.length < 128)).toBe(true);
  expectWhole(opened);
  expect(previews.length).toBeGreaterThan(0);
  expect(opened.usable).toBe(9);
  expect(opened.usableAt).toBeLessThanOrEqual(opened.completeAt!);
  expect(opened.records.get(4)).toMatchObject({ bytes: wholeBytes - prefixBytes, isLossless: true });
  expect(opened.previewTimes(4)).toMatchObject({ bytes: prefixBytes });
});

test('a preview is shown at full size until the whole frame is here', async () => {
  const rest: (() => void)[] = [];
  service.frame = (index, response) => (rest.push(() => response.writeHead(206).end(service.stream(index).subarray(prefixBytes))), true);
  const opened = open();
  await opened.whenPicture(4);
  expect(opened.picture(4)).toMatchObject({ isPreview: true, image: { rows: size, columns: size } });
  expect(opened.queue.state(4)).toBe('loading');
  await until(() => rest.length > 0);
  rest.forEach((answer) => answer());
  await until(() => opened.queue.state(4) === 'held');
  expect(opened.picture(4)!.isPreview).toBe(false);
});

test('while previews come only the current frame is asked for beside them; then five, then six at once', async () => {
  service.count = 30;
  let finish = (): void => undefined;
  service.preview = (response, from) => {
    const order = service.order(from);
    response.write(Buffer.concat([header(30), ...order.slice(0, 20).map((i) => service.record(i))]));
    finish = () => response.end(Buffer.concat(order.slice(20).map((i) => service.record(i))));
  };
  const opened = open();
  await until(() => opened.usable === 20 && opened.queue.state(15) === 'held');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(service.framesAsked()).toEqual([`15 bytes=${prefixBytes}-`]);
  finish();
  await until(() => opened.queue.isIdle);
  expect(service.mostOpen).toBeLessThanOrEqual(6);
  expectWhole(opened);
});

test('previews that come too slowly are not waited for', async () => {
  service.preview = (response, from) => {
    response.write(Buffer.concat([header(9), ...service.order(from).slice(0, 3).map((i) => service.record(i))]));
  };
  const opened = open();
  await until(() => opened.queue.heldBytes === 3 * wholeBytes); // those whose first bytes are here; the others still come that way
  expect(service.framesAsked().sort()).toEqual([3, 4, 5].map((i) => `${i} bytes=${prefixBytes}-`));
});

test('the frame that the user goes to is asked for at once, whole where its first bytes are not here', async () => {
  service.preview = (response, from) => {
    response.write(Buffer.concat([header(9), ...service.order(from).slice(0, 3).map((i) => service.record(i))]));
  };
  const opened = open();
  await until(() => opened.queue.state(4) === 'held');
  opened.goTo(5);
  opened.goTo(8);
  await until(() => opened.queue.state(8) === 'held');
  expect(service.framesAsked()).toContain('8 whole');
  expect([...opened.queue.get(8)!.data]).toEqual([...service.stream(8)]);
});

test('a server that knows no ranges sends the whole, and that is taken', async () => {
  service.knowsRanges = false;
  const opened = open();
  await until(() => opened.queue.isIdle);
  expect(service.framesAsked()).toHaveLength(9);
  expectWhole(opened);
});

test('a frame without preview comes as stored', async () => {
  service.preview = (response, from) => response.end(Buffer.concat([header(9), ...service.order(from).map((i) => (i % 2 ? noPreview(i) : service.record(i)))]));
  const opened = open();
  await until(() => opened.queue.isIdle);
  expect(service.framesAsked().sort()).toEqual(Array.from({ length: 9 }, (_, i) => (i % 2 ? `${i} as stored` : `${i} bytes=${prefixBytes}-`)));
  expect(opened.records.size).toBe(9);
});

test.each<[string, (response: ServerResponse) => void]>([
  ['is refused', (response) => response.writeHead(404).end()],
  ['is something else', (response) => response.end('<html>')],
  ['breaks off at once', (response) => response.destroy()],
])('a stream that %s leaves the plain road', async (_, preview) => {
  service.preview = preview;
  const opened = open();
  await until(() => opened.queue.isIdle);
  expect(service.framesAsked().sort()).toEqual(Array.from({ length: 9 }, (_, i) => `${i} as stored`));
});

test('what a stream that breaks off has brought is used', async () => {
  service.preview = (response, from) => {
    response.write(Buffer.concat([header(9), ...service.order(from).slice(0, 4).map((i) => service.record(i)), service.record(0).subarray(0, 50)]));
    setTimeout(() => response.destroy(), 30);
  };
  const opened = open();
  await until(() => opened.queue.isIdle);
  const asked = service.framesAsked();
  expect(asked.filter((text) => text.endsWith('-'))).toHaveLength(4);
  expect(asked.filter((text) => text.endsWith('as stored'))).toHaveLength(5);
});

test('a prefix that is not of the frame is dropped, and the frame comes as stored', async () => {
  service.frame = (index, response) => index === 5 && response.req.headers.range !== undefined && (response.writeHead(206).end(new Uint8Array(7)), true);
  const opened = open();
  await until(() => opened.queue.isIdle);
  expect(service.framesAsked().filter((text) => text.startsWith('5'))).toEqual([`5 bytes=${prefixBytes}-`, '5 as stored']);
  expect(opened.queue.get(5)!.data[0]).toBe(5 * 257);
});

test('a range that is refused is no reason to do without the frame', async () => {
  service.frame = (_, response) => response.req.headers.range !== undefined && (response.writeHead(416).end(), true);
  const opened = open();
  await until(() => opened.queue.isIdle);
  expect(opened.records.size).toBe(9);
});

test('a stream that was opened early is used when it is of the same version, and only then', async () => {
  const content = (v: string) => ({ 'Content-Location': `/preview?resolution=1/4&v=${v}` });
  for (const [given, streams] of [
    [version, 1],
    ['ffffffffffffffff', 2],
    [undefined, 2],
  ] as const) {
    service.asked.length = 0;
    service.preview = (response, from) => {
      response.writeHead(200, given && service.asked.length === 1 ? content(given) : {});
      response.end(Buffer.concat([header(9), ...service.order(from).map((i) => service.record(i))]));
    };
    const opened = open({ stream: new PreviewStream(`${service.address}/preview?resolution=1/4`) });
    await until(() => opened.queue.isIdle);
    expect(service.asked.filter(({ url }) => url.startsWith('/preview'))).toHaveLength(streams);
    expectWhole(opened);
    opened.close();
  }
});

test('closing ends the stream and every load', async () => {
  service.preview = (response) => void response.write(Buffer.concat([header(9), service.record(4)]));
  service.frame = () => true; // never answers
  const opened = open();
  await until(() => service.framesAsked().length === 1);
  opened.close();
  await until(() => service.open === 0);
  expect(service.closedEarly).toBe(2);
});

test('previews have a bound of their own; frames beyond it come whole', async () => {
  open({ maxBytes: 6 * 2 * 3 * prefixBytes }); // a sixth is for previews, half of that for prefixes: three of them
  const ranges = () => new Set(service.framesAsked().filter((text) => text.endsWith('-')));
  await until(() => service.framesAsked().some((text) => text.endsWith('whole')) && ranges().size >= 3);
  expect(ranges().size).toBe(3);
  expect(service.framesAsked().some((text) => text.endsWith('as stored'))).toBe(false);
});
