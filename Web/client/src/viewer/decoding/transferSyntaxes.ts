/** How the bytes of a frame are packed (PS3.5 Annex A). */
export type Codec = 'raw' | 'rle' | 'jpeg' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k' | 'jpeg-xl';

const codecs: Readonly<Record<string, Codec>> = {
  '1.2.840.10008.1.2': 'raw',
  '1.2.840.10008.1.2.1': 'raw',
  '1.2.840.10008.1.2.1.98': 'raw',
  '1.2.840.10008.1.2.1.99': 'raw',
  '1.2.840.10008.1.2.2': 'raw', // ImageApi sends native pixels as little endian whatever the file's byte order was
  '1.2.840.10008.1.2.5': 'rle',
  '1.2.840.10008.1.2.4.50': 'jpeg',
  '1.2.840.10008.1.2.4.51': 'jpeg',
  '1.2.840.10008.1.2.4.53': 'jpeg',
  '1.2.840.10008.1.2.4.55': 'jpeg',
  '1.2.840.10008.1.2.4.57': 'jpeg-lossless',
  '1.2.840.10008.1.2.4.70': 'jpeg-lossless',
  '1.2.840.10008.1.2.4.80': 'jpeg-ls',
  '1.2.840.10008.1.2.4.81': 'jpeg-ls',
  '1.2.840.10008.1.2.4.90': 'jpeg-2000',
  '1.2.840.10008.1.2.4.91': 'jpeg-2000',
  '1.2.840.10008.1.2.4.201': 'htj2k',
  '1.2.840.10008.1.2.4.202': 'htj2k',
  '1.2.840.10008.1.2.4.203': 'htj2k',
  '1.2.840.10008.1.2.4.110': 'jpeg-xl',
  '1.2.840.10008.1.2.4.111': 'jpeg-xl',
  '1.2.840.10008.1.2.4.112': 'jpeg-xl',
};

/** Those that may have thrown detail away when the image was made. */
const lossy = new Set([
  '1.2.840.10008.1.2.4.50',
  '1.2.840.10008.1.2.4.51',
  '1.2.840.10008.1.2.4.53',
  '1.2.840.10008.1.2.4.55',
  '1.2.840.10008.1.2.4.81',
  '1.2.840.10008.1.2.4.91',
  '1.2.840.10008.1.2.4.203',
  '1.2.840.10008.1.2.4.111', // a JPEG in another wrapping
  '1.2.840.10008.1.2.4.112',
]);

export function codecOf(transferSyntax: string): Codec | undefined {
  return codecs[transferSyntax];
}

export function isLossy(transferSyntax: string): boolean {
  return lossy.has(transferSyntax);
}
