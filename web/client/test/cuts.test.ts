// A connection that is cut again and again, wherever a message happens to be: what is
// followed over it is all that the server logged, and nothing twice.

import { connect, createServer, type AddressInfo, type Server as Tcp, type Socket } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";
import WebSocket from "ws";

import type { Order } from "../src/api.js";
import type { Encoding } from "../src/codec.js";
import type { EventMessage, SnapshotMessage } from "../src/messages.js";
import { Skyhaul, type ConnectionState } from "../src/skyhaul.js";
import type { Topic } from "../src/subscription.js";
import { Ear, scenario, Server } from "./server.js";

const MOST_CUTS = 200;
const FEWEST_CUTS = 20;
/** A welcome is about 200 bytes; so some connections do not live to see it. */
const LONGEST_BYTES = 4_000;

/** Passes on to a port, and ends each connection after some bytes from there. */
class Scissors {
  cuts = 0;
  #open = new Set<Socket>();
  #listener: Tcp;

  constructor(to: number, random: () => number) {
    this.#listener = createServer((client) => {
      const server = connect(to, "127.0.0.1");
      for (const socket of [client, server]) {
        this.#open.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => (this.#open.delete(socket), client.destroy(), server.destroy()));
      }
      client.pipe(server);
      let left = this.cuts < MOST_CUTS ? Math.ceil(random() * LONGEST_BYTES) : Infinity;
      server.on("data", (bytes) => {
        client.write(bytes.subarray(0, left));
        if ((left -= bytes.length) > 0) return;
        this.cuts += 1;
        server.destroy();
        // What was passed on arrives, and then the end in the middle of it.
        client.end();
      });
    }).listen(0, "127.0.0.1");
  }

  async port(): Promise<number> {
    if (!this.#listener.listening) await new Promise((listening) => this.#listener.once("listening", listening));
    return (this.#listener.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise((closed) => this.#listener.close(closed));
  }
}

/** The same cuts each time: Park and Miller's generator. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

let server: Server;

beforeEach(async () => {
  server = await Server.start("--scenario", scenario("tiny"), "--paused", "--no-demand", "--speed", "40");
});

afterEach(() => server.end());

const order: Order = {
  ownerId: "cafe",
  pickupLocation: "Dolores Park",
  dropOffLocation: "General Hospital",
  packageInfo: { packageId: "lunch", size: "Small", weight: 1 },
};

/** Follows all of these from their first event on. */
function follow(sky: Skyhaul, topics: Topic[]) {
  return topics.map((topic) => {
    const [events, snapshots] = [new Ear<EventMessage>(), new Ear<SnapshotMessage>()];
    sky.subscribe(topic, { fromStart: true }, { event: events.hear, snapshot: snapshots.hear });
    return { topic, events, snapshots };
  });
}

const told = ({ topic, events, snapshots }: ReturnType<typeof follow>[number]) => ({
  topic,
  // A hub's gauges come as snapshots, whenever they have moved.
  snapshots: topic.startsWith("hub/") ? 0 : snapshots.heard.length,
  events: events.heard.map(({ seq, tick, simTime, event }) => ({ seq, tick, simTime, event })),
});

test.each<Encoding>(["json", "msgpack"])("cuts cost nothing that is told in %s", async (encoding) => {
  const ids = [];
  for (let i = 0; i < 5; i++) ids.push((await server.api.order(order)).deliveryId);
  const topics: Topic[] = [...ids.map((id) => `delivery/${id}` as const), "drone/d-0", "drone/d-1", "hub/mission", "events"];
  const scissors = new Scissors(Number(new URL(server.url).port), seeded(encoding.length));
  const url = `ws://127.0.0.1:${await scissors.port()}/ws`;
  const sky = new Skyhaul({ url, encoding, WebSocket: WebSocket as never, firstRetryMs: 1, longestRetryMs: 5 });
  const states = new Ear<ConnectionState>();
  sky.onState(states.hear);
  const followed = follow(sky, topics);
  // What is lossy lies between what is not.
  sky.subscribe("area", { bbox: [-122.44, 37.74, -122.39, 37.78], maxHz: 10 });
  await server.api.control({ state: "running" });
  const all = followed.at(-1)!.events;
  const done = new Set<unknown>();
  await all.find("all deliveries", ({ event }) => event.kind === "Completed" && done.add(event.deliveryId).size === ids.length);
  await server.api.control({ state: "paused" });

  // Somebody whose connection was never cut, and who comes when all is over.
  const calm = server.connect();
  const log = follow(calm, topics);
  const newcomer = server.connect();
  const marker = await new Promise<number>((known) => newcomer.subscribe("events", {}, { snapshot: ({ seq }) => known(seq!) }));
  for (const { events } of [followed.at(-1)!, log.at(-1)!]) await events.find("the newest event", ({ seq }) => seq === marker);
  for (const [index, { events }] of log.entries()) {
    const last = events.heard.at(-1)?.seq ?? 0;
    if (last > 0) await followed[index]!.events.find(`${topics[index]} ${last}`, ({ seq }) => seq === last);
  }
  expect(followed.map(told)).toEqual(log.map(told));
  for (const { events } of log) expect(events.heard.map(({ seq }) => seq)).toEqual(events.heard.map((_, i) => i + 1));
  expect(log.map(told).every(({ snapshots }) => snapshots === 0)).toBe(true);
  expect(scissors.cuts).toBeGreaterThan(FEWEST_CUTS);
  expect(states.heard.filter((state) => state === "resumed").length).toBeGreaterThan(FEWEST_CUTS / 2);
  for (const connection of [sky, calm, newcomer]) connection.close();
  await scissors.close();
});
