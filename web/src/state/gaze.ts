// Where the user wants to look next; the map goes there once.

import type { Bbox, Location } from "@skyhaul/client";
import { signal } from "@preact/signals";

import { following } from "./selection";

export type Gaze = { center: [longitude: number, latitude: number] } | { bounds: Bbox };

export const gaze = signal<Gaze | null>(null);

export function gazeAt({ longitude, latitude }: Pick<Location, "latitude" | "longitude">): void {
  following.value = false;
  gaze.value = { center: [longitude, latitude] };
}

/** So that all of these can be seen. */
export function gazeOver(places: Pick<Location, "latitude" | "longitude">[]): void {
  const longitudes = places.map(({ longitude }) => longitude);
  const latitudes = places.map(({ latitude }) => latitude);
  gaze.value = {
    bounds: [Math.min(...longitudes), Math.min(...latitudes), Math.max(...longitudes), Math.max(...latitudes)],
  };
}
