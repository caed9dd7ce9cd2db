// Which delivery a wall screen shows: one that a drone carries, until it is done and a moment
// longer, then the next. One whose package has a tag comes before all others, at once: somebody
// wrote a story for it. Vans take hours, and there is nothing to see of them.

import type { ListedDelivery } from "@skyhaul/client";
import { effect, signal } from "@preact/signals";

import { select, selection } from "../state/selection";
import { connection, moves, reads } from "../state/session";
import { story } from "../state/tracking";

/** Time to read how it ended. */
const LINGER_MS = 6000;
const ASK_AGAIN_MS = 3000;
const LOOKED_AT = 100;
const UNDER_WAY = ["HeadedToPickup", "HeadedToDropoff"] as const;

/** What is told of the one that is shown, where somebody wrote that. */
export const caption = signal<string | null>(null);

/** Returns what ends it. */
export function chooseDeliveries(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const seen = new Set<string>();
  const show = (found: ListedDelivery | undefined) => {
    caption.value = found?.tag ?? null;
    if (found) seen.add(found.id);
    select(found ? { kind: "delivery", id: found.id } : null);
  };
  const next = async () => {
    const found = await candidates(seen);
    show(found.find(({ tag }) => tag) ?? found[0]);
    if (found.length === 0) timer = setTimeout(() => void next(), ASK_AGAIN_MS);
  };
  /** Whether there is one now that comes before the one that is shown. */
  const better = async () => {
    const found = await candidates(seen);
    const tagged = found.find(({ tag }) => tag);
    if (tagged) show(tagged);
    else timer = setTimeout(() => void better(), ASK_AGAIN_MS);
  };
  const stop = effect(() => {
    clearTimeout(timer);
    const { state } = connection.value;
    if (state !== "open" && state !== "resumed") return;
    const now = story.value;
    if (selection.peek() && (now === null || (now.ending === null && now.carrier === null))) {
      if (caption.peek() === null) timer = setTimeout(() => void better(), ASK_AGAIN_MS);
      return;
    }
    timer = setTimeout(() => void next(), now === null ? 0 : LINGER_MS);
  });
  // A recording that begins again has its story before it again.
  const forget = effect(() => {
    if (moves.value > 0) seen.clear();
  });
  return () => {
    stop();
    forget();
    clearTimeout(timer);
  };
}

/** The one that was ordered last first, and those with the longest way before them before all others. */
async function candidates(seen: Set<string>): Promise<ListedDelivery[]> {
  const found: ListedDelivery[] = [];
  for (const stage of UNDER_WAY) {
    const page = await reads.peek().deliveries({ stage, limit: LOOKED_AT }).catch(() => null);
    const fresh = page?.items.filter(({ id, carrier }) => carrier === null && !seen.has(id)) ?? [];
    found.push(...fresh.reverse());
  }
  return found;
}
