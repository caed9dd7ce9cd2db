// The server goes, in the middle of a delivery, and comes back: the page says so, and tells
// the rest of the story without a hole.

import type { EventMessage } from "@skyhaul/client";
import { expect, test } from "vitest";

import type {} from "../src/map/hook";
import { Ear } from "../client/test/server";
import { headline, record, scene, SMALL } from "./scene";
import { tap, type Wire } from "./sockets";

const here = scene("calm");

/** What each connection was told of a topic, and where it asked to go on from. */
function followed(wire: Wire, topic: string) {
  return wire.connections.flatMap(({ said, heard }) => {
    const asked = said.flatMap((message) => (message.type === "subscribe" && message.topic === topic ? [message] : [])).at(-1);
    if (!asked) return [];
    const events = heard.flatMap((message) => (message.type === "event" && message.id === asked.id ? [message] : []));
    return [{ since: asked.since?.seq, events }];
  });
}

/** The same, from the server's log. */
async function log(topic: `delivery/${string}`): Promise<EventMessage[]> {
  const sky = here.server.connect();
  const ear = new Ear<EventMessage>();
  sky.subscribe(topic, { fromStart: true }, { event: ear.hear });
  await ear.find("the end", ({ event }) => event.kind === "Completed");
  sky.close();
  return ear.heard;
}

const bare = (events: EventMessage[]) => events.map(({ seq, tick, simTime, event }) => ({ seq, tick, simTime, event }));

test("a delivery that is followed goes on after each restart, with every event and none twice", async () => {
  const id = await here.order();
  const topic = `delivery/${id}` as const;
  let wire!: Wire;
  const page = await here.look(`/#d=${id}`, {
    ...SMALL,
    serverMayGo: true,
    prepare: async (page) => void (wire = tap(page)),
  });
  const told = await record(page, { notice: "[data-notice] p" });
  const restart = async (signal: "SIGKILL" | "SIGTERM") => {
    await here.server.stop(signal);
    await page.locator("[data-notice=lost]").waitFor();
    await here.server.start();
    await page.waitForFunction(() => window.__skyhaul!.connection() === "resumed");
  };
  await headline(page, /On the way to the pick-up/);
  await restart("SIGKILL");
  await here.server.api.control({ speed: 40 });
  await here.happens(id, "PickedUp");
  await here.server.api.control({ speed: 1 });
  await headline(page, /On the way to the drop-off/);
  await restart("SIGKILL");
  await restart("SIGTERM");
  await here.server.api.control({ speed: 100 });
  await headline(page, /^Delivered$/);

  const whole = await log(topic);
  expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1));
  const parts = followed(wire, topic);
  expect(bare(parts.flatMap(({ events }) => events))).toEqual(bare(whole));
  // The first connection may have had to ask twice, until the request was admitted.
  expect(parts.length).toBe(4);
  let last = 0;
  for (const { since, events } of parts) {
    expect(since).toBe(last);
    last = events.at(-1)?.seq ?? last;
  }
  const { notice } = await told();
  expect(notice.filter((text) => text === "Connected again. Nothing was missed.").length).toBe(3);
  // And so it stands on the page.
  const time = (kind: string) => whole.find(({ event }) => event.kind === kind)!.simTime.slice(11, 19);
  const milestones = ["Accepted", "Assigned", "HeadedToPickup", "PickedUp", "HeadedToDropoff", "Completed"];
  expect(await page.locator(".stage-time").allTextContents()).toEqual(milestones.map(time));
});
