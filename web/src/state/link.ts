// The address bar: `#d=…` names the delivery that is looked at and `#drone=…` the drone, so
// that the address can be shared as it stands; `at=HH:MM:SS` beside it a moment of a recording,
// which is gone to once. A token never stays in it.

import { effect } from "@preact/signals";

import { canControl, elapsed, moment, playback, seekTo } from "./playback";
import { select, selection, type Selection } from "./selection";
import { viewer } from "./viewer";

/** Opens what the address names, and keeps the address in step with what is selected. */
export function startLinks(): void {
  const named = fromFragment() ?? fromToken();
  if (named) select(named);
  goToMoment();
  effect(() => {
    const chosen = fragmentOf(selection.value);
    const fragment = chosen && `#${chosen}`;
    if (location.hash === fragment) return;
    history.replaceState(history.state, "", location.pathname + location.search + fragment);
  });
  addEventListener("hashchange", () => {
    // Another token is another viewer: everything begins anew.
    if (new URLSearchParams(location.hash.slice(1)).has("t")) location.reload();
    else {
      goToMoment();
      select(fromFragment() ?? fromToken());
    }
  });
}

/** A link that opens this page on a delivery; whoever opens it needs a right of their own. */
export function deliveryLink(id: string): string {
  return `${here()}#${[`d=${id}`, ...moments()].join("&")}`;
}

/** A link that opens a recording at the moment that is shown, with what is looked at. */
export function momentLink(): string {
  const chosen = fragmentOf(selection.peek());
  return `${here()}#${[...(chosen ? [chosen] : []), ...moments()].join("&")}`;
}

/** As it stands in a link; nothing of a world that is live. */
function moments(): string[] {
  const at = moment.peek();
  return canControl.peek() && playback.peek() && at !== null ? [`at=${elapsed(at)}`] : [];
}

function goToMoment(): void {
  const at = new URLSearchParams(location.hash.slice(1)).get("at");
  if (at !== null) seekTo(at);
}

function here(): string {
  return `${location.origin}${location.pathname}`;
}

function fragmentOf(chosen: Selection | null): string {
  if (chosen?.kind === "delivery") return `d=${chosen.id}`;
  return chosen?.kind === "drone" ? `drone=${chosen.id}` : "";
}

/** A link that shows a delivery to whoever has it. */
export function customerLink(token: string): string {
  return `${here()}#t=${token}`;
}

function fromFragment(): Selection | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const delivery = fragment.get("d");
  if (delivery) return { kind: "delivery", id: delivery };
  const drone = fragment.get("drone");
  return drone ? { kind: "drone", id: drone } : null;
}

function fromToken(): Selection | null {
  const { delivery } = viewer.peek();
  return delivery ? { kind: "delivery", id: delivery } : null;
}
