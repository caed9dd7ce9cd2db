// What if: branches of the recording that is played, the one that is shown beside it, and how the
// two compare.

import { Problem, type Comparison, type Fork, type Forks } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { canControl, isTaped, playback } from "./playback";
import { api } from "./session";
import { embedded, half, kiosk } from "./settings";

/** Null where there are none to be had: a live world, or a page that may not. */
export const forks = signal<Forks | null>(null);
export const comparison = signal<Comparison | null>(null);
/** Why there is no comparison, or no branch. */
export const trouble = signal<string | null>(null);
/** Two maps side by side. */
export const paired = signal(false);

/** The past of a world that is live has no branches. */
const isRecording = computed(() => playback.value !== null && !isTaped.value && canControl.value);

const ASK_EVERY_MS = 700;

export function startForks(): void {
  if (embedded || half || kiosk) return;
  effect(() => {
    if (!isRecording.value) {
      forks.value = null;
      paired.value = false;
      return;
    }
    void ask();
  });
  // What is beside may change while it is looked at.
  let compared: string | undefined;
  effect(() => {
    const file = forks.value?.beside?.file;
    if (file === undefined || file === compared) return;
    compared = file;
    paired.value = true;
    comparison.value = null;
    void compare();
  });
}

let timer: ReturnType<typeof setTimeout> | undefined;

/** Until none is under way. */
async function ask(): Promise<void> {
  clearTimeout(timer);
  const told = await api.forks().catch(() => null);
  if (told === null) return;
  forks.value = told;
  if (told.items.some(({ state }) => state === "running")) timer = setTimeout(() => void ask(), ASK_EVERY_MS);
}

async function compare(): Promise<void> {
  await attempt(async () => {
    comparison.value = await api.comparison();
  });
}

export async function begin(at: number, set: Record<string, string>): Promise<boolean> {
  return attempt(async () => {
    await api.fork(new Date(at).toISOString(), set);
    await ask();
  });
}

export async function callOff({ id }: Fork): Promise<void> {
  await attempt(async () => {
    await api.cancelFork(id);
    await ask();
  });
}

async function attempt(act: () => Promise<void>): Promise<boolean> {
  try {
    trouble.value = null;
    await act();
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    trouble.value = problem.body.errors?.map(({ detail }) => detail).join("; ") || problem.message;
    return false;
  }
}
