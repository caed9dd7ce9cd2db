// Finds a delivery or a drone by its id, and hubs and places by name.

import { Problem } from "@skyhaul/client";
import { useSignal } from "@preact/signals";

import { gazeAt } from "../state/gaze";
import { playback } from "../state/playback";
import { recent } from "../state/recent";
import { select } from "../state/selection";
import { reads } from "../state/session";
import { viewer } from "../state/viewer";
import { hubs, world } from "../state/world";
import { Combobox, type Suggestion } from "./Combobox";
import { hubsLike, placesLike } from "./places";

export const SEARCH_ID = "search";

const DELIVERY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-/i;
const DRONE_ID = /^(d-?)?\d+$/i;
const MOST = 8;

export function Search() {
  const text = useSignal("");
  const problem = useSignal<string | undefined>(undefined);
  const done = () => {
    text.value = "";
    problem.value = undefined;
    document.getElementById(SEARCH_ID)?.blur();
  };
  const pick = ({ key }: Suggestion) => {
    const [kind, ...rest] = key.split("/");
    const id = rest.join("/");
    if (kind === "delivery") select({ kind, id });
    if (kind === "drone") select({ kind, id });
    const hub = kind === "hub" && hubs.peek().find((hub) => hub.id === id);
    if (hub) {
      select({ kind: "hub", id });
      gazeAt(hub.location);
    }
    const place = kind === "place" && world.peek()?.places.find(({ name }) => name === id);
    if (place) gazeAt(place.location);
    done();
  };
  /** Enter: whatever it is, the server knows. */
  const find = async () => {
    const wanted = text.value.trim();
    if (wanted === "") return;
    problem.value = undefined;
    const [first] = suggestions(wanted);
    if (first && !DELIVERY_ID.test(wanted)) return pick(first);
    for (const [kind, ask] of [
      ["delivery", () => reads.peek().request(wanted)],
      ["drone", () => reads.peek().drone(wanted)],
    ] as const) {
      try {
        await ask();
        select({ kind, id: wanted });
        return done();
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        if (error.status !== 404 && error.status !== 400) {
          problem.value = error.message;
          return;
        }
      }
    }
    problem.value = `Nothing is called “${wanted}”.`;
  };
  return (
    <div class="search" role="search">
      <Combobox
        id={SEARCH_ID}
        label="Find a delivery, drone or place"
        labelHidden
        value={text.value}
        placeholder="Find a delivery, drone or place"
        suggestions={suggestions(text.value)}
        error={problem.value}
        onInput={(typed) => {
          problem.value = undefined;
          text.value = typed;
        }}
        onPick={pick}
        onEnter={() => void find()}
      >
        <kbd aria-hidden="true">/</kbd>
      </Combobox>
    </div>
  );
}

function suggestions(typed: string): Suggestion[] {
  const wanted = typed.trim().toLowerCase();
  // They are of a world that is live.
  const orders = (playback.value ? [] : recent.value)
    .filter(({ id, from, to }) => [id, from, to].some((text) => text.toLowerCase().includes(wanted)))
    .map(({ id, from, to }) => ({ key: `delivery/${id}`, label: `${from} → ${to}`, note: "Your order" }));
  if (wanted === "") return orders.slice(0, MOST);
  const ids: Suggestion[] = [];
  if (DELIVERY_ID.test(wanted)) ids.push({ key: `delivery/${wanted}`, label: wanted, note: "Delivery" });
  if (DRONE_ID.test(wanted) && viewer.value.role !== "customer") {
    const id = `d-${wanted.replace(/^d-?/, "")}`;
    ids.push({ key: `drone/${id}`, label: id, note: "Drone" });
  }
  const places = placesLike(wanted).map((place) => ({ ...place, note: "Place" }));
  return [...ids, ...orders, ...hubsLike(wanted), ...places].slice(0, MOST);
}
