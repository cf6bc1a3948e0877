import createCodec from '@cornerstonejs/codec-openjph/wasmjs';
import codecWasm from '@cornerstonejs/codec-openjph/wasm?url';
import { InvalidFrameError, type PixelArray } from './pixels';
import { reduced } from './reduced';

export interface Htj2kImage {
  readonly rows: number;
  readonly columns: number;
  readonly bitsPerSample: number;
  readonly samples: PixelArray;
}

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned: boolean;
}

/** One decoder for all frames of a worker: what it holds in the codec's memory does not grow with their number. */
let decoder: Promise<OpenJphDecoder> | undefined;

/** Fetches and starts the codec, for a frame that is on its way. */
export async function prepareHtj2k(): Promise<void> {
  await start();
}

/**
 * Decodes an HTJ2K stream (ISO/IEC 15444-15), or the first bytes of one that end with a resolution: `missingLevels` 2 gives a
 * quarter of the rows and columns. `rows` and `columns` are those of the whole frame; a stream of another size is refused
 * before anything is allocated for it.
 */
export async function decodeHtj2k(bytes: Uint8Array, rows: number, columns: number, missingLevels = 0): Promise<Htj2kImage> {
  const codec = await start();
  try {
    return unpack(codec, bytes, rows, columns, missingLevels);
  } catch (error) {
    // A decoder that failed keeps the pixels of the frame before: it is never asked again.
    decoder = undefined;
    codec.delete();
    throw error;
  }
}

function unpack(codec: OpenJphDecoder, bytes: Uint8Array, rows: number, columns: number, missingLevels: number): Htj2kImage {
  codec.getEncodedBuffer(bytes.length).set(bytes);
  codec.readHeader();
  if (!codec.getIsHeaderValid()) {
    throw new InvalidFrameError(`The HTJ2K stream has no valid header: ${codec.getLastErrorMessage()}`);
  }
  const { width, height, bitsPerSample, componentCount, isSigned }: FrameInfo = codec.getFrameInfo();
  if (height !== rows || width !== columns) {
    throw new InvalidFrameError(`The frame holds ${width} x ${height} pixels, not ${columns} x ${rows}.`);
  }
  if (missingLevels > codec.getNumDecompositions()) {
    throw new InvalidFrameError(`The HTJ2K stream has no resolution that is ${missingLevels} smaller.`);
  }
  codec.decodeSubResolution(missingLevels);
  const [outRows, outColumns] = [reduced(rows, missingLevels), reduced(columns, missingLevels)];
  const decoded = codec.getDecodedBuffer();
  const size = outRows * outColumns * componentCount * (bitsPerSample > 8 ? 2 : 1);
  // It says what went wrong, and gives what it had: the pixels of the frame before.
  if (codec.getLastErrorMessage() !== '' || decoded.byteLength !== size) {
    throw new InvalidFrameError(`The HTJ2K stream cannot be decoded: ${codec.getLastErrorMessage() || `${decoded.byteLength} bytes of ${size}`}.`);
  }
  const own = decoded.slice().buffer as ArrayBuffer;
  return { rows: outRows, columns: outColumns, bitsPerSample, samples: samplesOf(own, bitsPerSample, isSigned && componentCount === 1) };
}

function samplesOf(bytes: ArrayBuffer, bitsPerSample: number, isSigned: boolean): PixelArray {
  if (bitsPerSample > 8) {
    return isSigned ? new Int16Array(bytes) : new Uint16Array(bytes);
  }
  return isSigned ? new Int8Array(bytes) : new Uint8Array(bytes);
}

function start(): Promise<OpenJphDecoder> {
  decoder ??= createCodec({ locateFile: (file) => (file.endsWith('.wasm') ? codecWasm : file), print: () => undefined, printErr: () => undefined }).then(
    (codec) => new codec.HTJ2KDecoder(),
    (error: unknown) => {
      decoder = undefined;
      throw error;
    },
  );
  return decoder;
}
