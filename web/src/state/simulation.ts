// Whether the world goes on, and how fast. Operators hear it with the fleet's figures;
// everybody else asks now and then.

import { Problem, type Simulation } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { observeTime } from "./clock";
import { figures } from "./fleet";
import { api, connection, paceOf } from "./session";
import { viewer } from "./viewer";

const ASK_EVERY_MS = 3000;

type ClockState = Pick<Simulation, "state" | "speed" | "realTimeFactor">;

/** As it was told last, by whichever way. */
export const clockState = signal<ClockState | null>(null);

export const paused = computed(() => clockState.value?.state === "paused");
export const stalled = computed(() => clockState.value?.state === "stalled");

/** The server said how the clock stands. */
export function observeClock(told: Simulation): void {
  clockState.value = told;
  observeTime(told.simTime, paceOf(told));
}

export function startClock(): void {
  effect(() => {
    if (figures.value) clockState.value = figures.value;
  });
  effect(() => {
    const { state } = connection.value;
    if (viewer.value.role === "operator" || (state !== "open" && state !== "resumed")) return;
    const ask = async () => {
      const answer = await api.simulation().catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        return null;
      });
      if (!answer) return;
      observeClock(answer);
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  });
}
