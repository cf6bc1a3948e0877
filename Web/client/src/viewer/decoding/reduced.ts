/** Samples along one side of a picture that lacks so many resolutions (ISO/IEC 15444-1 B.5). */
export function reduced(size: number, missingLevels: number): number {
  return Math.ceil(size / 2 ** missingLevels);
}
