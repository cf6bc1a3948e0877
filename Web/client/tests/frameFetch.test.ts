import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchFrame, frameAccept, FrameRefusedError, FrameUnreachableError } from '../src/viewer/loading/frameFetch';

let server: Server;
let address: string;
let lastAccept: string | undefined;
const answers: Record<string, (response: ServerResponse) => void> = {
  '/good': (response) => {
    response.writeHead(200, { 'Content-Type': 'application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1', 'Cache-Status': 'platform; hit; detail=disk' });
    response.end(Buffer.from([1, 2, 3]));
  },
  '/problem': (response) => {
    response.writeHead(502, { 'Content-Type': 'application/problem+json' });
    response.end(JSON.stringify({ title: 'Bad gateway', detail: 'The file is damaged.' }));
  },
  '/plain': (response) => {
    response.writeHead(404, { 'Content-Type': 'text/plain' });
    response.end('no');
  },
  '/broken': (response) => {
    response.writeHead(200, { 'Content-Length': '100' });
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  },
  '/never': () => undefined,
};

beforeAll(async () => {
  server = createServer((request, response) => {
    lastAccept = request.headers.accept;
    answers[request.url ?? '']?.(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test('bytes, transfer syntax and tier of a good answer', async () => {
  const frame = await fetchFrame(`${address}/good`, undefined, 'high');
  expect([...new Uint8Array(frame.bytes)]).toEqual([1, 2, 3]);
  expect(frame).toMatchObject({ transferSyntax: '1.2.840.10008.1.2.1', tier: 'disk' });
  expect(lastAccept).toBe(frameAccept);
  expect(frame.startedAt).toBeLessThanOrEqual(frame.headersAt);
  expect(frame.headersAt).toBeLessThanOrEqual(frame.arrivedAt);
});

test('a refusal carries the reason that the service gave', async () => {
  await expect(fetchFrame(`${address}/problem`, undefined, 'auto')).rejects.toThrow(new FrameRefusedError(502, 'The file is damaged. (502)'));
  await expect(fetchFrame(`${address}/plain`, undefined, 'auto')).rejects.toMatchObject({ name: 'FrameRefusedError', status: 404 });
});

test('a connection that ends early, and one that never was, are failures of the network', async () => {
  await expect(fetchFrame(`${address}/broken`, undefined, 'auto')).rejects.toBeInstanceOf(FrameUnreachableError);
  await expect(fetchFrame('http://127.0.0.1:1/', undefined, 'auto')).rejects.toBeInstanceOf(FrameUnreachableError);
});

test('an abort is an abort, no failure', async () => {
  const controller = new AbortController();
  const frame = fetchFrame(`${address}/never`, controller.signal, 'auto');
  setTimeout(() => controller.abort(), 20);
  await expect(frame).rejects.toMatchObject({ name: 'AbortError' });
});
