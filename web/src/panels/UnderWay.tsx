// Deliveries as a list, for those who cannot find theirs among all drones on the map: a
// business or a customer with an account, and everybody where no map can be drawn.

import type { Delivery, Stage } from "@skyhaul/client";
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

import { mapTrouble } from "../state/map";
import { placeName } from "../state/names";
import { select, selection } from "../state/selection";
import { connection, reads } from "../state/session";
import { viewer } from "../state/viewer";

const ASK_EVERY_MS = 4000;
const ASKED = 100;
const SHOWN = 12;

/** What is not over yet, in the server's words and ours. */
const STAGES: Partial<Record<Stage, string>> = {
  Created: "accepted",
  Rescheduled: "changed",
  HeadedToPickup: "to the pick-up",
  HeadedToDropoff: "to the drop-off",
};

type Listed = Delivery & { stage: Stage };

const listed = signal<Listed[]>([]);

export function UnderWay() {
  const wanted = viewer.value.role !== "operator" || mapTrouble.value !== null;
  const shown = wanted && !selection.value;
  const asked = reads.value;
  const { state } = connection.value;
  // Whom the server does not let in it does not tell this either, however often it is asked.
  const asks = shown && (state === "open" || state === "resumed");
  useEffect(() => {
    if (!asks) return;
    const ask = async () => {
      const stages = Object.keys(STAGES) as Stage[];
      // Without an answer the last one stands; the notices say what is wrong.
      const pages = await Promise.all(stages.map((stage) => asked.deliveries({ stage, limit: ASKED }))).catch(() => null);
      // Ids grow with time: the newest first.
      if (pages) listed.value = pages.flatMap(({ items }) => items).sort((one, other) => (one.id < other.id ? 1 : -1));
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => clearInterval(timer);
  }, [asks, asked]);
  if (!shown || listed.value.length === 0) return null;
  return (
    <section class="card panel recent" aria-label="Under way">
      <h2 class="minor">Under way</h2>
      <ul>
        {listed.value.slice(0, SHOWN).map(({ id, pickup, dropoff, stage }) => (
          <li key={id}>
            <button type="button" onClick={() => select({ kind: "delivery", id })}>
              <span class="recent-way">
                {placeName(pickup)} <span class="soft">→</span> {placeName(dropoff)}
              </span>
              <span class="soft">{STAGES[stage]}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
