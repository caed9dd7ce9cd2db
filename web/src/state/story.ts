// What became of one delivery so far, told by its events. Pure: a story and an event make
// the next story, so that a replay after a lost connection tells the same.

import type { Delivery, DeliverySnapshot, Location } from "@skyhaul/client";

/** An event's body, of this version or a later one. */
export interface Happening {
  kind: string;
  [more: string]: unknown;
}

/** The milestones of a delivery by drone, in their order. */
export const MILESTONES = ["accepted", "assigned", "toPickup", "pickedUp", "toDropoff", "delivered"] as const;
export type Milestone = (typeof MILESTONES)[number];

/** How it ended, if it has; `carrier` is out of the drones' hands. */
export type Ending = "delivered" | "failed" | "cancelled" | "carrier";

export interface Story {
  id: string;
  /** The last milestone that was reached; null while the request only waits to be admitted. */
  at: Milestone | null;
  ending: Ending | null;
  /** When each milestone was reached, in milliseconds of simulated time. */
  times: Partial<Record<Milestone | "ended", number>>;
  droneId: string | null;
  waitingFor: string | null;
  /** The recipient has to confirm before it counts as delivered. */
  confirming: boolean;
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
    waitingFor: null,
    confirming: false,
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
      return { ...story, waitingFor: String(event.waitingFor) };
    case "Assigned":
      return {
        ...quoted(reached(story, "assigned", simTime), event),
        droneId: (event.droneId as string | undefined) ?? null,
        waitingFor: null,
      };
    case "Rescheduled":
      return {
        ...story,
        at: "accepted",
        times: { accepted: story.times.accepted },
        droneId: null,
        waitingFor: "drone",
        pickupEta: null,
        deliveryEta: null,
      };
    case "HeadedToPickup":
      return quoted(reached(story, "toPickup", simTime), event);
    case "PickedUp":
      return { ...reached(story, "pickedUp", simTime), pickupEta: simTime };
    case "HeadedToDropoff":
      return quoted(reached(story, "toDropoff", simTime), event);
    case "EtaChanged":
      return quoted(story, event);
    case "AwaitingConfirmation":
      return { ...story, confirming: true };
    case "HandedToCarrier":
      return ended({ ...story, droneId: null, waitingFor: null }, "carrier", simTime);
    case "Completed":
      return ended({ ...reached(story, "delivered", simTime), deliveryEta: simTime }, "delivered", simTime);
    case "Failed":
      return ended({ ...story, failure: String(event.reason ?? "") }, "failed", simTime);
    case "Cancelled":
      return ended(story, "cancelled", simTime);
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
    at: at === "accepted" && snapshot.droneId ? "assigned" : at,
    ending,
    droneId: snapshot.droneId,
    waitingFor: snapshot.droneId || ending ? null : story.waitingFor,
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
    account: delivery.owner.accountId,
  };
}

export function isPast(story: Story, milestone: Milestone): boolean {
  return story.at !== null && MILESTONES.indexOf(milestone) <= MILESTONES.indexOf(story.at);
}

/** The drone has the package. */
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
  return { ...story, ending, confirming: false, times: { ...story.times, ended: simTime } };
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
