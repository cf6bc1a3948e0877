import { describe, expect, test } from 'vitest';
import { PreviewBrokenError, PreviewParser, type PreviewRecord } from '../src/viewer/loading/previewParser';
import { header, noPreview, record, stream } from './previews';

function parse(bytes: Uint8Array, frames: number, chunk = bytes.length): PreviewRecord[] {
  const parser = new PreviewParser(frames);
  const records: PreviewRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    records.push(...parser.push(bytes.subarray(at, at + chunk)));
  }
  parser.end();
  return records;
}

const three = stream(3, record(1, [10, 20, 100], 20), noPreview(2), record(0, [5, 9, 30, 80], 9));

test.each([1, 2, 3, 7, 16, 17, 1000])('records come whole from chunks of %i bytes', (chunk) => {
  const records = parse(three, 3, chunk);
  expect(records.map(({ index }) => index)).toEqual([1, 2, 0]);
  expect(records[0]!.prefix).toMatchObject({ length: 100, missingLevels: 1 });
  expect([...records[0]!.prefix!.bytes]).toEqual(Array.from({ length: 20 }, (_, i) => (1 * 31 + i) & 255));
  expect(records[1]!.prefix).toBeUndefined();
  expect(records[2]!.prefix).toMatchObject({ length: 80, missingLevels: 2 });
});

test('a record is there as soon as its last byte is', () => {
  const parser = new PreviewParser(3);
  const first = three.length - record(0, [5, 9, 30, 80], 9).length;
  expect([...parser.push(three.subarray(0, first - 1))].map((r) => r.index)).toEqual([1]);
  expect([...parser.push(three.subarray(first - 1, first))].map((r) => r.index)).toEqual([2]);
  expect(parser.isComplete).toBe(false);
  expect([...parser.push(three.subarray(first))].map((r) => r.index)).toEqual([0]);
  expect(parser.isComplete).toBe(true);
});

test('a whole stream can be its own prefix, and a series can be empty', () => {
  expect(parse(stream(1, record(0, [7], 7)), 1)[0]!.prefix).toMatchObject({ length: 7, missingLevels: 0 });
  expect(parse(stream(0), 0)).toEqual([]);
});

describe('refused', () => {
  const bad: Record<string, Uint8Array> = {
    'another format': Uint8Array.from([0x50, 0x4c, 0x50, 0x58, ...header(1).subarray(4)]),
    'another version': header(1, 2),
    'another number of frames': header(2),
    'a frame beyond the last': stream(1, record(1, [5], 5)),
    'an unknown kind': stream(1, record(0, [5], 5, 7)),
    'more resolutions than can be': stream(1, record(0, Array.from({ length: 34 }, (_, i) => i + 1), 1)),
    'no resolutions': stream(1, record(0, [], 0)),
    'resolutions that go back': stream(1, record(0, [9, 5, 20], 9)),
    'a last resolution that is not the end': stream(1, record(0, [5, 20], 5, 1, 30)),
    'a prefix within a resolution': stream(1, record(0, [5, 20], 6)),
    'an empty prefix': stream(1, record(0, [5, 20], 0)),
    'a prefix of 4 GB': stream(1, record(0, [0xffffffff], 0xffffffff, 1, 0xffffffff, 0)),
    'a prefix of 1 GB': stream(1, record(0, [1 << 30], 1 << 30, 1, 1 << 30, 0)),
    'bytes of a frame without preview': stream(1, record(0, [5], 5, 0)),
    'bytes behind the last frame': stream(1, record(0, [5], 5), Uint8Array.of(1)),
    'an early end': three.subarray(0, three.length - 1),
    'an end in the header': header(1).subarray(0, 15),
    nothing: new Uint8Array(0),
  };
  test.each(Object.entries(bad))('%s', (_, bytes) => {
    expect(() => parse(bytes, 1)).toThrow(PreviewBrokenError);
    expect(() => parse(bytes, 1, 1)).toThrow(PreviewBrokenError);
  });

  test('the same frame twice', () => expect(() => parse(stream(2, record(0, [5], 5), record(0, [5], 5)), 2)).toThrow(PreviewBrokenError));

  test('any flipped bit or cut gives records that were sent, or is refused', () => {
    for (let at = 0; at < 60; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bytes = three.slice();
        bytes[at]! ^= 1 << bit;
        try {
          expect(parse(bytes, 3).length).toBe(3);
        } catch (error) {
          expect(error).toBeInstanceOf(PreviewBrokenError);
        }
      }
    }
  });
});
