// Keys, what they do, and for whom. Nothing happens while a text is being typed.

import { placing } from "../state/draft";
import { help, operations, ordering } from "../state/panels";
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
  run: () => void;
}

export const SHORTCUTS: Shortcut[] = [
  { key: "/", shown: "/", what: "Find a delivery, drone or place", run: () => document.getElementById(SEARCH_ID)?.focus() },
  { key: "n", shown: "N", what: "Order a delivery", run: openOrder },
  { key: "f", shown: "F", what: "Follow the selected drone, or stop", run: () => (following.value = !following.peek()) },
  { key: "o", shown: "O", what: "Operations", operatorsOnly: true, run: () => (operations.value = !operations.peek()) },
  {
    key: "p",
    shown: "P",
    what: "Pause or resume the world",
    operatorsOnly: true,
    run: () => void api.control({ state: paused.peek() ? "running" : "paused" }).catch(() => {}),
  },
  { key: ".", shown: ".", what: "One tick, while paused", operatorsOnly: true, run: () => void api.step().catch(() => {}) },
  { key: "t", shown: "T", what: "Light or dark", run: () => (themeChoice.value = theme.peek() === "dark" ? "light" : "dark") },
  { key: "?", shown: "?", what: "This list", run: () => (help.value = !help.peek()) },
  { key: "Escape", shown: "Esc", what: "Cancel or close", run: stepBack },
];

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
    const shortcut = SHORTCUTS.find(({ key }) => key === event.key || key === event.key.toLowerCase());
    if (!shortcut || (shortcut.operatorsOnly && viewer.peek().role !== "operator")) return;
    if (typing) (event.target as HTMLElement).blur();
    event.preventDefault();
    shortcut.run();
  };
  addEventListener("keydown", onKeyDown);
  return () => removeEventListener("keydown", onKeyDown);
}
