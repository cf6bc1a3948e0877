import type { PixelDescription } from '../manifest';
import type { DecodeRequest } from './decoder';
import { enlarge } from './enlarge';
import { decodeHtj2k } from './htj2k';
import { finish, InvalidFrameError, rawSamples, UnsupportedFrameError, type DecodedImage, type PixelArray } from './pixels';
import { nameRgb, readJpegHeader } from './jpegHeader';
import { decodeRle } from './rle';
import { codecOf, type Codec } from './transferSyntaxes';

/** What the package's decoders take and give back; they differ in which of these they look at. */
interface CodecFrame {
  rows: number;
  columns: number;
  samplesPerPixel: number;
  bitsAllocated: number;
  bitsStored: number;
  pixelRepresentation: 0 | 1;
  planarConfiguration: 0 | 1;
  photometricInterpretation: string;
  signed: boolean;
  bytesPerPixel: number;
  pixelData?: PixelArray;
  /** Bits per sample as the stream says. */
  bitsPerPixel?: number;
}

/** Decodes one frame; each codec is a chunk of its own that comes when a frame first needs it. */
export async function decode({ bytes, transferSyntax, rows, columns, pixel, missingLevels = 0, isEnlarged }: DecodeRequest): Promise<DecodedImage> {
  const codec = codecOf(transferSyntax);
  if (!codec) {
    throw new UnsupportedFrameError(`Transfer syntax ${transferSyntax} cannot be shown.`);
  }
  if (codec === 'raw') {
    return finish(rawSamples(bytes, rows, columns, pixel), rows, columns, pixel, codec);
  }
  if (codec === 'rle') {
    return finish(decodeRle(new Uint8Array(bytes), rows, columns, pixel), rows, columns, pixel, codec);
  }
  if (codec === 'htj2k') {
    const image = await decodeHtj2k(new Uint8Array(bytes), rows, columns, missingLevels);
    const picture = finish(image.samples, image.rows, image.columns, pixel, codec, image.bitsPerSample);
    return isEnlarged ? enlarge(picture, rows, columns, missingLevels) : picture;
  }
  let frame: CodecFrame;
  try {
    frame = await unpack(codec, new Uint8Array(bytes), frameOf(rows, columns, pixel));
  } catch (error) {
    throw error instanceof UnsupportedFrameError ? error : new InvalidFrameError(`The ${codec.toUpperCase()} stream cannot be decoded${messageOf(error)}.`, { cause: error });
  }
  if (!frame.pixelData) {
    throw new InvalidFrameError('The decoder gave no pixels.');
  }
  if (frame.rows !== rows || frame.columns !== columns) {
    throw new InvalidFrameError(`The frame holds ${frame.columns} x ${frame.rows} pixels, not ${columns} x ${rows}.`);
  }
  // The stream's own precision goes before Bits Stored, where the codec tells it: files disagree, and the pixels are in the stream.
  return finish(owned(frame.pixelData), rows, columns, pixel, codec, frame.bitsPerPixel);
}

async function unpack(codec: Exclude<Codec, 'raw' | 'rle' | 'htj2k'>, bytes: Uint8Array, frame: CodecFrame): Promise<CodecFrame> {
  switch (codec) {
    case 'jpeg': {
      const header = readJpegHeader(bytes);
      if (header && header.precision > 8) {
        if (header.components > 1) {
          throw new UnsupportedFrameError('JPEG with more than 8 bits of colour cannot be shown.');
        }
        return (await (await import('@decoders/decodeJPEGBaseline12Bit-js.js')).default(frame as never, bytes as never)) as unknown as CodecFrame;
      }
      const isUnnamedRgb = frame.photometricInterpretation === 'RGB' && header?.components === 3 && !header.namesColors;
      return (await (await import('@decoders/decodeJPEGBaseline8Bit.js')).default((isUnnamedRgb ? nameRgb(bytes) : bytes) as never, frame as never)) as unknown as CodecFrame;
    }
    case 'jpeg-lossless':
      return (await (await import('@decoders/decodeJPEGLossless.js')).default(frame as never, bytes as never)) as unknown as CodecFrame;
    case 'jpeg-ls':
      return (await (await import('@decoders/decodeJPEGLS.js')).default(bytes as never, frame as never)) as unknown as CodecFrame;
    case 'jpeg-2000':
      return (await (await import('@decoders/decodeJPEG2000.js')).default(bytes as never, frame as never)) as unknown as CodecFrame;
    case 'jpeg-xl':
      return (await (await import('@decoders/decodeJPEGXL.js')).default(bytes as never, frame as never)) as unknown as CodecFrame;
  }
}

function frameOf(rows: number, columns: number, pixel: PixelDescription): CodecFrame {
  return {
    rows,
    columns,
    samplesPerPixel: pixel.samplesPerPixel,
    bitsAllocated: pixel.bitsAllocated,
    bitsStored: pixel.bitsStored,
    pixelRepresentation: pixel.isSigned ? 1 : 0,
    planarConfiguration: 0, // what we ask for: every codec then gives interleaved samples
    photometricInterpretation: pixel.photometric,
    signed: pixel.isSigned,
    bytesPerPixel: pixel.bitsAllocated <= 8 ? 1 : 2,
  };
}

/** Most decoders give a view of the codec's own memory, which the next frame overwrites. */
function owned(samples: PixelArray): PixelArray {
  return samples.byteLength === samples.buffer.byteLength ? samples : samples.slice();
}

function messageOf(error: unknown): string {
  return error instanceof Error && error.message ? `: ${error.message}` : '';
}
