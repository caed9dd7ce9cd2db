// Smooth where drones fly, sudden where they do not, and never anywhere they were not.

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { PositionBuffer, STATUSES, type Shown } from "../src/position-buffer.js";
import { positions, START, type Flight } from "./frames.js";

const STEP = 200;
/** From a frame's departure to its arrival. */
const WAY = 20;
/** Frames of a steady rate are shown one and a half of them after they arrive. */
const DELAY = WAY + 1.5 * STEP;
/** The server's wall clock is far from ours, which began when the page was opened. */
const CLOCKS = 1_732_151_000_000;
const LOOK = 20;

/** A server that sends frames, and an eye that looks all along, as a page's does. */
class Feed {
  readonly buffer = new PositionBuffer({ hz: 1000 / STEP, capacity: 16 });
  /** When the next frame leaves, on our clock. */
  now = 0;
  sim = 0;
  /** What was seen of `d-1`, by time. */
  readonly seen = new Map<number, Shown | undefined>();

  /** Sends a frame and looks until the next one; gives the time at which the frame is due. */
  frame(flights: Flight[], more: Parameters<typeof positions>[3] = {}): number {
    this.buffer.take(positions(CLOCKS + this.now, this.sim, flights, more), this.now + WAY);
    this.look(STEP);
    const due = this.now + DELAY;
    this.now += STEP;
    this.sim += STEP / 1000;
    return due;
  }

  look(ms: number): void {
    for (let at = 0; at < ms; at += LOOK) {
      const now = this.now + WAY + at;
      this.buffer.sample(now);
      this.seen.set(now, this.buffer.shown("d-1"));
    }
  }

  /** Nothing comes for so long. */
  silence(ms: number): void {
    this.look(ms);
    this.now += ms;
  }

  at(time: number): Shown {
    const shown = this.seen.get(time);
    if (!shown) throw new Error(`nothing was seen at ${time}`);
    return shown;
  }

  /** The longest way, in degrees, between two looks. */
  longestStep(): number {
    const seen = [...this.seen.values()].filter((shown) => shown !== undefined);
    return Math.max(
      ...seen.slice(1).map((shown, i) => {
        return Math.hypot(shown.latitude - seen[i].latitude, shown.longitude - seen[i].longitude);
      }),
    );
  }
}

const place = { latitude: 37.76, longitude: -122.41 };
const A_FRAME = 8e-5;
/** North at about nine metres a frame. */
const flown = (frames: number, more: Partial<Flight> = {}): Flight => ({
  id: "d-1",
  longitude: place.longitude,
  latitude: place.latitude + frames * A_FRAME,
  ...more,
});

describe("between frames", () => {
  test("a drone is where each frame has it, at that frame's time", () => {
    const degrees = fc.double({ min: -1e-4, max: 1e-4, noNaN: true });
    const step = fc.record({ north: degrees, east: degrees, up: fc.integer({ min: -3, max: 3 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 4, maxLength: 12 }), (steps) => {
        const feed = new Feed();
        const flight = { id: "d-1", ...place, height: 60 };
        const due = steps.map(({ north, east, up }) => {
          flight.latitude += north;
          flight.longitude += east;
          flight.height += up;
          return { at: feed.frame([{ ...flight }]), ...flight };
        });
        for (const { at, latitude, longitude, height } of due.slice(0, -2)) {
          const shown = feed.at(at);
          expect(shown.latitude).toBeCloseTo(latitude, 9);
          expect(shown.longitude).toBeCloseTo(longitude, 9);
          expect(shown.height).toBeCloseTo(height, 3);
        }
      }),
    );
  });

  test("it is half-way at half-time, and moves evenly", () => {
    const feed = new Feed();
    const due = [0, 1, 2, 3, 4, 5].map((frames) => feed.frame([flown(frames)]));
    expect(feed.at(due[2] + STEP / 2).latitude).toBeCloseTo(place.latitude + 2.5 * A_FRAME, 9);
    expect(feed.longestStep()).toBeLessThan((A_FRAME * LOOK * 1.01) / STEP);
  });

  test("headings turn the short way round", () => {
    const heading = fc.integer({ min: 0, max: 359 });
    fc.assert(
      fc.property(heading, heading, (from, to) => {
        const feed = new Feed();
        const due = [from, from, to, to, to].map((heading, i) => feed.frame([flown(i, { heading })]));
        const middle = feed.at(due[1] + STEP / 2).heading;
        const apart = (a: number, b: number) => Math.abs(((a - b + 540) % 360) - 180);
        expect(apart(middle, from)).toBeLessThanOrEqual(90.001);
        expect(apart(middle, to)).toBeLessThanOrEqual(90.001);
        expect(middle).toBeGreaterThanOrEqual(0);
        expect(middle).toBeLessThan(360);
      }),
    );
  });

  test("a drone that a message leaves out stands still, and starts from there", () => {
    const feed = new Feed();
    feed.frame([flown(0)]);
    for (let i = 0; i < 6; i++) feed.frame([]);
    const due = feed.frame([flown(1)]);
    feed.frame([flown(2)]);
    feed.frame([flown(3)]);
    expect(feed.at(due - STEP).latitude).toBeCloseTo(place.latitude, 9);
    expect(feed.at(due).latitude).toBeCloseTo(place.latitude + A_FRAME, 9);
  });

  test("a late frame does not stop the motion, and a server that stops does", () => {
    const feed = new Feed();
    for (let i = 0; i < 6; i++) feed.frame([flown(i)]);
    feed.look(1.4 * STEP);
    const last = feed.at(feed.now + WAY + 1.4 * STEP - LOOK).latitude;
    expect(last).toBeGreaterThan(place.latitude + 5 * A_FRAME);
    expect(last).toBeLessThanOrEqual(place.latitude + 5.5 * A_FRAME + 1e-9);
    feed.silence(10 * STEP);
    expect(feed.at(feed.now + WAY - LOOK).latitude).toBeCloseTo(place.latitude + 5 * A_FRAME, 9);
  });
});

describe("where time does not simply pass", () => {
  const steady = () => {
    const feed = new Feed();
    for (let i = 0; i < 8; i++) feed.frame([flown(i)]);
    return feed;
  };

  test("after a pause the motion goes on from where it stopped", () => {
    const feed = steady();
    feed.silence(30_000);
    feed.seen.clear();
    for (let i = 8; i < 16; i++) feed.frame([flown(i)]);
    expect(feed.longestStep()).toBeLessThan((A_FRAME * LOOK * 1.5) / STEP);
    expect(feed.at(feed.now - 2 * STEP + DELAY - STEP).latitude).toBeCloseTo(place.latitude + 13 * A_FRAME, 9);
  });

  test("after a lost connection drones appear where they are", () => {
    const feed = steady();
    feed.silence(10_000);
    feed.sim += 10;
    feed.seen.clear();
    feed.frame([flown(58)], { full: true });
    for (const shown of feed.seen.values()) {
      expect(shown!.latitude).toBeCloseTo(place.latitude + 58 * A_FRAME, 9);
    }
  });

  test.each([
    ["back", -3600],
    ["forward", 3600],
    ["to another world's beginning", -1e9],
  ])("a seek %s shows no way between", (_, seconds) => {
    const feed = steady();
    feed.sim += seconds;
    feed.seen.clear();
    feed.frame([flown(300)], { full: true });
    for (const shown of feed.seen.values()) {
      expect(shown!.latitude).toBeCloseTo(place.latitude + 300 * A_FRAME, 9);
    }
  });

  test("a drone that was put elsewhere does not slide there", () => {
    const feed = steady();
    feed.frame([flown(5000)]);
    feed.frame([flown(5001)]);
    feed.frame([flown(5002)]);
    for (const shown of feed.seen.values()) {
      const frames = (shown!.latitude - place.latitude) / A_FRAME;
      expect(frames < 9 || frames > 4998).toBe(true);
    }
  });

  test("another speed of the world is a quicker way, not a jump", () => {
    const feed = steady();
    let at = 7;
    feed.seen.clear();
    for (let i = 0; i < 6; i++) {
      feed.sim += (29 * STEP) / 1000;
      feed.frame([flown((at += 30))]);
    }
    expect(feed.longestStep()).toBeLessThan((30 * A_FRAME * LOOK * 1.5) / STEP);
  });

  test("time that runs the other way shows the way back, as smooth as the way there", () => {
    const feed = new Feed();
    let at = 0;
    for (; at < 20; at++) feed.frame([flown(at)]);
    const back = () => {
      feed.sim -= (2 * STEP) / 1000;
      return feed.frame([flown(--at)]);
    };
    // It takes a few frames to know.
    for (let i = 0; i < 6; i++) back();
    feed.seen.clear();
    const due = [1, 2, 3, 4, 5, 6].map(back);
    const [one, other] = [due[2], due[3]].map((time) => feed.at(time!).latitude) as [number, number];
    expect((one - other) / A_FRAME).toBeCloseTo(1, 1);
    expect(feed.longestStep()).toBeLessThan((A_FRAME * LOOK * 1.5) / STEP);
  });

  test("it adapts to another rate of frames", () => {
    const feed = steady();
    for (let i = 0; i < 12; i++) {
      feed.frame([flown(8 + 5 * i)]);
      feed.sim += 0.8;
      feed.silence(800);
    }
    expect(feed.buffer.intervalMs).toBeCloseTo(1000, 0);
  });
});

describe("who is there", () => {
  test("a full message is all there is; `gone` takes away; both for all of the past too", () => {
    const feed = new Feed();
    feed.frame([flown(0), flown(0, { id: "d-2" }), flown(0, { id: "d-3" })], { full: true });
    for (let i = 0; i < 3; i++) feed.frame([]);
    const ids = () => {
      const { length } = feed.buffer.sample(feed.now);
      return Array.from({ length }, (_, index) => feed.buffer.idAt(index)).sort();
    };
    expect(ids()).toEqual(["d-1", "d-2", "d-3"]);
    feed.frame([], { gone: ["d-2", "d-99"] });
    for (let i = 0; i < 3; i++) feed.frame([]);
    expect(ids()).toEqual(["d-1", "d-3"]);
    feed.frame([flown(1, { id: "d-3" })], { full: true });
    for (let i = 0; i < 3; i++) feed.frame([]);
    expect(ids()).toEqual(["d-3"]);
    expect(feed.buffer.indexOf("d-1")).toBe(-1);
  });

  test("index and id find each other, whoever comes and goes", () => {
    const id = fc.integer({ min: 0, max: 60 }).map((number) => `d-${number}`);
    const beat = fc.record({ come: fc.uniqueArray(id, { maxLength: 30 }), full: fc.boolean() });
    fc.assert(
      fc.property(fc.array(beat, { minLength: 6, maxLength: 20 }), fc.infiniteStream(fc.boolean()), (beats, leaves) => {
        const feed = new Feed();
        let there = new Set<string>();
        for (const { come, full } of [...beats, ...Array(8).fill({ come: [], full: false })]) {
          const gone = full ? [] : [...there].filter((id) => !come.includes(id) && leaves.next().value && come.length > 0);
          there = full ? new Set(come) : new Set([...there, ...come].filter((id) => !gone.includes(id)));
          feed.frame(come.map((id: string) => flown(Number(id.slice(2)), { id })), { full, gone });
        }
        const sample = feed.buffer.sample(feed.now);
        expect(sample.length).toBe(there.size);
        for (let index = 0; index < sample.length; index++) {
          const id = feed.buffer.idAt(index)!;
          expect(there.has(id)).toBe(true);
          expect(feed.buffer.indexOf(id)).toBe(index);
          expect(sample.positions[3 * index + 1]).toBeCloseTo(flown(Number(id.slice(2))).latitude, 9);
        }
        expect(feed.buffer.idAt(sample.length)).toBeUndefined();
        expect(feed.buffer.size).toBe(there.size);
      }),
    );
  });

  test("statuses, batteries, simulated time and offsets are as sent", () => {
    const origin: [number, number] = [place.longitude, place.latitude];
    const buffer = new PositionBuffer({ origin });
    for (let i = 0; i < 5; i++) {
      buffer.take(positions(i * STEP, i / 5, [flown(i, { status: "returning", heading: 350 })]), i * STEP);
    }
    const sample = buffer.sample(4 * STEP + 1.5 * STEP);
    expect(sample.positions).toBeInstanceOf(Float32Array);
    expect(sample.positions[1]).toBeCloseTo(4 * A_FRAME, 9);
    expect(STATUSES[sample.statuses[0]]).toBe("returning");
    expect(sample.battery[0]).toBeCloseTo(0.8, 6);
    expect(sample.speeds[0]).toBe(14);
    expect(sample.simTime).toBeCloseTo(START + 800, 3);
    expect(buffer.shown("d-1")?.latitude).toBeCloseTo(flown(4).latitude, 9);
  });

  test("nothing of a buffer that was reset is left", () => {
    const feed = new Feed();
    feed.frame([flown(0)]);
    feed.buffer.reset();
    expect(feed.buffer.sample(feed.now).length).toBe(0);
    expect(feed.buffer.indexOf("d-1")).toBe(-1);
    feed.frame([flown(3)], { full: true });
    expect(feed.buffer.shown("d-1")?.latitude).toBeCloseTo(flown(3).latitude, 9);
  });
});

test("however frames come, a drone is on its way, and never further beyond it than its last step", () => {
  const frame = fc.record({
    gap: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 150, max: 250 }) }, fc.integer({ min: 0, max: 4_000 })),
    way: fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 5, max: 60 }) }, fc.integer({ min: 5, max: 900 })),
    steps: fc.oneof({ weight: 6, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 30 })),
    looks: fc.integer({ min: 0, max: 12 }),
    full: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(frame, { minLength: 2, maxLength: 30 }), (frames) => {
      const buffer = new PositionBuffer({ hz: 1000 / STEP, capacity: 16 });
      let [sentAt, arrivedAt, at, last] = [0, 0, 0, 0];
      for (const { gap, way, steps, looks, full } of frames) {
        // What is told once more of the same moment is no step.
        last = steps || last;
        sentAt += gap;
        at += steps;
        // One connection: nothing overtakes.
        arrivedAt = Math.max(arrivedAt, sentAt + way);
        const flight = flown(at);
        buffer.take(positions(CLOCKS + sentAt, (at * STEP) / 1000, [flight], { full }), arrivedAt);
        for (let look = 0; look <= looks; look++) {
          const { length, simTime } = buffer.sample(arrivedAt + look * LOOK);
          const shown = buffer.shown("d-1")!;
          const frames = (shown.latitude - place.latitude) / A_FRAME;
          expect(length).toBe(1);
          expect(shown.longitude).toBe(place.longitude);
          expect(frames).toBeGreaterThanOrEqual(-1e-6);
          expect(frames).toBeLessThanOrEqual(at + last + 1e-6);
          // Time and place tell the same.
          expect((simTime - START) / STEP).toBeGreaterThanOrEqual(-1e-6);
          expect((simTime - START) / STEP).toBeLessThanOrEqual(at + last + 1e-6);
        }
        arrivedAt += looks * LOOK;
      }
    }),
  );
});

test("twenty thousand drones are sampled into the same arrays", () => {
  const buffer = new PositionBuffer();
  const flights = Array.from({ length: 20_000 }, (_, i) => flown(i % 100, { id: `d-${i}` }));
  const arrays = () => {
    const { positions, headings, statuses, battery, speeds } = buffer.sample(now);
    return [positions, headings, statuses, battery, speeds];
  };
  let now = 0;
  buffer.take(positions(CLOCKS, 0, flights, { full: true }), now);
  const first = arrays();
  for (let frame = 1; frame < 10; frame++) {
    now = frame * STEP;
    buffer.take(positions(CLOCKS + now, frame / 5, flights), now);
    expect(buffer.sample(now).length).toBe(20_000);
    expect(arrays().every((array, i) => array === first[i])).toBe(true);
  }
});
