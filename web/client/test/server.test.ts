// Against the real server: order, follow to the door, come back after a restart.

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Problem, type Order } from "../src/api.js";
import type { Encoding } from "../src/codec.js";
import type { ErrorMessage, EventMessage, PositionsMessage, SnapshotMessage } from "../src/messages.js";
import { PositionBuffer } from "../src/position-buffer.js";
import type { ConnectionState, Skyhaul } from "../src/skyhaul.js";
import { Ear, eventually, scenario, Server } from "./server.js";

const order: Order = {
  ownerId: "cafe",
  pickupLocation: "Dolores Park",
  dropOffLocation: "General Hospital",
  packageInfo: { packageId: "lunch", size: "Small", weight: 1 },
};

let server: Server;
let sky: Skyhaul;

beforeEach(async () => {
  server = await Server.start("--scenario", scenario("tiny"), "--paused", "--no-demand", "--speed", "max");
  sky = server.connect();
});

afterEach(async () => {
  sky.close();
  await server.end();
});

/** Follows a delivery with all there is to hear of it. */
function follow(sky: Skyhaul, id: string, fromStart = true) {
  const [events, positions, snapshots] = [new Ear<EventMessage>(), new Ear<PositionsMessage>(), new Ear<SnapshotMessage>()];
  const recovered = new Ear<unknown>();
  const subscription = sky.subscribe(
    `delivery/${id}`,
    { fromStart, maxHz: 10 },
    { event: events.hear, positions: positions.hear, snapshot: snapshots.hear, recovered: recovered.hear },
  );
  return { subscription, events, positions, snapshots, recovered };
}

const numbers = (messages: EventMessage[]) => messages.map(({ seq }) => seq);
const counted = (messages: unknown[]) => messages.map((_, index) => index + 1);

test("order a delivery and follow it from its first event to the door", async () => {
  const { deliveryId } = await server.api.order(order);
  expect((await server.api.request(deliveryId)).state).toBe("Queued");
  const { events, positions, snapshots } = follow(sky, deliveryId);
  await server.api.control({ state: "running", speed: 100 });
  await events.find("completion", ({ event }) => event.kind === "Completed");

  const kinds = events.heard.map(({ event }) => event.kind);
  expect(kinds.slice(0, 3)).toEqual(["Accepted", "Created", "Assigned"]);
  expect(kinds.filter((kind) => kind !== "EtaChanged").slice(3)).toEqual([
    "HeadedToPickup",
    "PickedUp",
    "HeadedToDropoff",
    "Completed",
  ]);
  expect(numbers(events.heard)).toEqual(counted(events.heard));
  expect(snapshots.heard).toEqual([]);
  expect(positions.heard[0].full).toBe(true);
  expect(positions.heard.some(({ drones }) => drones[0]?.[7] === "cruising")).toBe(true);
  expect((await server.api.deliveryStatus(deliveryId)).stage).toBe("Completed");
});

test("a restart of the server costs no event, and gives none twice", async () => {
  const states = new Ear<ConnectionState>();
  sky.onState(states.hear);
  const { deliveryId } = await server.api.order(order);
  const { events, recovered, snapshots } = follow(sky, deliveryId);
  for (const [how, kind] of [["SIGKILL", "Assigned"], ["SIGTERM", "PickedUp"]] as const) {
    await server.api.control({ state: "running", speed: 50 });
    await events.find(kind, ({ event }) => event.kind === kind);
    await server.stop(how);
    await states.find("loss", (state) => state === "lost");
    states.heard.length = 0;
    await server.start();
    await states.find("resumption", (state) => state === "resumed");
  }
  await server.api.control({ state: "running", speed: 100 });
  await events.find("completion", ({ event }) => event.kind === "Completed");
  expect(numbers(events.heard)).toEqual(counted(events.heard));
  expect(recovered.heard.length).toBe(2);
  expect(snapshots.heard).toEqual([]);

  // Whoever comes later is told the same.
  const late = server.connect();
  const again = follow(late, deliveryId);
  await again.events.find("completion", ({ event }) => event.kind === "Completed");
  expect(again.events.heard.map(({ event }) => event)).toEqual(events.heard.map(({ event }) => event));
  late.close();
});

test("an area fills the buffer with the drones that HTTP shows", async () => {
  const buffer = new PositionBuffer();
  const heard = new Ear<PositionsMessage>();
  const bbox: [number, number, number, number] = [-123, 37, -122, 38];
  const area = sky.subscribe("area", { bbox, maxHz: 10 }, {
    positions: (message) => {
      buffer.take(message);
      heard.hear(message);
    },
  });
  await server.api.order(order);
  await server.api.control({ state: "running", speed: 20, pauseAtTick: 900 });
  await heard.find("the last frame", ({ tick }) => tick === 900);
  const flying = (await server.api.drones()).items.find(({ status }) => status !== "parked" && status !== "charging")!;
  await eventually("the moment shown is that of the pause", () => {
    buffer.sample();
    const shown = buffer.shown(flying.id);
    return shown && shown.latitude === flying.location.latitude && shown.longitude === flying.location.longitude;
  });
  expect(buffer.shown(flying.id)).toMatchObject({ status: flying.status, heading: Math.round(flying.heading) % 360 });

  heard.heard.length = 0;
  area.update({ bbox: [-122.9, 37.1, -122.8, 37.2] });
  const elsewhere = await heard.find("another place", ({ full }) => full);
  expect(elsewhere.drones).toEqual([]);
  area.close();
});

test("both encodings say the same", async () => {
  const bbox: [number, number, number, number] = [-123, 37, -122, 38];
  const { deliveryId } = await server.api.order(order);
  const last = 700;
  const tell = (encoding: Encoding) => {
    const sky = server.connect({ encoding });
    const [events, shown, fleet] = [new Ear<EventMessage>(), new Ear<PositionsMessage>(), new Ear<SnapshotMessage>()];
    sky.subscribe(`delivery/${deliveryId}`, { fromStart: true }, { event: events.hear });
    const area = sky.subscribe("area", { bbox, maxHz: 10 }, { positions: shown.hear });
    const errors = new Ear<ErrorMessage>();
    sky.subscribe("drone/d-999", {}, { error: errors.hear });
    return { sky, area, events, shown, fleet, errors };
  };
  const told = [tell("json"), tell("msgpack")];
  for (const { shown } of told) await shown.find("a first frame", ({ full }) => full);
  await server.api.control({ state: "running", speed: 50, pauseAtTick: last });
  const [json, msgpack] = await Promise.all(
    told.map(async ({ sky, area, events, shown, fleet, errors }) => {
      await shown.find("the last frame", ({ tick }) => tick === last);
      await events.find("take-off", ({ event }) => event.kind === "HeadedToPickup");
      const refusal = await errors.find("a refusal", () => true);
      sky.subscribe("drone/d-0", {}, { snapshot: fleet.hear });
      const drone = await fleet.find("the drone", () => true);
      // The last tick may have changed nothing, so all that it shows is asked for.
      area.update({ bbox });
      const { sentAt: _, ...frame } = await shown.find("all of the last tick", ({ full, tick }) => full && tick === last);
      sky.close();
      return { events: events.heard, frame, refusal, drone };
    }),
  );
  expect(json.frame.drones.length).toBeGreaterThan(0);
  expect(msgpack).toEqual(json);
});

test("what the server refuses is told once, and ends the subscription", async () => {
  const errors = new Ear<ErrorMessage>();
  const unknown = sky.subscribe("drone/d-999", {}, { error: errors.hear });
  const error = await errors.find("a refusal", () => true);
  expect(error.code).toBe("not_found");
  expect(unknown.state).toBe("refused");
});

test("a subscription can be closed and made again at once", async () => {
  const first = sky.subscribe("fleet");
  first.close();
  const heard = new Ear<unknown>();
  sky.subscribe("fleet", {}, { snapshot: heard.hear });
  await heard.find("a snapshot", () => true);
});

test("a server that was never there is tried for until it comes", async () => {
  await server.stop();
  const early = server.connect();
  const states = new Ear<ConnectionState>();
  early.onState(states.hear);
  await states.find("a failed attempt", (state) => state === "connecting");
  const snapshots = new Ear<SnapshotMessage>();
  early.subscribe("fleet", {}, { snapshot: snapshots.hear });
  await server.start();
  await snapshots.find("the fleet", ({ fleet }) => fleet !== undefined);
  expect(early.state).toBe("open");
  early.close();
  expect(early.state).toBe("closed");
});

describe("over HTTP", () => {
  test("every wrong field of an order is named", async () => {
    const wrong = server.api.order({ ...order, ownerId: "", packageInfo: { ...order.packageInfo, weight: -1 } });
    const problem = await wrong.catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(Problem);
    const { status, body } = problem as Problem;
    expect(status).toBe(422);
    expect(body.errors!.map(({ pointer }) => pointer).sort()).toEqual(["/ownerId", "/packageInfo/weight"]);
    expect((problem as Problem).field("/packageInfo/weight")).toBeTruthy();
  });

  test("nobody there is a problem too", async () => {
    await server.stop();
    await expect(server.api.simulation()).rejects.toMatchObject({ status: 0 });
  });
});
