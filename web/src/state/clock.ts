// Simulated time between two messages: it goes on at the pace that the server last told.

import { signal } from "@preact/signals";

/** Milliseconds of Unix time in the simulated world; null before the server said it. */
export const simNow = signal<number | null>(null);

const EVERY_MS = 250;
/** Without a word from the server the clock does not run ahead further than this. */
const BLIND_MS = 3000;

let anchor: { sim: number; wall: number; pace: number } | null = null;

/** The server said that it is `simTime`, and how many simulated seconds a second takes. */
export function observeTime(simTime: string, pace: number | "max"): void {
  const sim = Date.parse(simTime);
  if (Number.isNaN(sim)) return;
  anchor = { sim, wall: performance.now(), pace: typeof pace === "number" ? pace : 0 };
  tick();
}

/** What the server said last, without what passed since. */
export function lastTold(): number | null {
  return anchor && anchor.sim;
}

function tick(): void {
  if (!anchor) return;
  const passed = Math.min(performance.now() - anchor.wall, BLIND_MS);
  simNow.value = anchor.sim + passed * anchor.pace;
}

setInterval(tick, EVERY_MS);
