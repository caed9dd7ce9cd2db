// The fleet's figures over the last minutes, one sample a message, for charts.

import { effect, signal } from "@preact/signals";

import { figures } from "./fleet";

/** Ten minutes at one sample a second. */
const KEPT = 600;

export interface Gauges {
  /** Seconds of Unix time, wall clock. */
  at: number[];
  perMinute: (number | null)[];
  airborne: (number | null)[];
  waiting: (number | null)[];
  tickMs: (number | null)[];
  slipMs: (number | null)[];
  etaErrorP50: (number | null)[];
  etaErrorP95: (number | null)[];
}

const kept: Gauges = {
  at: [],
  perMinute: [],
  airborne: [],
  waiting: [],
  tickMs: [],
  slipMs: [],
  etaErrorP50: [],
  etaErrorP95: [],
};

/** The same arrays each time; a new object tells that they have grown. */
export const gauges = signal<Gauges>({ ...kept });

export function startGauges(): void {
  effect(() => {
    const now = figures.value;
    if (!now) return;
    kept.at.push(Date.now() / 1000);
    kept.perMinute.push(now.completedPerMinute ?? null);
    kept.airborne.push(now.airborne);
    kept.waiting.push(now.deliveries.waiting);
    kept.tickMs.push(now.tickMs ?? null);
    kept.slipMs.push(now.tickSlipMs);
    kept.etaErrorP50.push(now.etaError?.p50Seconds ?? null);
    kept.etaErrorP95.push(now.etaError?.p95Seconds ?? null);
    if (kept.at.length > KEPT) for (const series of Object.values(kept)) (series as unknown[]).shift();
    gauges.value = { ...kept };
  });
}
