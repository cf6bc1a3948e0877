export interface JpegHeader {
  readonly precision: number;
  readonly components: number;
  /** An APP0 "JFIF" or APP14 "Adobe" segment says what the components mean. */
  readonly namesColors: boolean;
}

/** Reads a JPEG stream up to its frame header (ITU-T T.81 B.2.2); undefined when there is none. */
export function readJpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  let namesColors = false;
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) {
    return undefined;
  }
  for (let at = 2; at + 4 <= bytes.length; ) {
    if (bytes[at] !== 0xff) {
      return undefined;
    }
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      return at + 10 <= bytes.length ? { precision: bytes[at + 4]!, components: bytes[at + 9]!, namesColors } : undefined;
    }
    if (marker === 0xda || length < 2) {
      return undefined;
    }
    const text = (count: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 4 + count));
    namesColors ||= (marker === 0xe0 && text(4) === 'JFIF') || (marker === 0xee && text(5) === 'Adobe');
    at += 2 + length;
  }
  return undefined;
}

/**
 * A stream that does not name its colours is taken for YCbCr by decoders. Where DICOM says RGB, an Adobe segment is put in
 * that says so too (transform 0).
 */
export function nameRgb(bytes: Uint8Array): Uint8Array {
  const adobe = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];
  const named = new Uint8Array(bytes.length + adobe.length);
  named.set(bytes.subarray(0, 2));
  named.set(adobe, 2);
  named.set(bytes.subarray(2), 2 + adobe.length);
  return named;
}
