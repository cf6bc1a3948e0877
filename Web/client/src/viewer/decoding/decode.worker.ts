import type { DecodeAnswer, DecodeRequest, PrepareRequest } from './decoder';
import { decode } from './decode';
import { prepareHtj2k } from './htj2k';

// One request at a time per worker: the pool in decoder.ts hands out work only to idle ones.
addEventListener('message', ({ data }: MessageEvent<DecodeRequest | PrepareRequest>) => {
  if ('prepare' in data) {
    prepareHtj2k().catch(() => undefined); // what fails here fails again, and says so, when a frame needs it
  } else {
    void answer(data);
  }
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
