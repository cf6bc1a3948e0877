import { describe, expect, test } from 'vitest';
import { frameAccept, transferSyntaxOf } from '../src/viewer/loading/frameFetch';
import { isFromBrowser, tierOf } from '../src/viewer/loading/tiers';

describe('tierOf', () => {
  test.each([
    ['platform; hit; detail=memory', 'memory'],
    ['platform; hit; detail=disk', 'disk'],
    ['platform; hit; detail=object', 'object'],
    ['platform;hit;detail="redis"', 'redis'],
    ['platform; fwd=miss; collapsed; detail="origin pacs1"', 'origin'],
    ['platform; fwd=stale; fwd-status=304', 'origin'],
    ['platform; hit', 'memory'],
    ['platform; hit; ttl=30; detail=MEMORY', 'memory'],
    ['"edge, west"; fwd=miss, platform; hit; detail=disk', 'disk'],
    ['platform; fwd=miss; detail="origin \\"a; detail=disk\\""', 'origin'],
  ])('%s is %s', (header, tier) => expect(tierOf(header)).toBe(tier));

  test.each([null, undefined, '', 'platform', 'platform; detail=moon', ';;;==,,'])('%s says nothing', (header) => expect(tierOf(header)).toBeUndefined());
});

test('nothing transferred but a body means the browser had it', () => {
  expect(isFromBrowser({ transferSize: 0, encodedBodySize: 524288, decodedBodySize: 524288 })).toBe(true);
  expect(isFromBrowser({ transferSize: 524588, encodedBodySize: 524288, decodedBodySize: 524288 })).toBe(false);
  // "Not modified": the header alone.
  expect(isFromBrowser({ transferSize: 300, encodedBodySize: 524288, decodedBodySize: 524288 })).toBe(true);
  // A cross-origin answer without Timing-Allow-Origin hides all three.
  expect(isFromBrowser({ transferSize: 0, encodedBodySize: 0, decodedBodySize: 0 })).toBe(false);
});

test('the Accept header is CORS-safelisted: no preflight', () => {
  expect(frameAccept.length).toBeLessThan(128);
  expect(frameAccept).not.toMatch(/["(),:<>?@[\\\]{}\x00-\x1f\x7f]/); // Fetch: CORS-unsafe request-header bytes
});

test.each([
  ['application/octet-stream;transfer-syntax=1.2.840.10008.1.2.1', '1.2.840.10008.1.2.1'],
  ['image/jphc; transfer-syntax="1.2.840.10008.1.2.4.201"', '1.2.840.10008.1.2.4.201'],
  ['application/octet-stream', undefined],
  [null, undefined],
])('the transfer syntax of %s', (contentType, expected) => expect(transferSyntaxOf(contentType)).toBe(expected));
