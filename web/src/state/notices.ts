// What the user has to know about the page's own state, said once and in words: one notice
// at a time, the most serious first.

import { computed, effect, signal } from "@preact/signals";

import { beganAnew } from "./another_world";
import { figures } from "./fleet";
import { hasEnded, playback } from "./playback";
import { connection, sky } from "./session";
import { paused, stalled } from "./simulation";
import { token } from "./token";
import { checkWorld, world, worldRefused } from "./world";

export type Notice =
  | { kind: "connecting"; reason?: string; retryInS?: number }
  | { kind: "refused"; hadToken: boolean }
  | { kind: "lost"; since: number; forS: number; gone: boolean; reason?: string }
  | { kind: "resumed"; sameWorld: boolean }
  | { kind: "stalled" }
  | { kind: "paused" }
  | { kind: "ended" }
  | { kind: "no-drones" }
  | { kind: "nothing-flies" };

/** A page that opens says so only if it takes longer than a moment. */
const MOMENT_MS = 900;
const RESUMED_SHOWN_MS = 4000;
/** After this silence it is no hiccup any more. */
const GONE_S = 20;

/** Wall clock, once a second. */
export const wallNow = signal(Date.now());

const resumed = signal<{ sameWorld: boolean } | null>(beganAnew.peek() ? { sameWorld: false } : null);

export const notice = computed<Notice | null>(() => {
  const { state, detail, since } = connection.value;
  if (state === "refused" || worldRefused.value) return { kind: "refused", hadToken: token.value !== undefined };
  const forS = Math.max(0, Math.round((wallNow.value - since) / 1000));
  if (state === "lost") return { kind: "lost", since, forS, gone: forS >= GONE_S, reason: detail.reason };
  if (state === "connecting") {
    const waits = wallNow.value - since > MOMENT_MS || detail.attempt > 0;
    const retryInS = detail.retryInMs === undefined ? undefined : Math.ceil(detail.retryInMs / 1000);
    return waits ? { kind: "connecting", reason: detail.reason, retryInS } : null;
  }
  if (stalled.value) return { kind: "stalled" };
  if (resumed.value) return { kind: "resumed", ...resumed.value };
  // A recording's own controls say more, and what does not fly yet is further on.
  if (playback.value) return hasEnded.value ? { kind: "ended" } : null;
  if (paused.value) return { kind: "paused" };
  const fleet = figures.value;
  if (fleet && fleet.drones === 0) return { kind: "no-drones" };
  if (fleet && world.value && fleet.deliveries.accepted === 0 && fleet.airborne === 0) return { kind: "nothing-flies" };
  return null;
});

export function startNotices(): void {
  setInterval(() => (wallNow.value = Date.now()), 1000);
  let epoch: string | undefined;
  let timer = setTimeout(() => (resumed.value = null), 2 * RESUMED_SHOWN_MS);
  effect(() => {
    const { state } = connection.value;
    const now = sky.welcome?.epoch;
    if (state === "resumed") {
      // A recording's epoch is only where it is being played.
      resumed.value = { sameWorld: epoch === now || sky.welcome?.playback === true };
      void checkWorld();
      clearTimeout(timer);
      timer = setTimeout(() => (resumed.value = null), RESUMED_SHOWN_MS);
    }
    if (state === "resumed" || state === "open") epoch = now;
    wallNow.value = Date.now();
  });
}
