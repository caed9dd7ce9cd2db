// Keys, what they do, and for whom. Nothing happens while a text is being typed.

import { placing } from "../state/draft";
import { help, operations, ordering } from "../state/panels";
import { goLive, isInPast, isTaped, pause, playback, seekBy, shuttle, stepFrame, togglePlay } from "../state/playback";
import { following, select, selection } from "../state/selection";
import { api } from "../state/session";
import { themeChoice, theme } from "../state/settings";
import { paused } from "../state/simulation";
import { viewer } from "../state/viewer";
import { cancelOrder, openOrder } from "./OrderForm";
import { SEARCH_ID } from "./Search";

interface Shortcut {
  key: string;
  shown: string;
  what: string;
  operatorsOnly?: boolean;
  /** Only in a world that is live, or only in a recording. */
  only?: "live" | "recording";
  when?: () => boolean;
  run: (event: KeyboardEvent) => void;
}

export const NEAR_MS = 5_000;
export const FAR_MS = 60_000;
const PLAYED = { operatorsOnly: true, only: "recording" } as const;

const SHORTCUTS: Shortcut[] = [
  { key: "/", shown: "/", what: "Find a delivery, drone or place", run: () => document.getElementById(SEARCH_ID)?.focus() },
  { key: "n", shown: "N", what: "Order a delivery", only: "live", run: openOrder },
  { key: "f", shown: "F", what: "Follow the selected drone, or stop", run: () => (following.value = !following.peek()) },
  { key: "o", shown: "O", what: "Operations", operatorsOnly: true, run: () => (operations.value = !operations.peek()) },
  {
    key: "p",
    shown: "P",
    what: "Pause or resume the world",
    operatorsOnly: true,
    only: "live",
    run: () => void api.control({ state: paused.peek() ? "running" : "paused" }).catch(() => {}),
  },
  { key: ".", shown: ".", what: "One tick, while paused", operatorsOnly: true, only: "live", run: () => void api.step().catch(() => {}) },
  { key: " ", shown: "Space", what: "Play or pause", ...PLAYED, run: togglePlay },
  { key: "ArrowLeft", shown: "←", what: "5 s back; with Shift a minute", ...PLAYED, run: ({ shiftKey }) => seekBy(shiftKey ? -FAR_MS : -NEAR_MS) },
  { key: "ArrowRight", shown: "→", what: "5 s on; with Shift a minute", ...PLAYED, run: ({ shiftKey }) => seekBy(shiftKey ? FAR_MS : NEAR_MS) },
  { key: "j", shown: "J", what: "Play backwards, faster each time", ...PLAYED, run: () => shuttle(-1) },
  { key: "k", shown: "K", what: "Pause", ...PLAYED, run: pause },
  { key: "l", shown: "L", what: "Play, faster each time", ...PLAYED, run: () => shuttle(1) },
  { key: ",", shown: ",", what: "One frame back", ...PLAYED, run: () => stepFrame(-1) },
  { key: ".", shown: ".", what: "One frame on", ...PLAYED, run: () => stepFrame(1) },
  { key: "ArrowLeft", shown: "←", what: "Into what was recorded, 5 s back; with Shift a minute", operatorsOnly: true, only: "live", when: () => isTaped.value, run: ({ shiftKey }) => seekBy(shiftKey ? -FAR_MS : -NEAR_MS) },
  { key: "End", shown: "End", what: "Back to live", ...PLAYED, when: () => isInPast.value, run: goLive },
  { key: "t", shown: "T", what: "Light or dark", run: () => (themeChoice.value = theme.peek() === "dark" ? "light" : "dark") },
  { key: "?", shown: "?", what: "This list", run: () => (help.value = !help.peek()) },
  { key: "Escape", shown: "Esc", what: "Cancel or close", run: stepBack },
];

/** Those that do something, for whom the page is and in the world that it shows. */
export function usable(): Shortcut[] {
  const world = playback.value ? "recording" : "live";
  const isOperator = viewer.value.role === "operator";
  return SHORTCUTS.filter(({ operatorsOnly, only = world, when = () => true }) => only === world && (isOperator || !operatorsOnly) && when());
}

/** Closes what was opened last. */
function stepBack(): void {
  if (help.peek()) help.value = false;
  else if (ordering.peek() || placing.peek()) cancelOrder();
  else if (selection.peek()) select(null);
  else operations.value = false;
}

/** Returns what ends it. */
export function listenForShortcuts(): () => void {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = event.target instanceof HTMLElement && event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing && event.key !== "Escape") return;
    // A button that has the focus is what the space bar presses.
    if (event.key === " " && event.target instanceof HTMLElement && event.target.matches("button, a[href], summary, dialog *")) return;
    const shortcut = usable().find(({ key }) => key === event.key || key === event.key.toLowerCase());
    if (!shortcut) return;
    if (typing) (event.target as HTMLElement).blur();
    event.preventDefault();
    shortcut.run(event);
  };
  addEventListener("keydown", onKeyDown);
  return () => removeEventListener("keydown", onKeyDown);
}
