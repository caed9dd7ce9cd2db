// Where the camera looks: first over the whole city, then with the drone that is followed,
// until the user takes the map into their own hands.

import type { Shown } from "./drones";
import type { Map as MapLibre } from "maplibre-gl";

import type { Gaze } from "../state/gaze";
import { following } from "../state/selection";
import { embedded, kiosk, reducedMotion } from "../state/settings";
import type { World } from "../state/world";

export const PITCH = 52;
const BEARING = -14;
const TILT_ZOOM = 0.18;
/** Near enough to see the drone among the streets. */
const FOLLOW_ZOOM = 14.6;
const APPROACH_MS = 1400;
/** The camera makes up half of what it lags behind in this time. */
const HALF_LIFE_MS = 160;

export function firstLook(map: MapLibre, world: World): void {
  const [west, south, east, north] = world.camera.bounds;
  const camera = map.cameraForBounds([west, south, east, north], {
    bearing: BEARING,
    pitch: PITCH,
    padding: 40,
  });
  // The tilt makes room above and below, which the camera's arithmetic does not use.
  const zoom = (camera?.zoom ?? 11) + TILT_ZOOM;
  map.jumpTo({ ...camera, zoom, pitch: PITCH, bearing: BEARING });
}

const SIDE_PX = 364;
/** Of a phone's height. */
const SHEET = 0.46;
const phone = matchMedia("(width <= 720px)");

/** The middle of what panels leave free is the middle of the view. */
export function makeRoom(map: MapLibre): () => void {
  const pad = () => {
    const bottom = phone.matches ? Math.round(map.getContainer().clientHeight * SHEET) : 0;
    map.setPadding({ top: 0, right: 0, bottom, left: phone.matches ? 0 : SIDE_PX });
  };
  if (kiosk || embedded) return () => {};
  pad();
  map.on("resize", pad);
  return () => map.off("resize", pad);
}

/** Goes there once. */
export function lookAt(map: MapLibre, gaze: Gaze): void {
  const duration = reducedMotion.peek() ? 0 : APPROACH_MS;
  if ("center" in gaze) {
    map.easeTo({ center: gaze.center, zoom: Math.max(map.getZoom(), FOLLOW_ZOOM), duration });
    return;
  }
  const camera = map.cameraForBounds(gaze.bounds, { bearing: map.getBearing(), pitch: PITCH, padding: 120, maxZoom: FOLLOW_ZOOM });
  if (camera) map.easeTo({ ...camera, pitch: PITCH, duration });
}

/** Keeps the camera on a moving drone. */
export class FollowCamera {
  #drone: string | null = null;
  #approachingUntil = 0;
  #last = 0;

  constructor(private readonly map: MapLibre) {
    // Turning and zooming keep the drone in the middle; moving the map means looking elsewhere.
    map.on("dragstart", () => (following.value = false));
  }

  /** Once a frame. */
  step(drone: Shown | undefined, now: number): void {
    const passed = Math.min(now - this.#last, 100);
    this.#last = now;
    if (!drone || !following.peek()) {
      this.#drone = null;
      return;
    }
    if (drone.id !== this.#drone) {
      this.#drone = drone.id;
      this.#approach(drone, now);
      return;
    }
    if (now < this.#approachingUntil || this.map.isZooming() || this.map.isRotating()) return;
    const { lng, lat } = this.map.getCenter();
    const share = reducedMotion.peek() ? 1 : 1 - 0.5 ** (passed / HALF_LIFE_MS);
    const east = drone.longitude - lng;
    const north = drone.latitude - lat;
    if (Math.hypot(east, north) < 1e-7) return;
    this.map.jumpTo({ center: [lng + east * share, lat + north * share] });
  }

  #approach(drone: Shown, now: number): void {
    const center: [number, number] = [drone.longitude, drone.latitude];
    const zoom = Math.max(this.map.getZoom(), FOLLOW_ZOOM);
    if (reducedMotion.peek()) {
      this.map.jumpTo({ center, zoom });
      return;
    }
    this.#approachingUntil = now + APPROACH_MS;
    this.map.easeTo({ center, zoom, duration: APPROACH_MS, essential: true });
  }
}
