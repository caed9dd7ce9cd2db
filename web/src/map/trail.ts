// The way that the selected drone came: as far as this page saw it, and before that as it
// was planned, so that it begins at the hub and not where the drone was clicked.

import type { Shown } from "./drones";
import type { Place, Route } from "./route";

/** Nearer to the last point than this nothing is added. */
const SPACING_DEGREES = 0.00006;
const MOST_POINTS = 600;

export class Trail {
  #lead: number[] = [];
  #points: number[] = [];
  #drone: string | null = null;
  /** Simulated time of the first point. */
  #began = 0;
  #leadFrom: Route | null = null;
  #shown = new Float64Array(0);

  /** The drone is here now; another drone begins a trail of its own. */
  add(drone: Shown | undefined, simTime: number, route: Route | null): Float64Array {
    if (drone?.id !== this.#drone) {
      this.#drone = drone?.id ?? null;
      this.#points = [];
      this.#lead = [];
      this.#leadFrom = null;
      this.#began = simTime;
    }
    if (!drone) return this.#empty();
    // The first plan that is heard of; a later one says nothing of the past.
    if (route && !this.#leadFrom) {
      this.#leadFrom = route;
      this.#lead = flown(route, this.#began);
    }
    const at = this.#points.length;
    const east = drone.longitude - (this.#points[at - 3] ?? Infinity);
    const north = drone.latitude - (this.#points[at - 2] ?? Infinity);
    if (Math.hypot(east, north) > SPACING_DEGREES) {
      this.#points.push(drone.longitude, drone.latitude, drone.height);
      if (this.#points.length > MOST_POINTS * 3) {
        this.#points.splice(0, 3);
        this.#lead = [];
      }
    }
    return this.#withHead(drone);
  }

  /** What follows is another motion. */
  forget(): void {
    this.#drone = null;
  }

  /** The trail ends at the drone itself, wherever it is between two points. */
  #withHead(drone: Shown): Float64Array {
    const length = this.#lead.length + this.#points.length + 3;
    if (this.#shown.length !== length) this.#shown = new Float64Array(length);
    this.#shown.set(this.#lead);
    this.#shown.set(this.#points, this.#lead.length);
    this.#shown.set([drone.longitude, drone.latitude, drone.height], length - 3);
    return this.#shown;
  }

  #empty(): Float64Array {
    if (this.#shown.length > 0) this.#shown = new Float64Array(0);
    return this.#shown;
  }
}

/** Longitude, latitude, height of each place of the plan that was passed before. */
function flown({ legs }: Route, before: number): number[] {
  const places = legs.flatMap(({ path, times }) => path.filter((_, index) => times[index]! < before));
  return places.filter((place, index) => index === 0 || !same(place, places[index - 1]!)).flat();
}

function same(one: Place, other: Place): boolean {
  return one.every((value, index) => value === other[index]);
}
