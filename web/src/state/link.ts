// The address bar: `#d=…` names the delivery that is looked at and `#drone=…` the drone, so
// that the address can be shared as it stands. A token never stays in it.

import { effect } from "@preact/signals";

import { select, selection, type Selection } from "./selection";
import { viewer } from "./viewer";

/** Opens what the address names, and keeps the address in step with what is selected. */
export function startLinks(): void {
  const named = fromFragment() ?? fromToken();
  if (named) select(named);
  effect(() => {
    const chosen = selection.value;
    const fragment = chosen?.kind === "delivery" ? `#d=${chosen.id}` : chosen?.kind === "drone" ? `#drone=${chosen.id}` : "";
    if (location.hash === fragment) return;
    history.replaceState(history.state, "", location.pathname + location.search + fragment);
  });
  addEventListener("hashchange", () => {
    // Another token is another viewer: everything begins anew.
    if (new URLSearchParams(location.hash.slice(1)).has("t")) location.reload();
    else select(fromFragment() ?? fromToken());
  });
}

/** A link that opens this page on a delivery; whoever opens it needs a right of their own. */
export function deliveryLink(id: string): string {
  return `${location.origin}${location.pathname}#d=${id}`;
}

/** A link that shows a delivery to whoever has it. */
export function customerLink(token: string): string {
  return `${location.origin}${location.pathname}#t=${token}`;
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
