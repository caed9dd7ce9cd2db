// Which delivery a wall screen shows: one that a drone carries, until it is done and a moment
// longer, then the next. Vans take hours, and there is nothing to see of them.

import { effect } from "@preact/signals";

import { select, selection } from "../state/selection";
import { api, connection } from "../state/session";
import { story } from "../state/tracking";

/** Time to read how it ended. */
const LINGER_MS = 6000;
const ASK_AGAIN_MS = 3000;
const LOOKED_AT = 100;

/** Returns what ends it. */
export function chooseDeliveries(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const seen = new Set<string>();
  const next = async () => {
    const found = await candidate(seen);
    if (found) {
      seen.add(found);
      select({ kind: "delivery", id: found });
    } else {
      select(null);
      timer = setTimeout(() => void next(), ASK_AGAIN_MS);
    }
  };
  const stop = effect(() => {
    clearTimeout(timer);
    const { state } = connection.value;
    if (state !== "open" && state !== "resumed") return;
    const now = story.value;
    if (selection.peek() && (now === null || (now.ending === null && now.carrier === null))) return;
    timer = setTimeout(() => void next(), now === null ? 0 : LINGER_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

/** The one that was ordered last among those with the longest way before them. */
async function candidate(seen: Set<string>): Promise<string | undefined> {
  for (const stage of ["HeadedToPickup", "HeadedToDropoff"] as const) {
    const page = await api.deliveries({ stage, limit: LOOKED_AT }).catch(() => null);
    const fresh = page?.items.findLast(({ id, carrier }) => carrier === null && !seen.has(id));
    if (fresh) return fresh.id;
  }
  return undefined;
}
