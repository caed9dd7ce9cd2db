// Where the van is that carries the selected delivery: vans are not among the positions that
// the server streams, so whoever looks at one asks now and then.

import type { Location } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { reads } from "./session";
import { isAboard } from "./story";
import { story } from "./tracking";

export const van = signal<Location | null>(null);

/** A van drives some tens of metres meanwhile. */
const ASK_EVERY_MS = 3000;

const carried = computed(() => {
  const told = story.value;
  return told && told.carrier !== null && isAboard(told) ? told.id : null;
});

export function startVan(): void {
  effect(() => {
    const id = carried.value;
    van.value = null;
    const asked = reads.value;
    if (id === null) return;
    const ask = async () => {
      if (document.hidden) return;
      // Without an answer the last one stands; the notices say what is wrong.
      const status = await asked.deliveryStatus(id).catch(() => null);
      if (status && carried.peek() === id && reads.peek() === asked) van.value = status.lastKnownLocation;
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  });
}
