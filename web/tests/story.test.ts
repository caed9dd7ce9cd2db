// What a delivery's events come to, and the words for it: without a browser.

import { describe, expect, test } from "vitest";

import { customerHeadline, headline, more } from "../src/panels/words";
import { blank, canChange, caughtUp, told, type Happening, type Story } from "../src/state/story";

const etas = { pickupEta: "2026-06-01T18:05:00Z", deliveryEta: "2026-06-01T18:10:00Z" };
const place = { latitude: 37.76, longitude: -122.41, altitude: 0 };
const accepted = { kind: "Accepted", pickup: place, dropoff: place, payloadKg: 1, ownerId: "cafe" };
const assigned = { kind: "Assigned", droneId: "d-1", ...etas };
const toPickup = { kind: "HeadedToPickup", ...etas };
const collected = [accepted, assigned, toPickup, { kind: "PickedUp", location: place }, { kind: "HeadedToDropoff", ...etas }];
const atDoor = { kind: "AwaitingConfirmation", confirmationRequired: "FingerPrint" };
const SNAPSHOT = { id: "x", stage: "HeadedToPickup" as const, droneId: null, location: place, ...etas };
const delayed = (waitingFor: string) => ({ kind: "Delayed", waitingFor });

function after(...events: Happening[]): Story {
  return events.reduce((story, event, index) => told(story, event, index * 1000), blank("x"));
}

describe("a delivery's story", () => {
  test("a drone lost on its way to the pick-up is its drone no more", () => {
    const story = after(accepted, assigned, toPickup, delayed("drone"));
    expect(story).toMatchObject({ at: "accepted", droneId: null, deliveryEta: null, times: { accepted: 0 } });
    expect(Object.keys(story.times)).toEqual(["accepted"]);
    expect(headline(story)).toBe("Waiting for a free drone");
    expect(canChange(story)).toBe(true);
    expect(after(accepted, assigned, toPickup, delayed("drone"), assigned)).toMatchObject({ droneId: "d-1", waitingFor: null });
  });

  test("a step that is tried again takes nothing away", () => {
    const story = after(accepted, assigned, toPickup, delayed("retry"));
    expect(story).toMatchObject({ droneId: "d-1", at: "toPickup" });
    expect(headline(story)).toBe("Something went wrong; it is tried again");
    expect(customerHeadline(story)).toBe("A moment longer: we are working on it");
    const full = after(accepted, delayed("carrier"));
    expect(customerHeadline(full)).toBe("Waiting for a courier");
    expect(more(told(full, { kind: "Failed", reason: "carrier_full" }, 9000))).toBe("Third-party transport had no room for it.");
  });

  test("whom nobody met is visited again, from the hub", () => {
    const door = after(...collected, atDoor);
    expect(headline(door)).toBe("At the door, waiting for the recipient’s fingerprint");
    const back = told(door, delayed("return"), 9000);
    expect(back).toMatchObject({ droneId: "d-1", missed: 1, confirming: null, deliveryEta: null });
    expect([headline(back), customerHeadline(back)]).toEqual([
      "The drone brings the package back",
      "We missed you, and will try again",
    ]);
    const hub = told(told(back, delayed("drone"), 10_000), delayed("pickup_time"), 10_000);
    expect(hub).toMatchObject({ droneId: null, broughtBack: "waiting" });
    expect(headline(hub)).toBe("Back at the hub, to set out again");
    expect(more(hub)).toBe("The recipient is visited once more, in a while.");
    expect(canChange(hub)).toBe(false);
    const again = [assigned, toPickup, ...collected.slice(3)].reduce((story, event) => told(story, event, 20_000), hub);
    expect(again.broughtBack).toBeNull();
    const failed = told(again, { kind: "Failed", reason: "not_confirmed" }, 30_000);
    expect(failed).toMatchObject({ ending: "failed", pickupEta: null, deliveryEta: null });
    expect(more(failed)).toBe("Nobody gave the word that the order asks for.");
  });

  test("what a van carries goes on to its end", () => {
    const van = after(accepted, { kind: "HandedToCarrier", carrier: "third-party", ...etas }, toPickup);
    expect(van).toMatchObject({ ending: null, carrier: "third-party", droneId: null, price: null });
    const priced = caughtUp(van, { ...SNAPSHOT, carrier: "third-party", price: 12.5 });
    expect(priced.price).toBe(12.5);
    expect(told(priced, delayed("drone"), 4000)).toMatchObject({ carrier: null, price: null });
    expect(headline(van)).toBe("A van is on the way to the pick-up");
    const done = [...collected.slice(3), { kind: "Completed", location: place }].reduce((story, event) => told(story, event, 5000), van);
    expect(done).toMatchObject({ ending: "delivered", at: "delivered" });
    const missed = [...collected.slice(3), atDoor, { kind: "EtaChanged", ...etas }].reduce((story, event) => told(story, event, 5000), van);
    expect(headline(missed)).toBe("Nobody was there; the van comes by again");
  });

  test("what was changed goes on with the drone that it has", () => {
    const elsewhere = { ...place, latitude: 37.77 };
    const changed = after(accepted, assigned, toPickup, { kind: "Rescheduled", pickup: place, dropoff: elsewhere, deadline: "" }, toPickup);
    expect(changed).toMatchObject({ droneId: "d-1", at: "toPickup", dropoff: elsewhere, firstQuote: Date.parse(etas.deliveryEta) });
  });
});

test("what a newer server says is shown as it calls it", () => {
  expect(headline(after(accepted, delayed("full_moon")))).toBe("Waiting for full moon");
  expect(more(after(accepted, { kind: "Failed", reason: "too_windy" }))).toBe("Reason: too windy.");
});
