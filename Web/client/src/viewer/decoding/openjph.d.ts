/** What we use of the codec's JavaScript side; the package brings no types. */
interface OpenJphDecoder {
  getEncodedBuffer(size: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  readHeader(): void;
  getIsHeaderValid(): boolean;
  getLastErrorMessage(): string;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number; isSigned: boolean };
  getNumDecompositions(): number;
  decodeSubResolution(level: number): void;
  delete(): void;
}

declare module '@cornerstonejs/codec-openjph/wasmjs' {
  const create: (options: { locateFile?: (file: string) => string; print?: (text: string) => void; printErr?: (text: string) => void }) => Promise<{ HTJ2KDecoder: new () => OpenJphDecoder }>;
  export default create;
}
