// The selected hub at the moment that is shown, where that is the past of a live world: what the
// server answers of hubs is of now.

import type { Hub } from "@skyhaul/client";
import { effect, signal } from "@preact/signals";

import { isInPast } from "./playback";
import { selection } from "./selection";
import { sky } from "./session";

export const pastHub = signal<Hub | null>(null);

export function startPastHub(): void {
  effect(() => {
    const chosen = selection.value;
    pastHub.value = null;
    if (!isInPast.value || chosen?.kind !== "hub") return;
    const subscription = sky.subscribe(`hub/${chosen.id}`, {}, {
      snapshot: ({ hub }) => (pastHub.value = hub ?? null),
    });
    return () => subscription.close();
  });
}
