/** What the image server says when it refuses, in words for people. */
export class PictureError extends Error {}

const words: Record<number, string> = {
  403: 'The image server does not take pictures from this page.',
  404: 'The picture is not there any more. Somebody may have deleted it.',
  412: 'Somebody changed this picture meanwhile. Look at it again before you change it.',
  413: 'The file is larger than the image server takes.',
  415: 'Only JPEG, PNG and GIF pictures are taken.',
  503: 'The image server is busy. Try again in a moment.',
  507: 'The image server has no room left.',
};

/** Why a request failed. The server's own sentence where it has one, because it knows what was wrong with the file. */
export function reasonOf(status: number, body: string): string {
  if (status === 0) {
    return 'The image server cannot be reached.';
  }
  const known = words[status];
  if (status === 422 || status === 415 || status === 413) {
    try {
      const detail = (JSON.parse(body) as { detail?: unknown }).detail;
      if (typeof detail === 'string' && detail.length > 0) {
        return detail;
      }
    } catch {
      // Not a problem document: something between us and the server answered.
    }
  }
  return known ?? `The image server answered ${status}.`;
}

/** Sends a file and tells how far it is, which fetch cannot. */
export function send(method: 'POST' | 'PUT', url: string, file: File, options: { headers?: Record<string, string>; signal?: AbortSignal; onProgress?: (share: number) => void } = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append('file', file, file.name);
    request.open(method, url);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    request.upload.addEventListener('progress', (event) => event.lengthComputable && options.onProgress?.(event.loaded / event.total));
    request.addEventListener('load', () => (request.status >= 200 && request.status < 300 ? resolve() : reject(new PictureError(reasonOf(request.status, request.responseText)))));
    request.addEventListener('error', () => reject(new PictureError(reasonOf(0, ''))));
    request.addEventListener('abort', () => reject(new PictureError('Cancelled.')));
    options.signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}

/** Deletes the version of a picture that somebody looked at. */
export async function remove(url: string, version: string): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(url, { method: 'DELETE', headers: { 'If-Match': `"${version}"` } });
  } catch {
    throw new PictureError(reasonOf(0, ''));
  }
  if (!answer.ok) {
    throw new PictureError(reasonOf(answer.status, await answer.text()));
  }
}
