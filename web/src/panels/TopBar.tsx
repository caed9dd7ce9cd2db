// What this is, what time it is there, and the way to everything else.

import { simNow } from "../state/clock";
import { help, operations } from "../state/panels";
import { isInPast, playback } from "../state/playback";
import { connection } from "../state/session";
import { themeChoice, type ThemeChoice } from "../state/settings";
import { clockState } from "../state/simulation";
import { viewer } from "../state/viewer";
import { world } from "../state/world";
import { clock, day } from "./format";
import { Icon, type IconName } from "./Icon";
import { Search } from "./Search";

const THEMES: Record<ThemeChoice, { next: ThemeChoice; icon: IconName; label: string }> = {
  system: { next: "light", icon: "system", label: "Colours follow the system; switch to light" },
  light: { next: "dark", icon: "sun", label: "Light; switch to dark" },
  dark: { next: "system", icon: "moon", label: "Dark; switch to what the system prefers" },
};

export function TopBar() {
  const choice = THEMES[themeChoice.value];
  return (
    <header class="top card panel">
      <div class="top-line">
        <h1 class="brand">
          <img src="/favicon.svg" alt="" width="22" height="22" /> Skyhaul
        </h1>
        {playback.value && <span class="recorded">{isInPast.value ? "Past" : "Recording"}</span>}
        <nav class="top-buttons" aria-label="Page">
          {viewer.value.role === "operator" && (
            <button
              type="button"
              class="icon-button"
              aria-label="Operations"
              aria-pressed={operations.value}
              title="Operations (O)"
              onClick={() => (operations.value = !operations.peek())}
            >
              <Icon name="chart" />
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-label={choice.label}
            title={choice.label}
            onClick={() => (themeChoice.value = choice.next)}
          >
            <Icon name={choice.icon} />
          </button>
          <button type="button" class="icon-button" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => (help.value = true)}>
            <Icon name="help" />
          </button>
        </nav>
      </div>
      <WorldClock />
      <Search />
    </header>
  );
}

function WorldClock() {
  const now = simNow.value;
  const state = clockState.value;
  const live = connection.value.state === "open" || connection.value.state === "resumed";
  return (
    <p class="world-clock figures">
      <span class={`live-mark ${live ? (state?.state ?? "running") : "off"}`} aria-hidden="true" />
      <span class="world-name">{world.value?.name ?? "…"}</span>
      {now !== null && (
        <time title="Simulated time, UTC">
          <span class="soft">{day(now)}</span> {clock(now)} <span class="soft">UTC</span>
        </time>
      )}
      {/* A recording's own controls say how it is played. */}
      {state && !(live && playback.value) && <span class="soft">{!live ? "not connected" : state.state === "running" ? speedOf(state.speed) : state.state}</span>}
    </p>
  );
}

export function speedOf(speed: number | "max"): string {
  return speed === "max" ? "max" : `×${String(speed).replace("-", "−")}`;
}
