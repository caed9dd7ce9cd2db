// The way that the selected drone came, as far as this page saw it.

import type { Shown } from "./drones";

/** Nearer to the last point than this nothing is added. */
const SPACING_DEGREES = 0.00006;
const MOST_POINTS = 600;

export class Trail {
  #points: number[] = [];
  #drone: string | null = null;
  #shown = new Float64Array(0);

  /** The drone is here now; another drone begins a trail of its own. */
  add(drone: Shown | undefined): Float64Array {
    if (drone?.id !== this.#drone) {
      this.#drone = drone?.id ?? null;
      this.#points = [];
    }
    if (!drone) return this.#empty();
    const at = this.#points.length;
    const east = drone.longitude - (this.#points[at - 3] ?? Infinity);
    const north = drone.latitude - (this.#points[at - 2] ?? Infinity);
    if (Math.hypot(east, north) > SPACING_DEGREES) {
      this.#points.push(drone.longitude, drone.latitude, drone.height);
      if (this.#points.length > MOST_POINTS * 3) this.#points.splice(0, 3);
    }
    return this.#withHead(drone);
  }

  /** The trail ends at the drone itself, wherever it is between two points. */
  #withHead(drone: Shown): Float64Array {
    const length = this.#points.length + 3;
    if (this.#shown.length !== length) this.#shown = new Float64Array(length);
    this.#shown.set(this.#points);
    this.#shown.set([drone.longitude, drone.latitude, drone.height], length - 3);
    return this.#shown;
  }

  #empty(): Float64Array {
    if (this.#shown.length > 0) this.#shown = new Float64Array(0);
    return this.#shown;
  }
}
