import { createRequire } from 'node:module';
import createCodec from '@cornerstonejs/codec-openjph/wasmjs';

export const wasmPath = createRequire(import.meta.url).resolve('@cornerstonejs/codec-openjph/wasm');

export interface Htj2kStream {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each resolution ends, smallest first. */
  readonly ends: readonly number[];
}

interface Encoder {
  getDecodedBuffer(frame: object): Uint8Array;
  setQuality(reversible: boolean, step: number): void;
  setDecompositions(count: number): void;
  setProgressionOrder(order: number): void;
  setTilePartDivisionsAtResolutions(on: boolean): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
  delete(): void;
}

/** Lossless HTJ2K in RPCL order with a tile-part per resolution, as the service sends it; made by OpenJPH. */
export async function encodeHtj2k(samples: Int16Array, rows: number, columns: number): Promise<Htj2kStream> {
  const codec = (await createCodec({})) as unknown as { HTJ2KEncoder: new () => Encoder };
  const encoder = new codec.HTJ2KEncoder();
  encoder
    .getDecodedBuffer({ width: columns, height: rows, bitsPerSample: 16, componentCount: 1, isSigned: true, isUsingColorTransform: false })
    .set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  encoder.setQuality(true, 0);
  encoder.setDecompositions(5);
  encoder.setProgressionOrder(2);
  encoder.setTilePartDivisionsAtResolutions(true);
  encoder.encode();
  const bytes = Uint8Array.from(encoder.getEncodedBuffer());
  encoder.delete();
  return { bytes, ends: tilePartEnds(bytes) };
}

/** ISO/IEC 15444-1 A.4.2: Psot is the length of a tile-part from its SOT marker. */
function tilePartEnds(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ends: number[] = [];
  for (let at = 2; at + 4 < bytes.length; ) {
    const isTilePart = view.getUint16(at) === 0xff90;
    at += isTilePart ? view.getUint32(at + 6) : 2 + view.getUint16(at + 2);
    if (isTilePart) {
      ends.push(at);
    }
  }
  ends[ends.length - 1] = bytes.length;
  return ends;
}
