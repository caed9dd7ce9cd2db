// Drones that move smoothly, made from frames that come a few times a second. Positions
// messages go in; arrays that deck.gl draws as they are come out, for any moment, without
// garbage: they are the same arrays each time, a little further on.
//
// All drones share the times of the last few frames (a drone that a message leaves out has
// not moved), so that showing a moment is one pass over two frames with one weight. Where
// there is no motion between two frames, as after a pause, a seek or a lost connection,
// drones appear where they are now; they are never drawn on a way that they did not fly.

import { ABSENT, Frame, STATUSES } from "./frame.js";
import type { PositionRow, PositionsMessage } from "./messages.js";
import { Playout } from "./playout.js";
import { Tempo } from "./tempo.js";

export { STATUSES } from "./frame.js";

/** Frames that are kept: the two around the moment shown, and what arrives in a bunch. */
const KEPT = 5;
/** A drone that is further away than it could have flown was put there. */
const FASTEST_MPS = 100;
const METRES_A_DEGREE = 111_320;
/** Frames of simulated time between two neighbours, beyond which time was moved, not passed. */
const LEAP_FRAMES = 100;
/** Across a gap in the frames so many are the end of one motion. */
const LEAP_ACROSS_GAP_FRAMES = 4;
/** So many frames ahead of the newest one a drone is moved on. */
const AHEAD_FRAMES = 0.5;

export interface BufferOptions {
  /** Drones that there is room for before the arrays have to grow. */
  capacity?: number;
  /** Frames a second, until they have shown it themselves. */
  hz?: number;
  /**
   * Gives positions as differences from this longitude and latitude in a `Float32Array`
   * (deck.gl's `LNGLAT_OFFSETS`), which costs the graphics card half as much.
   */
  origin?: [longitude: number, latitude: number];
}

/** All drones at one moment. The arrays are longer than `length`, and are reused. */
export interface Sample {
  length: number;
  /** Longitude, latitude, metres above the ground. */
  positions: Float64Array | Float32Array;
  /** Degrees clockwise from north, 0 to 360. */
  headings: Float32Array;
  /** m/s over the ground. */
  speeds: Float32Array;
  /** State of charge, 0 to 1. */
  battery: Float32Array;
  /** Indexes of `STATUSES`. */
  statuses: Uint8Array;
  /** The simulated moment that is shown, in milliseconds since 1970. */
  simTime: number;
}

/** One drone of the last sample. */
export interface Shown {
  index: number;
  id: string;
  longitude: number;
  latitude: number;
  height: number;
  heading: number;
  speed: number;
  battery: number;
  status: (typeof STATUSES)[number];
}

export class PositionBuffer {
  /** Oldest first. */
  #frames: Frame[] = [];
  readonly #spare: Frame[] = [];
  readonly #playout: Playout;
  readonly #tempo = new Tempo();
  readonly #origin: [number, number] | undefined;
  #capacity: number;
  #slotOf = new Map<string, number>();
  #ids: string[] = [];
  #free: number[] = [];
  /** Slots whose drone is gone, and the frame since which; still drawn from older frames. */
  #leaving: { slot: number; since: number }[] = [];
  #taken = 0;
  #simStep = 0;
  #sample: Sample;
  #slotShown: Uint32Array;
  #indexOfSlot: Int32Array;

  constructor(options: BufferOptions = {}) {
    this.#capacity = Math.max(16, options.capacity ?? 1024);
    this.#origin = options.origin;
    this.#playout = new Playout(1000 / (options.hz ?? 5));
    this.#sample = this.#room();
    this.#slotShown = new Uint32Array(this.#capacity);
    this.#indexOfSlot = new Int32Array(this.#capacity).fill(-1);
  }

  /** Drones in the newest frame or on their way out. */
  get size(): number {
    return this.#slotOf.size;
  }

  /** The time between two frames that it reckons with, in milliseconds. */
  get intervalMs(): number {
    return this.#playout.interval;
  }

  /** Frames will come at this rate (`hz` of `subscribed`, `effectiveHz` of `pressure`). */
  expect(hz: number): void {
    if (hz > 0) this.#playout.interval = 1000 / hz;
  }

  /** Forgets all drones. */
  reset(): void {
    this.#spare.push(...this.#frames.splice(0));
    this.#playout.reset();
    this.#tempo.reset();
    this.#slotOf.clear();
    this.#ids.length = this.#free.length = this.#leaving.length = 0;
    this.#simStep = 0;
    this.#sample.length = 0;
    this.#indexOfSlot.fill(-1);
  }

  /** A message arrived; `now` is `performance.now()`. */
  take(message: PositionsMessage, now = performance.now()): void {
    const simTime = Date.parse(message.simTime);
    const last = this.#frames.at(-1);
    const time = this.#tempo.place(message.sentAt, simTime, this.#playout.interval);
    const gap = this.#playout.arrived(time, now);
    if (last && !this.#follows(last, time, simTime, gap)) {
      const newest = this.#frames.pop()!;
      this.#spare.push(...this.#frames.splice(0));
      this.#frames.push(newest);
      this.#playout.reset();
      this.#playout.arrived(time, now);
      // The other way round, or at another speed: what comes next says how.
      this.#simStep = 0;
      this.#append(message, time, simTime, true);
      return;
    }
    // Nothing moved in the gap, so the motion begins one frame before its end.
    if (last && gap) last.time = Math.max(last.time, time - this.#playout.interval);
    this.#append(message, time, simTime, false);
  }

  /** All drones at the moment to show now, which is `performance.now()` as a rule. */
  sample(now: number = performance.now()): Sample {
    const sample = this.#sample;
    const frames = this.#frames;
    if (frames.length === 0) {
      sample.length = 0;
      return sample;
    }
    const moment = this.#playout.at(now);
    let b = 0;
    while (b < frames.length - 1 && frames[b].time < moment) b++;
    const to = frames[b];
    const from = frames[Math.max(0, b - 1)];
    const span = to.time - from.time;
    const weight = span > 0 ? this.#bounded((moment - from.time) / span, span) : 1;
    this.#blend(from, to, weight);
    sample.simTime = from.simTime + (to.simTime - from.simTime) * weight;
    return sample;
  }

  /** The drone at an index of the last sample, as picking gives it. */
  idAt(index: number): string | undefined {
    return index >= 0 && index < this.#sample.length ? this.#ids[this.#slotShown[index]] : undefined;
  }

  /** Where a drone is in the last sample; -1 where it is not. */
  indexOf(id: string): number {
    const slot = this.#slotOf.get(id);
    return slot === undefined ? -1 : this.#indexOfSlot[slot];
  }

  /** One drone of the last sample. */
  shown(id: string): Shown | undefined {
    const index = this.indexOf(id);
    if (index < 0) return undefined;
    const { positions, headings, speeds, battery, statuses } = this.#sample;
    const [longitude, latitude] = this.#origin ?? [0, 0];
    return {
      index,
      id,
      longitude: positions[3 * index] + longitude,
      latitude: positions[3 * index + 1] + latitude,
      height: positions[3 * index + 2],
      heading: headings[index],
      speed: speeds[index],
      battery: battery[index],
      status: STATUSES[statuses[index]],
    };
  }

  /** Whether one motion leads from the last frame to that of this time. */
  #follows(last: Frame, time: number, simTime: number, gap: boolean): boolean {
    if (time < last.time) return false;
    const passed = simTime - last.simTime;
    if (this.#simStep === 0) return !gap;
    const steps = passed / this.#simStep;
    return steps >= 0 && steps <= (gap ? LEAP_ACROSS_GAP_FRAMES : LEAP_FRAMES);
  }

  #append(message: PositionsMessage, time: number, simTime: number, snap: boolean): void {
    const last = this.#frames.at(-1);
    // Told again, as after an update of the viewport.
    const again = last !== undefined && !snap && time === last.time && simTime === last.simTime;
    const next = (again || this.#frames.length < KEPT ? this.#spare.pop() : this.#frames.shift()) ?? new Frame(this.#capacity);
    if (last) next.take(last, this.#ids.length);
    if (!last) next.status.fill(ABSENT);
    const passed = last && !snap ? simTime - last.simTime : 0;
    next.time = time;
    next.simTime = simTime;
    this.#frames.push(next);
    if (!again) this.#taken += 1;
    // A second frame of the same moment says nothing about the pace.
    if (passed !== 0) this.#simStep = passed;
    if (message.full) next.status.fill(ABSENT, 0, this.#ids.length);
    for (const row of message.drones) this.#put(row, Math.abs(passed) / 1000);
    for (const id of message.gone) this.#remove(id);
    if (message.full && last) this.#missed(last);
    if (snap) this.#spare.push(...this.#frames.splice(0, this.#frames.length - 1));
    if (again) this.#spare.push(...this.#frames.splice(-2, 1));
    this.#recycle();
  }

  #put(row: PositionRow, passedSeconds: number): void {
    const slot = this.#slot(row[0]);
    // Only now: a new slot may have made all frames larger.
    const last = this.#frames.length - 1;
    const frame = this.#frames[last];
    const before = this.#frames[last - 1];
    frame.latitude[slot] = row[1];
    frame.longitude[slot] = row[2];
    frame.height[slot] = row[3];
    frame.heading[slot] = row[4];
    frame.speed[slot] = row[5];
    frame.battery[slot] = row[6];
    const status = STATUSES.indexOf(row[7]);
    frame.status[slot] = status < 0 ? STATUSES.indexOf("cruising") : status;
    if (before && before.status[slot] !== ABSENT && this.#farther(before, frame, slot, passedSeconds)) {
      for (let i = 0; i < last; i++) this.#copy(frame, this.#frames[i], slot);
    }
  }

  #farther(from: Frame, to: Frame, slot: number, seconds: number): boolean {
    const most = 100 + FASTEST_MPS * seconds;
    const north = (to.latitude[slot] - from.latitude[slot]) * METRES_A_DEGREE;
    const shrink = Math.cos((to.latitude[slot] * Math.PI) / 180);
    const east = (to.longitude[slot] - from.longitude[slot]) * METRES_A_DEGREE * shrink;
    return north * north + east * east > most * most;
  }

  #copy(from: Frame, to: Frame, slot: number): void {
    to.latitude[slot] = from.latitude[slot];
    to.longitude[slot] = from.longitude[slot];
    to.height[slot] = from.height[slot];
    to.heading[slot] = from.heading[slot];
  }

  #remove(id: string): void {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return;
    this.#frames.at(-1)!.status[slot] = ABSENT;
    this.#leaving.push({ slot, since: this.#taken });
  }

  /** Those that a full message does not list any more. */
  #missed(last: Frame): void {
    const newest = this.#frames.at(-1)!;
    for (let slot = 0; slot < this.#ids.length; slot++) {
      if (newest.status[slot] === ABSENT && last.status[slot] !== ABSENT) {
        this.#leaving.push({ slot, since: this.#taken });
      }
    }
  }

  /** Gives slots to others whose drone is in no frame any more. */
  #recycle(): void {
    while (this.#leaving.length > 0 && this.#leaving[0].since <= this.#taken - KEPT) {
      const { slot } = this.#leaving.shift()!;
      const id = this.#ids[slot];
      const back = this.#frames.some((frame) => frame.status[slot] !== ABSENT);
      if (back || this.#slotOf.get(id) !== slot) continue;
      this.#slotOf.delete(id);
      this.#indexOfSlot[slot] = -1;
      this.#free.push(slot);
    }
  }

  #slot(id: string): number {
    const known = this.#slotOf.get(id);
    if (known !== undefined) return known;
    const slot = this.#free.pop() ?? this.#ids.length;
    if (slot === this.#capacity) this.#grow();
    this.#ids[slot] = id;
    this.#slotOf.set(id, slot);
    for (const frame of this.#frames) frame.status[slot] = ABSENT;
    return slot;
  }

  #grow(): void {
    this.#capacity *= 2;
    this.#frames = this.#frames.map((frame) => frame.grown(this.#capacity));
    this.#spare.length = 0;
    const { length, simTime } = this.#sample;
    this.#sample = { ...this.#room(), length: 0, simTime };
    this.#slotShown = new Uint32Array(this.#capacity);
    const indexOfSlot = new Int32Array(this.#capacity).fill(-1);
    indexOfSlot.set(this.#indexOfSlot);
    this.#indexOfSlot = indexOfSlot.fill(-1, 0, length === 0 ? 0 : indexOfSlot.length);
  }

  #room(): Sample {
    const positions = 3 * this.#capacity;
    return {
      length: 0,
      positions: this.#origin ? new Float32Array(positions) : new Float64Array(positions),
      headings: new Float32Array(this.#capacity),
      speeds: new Float32Array(this.#capacity),
      battery: new Float32Array(this.#capacity),
      statuses: new Uint8Array(this.#capacity),
      simTime: 0,
    };
  }

  /** At most so far beyond the newest frame, and back to it where no other comes. */
  #bounded(weight: number, span: number): number {
    const beyond = weight - 1;
    if (beyond <= 0) return Math.max(0, weight);
    // Two frames that left as one do not say how fast drones are.
    const most = (AHEAD_FRAMES * this.#playout.interval) / Math.max(span, this.#playout.interval / 2);
    if (beyond <= most) return weight;
    return 1 + Math.max(0, Math.min(most, 5 * most - beyond));
  }

  #blend(from: Frame, to: Frame, weight: number): void {
    const { positions, headings, speeds, battery, statuses } = this.#sample;
    const [originLongitude, originLatitude] = this.#origin ?? [0, 0];
    const slotShown = this.#slotShown;
    const indexOfSlot = this.#indexOfSlot;
    const slots = this.#ids.length;
    let length = 0;
    for (let slot = 0; slot < slots; slot++) {
      const before = from.status[slot];
      const after = to.status[slot];
      // Who leaves stays until the moment that knows it gone; who comes is there at once.
      if (after === ABSENT && (before === ABSENT || weight >= 1)) {
        indexOfSlot[slot] = -1;
        continue;
      }
      const at = length++;
      slotShown[at] = slot;
      indexOfSlot[slot] = at;
      const one = after === ABSENT ? from : before === ABSENT ? to : undefined;
      if (one) {
        positions[3 * at] = one.longitude[slot] - originLongitude;
        positions[3 * at + 1] = one.latitude[slot] - originLatitude;
        positions[3 * at + 2] = one.height[slot];
        headings[at] = one.heading[slot];
        speeds[at] = one.speed[slot];
        battery[at] = one.battery[slot];
        statuses[at] = one.status[slot];
        continue;
      }
      const longitude = from.longitude[slot];
      const latitude = from.latitude[slot];
      const height = from.height[slot];
      const heading = from.heading[slot];
      positions[3 * at] = longitude + (to.longitude[slot] - longitude) * weight - originLongitude;
      positions[3 * at + 1] = latitude + (to.latitude[slot] - latitude) * weight - originLatitude;
      positions[3 * at + 2] = height + (to.height[slot] - height) * weight;
      let turn = to.heading[slot] - heading;
      if (turn > 180) turn -= 360;
      else if (turn < -180) turn += 360;
      const turned = heading + turn * weight;
      headings[at] = turned < 0 ? turned + 360 : turned >= 360 ? turned - 360 : turned;
      const newest = weight >= 1 ? to : from;
      speeds[at] = newest.speed[slot];
      battery[at] = newest.battery[slot];
      statuses[at] = newest.status[slot];
    }
    this.#sample.length = length;
  }
}
