// The fleet's figures by the world's own time, one sample a message, for charts: as far as this page
// saw them, and never further than the moment that is shown.

import { effect, signal } from "@preact/signals";

import { lastTold } from "./clock";
import { figures, type Figures } from "./fleet";
import { isRewinding, playback } from "./playback";

/** An hour at one sample a second. */
const KEPT = 3600;
/** Ten minutes at one sample a second. */
const SHOWN = 600;
/** Samples further apart than this many of the last steps are not one line. */
const TORN_STEPS = 8;

export interface Gauges {
  /** Seconds of Unix time, in the simulated world. */
  at: number[];
  perMinute: (number | null)[];
  airborne: (number | null)[];
  tickMs: (number | null)[];
  etaErrorP50: (number | null)[];
  etaErrorP95: (number | null)[];
}

type Sample = { [Name in keyof Gauges]: Gauges[Name][number] };

const NAMES = ["at", "perMinute", "airborne", "tickMs", "etaErrorP50", "etaErrorP95"] as const;

/** In order of time; none at a time twice. */
const kept: Sample[] = [];

export const gauges = signal<Gauges>(columns([]));

export function startGauges(): void {
  effect(() => {
    const now = figures.value;
    const told = lastTold();
    if (!now || told === null) return;
    const at = told / 1000;
    const place = firstFrom(at);
    // Backwards they are those of where it was turned.
    if (!isRewinding.peek()) put(place, sampleOf(now, at));
    gauges.value = columns(kept.slice(0, firstFrom(at + 1e-3)).slice(-SHOWN));
  });
}

function sampleOf(now: Figures, at: number): Sample {
  return {
    at,
    perMinute: now.completedPerMinute ?? null,
    airborne: now.airborne,
    // Of what is played nothing is computed.
    tickMs: playback.peek() ? null : (now.tickMs ?? null),
    etaErrorP50: now.etaError?.p50Seconds ?? null,
    etaErrorP95: now.etaError?.p95Seconds ?? null,
  };
}

function put(place: number, sample: Sample): void {
  kept.splice(place, kept[place]?.at === sample.at ? 1 : 0, sample);
  if (kept.length > KEPT) place > KEPT / 2 ? kept.shift() : kept.pop();
}

function firstFrom(at: number): number {
  let [from, to] = [0, kept.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (kept[middle]!.at < at) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** With a hole where the page saw nothing in between. */
function columns(samples: Sample[]): Gauges {
  const steps = samples.slice(1).map(({ at }, i) => at - samples[i]!.at);
  const usual = [...steps].sort((one, other) => one - other)[steps.length >> 1] ?? 0;
  const torn = samples.flatMap((sample, i) => {
    const before = samples[i - 1];
    if (!before || sample.at - before.at <= usual * TORN_STEPS) return [sample];
    const hole = Object.fromEntries(NAMES.map((name) => [name, name === "at" ? (before.at + sample.at) / 2 : null]));
    return [hole as unknown as Sample, sample];
  });
  return Object.fromEntries(NAMES.map((name) => [name, torn.map((sample) => sample[name])])) as unknown as Gauges;
}
