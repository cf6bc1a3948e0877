import type { Tier } from '../viewer/loading/tiers';
import type { Crosshair } from './viewport';

/** What tests read of the volume pages, as `window.__volumes`. Nothing in the pages depends on it. */
export interface VolumeHooks {
  readonly state: string;
  readonly tier?: Tier | undefined;
  readonly ms?: number;
  readonly crosshair?: Crosshair | undefined;
  readonly window?: readonly [number, number] | undefined;
}

declare global {
  interface Window {
    __volumes?: VolumeHooks;
  }
}
