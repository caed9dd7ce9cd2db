// The delivery or drone that is selected, followed live: one subscription at a time, which
// survives lost connections and goes on where it stood.

import type { Drone, ErrorMessage, PositionRow, PositionsMessage, Subscription } from "@skyhaul/client";
import { Problem } from "@skyhaul/client";
import { computed, effect, signal } from "@preact/signals";

import { simNow } from "./clock";
import { gazeOver } from "./gaze";
import { selectedDrone, selection } from "./selection";
import { isRewinding, playback } from "./playback";
import { moves, reads, sky } from "./session";
import { asOf, blank, caughtUp, isAboard, ordered, told, type Story } from "./story";
import { viewer } from "./viewer";

/** Why there is nothing to show. */
export type Trouble = "unknown" | "forbidden" | "gone" | "not-yet";

const heard = signal<Story | null>(null);
/** What is selected, at the moment that is shown. */
export const story = computed<Story | null>(() => {
  const told = heard.value;
  return told && isRewinding.value && simNow.value !== null ? asOf(told, simNow.value) : told;
});
export const drone = signal<Drone | null>(null);
/** Where the selected delivery's drone or the selected drone is. */
export const row = signal<PositionRow | null>(null);
export const trouble = signal<Trouble | null>(null);
/** Each message about the one drone that a customer may see. */
export const passing = signal<PositionsMessage | null>(null);
/** The drone that has the selected delivery's package. */
export const carrier = computed(() => (story.value && isAboard(story.value) ? story.value.droneId : null));

const ASK_AGAIN_MS = 500;
/** Where the server had no answer. */
const ASK_LATER_MS = 3000;
/** Figures that change more often than this cannot be read. */
const READABLE_HZ = 2;
const SMOOTH_HZ = 10;
const REWOUND_EVERY_MS = 1000;

const target = computed(() => {
  const chosen = selection.value;
  return chosen && chosen.kind !== "hub" ? `${chosen.kind}/${chosen.id}` : null;
});

export function startTracking(): void {
  effect(() => {
    const topic = target.value;
    heard.value = drone.value = row.value = trouble.value = null;
    if (topic === null) return;
    const [kind, id] = topic.split("/") as ["delivery" | "drone", string];
    return kind === "delivery" ? followDelivery(id) : followDrone(id);
  });
}

function followDelivery(id: string): () => void {
  let subscription: Subscription | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  let over = false;
  /** What is told is of another moment, and stands only until this one's is. */
  let stale = false;
  const tell = (change: (before: Story) => Story) => {
    const shown = heard.peek();
    const before = stale ? null : shown;
    stale = false;
    const next = change(before ?? blank(id));
    heard.value = next;
    // Where it goes from and to, until there is a drone to look at.
    if (!shown?.pickup && next.pickup && next.dropoff && !selectedDrone.peek()) gazeOver([next.pickup, next.dropoff]);
    handOverDrone(id, next);
  };
  const fill = async () => {
    const asked = reads.peek();
    const delivery = await asked.delivery(id).catch(() => null);
    if (delivery && !over && reads.peek() === asked) tell((before) => ordered(before, delivery));
  };
  /** An accepted request is followed once the world has admitted it. */
  const refused = async (error: ErrorMessage) => {
    if (error.code !== "not_found") {
      trouble.value = "forbidden";
      return;
    }
    const asked = subscription;
    const known = await reads.peek().request(id).catch((problem: unknown) => problem);
    if (over || asked !== subscription) return;
    if (known instanceof Problem) {
      trouble.value = troubleOf(known.status);
      if (trouble.value === "unknown" && playback.peek()) {
        // It comes as the recording goes on.
        trouble.value = "not-yet";
        heard.value = null;
        handOverDrone(id, blank(id));
        again = setTimeout(ask, ASK_LATER_MS);
      } else if (!trouble.value) again = setTimeout(ask, ASK_LATER_MS);
      return;
    }
    tell((before) => before);
    again = setTimeout(ask, ASK_AGAIN_MS);
  };
  const ask = () => {
    const maxHz = viewer.peek().role === "operator" ? READABLE_HZ : SMOOTH_HZ;
    subscription = sky.subscribe(
      `delivery/${id}`,
      { fromStart: true, maxHz },
      {
        // A request that the world has not admitted has no events yet; the others come at once.
        subscribed: () => (again = setTimeout(() => (stale || !heard.peek()) && tell((before) => before), ASK_AGAIN_MS)),
        snapshot(message) {
          trouble.value = null;
          const { delivery } = message;
          if (!delivery) return;
          tell((before) => caughtUp(before, delivery));
          void fill();
        },
        event(message) {
          trouble.value = null;
          tell((before) => told(before, { ...message.event }, Date.parse(message.simTime)));
          // What a van costs stands in the delivery alone.
          if (message.event.kind === "HandedToCarrier") void fill();
        },
        positions(message) {
          passing.value = message;
          const place = message.drones.find(([drone]) => drone === story.peek()?.droneId) ?? message.drones[0];
          if (place) row.value = place;
        },
        // All of its story anew, as far as it has come at that moment.
        discontinuity() {
          stale = true;
          clearTimeout(again);
          subscription?.close();
          ask();
        },
        error: (error) => void refused(error),
      },
    );
  };
  ask();
  // Nothing is followed of what is not ordered yet; at another moment it may be.
  const stop = moves.subscribe(() => {
    if (trouble.peek() !== "not-yet") return;
    clearTimeout(again);
    ask();
  });
  return () => {
    over = true;
    stop();
    clearTimeout(again);
    subscription?.close();
  };
}

/** Null for what passes: a server that is busy, or away. */
function troubleOf(status: number): Trouble | null {
  if (status === 401 || status === 403) return "forbidden";
  if (status === 410) return "gone";
  return status >= 400 && status < 500 && status !== 429 ? "unknown" : null;
}

/** Camera, trail and route belong to the drone while it works for this delivery. */
function handOverDrone(id: string, { droneId, ending }: Story): void {
  const chosen = selection.peek();
  const carrying = ending === null ? (droneId ?? undefined) : undefined;
  if (chosen?.kind !== "delivery" || chosen.id !== id || chosen.droneId === carrying) return;
  selection.value = { ...chosen, droneId: carrying };
  if (!carrying) row.value = null;
}

function followDrone(id: string): () => void {
  const subscription = sky.subscribe(
    `drone/${id}`,
    { maxHz: READABLE_HZ },
    {
      snapshot(message) {
        trouble.value = null;
        if (!message.drone) return;
        drone.value = message.drone;
        const { location, heading, groundSpeed, battery, status } = message.drone;
        row.value = [id, location.latitude, location.longitude, location.altitude, heading, groundSpeed, battery, status];
      },
      event({ event }) {
        const before = drone.peek();
        if (!before) return;
        if (event.kind === "TakenOff") drone.value = { ...before, deliveryId: event.deliveryId ?? null };
        if (event.kind === "Landed") drone.value = { ...before, deliveryId: null, hub: String(event.hub) };
        if (event.kind === "Lost") drone.value = { ...before, deliveryId: null, status: "lost" };
      },
      positions(message) {
        const place = message.drones.find(([drone]) => drone === id);
        if (!place) return;
        row.value = place;
      },
      error: ({ code }) => (trouble.value = code === "not_found" ? "unknown" : "forbidden"),
    },
  );
  // Backwards there are positions only.
  const stop = effect(() => {
    if (!isRewinding.value) return;
    const ask = async () => {
      const then = await reads.peek().drone(id).catch(() => null);
      if (then && isRewinding.peek() && selectedDrone.peek() === id) drone.value = then;
    };
    const timer = setInterval(() => void ask(), REWOUND_EVERY_MS);
    return () => clearInterval(timer);
  });
  return () => {
    stop();
    subscription.close();
  };
}
