/** Where a frame came from; the order is the order of distance. */
export const tiers = ['browser', 'memory', 'redis', 'disk', 'object', 'origin'] as const;
export type Tier = (typeof tiers)[number];

/**
 * Reads `Cache-Status` (RFC 9211), as ImageApi writes it: `platform; hit; detail=memory` or
 * `platform; fwd=miss; collapsed; detail="origin pacs1"`. With several caches the last member is the nearest one.
 * Undefined when the header says nothing that we know.
 */
export function tierOf(cacheStatus: string | null | undefined): Tier | undefined {
  if (!cacheStatus) {
    return undefined;
  }
  const nearest = splitOutsideQuotes(cacheStatus, ',').at(-1) ?? '';
  const [, ...parameters] = splitOutsideQuotes(nearest, ';');
  let hit = false;
  let forwarded = false;
  let detail: string | undefined;
  for (const parameter of parameters) {
    const [name, value] = splitOnce(parameter.trim(), '=');
    switch (name.toLowerCase()) {
      case 'hit':
        hit = value !== '?0';
        break;
      case 'fwd':
        forwarded = true;
        break;
      case 'detail':
        detail = value?.replace(/^"|"$/g, '').toLowerCase();
        break;
    }
  }
  const named = detail?.split(/\s/, 1)[0];
  if (named && (tiers as readonly string[]).includes(named)) {
    return named as Tier;
  }
  if (forwarded) {
    return 'origin';
  }
  return hit ? 'memory' : undefined;
}

/**
 * A response from the browser's own cache carries the tier of the answer that was stored; the timing says better: nothing was
 * transferred, or (where the browser asked whether its copy still holds) less than the body.
 */
export function isFromBrowser(timing: Pick<PerformanceResourceTiming, 'transferSize' | 'decodedBodySize' | 'encodedBodySize'>): boolean {
  return timing.transferSize < timing.encodedBodySize || (timing.transferSize === 0 && timing.decodedBodySize > 0);
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\\' && quoted) {
      i++;
    } else if (c === '"') {
      quoted = !quoted;
    } else if (c === separator && !quoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
