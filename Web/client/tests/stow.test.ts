import { describe, expect, test } from 'vitest';
import { mayBeDicom, multipart, multipartType, readAnswer } from '../src/studies/stow';

const dicomJson = (failures: number[], stored = 0, retrieve?: string) =>
  JSON.stringify({
    ...(retrieve ? { '00081190': { vr: 'UR', Value: [retrieve] } } : {}),
    ...(failures.length ? { '00081198': { vr: 'SQ', Value: failures.map((code) => ({ '00081197': { vr: 'US', Value: [code] } })) } } : {}),
    ...(stored ? { '00081199': { vr: 'SQ', Value: [{ '00081190': { vr: 'UR', Value: ['/dicomweb/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5'] } }] } } : {}),
  });

describe('multipart', () => {
  test('one part between the boundaries that the type names', async () => {
    const body = await multipart(new Blob(['DATA'])).text();
    const boundary = /boundary=(.+)$/.exec(multipartType)?.[1];
    expect(body).toBe(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\nDATA\r\n--${boundary}--\r\n`);
  });
});

describe('mayBeDicom', () => {
  const bytes = (length: number, ...start: number[]) => {
    const data = new Uint8Array(length);
    data.set(start);
    return data;
  };

  test('a Part 10 file', async () => {
    const data = bytes(200);
    data.set([0x44, 0x49, 0x43, 0x4d], 128);
    expect(await mayBeDicom(new Blob([data]))).toBe(true);
  });

  test.each([
    ['group 0002', bytes(40, 2, 0, 0, 0)],
    ['group 0008, little endian', bytes(40, 8, 0, 5, 0)],
    ['group 0008, big endian', bytes(40, 0, 8, 0, 5)],
  ])('a bare data set: %s', async (_, data) => {
    expect(await mayBeDicom(new Blob([data]))).toBe(true);
  });

  test.each([
    ['text', new TextEncoder().encode('hello, this is a note')],
    ['PNG', bytes(200, 0x89, 0x50, 0x4e, 0x47)],
    ['ZIP', bytes(200, 0x50, 0x4b, 3, 4)],
    ['zeros', bytes(200)],
    ['nothing', bytes(0)],
    ['a start without an end', bytes(4, 8, 0, 5, 0)],
  ])('no DICOM: %s', async (_, data) => {
    expect(await mayBeDicom(new Blob([data]))).toBe(false);
  });
});

describe('readAnswer', () => {
  test('200 is stored, with its study', () => {
    expect(readAnswer(200, dicomJson([], 1))).toEqual({ stored: true, study: '1.2.3' });
    expect(readAnswer(200, dicomJson([], 0, 'http://host/dicomweb/studies/9.8'))).toEqual({ stored: true, study: '9.8' });
  });

  test('200 that cannot be read is stored all the same', () => {
    expect(readAnswer(200, 'nonsense')).toEqual({ stored: true, study: undefined });
  });

  test.each([
    [409, 0xc000, 'Not a readable DICOM file'],
    [409, 0xc122, 'Not a readable DICOM file'],
    [409, 0xa900, 'Its identifiers do not match its class'],
    [202, 0x0122, 'Objects of this class are not supported'],
    [409, 0x1234, 'Refused (1234)'],
  ])('%i with failure reason %i', (status, code, reason) => {
    expect(readAnswer(status, dicomJson([code]))).toEqual({ stored: false, reason, isFatal: false });
  });

  test('a problem document says why', () => {
    expect(readAnswer(413, '{"title":"Too large","detail":"The instance is longer than 4 GiB."}')).toEqual({
      stored: false,
      reason: 'The instance is longer than 4 GiB.',
      isFatal: false,
    });
  });

  test('a full disk ends the import', () => {
    expect(readAnswer(507, '{"title":"The disk is full."}')).toEqual({ stored: false, reason: 'The disk is full.', isFatal: true });
  });

  test('no answer at all', () => {
    expect(readAnswer(0, '')).toEqual({ stored: false, reason: 'The image server cannot be reached', isFatal: false });
    expect(readAnswer(500, '<html>')).toEqual({ stored: false, reason: 'The image server answered 500', isFatal: false });
  });
});
