// What is going on, in words: for those who run the fleet and, plainer, for customers.

import type { FailureReason, TimelineMark, WaitingFor } from "@skyhaul/client";

import type { Ending, Milestone, Story } from "../state/story";
import { shortId } from "./format";

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

/** Where a van brings it instead of a drone. */
const BY_VAN: Partial<Record<Milestone, string>> = {
  assigned: "With third-party transport",
};

const CUSTOMER_BY_VAN: Partial<Record<Milestone, string>> = {
  toPickup: "Courier on the way to collect it",
};

export function milestoneLabel(milestone: Milestone, { carrier }: Story): string {
  return (carrier !== null && BY_VAN[milestone]) || MILESTONE_LABEL[milestone];
}

export function customerMilestones({ carrier }: Story): { milestone: Milestone; label: string }[] {
  return CUSTOMER_MILESTONES.map(({ milestone, label }) => ({
    milestone,
    label: (carrier !== null && CUSTOMER_BY_VAN[milestone]) || label,
  }));
}

const ENDINGS: Record<Ending, string> = {
  delivered: "Delivered",
  failed: "Not delivered",
  cancelled: "Cancelled",
};

const REASONS: Record<FailureReason, string> = {
  no_drone_in_time: "No drone became free in time.",
  backlog_full: "Too many requests were waiting already.",
  drone_lost: "The drone that carried it was lost, and the package with it.",
  carrier_failed: "Third-party transport took it, and could not bring it.",
  carrier_refused: "No drone here can carry it, and third-party transport does not take it.",
  account_suspended: "The account that ordered it is suspended.",
  account_unknown: "Nobody registered the account that ordered it.",
  accounts_full: "There is no room for one more account.",
  step_unavailable: "A part of the service could not do its share, however often it was asked.",
  not_confirmed: "Nobody gave the word that the order asks for.",
  too_many_attempts: "Too many drones set out for it in vain.",
  carrier_full: "Third-party transport had no room for it.",
  schedule_full: "Too many requests were scheduled for later already.",
  internal_error: "A mistake in the server kept it from being taken in.",
};

const WAITING: Record<WaitingFor, string> = {
  drone: "Waiting for a free drone",
  pickup_time: "Waiting for its pick-up time",
  third_party: "Waiting for third-party transport",
  answer: "Waiting for an answer",
  retry: "Something went wrong; it is tried again",
  compensation: "Being undone, as something went wrong",
  return: "The drone brings the package back",
  carrier: "Waiting for third-party transport to have room",
  weather: "Waiting for weather that drones may fly in",
};

const WORD: Record<string, string> = { FingerPrint: "fingerprint", Picture: "picture", Voice: "voice" };

/** One line for the operator. */
export function headline(story: Story): string {
  if (story.ending) return ENDINGS[story.ending];
  if (story.confirming !== null) return `At the door, waiting for the recipient’s ${wordOf(story.confirming)}`;
  if (story.carrier !== null && story.missed > 0) return "Nobody was there; the van comes by again";
  if (story.broughtBack === "waiting") return "Back at the hub, to set out again";
  if (story.waitingFor) return WAITING[story.waitingFor as WaitingFor] ?? `Waiting for ${plain(story.waitingFor)}`;
  switch (story.at) {
    case null:
      return "Accepted, not begun yet";
    case "accepted":
      return "Looking for a drone";
    case "assigned":
      return story.carrier === null ? "A drone is assigned" : "Third-party transport takes it";
    case "toPickup":
      return story.carrier === null ? "On the way to the pick-up" : "A van is on the way to the pick-up";
    case "pickedUp":
      return "Picked up";
    case "toDropoff":
      return story.carrier === null ? "On the way to the drop-off" : "On the way to the drop-off, by van";
    case "delivered":
      return "Delivered";
  }
}

/** More about where it stands, where one line is not enough. */
export function more(story: Story): string | null {
  if (story.failure) return REASONS[story.failure as FailureReason] ?? `Reason: ${plain(story.failure)}.`;
  if (story.ending) return null;
  if (story.broughtBack === "flying" && story.missed > 0) return "Nobody gave the word at the door in time.";
  if (story.broughtBack === "flying") return "It could not go on with it on board.";
  if (story.broughtBack === "waiting") return (story.waitingFor && BACK_AT_HUB[story.waitingFor]) ?? null;
  return null;
}

const BACK_AT_HUB: Record<string, string> = {
  pickup_time: "The recipient is visited once more, in a while.",
  drone: "As soon as a drone is free.",
  weather: "As soon as the weather lets a drone fly.",
  third_party: "Third-party transport is to bring it.",
  carrier: "Third-party transport is to bring it, and has no room yet.",
};

/** One line for whoever waits for the package. */
export function customerHeadline(story: Story): string {
  if (story.ending === "delivered") return "Delivered";
  if (story.ending === "failed") return "We could not deliver this";
  if (story.ending === "cancelled") return "This delivery was cancelled";
  if (story.confirming !== null) return "It is at your door";
  if (story.broughtBack || story.missed > 0) return story.missed > 0 ? "We missed you, and will try again" : "It had to turn back; we try again";
  if (story.waitingFor === "third_party" || story.waitingFor === "carrier") return "Waiting for a courier";
  if (story.waitingFor === "pickup_time") return "Scheduled for later";
  if (story.waitingFor === "drone") return "Waiting for a free drone";
  if (story.waitingFor === "weather") return "Waiting for better weather";
  if (story.waitingFor) return "A moment longer: we are working on it";
  switch (story.at) {
    case "toDropoff":
      return story.carrier === null ? "On its way to you" : "On its way to you, by courier";
    case "pickedUp":
      return "Collected";
    case "toPickup":
    case "assigned":
      return story.carrier === null ? "A drone is on its way to collect it" : "A courier is on the way to collect it";
    default:
      return "Order received";
  }
}

/** What the recipient has to give, in one word. */
export function wordOf(confirmation: string): string {
  return WORD[confirmation] ?? "word";
}

/** What only a newer server knows is shown as it calls it. */
function plain(name: string): string {
  return name.replaceAll("_", " ");
}

const FAULTS: Record<string, string> = {
  rotor_out: "Rotor out",
  battery_cell: "Battery cell gave out",
  link_lost: "Link lost",
  hub_closed: "Hub closed",
};

/** What went wrong at a mark of the timeline, in one line. */
export function markWords({ kind, what, id, with: other, of }: TimelineMark): string {
  if (kind === "fault") return `${FAULTS[what] ?? plain(what)}: ${id}`;
  if (kind === "loss") return `Too close: ${id} and ${other ?? "another"}`;
  if (of === "drone") return `Drone lost: ${id}`;
  return `Not delivered: ${shortId(id)}`;
}
