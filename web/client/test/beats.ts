// When positions come and what they are of: as a server was seen to send them, and as one
// may send them whose commits take longer, at any speed of the world.

import { readFileSync } from "node:fs";

import { PositionBuffer } from "../src/position-buffer.js";
import { positions } from "./frames.js";

const TICK_MS = 100;
const SLOT_MS = 100;
const SCREEN_HZ = 60;
/** Degrees in a simulated millisecond, to the north. */
const STEADY = 1e-7;

export interface Beat {
  /** Simulated milliseconds. */
  sim: number;
  /** On the server's clock. */
  sentAt: number;
  /** On ours, which differs by the fastest way. */
  arrived: number;
}

/** Of one drone, for some fifteen seconds, on a machine that had much else to do. */
export function recorded(speed: number, hz: number): Beat[] {
  const text = readFileSync(new URL("./data/beats.json", import.meta.url), "utf8");
  const all = JSON.parse(text) as { speed: number; hz: number; beats: [number, number, number][] }[];
  const found = all.find((record) => record.speed === speed && record.hz === hz);
  return found!.beats.map(([tick, sentAt, arrived]) => ({ sim: tick * TICK_MS, sentAt, arrived }));
}

export interface Habits {
  speed: number;
  hz: number;
  /** Where in a slot the first tick falls. */
  phase: number;
  /** Tick by tick, from 0 to 1. */
  chance: () => number;
  longestCommit: number;
  longestWay: number;
}

/** A tick is published when it is committed; a beat brings the newest, in slots, by its tier. */
export function generated({ speed, hz, phase, chance, longestCommit, longestWay }: Habits, ms: number): Beat[] {
  const slotsOfTier = 1000 / SLOT_MS / hz;
  const published: { at: number; sim: number }[] = [];
  for (let tick = 1; ; tick++) {
    const due = phase + (tick * TICK_MS) / speed;
    if (due > ms) break;
    const before = published.at(-1)?.at ?? 0;
    published.push({ at: Math.max(before, due + chance() * longestCommit), sim: tick * TICK_MS });
  }
  const beats: Beat[] = [];
  let nextSlot = 1;
  let tierSlot = -1;
  for (let i = 0; i < published.length; ) {
    const at = Math.max(published[i].at, nextSlot * SLOT_MS);
    while (i < published.length && published[i].at <= at) i++;
    const newest = published[i - 1];
    const slot = Math.max(nextSlot, Math.floor(at / SLOT_MS));
    nextSlot = slot + 1;
    if (Math.floor(slot / slotsOfTier) === Math.floor(tierSlot / slotsOfTier)) continue;
    tierSlot = slot;
    const arrived = Math.max(beats.at(-1)?.arrived ?? 0, at + chance() * longestWay);
    beats.push({ sim: newest.sim, sentAt: Math.round(newest.at), arrived });
  }
  return beats;
}

/** How fast a drone of steady speed seems to fly, look by look; 1 is as fast as it does. */
export function seenSpeeds(beats: Beat[], { speed, hz }: { speed: number; hz: number }): number[] {
  const SETTLED_MS = 5_000;
  const buffer = new PositionBuffer({ hz });
  const speeds: number[] = [];
  let before: number | undefined;
  let next = 0;
  for (let look = 0; ; look++) {
    const now = beats[0].arrived + (look * 1000) / SCREEN_HZ;
    for (; next < beats.length && beats[next].arrived <= now; next++) {
      const { sim, sentAt, arrived } = beats[next];
      const flight = { id: "d-1", latitude: 37 + sim * STEADY, longitude: -122 };
      buffer.take(positions(1_780_000_000_000 + sentAt, sim / 1000, [flight]), arrived);
    }
    if (next === beats.length) return speeds;
    buffer.sample(now);
    const latitude = buffer.shown("d-1")!.latitude;
    if (before !== undefined && now - beats[0].arrived > SETTLED_MS) {
      speeds.push((latitude - before) / ((1000 / SCREEN_HZ) * speed * STEADY));
    }
    before = latitude;
  }
}
