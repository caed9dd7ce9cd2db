// What became of one delivery so far, told by its events. Pure: a story and an event make
// the next story, so that a replay after a lost connection tells the same.

import type { Delivery, DeliverySnapshot, Location } from "@skyhaul/client";

/** An event's body, of this version or a later one. */
export interface Happening {
  kind: string;
  [more: string]: unknown;
}

/** The milestones of a delivery, in their order. */
export const MILESTONES = ["accepted", "assigned", "toPickup", "pickedUp", "toDropoff", "delivered"] as const;
export type Milestone = (typeof MILESTONES)[number];

/** How it ended, if it has. */
export type Ending = "delivered" | "failed" | "cancelled";

export interface Story {
  id: string;
  /** The last milestone that was reached; null while the request only waits to be admitted. */
  at: Milestone | null;
  ending: Ending | null;
  /** When each milestone was reached, in milliseconds of simulated time. */
  times: Partial<Record<Milestone | "ended", number>>;
  droneId: string | null;
  /** The third party that carries it instead of a drone. */
  carrier: string | null;
  /** What it takes for that, in the scenario's money; told by reads, not by events. */
  price: number | null;
  waitingFor: string | null;
  /** At the door, until the recipient gives this word: `FingerPrint`, `Picture` or `Voice`. */
  confirming: string | null;
  /** Visits on which nobody gave it. */
  missed: number;
  /** Collected once: from then on it can be neither called off nor changed. */
  collected: boolean;
  /** Its drone brings it back to the hub; `waiting`: it is there, and sets out again. */
  broughtBack: "flying" | "waiting" | null;
  failure: string | null;
  pickup: Location | null;
  dropoff: Location | null;
  payloadKg: number | null;
  expedited: boolean;
  account: string | null;
  pickupEta: number | null;
  deliveryEta: number | null;
  /** What was first promised. */
  firstQuote: number | null;
}

export function blank(id: string): Story {
  return {
    id,
    at: null,
    ending: null,
    times: {},
    droneId: null,
    carrier: null,
    price: null,
    waitingFor: null,
    confirming: null,
    missed: 0,
    collected: false,
    broughtBack: null,
    failure: null,
    pickup: null,
    dropoff: null,
    payloadKg: null,
    expedited: false,
    account: null,
    pickupEta: null,
    deliveryEta: null,
    firstQuote: null,
  };
}

/** As it was then, as far as is known of a story that went on: nothing is expected that had not come. */
export function asOf(story: Story, then: number): Story {
  const has = (milestone: Milestone | "ended") => (story.times[milestone] ?? Infinity) <= then;
  const isOver = story.ending !== null && has("ended");
  if (isOver) return story;
  const reached = MILESTONES.filter(has);
  return {
    ...story,
    at: reached.at(-1) ?? null,
    ending: null,
    times: Object.fromEntries(reached.map((milestone) => [milestone, story.times[milestone]])),
    droneId: has("assigned") ? story.droneId : null,
    carrier: has("assigned") ? story.carrier : null,
    collected: has("pickedUp"),
    waitingFor: null,
    confirming: null,
    broughtBack: null,
    failure: null,
    pickupEta: has("pickedUp") ? story.pickupEta : null,
    deliveryEta: null,
  };
}

/** What happens next. */
export function told(story: Story, event: Happening, simTime: number): Story {
  switch (event.kind) {
    case "Accepted":
      return {
        ...reached(story, "accepted", simTime),
        pickup: event.pickup as Location,
        dropoff: event.dropoff as Location,
        payloadKg: event.payloadKg as number,
        expedited: event.expedited === true,
        account: (event.ownerId as string | undefined) ?? story.account,
      };
    case "Delayed":
      return delayed(story, String(event.waitingFor));
    case "Assigned":
      return { ...takenOn(story, event, simTime), droneId: (event.droneId as string | undefined) ?? null, carrier: null };
    case "HandedToCarrier":
      return { ...takenOn(story, event, simTime), droneId: null, carrier: String(event.carrier ?? "") };
    case "Rescheduled":
      return {
        ...story,
        ...NO_TIMES,
        pickup: (event.pickup as Location | undefined) ?? story.pickup,
        dropoff: (event.dropoff as Location | undefined) ?? story.dropoff,
        // The promise was about another way.
        firstQuote: null,
      };
    case "HeadedToPickup":
      return quoted(reached(story, "toPickup", simTime), event);
    case "PickedUp":
      return { ...reached(story, "pickedUp", simTime), collected: true, broughtBack: null, pickupEta: simTime };
    case "HeadedToDropoff":
      return quoted(reached(story, "toDropoff", simTime), event);
    case "EtaChanged":
      return quoted(missedByVan(story), event);
    case "AwaitingConfirmation":
      return { ...story, confirming: String(event.confirmationRequired ?? "") };
    case "Completed":
      return ended({ ...reached(story, "delivered", simTime), deliveryEta: simTime }, "delivered", simTime);
    case "Failed":
      return ended({ ...story, ...NO_TIMES, failure: String(event.reason ?? "") }, "failed", simTime);
    case "Cancelled":
      return ended({ ...story, ...NO_TIMES }, "cancelled", simTime);
    default:
      return story;
  }
}

/** All that is known now, without how it came about. */
export function caughtUp(story: Story, snapshot: DeliverySnapshot): Story {
  const at = MILESTONE_OF_STAGE[snapshot.stage] ?? story.at;
  const ending = ENDING_OF_STAGE[snapshot.stage] ?? null;
  const deliveryEta = moment(snapshot.deliveryEta);
  return {
    ...story,
    at: at === "accepted" && (snapshot.droneId ?? snapshot.carrier) ? "assigned" : at,
    ending,
    droneId: snapshot.droneId,
    carrier: snapshot.carrier ?? null,
    price: snapshot.price ?? null,
    collected: story.collected || (at !== null && MILESTONES.indexOf(at) >= MILESTONES.indexOf("pickedUp")),
    waitingFor: snapshot.droneId || snapshot.carrier || ending ? null : story.waitingFor,
    pickupEta: moment(snapshot.pickupEta),
    deliveryEta,
    firstQuote: story.firstQuote ?? deliveryEta,
  };
}

/** What stands in the order. */
export function ordered(story: Story, delivery: Delivery): Story {
  return {
    ...story,
    pickup: delivery.pickup,
    dropoff: delivery.dropoff,
    expedited: delivery.expedited,
    price: delivery.price ?? null,
    account: delivery.owner.accountId,
  };
}

export function isPast(story: Story, milestone: Milestone): boolean {
  return story.at !== null && MILESTONES.indexOf(milestone) <= MILESTONES.indexOf(story.at);
}

/** Neither called off nor changed can be what was collected, or is over. */
export function canChange(story: Story): boolean {
  return story.ending === null && !story.collected;
}

/** Whoever carries it has the package. */
export function isAboard(story: Story): boolean {
  return story.ending === null && isPast(story, "pickedUp");
}

const MILESTONE_OF_STAGE: Record<string, Milestone | undefined> = {
  Created: "accepted",
  Rescheduled: "accepted",
  Assigned: "assigned",
  HeadedToPickup: "toPickup",
  PickedUp: "pickedUp",
  HeadedToDropoff: "toDropoff",
  AwaitingConfirmation: "toDropoff",
  Completed: "delivered",
};

const ENDING_OF_STAGE: Record<string, Ending | undefined> = {
  Completed: "delivered",
  Failed: "failed",
  Cancelled: "cancelled",
};

function reached(story: Story, milestone: Milestone, simTime: number): Story {
  return { ...story, at: milestone, times: { ...story.times, [milestone]: simTime } };
}

function ended(story: Story, ending: Ending, simTime: number): Story {
  return { ...story, ending, confirming: null, waitingFor: null, times: { ...story.times, ended: simTime } };
}

const NO_TIMES = { pickupEta: null, deliveryEta: null };

/** Somebody comes for it, for the first time or once more. */
function takenOn(story: Story, event: Happening, simTime: number): Story {
  return { ...quoted(reached(nobodysNow(story), "assigned", simTime), event), waitingFor: null };
}

/** Whoever had it, or came for it, does so no more. */
function nobodysNow(story: Story): Story {
  const { accepted } = story.times;
  const times = accepted === undefined ? {} : { accepted };
  return { ...story, ...NO_TIMES, at: "accepted", times, droneId: null, carrier: null, price: null, confirming: null };
}

/** Reasons for which a request that has somebody to carry it keeps them. */
const STEPS = new Set(["answer", "retry", "compensation", "carrier"]);

function delayed(story: Story, waitingFor: string): Story {
  if (STEPS.has(waitingFor)) return { ...story, waitingFor };
  if (waitingFor === "return") {
    const missed = story.missed + (story.confirming === null ? 0 : 1);
    return { ...story, ...NO_TIMES, waitingFor, missed, confirming: null, broughtBack: "flying" };
  }
  return { ...nobodysNow(story), waitingFor, broughtBack: story.broughtBack && "waiting" };
}

/** A van that met nobody says when it comes by again; a drone goes home instead. */
function missedByVan(story: Story): Story {
  if (story.carrier === null || story.confirming === null) return story;
  return { ...story, confirming: null, missed: story.missed + 1 };
}

function quoted(story: Story, event: Happening): Story {
  const deliveryEta = moment(event.deliveryEta) ?? story.deliveryEta;
  return {
    ...story,
    pickupEta: moment(event.pickupEta) ?? story.pickupEta,
    deliveryEta,
    firstQuote: story.firstQuote ?? deliveryEta,
  };
}

function moment(text: unknown): number | null {
  const at = typeof text === "string" ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? null : at;
}
