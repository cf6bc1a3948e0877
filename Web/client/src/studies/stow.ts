// Storing one file in ImageApi (STOW-RS, PS3.18 10.5). One instance per request: an answer then speaks of one file,
// and a file that fails takes no other with it.

export type StoreOutcome =
  | { stored: true; study: string | undefined }
  | { stored: false; reason: string; /** Every other file would fail the same way. */ isFatal: boolean };

const boundary = 'platform-import';
const magicOffset = 128;

/** The body as parts that the browser reads from the disk while it sends them. */
export function multipart(file: Blob): Blob {
  const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
  const tail = `\r\n--${boundary}--\r\n`;
  return new Blob([head, file, tail]);
}

export const multipartType = `multipart/related; type="application/dicom"; boundary=${boundary}`;

/**
 * Whether a file may be DICOM, from its first bytes: the magic of PS3.10 7.1, or a data set that begins right away
 * with group 0002 or 0008 (little or big endian), as older devices write. Anything else is not worth sending.
 */
export async function mayBeDicom(file: Blob): Promise<boolean> {
  const bytes = new Uint8Array(await file.slice(0, magicOffset + 4).arrayBuffer());
  if (bytes.length >= magicOffset + 4 && String.fromCharCode(...bytes.subarray(magicOffset)) === 'DICM') {
    return true;
  }
  const [first, second, third, fourth] = bytes;
  return bytes.length >= 8 && ((second === 0 && (first === 2 || first === 8) && fourth === 0) || (first === 0 && second === 8 && third === 0));
}

/** Sends a file; `onProgress` hears how many bytes are on their way. Rejects only with the signal's reason. */
export function store(endpoint: string, file: Blob, onProgress: (bytes: number) => void, signal: AbortSignal): Promise<StoreOutcome> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest(); // fetch tells nothing of what it has sent
    const abort = () => {
      request.abort();
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    request.open('POST', endpoint);
    request.setRequestHeader('Content-Type', multipartType);
    request.setRequestHeader('Accept', 'application/dicom+json');
    request.upload.onprogress = (event) => onProgress(Math.min(event.loaded, file.size));
    request.onloadend = () => {
      signal.removeEventListener('abort', abort);
      if (!signal.aborted) {
        resolve(readAnswer(request.status, request.responseText));
      }
    };
    request.send(multipart(file));
  });
}

/** What an answer says of its one file (PS3.18 10.5.3). */
export function readAnswer(status: number, text: string): StoreOutcome {
  const answer = parse(text);
  if (status === 200) {
    return { stored: true, study: studyOf(answer) };
  }
  const failed = items(answer, '00081198')[0];
  const reason =
    (failed && failureReason(first(failed, '00081197'))) ??
    problem(answer) ??
    (status === 0 ? 'The image server cannot be reached' : `The image server answered ${status}`);
  return { stored: false, reason, isFatal: status === 507 || status === 401 || status === 403 };
}

type Json = Record<string, unknown>;

function parse(text: string): Json {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? ((Array.isArray(parsed) ? parsed[0] : parsed) as Json) : {};
  } catch {
    return {};
  }
}

function items(dataset: Json | undefined, tag: string): Json[] {
  const value = (dataset?.[tag] as { Value?: unknown } | undefined)?.Value;
  return Array.isArray(value) ? (value as Json[]) : [];
}

function first(dataset: Json, tag: string): unknown {
  return items(dataset, tag)[0];
}

function studyOf(answer: Json): string | undefined {
  const stored = items(answer, '00081199')[0];
  const address = first(answer, '00081190') ?? (stored && first(stored, '00081190'));
  return typeof address === 'string' ? /\/studies\/([0-9.]+)/.exec(address)?.[1] : undefined;
}

/** RFC 9457. */
function problem(answer: Json): string | undefined {
  const text = answer['detail'] ?? answer['title'];
  return typeof text === 'string' && text.length > 0 ? text : undefined;
}

/** Failure Reason (0008,1197): PS3.4 B.2.3 and GG.4-1. */
function failureReason(code: unknown): string | undefined {
  if (typeof code !== 'number') {
    return undefined;
  }
  const known: Record<number, string> = {
    0x0110: 'The image server failed to process it',
    0x0111: 'Already stored with other content',
    0x0112: 'The instance is not known',
    0x0117: 'An identifier in the file is not valid',
    0x0122: 'Objects of this class are not supported',
    0x0124: 'Not allowed',
    0xa700: 'The image server is out of space',
    0xa900: 'Its identifiers do not match its class',
    0xc000: 'Not a readable DICOM file',
  };
  const family = code >= 0xa700 && code <= 0xa7ff ? 0xa700 : code >= 0xa900 && code <= 0xa9ff ? 0xa900 : code >= 0xc000 && code <= 0xcfff ? 0xc000 : code;
  return known[code] ?? known[family] ?? `Refused (${code.toString(16).padStart(4, '0')})`;
}
