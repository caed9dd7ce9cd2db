// A recording's controls: what moment it is, how it is played, and the track to move on.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";

import { momentLink } from "../state/link";
import {
  SPEEDS,
  beginning,
  control,
  elapsed,
  goLive,
  hasEnded,
  isBackwards,
  isInPast,
  isTaped,
  moment,
  play,
  playback,
  refusal,
  setSpeed,
  span,
  speed,
  stepFrame,
  togglePlay,
} from "../state/playback";
import { useCover } from "../state/room";
import { clockState } from "../state/simulation";
import { copied } from "./clipboard";
import { clock } from "./format";
import { Icon, type IconName } from "./Icon";
import { Track } from "./TimelineTrack";
import { WhatIf } from "./WhatIf";

export function Timeline() {
  const bar = useRef<HTMLElement>(null);
  useCover(bar, "bottom");
  const excerpt = span.value;
  const at = moment.value;
  if (!excerpt || at === null || beginning.value === null) return <section ref={bar} class="timeline panel" aria-label="Recording" />;
  return (
    <section ref={bar} class="timeline panel" aria-label="Recording">
      <div class="timeline-line">
        <Transport />
        <Times at={at} to={excerpt.to} />
        <p class="timeline-end soft small" role="status">
          {hasEnded.value && "The recording ends here"}
        </p>
        {isTaped.value && <Live />}
        {playback.value && <WhatIf />}
        {playback.value && <ShareMoment />}
      </div>
      <Track excerpt={excerpt} at={at} />
      {refusal.value && (
        <p class="field-error" role="alert">
          {refusal.value}
        </p>
      )}
    </section>
  );
}

function Transport() {
  const running = clockState.value?.state === "running";
  const backwards = isBackwards.value;
  const loop = playback.value?.loop ?? false;
  return (
    <div class="transport" role="group" aria-label="Playback">
      <Press icon="frameBack" label="One frame back (,)" onClick={() => stepFrame(-1)} />
      <Press
        icon="back"
        label="Play backwards (J)"
        pressed={running && backwards}
        onClick={() => (running && backwards ? togglePlay() : play(-times()))}
      />
      <Press
        icon={running && !backwards ? "pause" : "play"}
        label={running && !backwards ? "Pause (Space)" : "Play (Space)"}
        main
        onClick={() => (running && !backwards ? togglePlay() : play(times()))}
      />
      <Press icon="step" label="One frame on (.)" onClick={() => stepFrame(1)} />
      <SpeedMenu />
      {!isTaped.value && <Press
        icon="loop"
        label="Over and over"
        pressed={loop}
        onClick={() => {
          if (playback.value) playback.value = { ...playback.value, loop: !loop };
          control({ loop: !loop });
        }}
      />}
    </div>
  );
}

/** What is recorded of a live world is behind it: this page alone goes there, and comes back. */
function Live() {
  return (
    <button type="button" class={`quiet to-live ${isInPast.value ? "away" : ""}`} aria-pressed={!isInPast.value} title="The world as it is now (End)" onClick={goLive}>
      <i class="live-mark running" aria-hidden="true" /> Live
    </button>
  );
}

function times(): number {
  const now = speed.peek();
  return now === "max" ? SPEEDS.at(-1)! : now;
}

function SpeedMenu() {
  const now = speed.value;
  const known: (number | "max")[] = [...SPEEDS];
  // Somebody else may have asked for another one.
  if (!known.includes(now)) known.push(now);
  return (
    <select
      class="speed-menu figures"
      aria-label="Speed"
      title="Speed"
      value={String(now)}
      onChange={(event) => setSpeed(Number(event.currentTarget.value))}
    >
      {known.map((value) => (
        <option key={value} value={String(value)} disabled={value === "max"}>
          {value === "max" ? "max" : `×${value.toLocaleString("en-GB")}`}
        </option>
      ))}
    </select>
  );
}

function Times({ at, to }: { at: number; to: number }) {
  return (
    <p class="timeline-times figures">
      <b>{elapsed(at)}</b> <span class="soft">/ {elapsed(to)}</span> <span class="soft timeline-clock">{clock(at)} UTC</span>
    </p>
  );
}

function ShareMoment() {
  const made = useSignal<{ link: string; copied: boolean } | null>(null);
  const share = async () => {
    const link = momentLink();
    made.value = { link, copied: await copied(link) };
  };
  return (
    <div class="timeline-share">
      <button type="button" class="quiet" aria-label="Share moment" title="Copy a link to this moment" aria-expanded={made.value !== null} onClick={() => (made.value ? (made.value = null) : void share())}>
        <Icon name="link" size={16} /> <span class="timeline-word">Share moment</span>
      </button>
      {made.value && (
        <div class="made-link panel" role="status">
          <p class="small soft">{made.value.copied ? "Copied. " : ""}{isInPast.value ? "Opens the world at this moment, while it is recorded." : "Opens the recording at this moment, for all who watch it."}</p>
          <input type="text" readOnly aria-label="Link to this moment" value={made.value.link} onFocus={(event) => event.currentTarget.select()} />
        </div>
      )}
    </div>
  );
}

interface PressProps {
  icon: IconName;
  label: string;
  pressed?: boolean;
  main?: boolean;
  onClick: () => void;
}

function Press({ icon, label, pressed, main = false, onClick }: PressProps) {
  const name = label.replace(/ \(.*\)$/, "");
  return (
    <button type="button" class={`icon-button ${main ? "main" : ""}`} aria-label={name} aria-pressed={pressed} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}
