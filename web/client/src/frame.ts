// Where all drones were at one moment: a structure of arrays, by slot.

import type { DroneStatus } from "./messages.js";

/** By the number that stands for each in `Sample.statuses`. */
export const STATUSES: readonly DroneStatus[] = [
  "parked",
  "charging",
  "climbing",
  "cruising",
  "descending",
  "hovering",
  "returning",
  "holding",
  "grounded",
  "lost",
];

/** The status of a slot where no drone is. */
export const ABSENT = 255;

export class Frame {
  /** On the server's wall clock, in milliseconds. */
  time = 0;
  /** In the simulated world, in milliseconds since 1970. */
  simTime = 0;
  longitude: Float64Array;
  latitude: Float64Array;
  height: Float32Array;
  heading: Float32Array;
  speed: Float32Array;
  battery: Float32Array;
  status: Uint8Array;

  constructor(capacity: number) {
    this.longitude = new Float64Array(capacity);
    this.latitude = new Float64Array(capacity);
    this.height = new Float32Array(capacity);
    this.heading = new Float32Array(capacity);
    this.speed = new Float32Array(capacity);
    this.battery = new Float32Array(capacity);
    this.status = new Uint8Array(capacity).fill(ABSENT);
  }

  /** The same, with room for more. */
  grown(capacity: number): Frame {
    const larger = new Frame(capacity);
    larger.time = this.time;
    larger.simTime = this.simTime;
    larger.take(this, this.status.length);
    return larger;
  }

  /** Copies the first so many slots. */
  take(from: Frame, slots: number): void {
    this.longitude.set(from.longitude.subarray(0, slots));
    this.latitude.set(from.latitude.subarray(0, slots));
    this.height.set(from.height.subarray(0, slots));
    this.heading.set(from.heading.subarray(0, slots));
    this.speed.set(from.speed.subarray(0, slots));
    this.battery.set(from.battery.subarray(0, slots));
    this.status.set(from.status.subarray(0, slots));
  }
}
