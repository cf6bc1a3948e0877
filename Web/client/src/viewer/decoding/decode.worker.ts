import type { DecodeAnswer, DecodeRequest } from './decoder';
import { decode } from './decode';

// One request at a time per worker: the pool in decoder.ts hands out work only to idle ones.
addEventListener('message', (event: MessageEvent<DecodeRequest>) => {
  void answer(event.data);
});

async function answer(request: DecodeRequest): Promise<void> {
  const started = performance.now();
  try {
    const image = await decode(request);
    const reply: DecodeAnswer = { image, ms: performance.now() - started };
    postMessage(reply, { transfer: [image.data.buffer as ArrayBuffer] });
  } catch (error) {
    const reply: DecodeAnswer = {
      error: { name: error instanceof Error ? error.name : 'Error', message: error instanceof Error ? error.message : String(error) },
      ms: performance.now() - started,
    };
    postMessage(reply);
  }
}
