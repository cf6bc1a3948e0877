/** Builds preview streams, byte by byte as the service sends them. */

export function header(frames: number, version = 1): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0x50, 0x4c, 0x50, 0x56]);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, version, true);
  view.setUint32(8, frames, true);
  return bytes;
}

/** A frame with `prefix` bytes: its index times 31, then one more each. */
export function record(index: number, ends: readonly number[], prefix: number, kind = 1, length = ends.at(-1) ?? 0, sent = prefix): Uint8Array {
  const body = Uint8Array.from({ length: sent }, (_, i) => (index * 31 + i) & 255);
  return join(recordHead(index, kind, ends, length, prefix), body);
}

export function recordOf(index: number, ends: readonly number[], prefix: Uint8Array): Uint8Array {
  return join(recordHead(index, 1, ends, ends.at(-1) ?? 0, prefix.length), prefix);
}

export function noPreview(index: number): Uint8Array {
  return recordHead(index, 0, [], 0, 0);
}

export function stream(frames: number, ...parts: Uint8Array[]): Uint8Array {
  return join(header(frames), ...parts);
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function recordHead(index: number, kind: number, ends: readonly number[], length: number, prefix: number): Uint8Array {
  const bytes = new Uint8Array(12 + 4 * ends.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, index, true);
  bytes[4] = kind;
  bytes[5] = ends.length;
  view.setUint32(8, length, true);
  ends.forEach((end, i) => view.setUint32(12 + 4 * i, end, true));
  view.setUint32(12 + 4 * ends.length, prefix, true);
  return bytes;
}
