// What the user looks at. The map and the panels both set it and both follow it.

import { computed, signal } from "@preact/signals";

export type Selection =
  | { kind: "drone"; id: string }
  | { kind: "delivery"; id: string; droneId?: string }
  | { kind: "hub"; id: string };

export const selection = signal<Selection | null>(null);

/** Whether the camera stays with the selected drone until the user moves the map. */
export const following = signal(false);

/** The drone that trail, route and camera belong to. */
export const selectedDrone = computed(() => {
  const chosen = selection.value;
  if (chosen?.kind === "drone") return chosen.id;
  return chosen?.kind === "delivery" ? (chosen.droneId ?? null) : null;
});

export function select(chosen: Selection | null, follow = true): void {
  selection.value = chosen;
  following.value = follow && chosen !== null && chosen.kind !== "hub";
}
