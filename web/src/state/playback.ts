// What is recorded, as a timeline, and control over the moment of it that is shown: of a recording
// that is played for all, or of a live world that is recorded, whose past this page alone looks at.
// Whoever drags or holds a key asks for many moments in a row: one request is under way
// at a time, and of what is wanted meanwhile the last counts.

import { Problem, type ClockMessage, type Simulation, type SimulationChange, type Timeline } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { observeTime, simNow } from "./clock";
import { api, connection, reads, sky } from "./session";
import { clockState, observeClock } from "./simulation";
import { viewer } from "./viewer";
import { world } from "./world";

export interface Playback {
  /** Milliseconds of Unix time in the simulated world. */
  from: number;
  to: number;
  loop: boolean;
  frameMs: number;
}

/** What can be seen of what was; null while the page shows the world as it is now. */
export const playback = signal<Playback | null>(null);
export const timeline = signal<Timeline | null>(null);
/** What is recorded of a live world until now; null where nothing is. */
const tape = signal<Omit<Playback, "to"> | null>(null);
/** Where the timeline goes from and to; null where there is none. */
export const span = computed<Playback | null>(() => {
  const excerpt = playback.value;
  if (excerpt && tape.value) return { ...excerpt, to: Math.max(excerpt.to, Date.parse(timeline.value?.to ?? "") || 0) };
  if (excerpt || !tape.value || simNow.value === null) return excerpt;
  return { ...tape.value, to: Math.max(simNow.value, tape.value.from) };
});
/** A live world is recorded. */
export const isTaped = computed(() => tape.value !== null);
/** The past of a world that is live: this page alone looks at it, and may come back. */
export const isInPast = computed(() => playback.value !== null && tape.value !== null);
/** Where the user wants to be, until the server has gone there. */
const aim = signal<number | null>(null);
/** Why the last wish was not granted. */
export const refusal = signal<string | null>(null);

/** The moment to show as the present one. */
export const moment = computed<number | null>(() => {
  const excerpt = span.value;
  const at = aim.value ?? simNow.value;
  return excerpt && at !== null ? clamped(at, excerpt) : null;
});

/** Whether it goes backwards. */
export const isBackwards = computed(() => {
  const speed = clockState.value?.speed;
  return typeof speed === "number" && speed < 0;
});

/** What is shown is the last of the recording, and stays. */
export const hasEnded = computed(() => {
  const excerpt = playback.value;
  const stands = clockState.value?.state === "paused" && tape.value === null;
  return excerpt !== null && stands && (moment.value ?? 0) >= excerpt.to - excerpt.frameMs / 2;
});

/** The world's own beginning, which elapsed time counts from. */
export const beginning = computed(() => (world.value ? Date.parse(world.value.start) : null));

/** Deliveries are as they were told, and positions go back from there. */
export const isRewinding = computed(() => isBackwards.value && clockState.value?.state === "running");

/** Who may move it, for all who watch a recording, or for themselves. */
export const canControl = computed(() => span.value !== null && viewer.value.role === "operator");

const ASK_EVERY_MS = 3000;
const GATHER_EVERY_MS = 1500;
/** Five moments a second are as many as are worth showing. */
const SEEK_EVERY_MS = 200;
const BUCKETS = 400;

export function startPlayback(): void {
  effect(() => {
    const { state } = connection.value;
    if (state !== "open" && state !== "resumed") return;
    playback.value = tape.value = timeline.value = aim.value = null;
    reads.value = api;
    shown = undefined;
    if (!sky.welcome?.playback) return followTape();
    const ask = async () => adopt(await api.simulation().catch(() => null));
    void ask();
    void gather();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  });
}

/** A live world may begin to be recorded, and end, at any time. */
function followTape(): (() => void) | undefined {
  if (viewer.value.role !== "operator") return;
  const ask = async () => {
    const told = await api.recording().catch(() => null);
    const from = told?.state === "recording" ? told.from : null;
    // Who is in the past stays there until they come back.
    if (told && from === null && !playback.peek()) tape.value = timeline.value = null;
    if (from === null) return;
    if (tape.peek()?.from !== Date.parse(from)) tape.value = { from: Date.parse(from), loop: false, frameMs: 1000 };
    timeline.value = (await api.timeline(BUCKETS).catch(() => null)) ?? timeline.peek();
  };
  void ask();
  lookAgain = () => void ask();
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  const stops = [() => clearInterval(timer), sky.onClock(adoptClock), sky.onRefusal((error) => {
    refusal.value = error.message;
    aim.value = null;
  })];
  return () => stops.forEach((stop) => stop());
}

/** By which name the past is read that this page alone looks at. */
let shown: string | undefined;

/** How the show goes that this page alone looks at. */
function adoptClock({ live, show, state, speed, simTime, from, to, frameSeconds }: ClockMessage): void {
  const isShow = !live && from !== undefined && to !== undefined;
  if (show !== shown) reads.value = show === undefined ? api : api.asOf(show);
  shown = show;
  playback.value = isShow ? { from: Date.parse(from), to: Date.parse(to), loop: false, frameMs: (frameSeconds ?? 1) * 1000 } : null;
  refusal.value = aim.value = null;
  const running = state === "running" && typeof speed === "number" ? speed : 0;
  clockState.value = { state: state as Simulation["state"], speed, realTimeFactor: running };
  observeTime(simTime, running);
}

let lookAgain = () => {};

/** A recording was begun or ended by this page. */
export function tapeChanged(): void {
  lookAgain();
}

/** To the world as it is now. */
export function goLive(): void {
  wanted = {};
  // The show ends with this.
  reads.value = api;
  shown = undefined;
  sky.live();
}

let isGathering = false;

/** The timeline is there before all of it has been read, and is asked for until it has. */
async function gather(): Promise<void> {
  if (isGathering || viewer.peek().role !== "operator") return;
  isGathering = true;
  while (timeline.peek()?.gathered !== null) {
    const known = await api.timeline(BUCKETS).catch(() => null);
    if (known) timeline.value = known;
    if (known?.gathered !== null) await new Promise((later) => setTimeout(later, GATHER_EVERY_MS));
  }
  isGathering = false;
}

function adopt(told: Simulation | null): void {
  if (!told?.playback) return;
  const { from, to, loop, frameSeconds } = told.playback;
  const next = { from: Date.parse(from), to: Date.parse(to), loop, frameMs: frameSeconds * 1000 };
  const before = playback.peek();
  const isNew = !before || (Object.keys(next) as (keyof Playback)[]).some((key) => before[key] !== next[key]);
  if (isNew) playback.value = next;
  if (!isBusy) observeClock(told);
}

let wanted: SimulationChange = {};
let isBusy = false;

/** Changes how it is played, once what was asked for before is done. */
export function control(change: SimulationChange): void {
  wanted = { ...wanted, ...change };
  const { state, speed } = change;
  const before = clockState.peek();
  // Keys may be pressed faster than the server answers.
  if (before) clockState.value = { ...before, ...(state && { state }), ...(speed !== undefined && { speed }) };
  if (!isBusy) void carryOut();
}

/** What this page alone looks at is moved through its session; `clock` answers. */
function carryOutHere({ simTime, speed, state }: SimulationChange): void {
  if (simTime !== undefined) sky.seek(simTime);
  const now = clockState.peek();
  if (state === "paused") sky.play(0);
  else if (typeof speed === "number") {
    if (state === "running" || now?.state === "running") sky.play(speed);
  } else if (state === "running") sky.play(typeof now?.speed === "number" ? now.speed : 1);
}

async function carryOut(): Promise<void> {
  isBusy = true;
  while (Object.keys(wanted).length > 0) {
    const change = wanted;
    wanted = {};
    const began = performance.now();
    const answer = tape.peek() ? carryOutHere(change) : await api.control(change).catch((problem: unknown) => problem);
    if (!answer) refusal.value = null;
    else if (answer instanceof Problem) refusal.value = answer.message;
    else if (!(answer instanceof Error)) {
      refusal.value = null;
      if (Object.keys(wanted).length === 0) observeClock(answer as Simulation);
    }
    const rest = SEEK_EVERY_MS - (performance.now() - began);
    if (change.simTime !== undefined && rest > 0) await new Promise((later) => setTimeout(later, rest));
  }
  isBusy = false;
  if (!tape.peek()) aim.value = null;
}

export function seek(at: number, more: SimulationChange = {}): void {
  const excerpt = span.peek();
  if (!excerpt) return;
  const to = clamped(at, excerpt);
  aim.value = to;
  control({ simTime: new Date(to).toISOString(), ...more });
}

/** From where it is, or will be in a moment. */
export function seekBy(ms: number, more: SimulationChange = {}): void {
  const at = moment.peek();
  if (at !== null) seek(at + ms, more);
}

/** Where it has come to an end it begins again from the other one. */
export function play(speed: number): void {
  const excerpt = span.peek();
  const at = moment.peek();
  if (!excerpt || at === null) return;
  const change = { state: "running", speed } as const;
  const slack = excerpt.frameMs / 2;
  if (speed > 0 && at >= excerpt.to - slack) tape.peek() ? goLive() : seek(excerpt.from, change);
  else if (speed < 0 && at <= excerpt.from + slack) seek(excerpt.to, change);
  else control(change);
}

export function pause(): void {
  control({ state: "paused" });
}

export function togglePlay(): void {
  if (clockState.peek()?.state === "running") pause();
  else play(signed(speed.peek()));
}

/** Simulated seconds a second, whichever way; what is fastest has no number. */
export const speed = computed(() => {
  const told = clockState.value?.speed ?? 1;
  return typeof told === "number" ? Math.abs(told) : told;
});

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

export function setSpeed(next: number): void {
  control({ speed: signed(next) });
}

function signed(value: number | "max"): number {
  const times = value === "max" ? SPEEDS.at(-1)! : value;
  return isBackwards.peek() ? -times : times;
}

/** The other way; while it plays that way already, faster. */
export function shuttle(direction: 1 | -1): void {
  const running = clockState.peek()?.state === "running";
  const same = isBackwards.peek() === direction < 0;
  const now = speed.peek();
  const times = now === "max" ? SPEEDS.at(-1)! : now;
  const faster = SPEEDS.find((next) => next > times) ?? times;
  play(direction * (running && same ? faster : running ? 1 : times));
}

export function stepFrame(direction: 1 | -1): void {
  const excerpt = span.peek();
  if (excerpt) seekBy(direction * excerpt.frameMs, { state: "paused" });
}

/** `HH:MM:SS` since the world's beginning, as commands and links have it. */
export function elapsed(at: number): string {
  const seconds = Math.max(0, Math.floor((at - (beginning.peek() ?? at)) / 1000 + 1e-6));
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** The moment of such a time; null where it is none. */
export function momentOf(text: string): number | null {
  const parts = /^(\d+):([0-5]?\d):([0-5]?\d)$/.exec(text);
  const from = beginning.peek();
  if (!parts || from === null) return null;
  const [hours, minutes, seconds] = parts.slice(1).map(Number) as [number, number, number];
  return from + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** Goes there as soon as there is a recording to go to. */
export function seekTo(elapsedTime: string): void {
  const stop = effect(() => {
    if (!canControl.value || beginning.value === null) return;
    const at = momentOf(elapsedTime);
    if (at !== null) seek(at);
    queueMicrotask(() => stop());
  });
}

function clamped(at: number, { from, to }: Playback): number {
  return Math.min(Math.max(at, from), to);
}
