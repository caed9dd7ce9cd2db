// What places are called.

import type { Location } from "@skyhaul/client";

import { hubs, world } from "./world";

/** About 30 m: as near as two names of one place lie together. */
const SAME_PLACE_DEGREES = 0.0003;
/** About 3 km. */
const NEIGHBOURHOOD_DEGREES = 0.027;

/** The scenario's name for a place, or its coordinates. */
export function placeName(at: Pick<Location, "latitude" | "longitude">): string {
  return knownName(at) ?? `${at.latitude.toFixed(4)}, ${at.longitude.toFixed(4)}`;
}

export function knownName(at: Pick<Location, "latitude" | "longitude">): string | undefined {
  const near = ({ latitude, longitude }: Pick<Location, "latitude" | "longitude">) =>
    Math.hypot(latitude - at.latitude, longitude - at.longitude) < SAME_PLACE_DEGREES;
  const place = world.value?.places.find(({ location }) => near(location));
  return place?.name ?? hubs.value.find(({ location }) => near(location))?.name;
}

/** For who only looks on: coordinates say nothing to them. */
export function areaName(at: Pick<Location, "latitude" | "longitude">): string {
  const eastward = Math.cos((at.latitude * Math.PI) / 180);
  const apart = ({ location: { latitude, longitude } }: { location: Location }) =>
    Math.hypot(latitude - at.latitude, (longitude - at.longitude) * eastward);
  const named = [...(world.value?.places ?? []), ...hubs.value];
  const [nearest] = named.sort((one, other) => apart(one) - apart(other));
  const isNear = nearest && apart(nearest) < NEIGHBOURHOOD_DEGREES;
  return knownName(at) ?? (isNear ? `near ${nearest.name}` : placeName(at));
}

export function hubName(id: string): string {
  return hubs.value.find((hub) => hub.id === id)?.name ?? id;
}
