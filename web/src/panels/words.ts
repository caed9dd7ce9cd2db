// What is going on, in words: for those who run the fleet and, plainer, for customers.

import type { Ending, Milestone, Story } from "../state/story";

export const MILESTONE_LABEL: Record<Milestone, string> = {
  accepted: "Accepted",
  assigned: "Assigned",
  toPickup: "To pick-up",
  pickedUp: "Picked up",
  toDropoff: "To drop-off",
  delivered: "Delivered",
};

export const CUSTOMER_MILESTONES: { milestone: Milestone; label: string }[] = [
  { milestone: "accepted", label: "Order received" },
  { milestone: "toPickup", label: "Drone on its way to collect it" },
  { milestone: "pickedUp", label: "Collected" },
  { milestone: "toDropoff", label: "On its way to you" },
  { milestone: "delivered", label: "Delivered" },
];

const ENDINGS: Record<Ending, string> = {
  delivered: "Delivered",
  failed: "Not delivered",
  cancelled: "Cancelled",
  carrier: "Handed to a third party",
};

const REASONS: Record<string, string> = {
  no_drone_in_time: "No drone became free in time.",
  backlog_full: "Too many requests were waiting already.",
  drone_lost: "The drone that carried it was lost.",
};

const WAITING: Record<string, string> = {
  drone: "Waiting for a free drone",
  pickup_time: "Waiting for its pick-up time",
  third_party: "Waiting for third-party transport: no drone here can carry it",
};

/** One line for the operator. */
export function headline(story: Story): string {
  if (story.ending) return ENDINGS[story.ending];
  if (story.waitingFor) return WAITING[story.waitingFor] ?? `Waiting for ${story.waitingFor}`;
  if (story.confirming) return "Waiting for the recipient";
  switch (story.at) {
    case null:
      return "Accepted, not begun yet";
    case "accepted":
      return "Looking for a drone";
    case "assigned":
      return "A drone is assigned";
    case "toPickup":
      return "On the way to the pick-up";
    case "pickedUp":
      return "Picked up";
    case "toDropoff":
      return "On the way to the drop-off";
    case "delivered":
      return "Delivered";
  }
}

/** One line for whoever waits for the package. */
export function customerHeadline(story: Story): string {
  if (story.ending === "delivered") return "Delivered";
  if (story.ending === "failed") return "We could not deliver this";
  if (story.ending === "cancelled") return "This delivery was cancelled";
  if (story.ending === "carrier") return "A courier takes over";
  if (story.waitingFor === "third_party") return "Waiting for a courier";
  if (story.waitingFor === "pickup_time") return "Scheduled for later";
  if (story.waitingFor) return "Waiting for a free drone";
  if (story.confirming) return "Waiting for you to confirm";
  switch (story.at) {
    case "toDropoff":
      return "On its way to you";
    case "pickedUp":
      return "Collected";
    case "toPickup":
    case "assigned":
      return "A drone is on its way to collect it";
    default:
      return "Order received";
  }
}

export function reason(story: Story): string | null {
  return story.failure ? (REASONS[story.failure] ?? `Reason: ${story.failure.replaceAll("_", " ")}.`) : null;
}
