// What the layers need of the drones of one moment beyond what the position buffer gives:
// their colours, and their places on the ground. Made once and filled again each frame, so
// that twenty thousand drones leave no garbage behind.

import { STATUSES, type PositionBuffer, type Sample } from "@skyhaul/client";

import type { Theme } from "../state/settings";
import { PALETTES, doingOf } from "./palette";

/** One drone of the moment that is shown. */
export type Shown = NonNullable<ReturnType<PositionBuffer["shown"]>>;

const GROWTH = 1.5;

export class DroneArrays {
  /** How many are to be seen. */
  drawn = 0;
  /** Red, green, blue, opacity. */
  colours = new Uint8Array(0);
  /** Black, with the same opacity. */
  shadows = new Uint8Array(0);
  /** Offsets from the origin in degrees, at height 0. */
  ground = new Float32Array(0);
  readonly #tables: Record<Theme, Uint8Array> = { dark: colourTable("dark"), light: colourTable("light") };

  fill(sample: Sample, theme: Theme, withGround: boolean): void {
    this.#make(sample.length);
    const { positions, statuses } = sample;
    const { colours, shadows, ground } = this;
    const table = this.#tables[theme];
    let drawn = 0;
    for (let i = 0, c = 0; i < sample.length; i++, c += 4) {
      const from = statuses[i]! * 4;
      colours[c] = table[from]!;
      colours[c + 1] = table[from + 1]!;
      colours[c + 2] = table[from + 2]!;
      shadows[c + 3] = colours[c + 3] = table[from + 3]!;
      if (table[from + 3]) drawn += 1;
    }
    this.drawn = drawn;
    if (!withGround) return;
    for (let at = 0, end = sample.length * 3; at < end; at += 3) {
      ground[at] = positions[at]!;
      ground[at + 1] = positions[at + 1]!;
    }
  }

  #make(length: number): void {
    if (length * 4 <= this.colours.length) return;
    const room = Math.ceil(length * GROWTH);
    this.colours = new Uint8Array(room * 4);
    this.shadows = new Uint8Array(room * 4);
    this.ground = new Float32Array(room * 3);
  }
}

/** Dozens stand on one spot at a hub, which says itself how many are there. */
export function isDrawn(status: string): boolean {
  return doingOf(status) !== "ground";
}

function colourTable(theme: Theme): Uint8Array {
  return Uint8Array.from(
    STATUSES.flatMap((status) => [...PALETTES[theme].doing[doingOf(status)], isDrawn(status) ? 255 : 0]),
  );
}
