// What if it had gone on otherwise from the moment that is shown: what to change, how far the
// branch has come, and the way to two maps side by side.

import type { Fork } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

import { begin, callOff, forks, paired, trouble } from "../state/forks";
import { elapsed, moment } from "../state/playback";
import { Icon } from "./Icon";

const POLICIES = ["nearest", "earliest-pickup", "batch"] as const;

export function WhatIf() {
  const open = useSignal(false);
  const told = forks.value;
  if (!told) return null;
  const running = told.items.find(({ state }) => state === "running");
  return (
    <div class="what-if">
      {told.beside && !paired.value && (
        <button type="button" class="quiet" onClick={() => (paired.value = true)}>
          <Icon name="swap" size={16} /> <span class="timeline-word">Side by side</span>
        </button>
      )}
      <button type="button" class="quiet" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>
        <Icon name="fork" size={16} /> <span class="timeline-word">What if…</span>
      </button>
      {running && <Progress fork={running} />}
      {open.value && !running && <Wish last={told.items.at(-1)} done={() => (open.value = false)} />}
    </div>
  );
}

function Progress({ fork }: { fork: Fork }) {
  return (
    <div class="what-if-box panel" role="status">
      <p>
        From {elapsed(Date.parse(fork.at))} on, otherwise: {Math.round(fork.progress * 100)} %
      </p>
      <progress max={1} value={fork.progress} aria-label="How far the branch has come" />
      <button type="button" class="quiet" onClick={() => void callOff(fork)}>
        Call it off
      </button>
    </div>
  );
}

function Wish({ last, done }: { last: Fork | undefined; done: () => void }) {
  const rate = useSignal("");
  const policy = useSignal("");
  const wind = useSignal("");
  const more = useSignal("");
  const at = moment.value;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (at === null) return;
    const wishes: [string, string][] = [
      ["demand.rate", rate.value.trim()],
      ["dispatch.policy", policy.value],
      ["weather.wind.speed", wind.value.trim()],
    ];
    for (const line of more.value.split("\n").filter((line) => line.trim())) {
      const [key, ...value] = line.split("=");
      wishes.push([key!.trim(), value.join("=").trim()]);
    }
    if (await begin(at, Object.fromEntries(wishes.filter(([, value]) => value !== "")))) done();
  };
  return (
    <form class="what-if-box panel" aria-label="What if" onSubmit={(event) => void submit(event)}>
      <p>
        What if from <b class="figures">{at === null ? "" : elapsed(at)}</b> on …
      </p>
      <label>
        Orders
        <input type="text" placeholder="800/h" value={rate.value} onInput={(event) => (rate.value = event.currentTarget.value)} />
      </label>
      <label>
        Dispatch
        <select value={policy.value} onChange={(event) => (policy.value = event.currentTarget.value)}>
          <option value="">as it was</option>
          {POLICIES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Wind, m/s
        <input type="number" min={0} max={40} step="any" value={wind.value} onInput={(event) => (wind.value = event.currentTarget.value)} />
      </label>
      <label>
        Anything else
        <textarea rows={2} placeholder="recipient.never=0.1" value={more.value} onInput={(event) => (more.value = event.currentTarget.value)} />
      </label>
      {trouble.value ? (
        <p class="field-error" role="alert">
          {trouble.value}
        </p>
      ) : (
        last?.state === "failed" && <p class="field-error">The last one failed: {last.why}</p>
      )}
      <button type="submit" class="primary">
        Let it go on
      </button>
    </form>
  );
}
