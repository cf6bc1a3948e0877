import type { SeriesEntry } from '../config';
import { manifestUrl, type SeriesManifest } from '../manifest';
import { explain } from './frameFetch';

/** Manifests are small and asked for once per series; a series that was opened opens at once again. */
export class Manifests {
  readonly #imageApi: string;
  readonly #known = new Map<string, Promise<SeriesManifest>>();

  constructor(imageApi: string) {
    this.#imageApi = imageApi;
  }

  get(series: Pick<SeriesEntry, 'uid' | 'manifest'>): Promise<SeriesManifest> {
    const seriesUid = series.uid;
    let known = this.#known.get(seriesUid);
    if (!known) {
      known = fetchManifest(series.manifest ?? manifestUrl(this.#imageApi, seriesUid));
      known.catch(() => this.#known.delete(seriesUid));
      this.#known.set(seriesUid, known);
    }
    return known;
  }
}

async function fetchManifest(url: string): Promise<SeriesManifest> {
  let response: Response;
  try {
    // No headers of our own: the page preloads the first manifest, and the browser matches the two.
    response = await fetch(url, { credentials: 'same-origin' });
  } catch (error) {
    throw new Error('The image service could not be reached. Is it running?', { cause: error });
  }
  if (!response.ok) {
    throw new Error(await explain(response));
  }
  const manifest = (await response.json()) as SeriesManifest;
  return { ...manifest, frames: manifest.frames ?? [] };
}

/** The series of a study by QIDO-RS (PS3.18 10.6), for a page that does not carry them. */
export async function searchSeries(imageApi: string, study: string): Promise<SeriesEntry[]> {
  const response = await fetch(`${imageApi}/dicomweb/studies/${encodeURIComponent(study)}/series`, { headers: { Accept: 'application/dicom+json' } });
  if (!response.ok) {
    throw new Error(await explain(response));
  }
  const found = (response.status === 204 ? [] : await response.json()) as Record<string, { Value?: unknown[] }>[];
  const text = (item: Record<string, { Value?: unknown[] }>, tag: string) => item[tag]?.Value?.[0]?.toString();
  return found
    .map((item) => ({
      uid: text(item, '0020000E') ?? '',
      modality: text(item, '00080060'),
      number: Number(text(item, '00200011') ?? NaN) || null,
      description: text(item, '0008103E'),
      instances: Number(text(item, '00201209') ?? NaN) || undefined,
    }))
    .filter((series) => series.uid !== '')
    .sort((a, b) => (a.number ?? Infinity) - (b.number ?? Infinity));
}
