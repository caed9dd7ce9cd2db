// The token that a link carries in its fragment (`#t=…`). It is kept for this tab only and
// taken out of the address bar, so that it is neither sent nor left lying in the history.

import { signal } from "@preact/signals";

const KEY = "skyhaul.token";

export const token = signal<string | undefined>(take());

function take(): string | undefined {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("t");
  if (given === null) return recall();
  fragment.delete("t");
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest && `#${rest}`));
  remember(given);
  return given || undefined;
}

function recall(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function remember(value: string): void {
  try {
    sessionStorage.setItem(KEY, value);
  } catch {
    // A frame without storage keeps it in memory alone.
  }
}
