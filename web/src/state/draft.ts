// The order in the making: the pins that the map shows, and which of them the next click
// on the map sets. What else an order needs is the form's own business.

import { signal } from "@preact/signals";

export interface Pin {
  latitude: number;
  longitude: number;
  /** As the scenario or the user calls it; none for a bare place on the map. */
  name?: string;
}

export type PinKind = "pickup" | "dropoff";

export const pins: Record<PinKind, ReturnType<typeof signal<Pin | null>>> = {
  pickup: signal<Pin | null>(null),
  dropoff: signal<Pin | null>(null),
};

/** Which pin the next click on the map sets; null while no order is being placed. */
export const placing = signal<PinKind | null>(null);

export function clearDraft(): void {
  pins.pickup.value = null;
  pins.dropoff.value = null;
  placing.value = null;
}
