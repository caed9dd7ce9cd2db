// Whether the world goes on, and how fast. Operators hear it with the fleet's figures;
// everybody else asks now and then.

import { Problem, type Simulation } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { observeTime } from "./clock";
import { figures } from "./fleet";
import { api, connection } from "./session";
import { viewer } from "./viewer";

const ASK_EVERY_MS = 3000;

const asked = signal<Simulation | null>(null);

export const clockState = computed(() => {
  const known = figures.value ?? asked.value;
  return known && { state: known.state, speed: known.speed, realTimeFactor: known.realTimeFactor, slipMs: known.tickSlipMs };
});

export const paused = computed(() => clockState.value?.state === "paused");
export const stalled = computed(() => clockState.value?.state === "stalled");

export function startClock(): void {
  effect(() => {
    const { state } = connection.value;
    if (viewer.value.role === "operator" || (state !== "open" && state !== "resumed")) return;
    const ask = async () => {
      const answer = await api.simulation().catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        return null;
      });
      if (!answer) return;
      asked.value = answer;
      observeTime(answer.simTime, answer.state === "running" ? answer.realTimeFactor : 0);
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  });
}
