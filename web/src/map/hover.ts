// The drone under the pointer, for whoever shows a hint beside it.

import { signal } from "@preact/signals";
import type { Shown } from "./drones";

export interface Hovered {
  drone: Shown;
  /** Pixels from the map's top left corner. */
  x: number;
  y: number;
}

export const hovered = signal<Hovered | null>(null);
