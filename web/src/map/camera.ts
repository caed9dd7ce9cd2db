// Where the camera looks: first over the whole city, then with the drone that is followed,
// until the user takes the map into their own hands.

import { effect } from "@preact/signals";
import { LngLat, type Map as MapLibre } from "maplibre-gl";

import type { Gaze } from "../state/gaze";
import { room } from "../state/room";
import { following } from "../state/selection";
import { reducedMotion } from "../state/settings";
import type { World } from "../state/world";
import type { Shown } from "./drones";

export const PITCH = 52;
/** A tall window shows more of a city that is less tilted. */
const TALL_PITCH = 34;
const BEARING = -14;
/** Near enough to see heights, far enough to see where in the city it is. */
const FOLLOW_ZOOM = 13.9;
const APPROACH_MS = 1400;
/** The camera makes up half of what it lags behind in this time. */
const HALF_LIFE_MS = 160;
const MAKE_ROOM_MS = 240;

/** All of the city, until somebody looks elsewhere. Returns what ends it. */
export function firstLook(map: MapLibre, world: World): () => void {
  let untouched = true;
  const look = () => {
    map.setPadding(room.peek());
    overview(map, world);
  };
  const refit = () => {
    if (untouched) look();
  };
  const moved = (event: object) => {
    if ("originalEvent" in event || "looked" in event) untouched = false;
  };
  map.on("resize", refit);
  map.on("movestart", moved);
  const stop = effect(() => {
    const padding = room.value;
    if (untouched) look();
    else if (following.peek() || reducedMotion.peek()) map.setPadding(padding);
    else map.easeTo({ padding, duration: MAKE_ROOM_MS });
  });
  return () => {
    map.off("resize", refit);
    map.off("movestart", moved);
    stop();
  };
}

/** Goes with movements to what somebody chose: who has looked at that is not taken back to the whole. */
export const LOOKED = { looked: true };

const MARGIN_PX = 36;
const ROUNDS = 8;
const COLUMN_SHARE = 0.45;
/** A single hub is no city: it is shown with what is around it. */
const NEAREST = 14;

/** Nears the view in which all corners of the city just fit into what panels leave free. */
function overview(map: MapLibre, world: World): void {
  const [west, south, east, north] = world.camera.bounds;
  const corners: [number, number][] = [[west, south], [west, north], [east, north], [east, south]];
  const { clientWidth, clientHeight } = map.getContainer();
  const { top, right, bottom, left: column } = room.peek();
  // Of a column at the side only the top is in the way.
  const left = column * COLUMN_SHARE;
  const free = { width: clientWidth - left - right - 2 * MARGIN_PX, height: clientHeight - top - bottom - 2 * MARGIN_PX };
  // It has no place on the page yet, or none any more.
  if (free.width <= 0 || free.height <= 0) return;
  const pitch = free.height > 1.1 * free.width ? TALL_PITCH : PITCH;
  map.jumpTo({ center: [(west + east) / 2, (south + north) / 2], zoom: 11, pitch, bearing: BEARING });
  for (let round = 0; round < ROUNDS; round++) {
    const at = corners.map((corner) => map.project(corner));
    const xs = at.map(({ x }) => x);
    const ys = at.map(({ y }) => y);
    const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
    const scale = Math.min(free.width / (box.right - box.left), free.height / (box.bottom - box.top));
    const center = map.unproject([(box.left + box.right + column - left) / 2, (box.top + box.bottom) / 2]);
    map.jumpTo({ center, zoom: Math.min(map.getZoom() + Math.log2(scale), NEAREST) });
  }
}

/** Goes there once. */
export function lookAt(map: MapLibre, gaze: Gaze): void {
  const duration = reducedMotion.peek() ? 0 : APPROACH_MS;
  if ("center" in gaze) {
    map.easeTo({ center: gaze.center, zoom: Math.max(map.getZoom(), FOLLOW_ZOOM), duration }, LOOKED);
    return;
  }
  const camera = over(map, gaze.bounds);
  if (camera) map.easeTo({ ...camera, pitch: PITCH, duration }, LOOKED);
}

/** Room around what is looked at, as a share of the window's shorter side. */
const AROUND = 0.14;

function over(map: MapLibre, [west, south, east, north]: [number, number, number, number]) {
  const { clientWidth, clientHeight } = map.getContainer();
  const padding = Math.round(AROUND * Math.min(clientWidth, clientHeight));
  return map.cameraForBounds([west, south, east, north], { bearing: map.getBearing(), padding, maxZoom: FOLLOW_ZOOM });
}

/** A place on the ground. */
export interface Spot {
  latitude: number;
  longitude: number;
}

/** Keeps the camera on a moving drone, or on the drone and where it is going. */
export class FollowCamera {
  #drone: string | null = null;
  #approachingUntil = 0;
  #last = 0;
  /** The user chose how near to be. */
  #ownZoom = false;
  /** Time was moved. */
  #leaps = false;

  constructor(private readonly map: MapLibre) {
    // Turning and zooming keep the drone in the middle; moving the map means looking elsewhere.
    map.on("dragstart", () => (following.value = false));
    map.on("zoomstart", ({ originalEvent }) => {
      if (originalEvent) this.#ownZoom = true;
    });
  }

  /** It goes where the drone is at another moment without a way there. */
  leap(): void {
    this.#leaps = true;
    this.#approachingUntil = 0;
  }

  /** Once a frame. With a destination both are kept in view, nearer and nearer. */
  step(drone: Shown | undefined, now: number, destination: Spot | null): void {
    const passed = Math.min(now - this.#last, 100);
    this.#last = now;
    if (!drone || !following.peek()) {
      this.#drone = null;
      return;
    }
    const isNew = drone.id !== this.#drone;
    if (isNew) this.#ownZoom = false;
    const both = destination && !this.#ownZoom ? over(this.map, around(drone, destination)) : undefined;
    const { lng: longitude, lat: latitude } = both ? LngLat.convert(both.center!) : { lng: drone.longitude, lat: drone.latitude };
    const zoom = both?.zoom ?? (isNew ? Math.max(this.map.getZoom(), FOLLOW_ZOOM) : this.map.getZoom());
    if (isNew) {
      this.#drone = drone.id;
      this.#approach([longitude, latitude], zoom, now);
      return;
    }
    if (now < this.#approachingUntil || this.map.isZooming() || this.map.isRotating()) return;
    const { lng, lat } = this.map.getCenter();
    const share = reducedMotion.peek() || this.#leaps ? 1 : 1 - 0.5 ** (passed / HALF_LIFE_MS);
    this.#leaps = false;
    const [east, north, nearer] = [longitude - lng, latitude - lat, zoom - this.map.getZoom()];
    if (Math.hypot(east, north) < 1e-7 && Math.abs(nearer) < 1e-3) return;
    this.map.jumpTo({ center: [lng + east * share, lat + north * share], zoom: this.map.getZoom() + nearer * share });
  }

  #approach(center: [number, number], zoom: number, now: number): void {
    if (reducedMotion.peek()) {
      this.map.jumpTo({ center, zoom }, LOOKED);
      return;
    }
    this.#approachingUntil = now + APPROACH_MS;
    this.map.easeTo({ center, zoom, duration: APPROACH_MS, essential: true }, LOOKED);
  }
}

function around(one: Spot, other: Spot): [number, number, number, number] {
  return [
    Math.min(one.longitude, other.longitude),
    Math.min(one.latitude, other.latitude),
    Math.max(one.longitude, other.longitude),
    Math.max(one.latitude, other.latitude),
  ];
}
