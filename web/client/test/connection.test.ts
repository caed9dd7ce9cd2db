// What a connection does when the other side does not behave: a server of our own that is
// silent, refuses tokens, repeats itself or has no time.

import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { afterEach, beforeEach, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";

import { Backoff } from "../src/backoff.js";
import type { ClientMessage, EventMessage, ServerMessage } from "../src/messages.js";
import { Skyhaul, type ConnectionState, type SkyhaulOptions } from "../src/skyhaul.js";
import { Ear } from "./server.js";

let server: WebSocketServer;
const open: Skyhaul[] = [];

beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
});

afterEach(async () => {
  for (const sky of open.splice(0)) sky.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((closed) => server.close(closed));
});

function connect(options: Partial<SkyhaulOptions> = {}) {
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  const sky = new Skyhaul({ url, WebSocket: WebSocket as never, firstRetryMs: 5, longestRetryMs: 20, ...options });
  open.push(sky);
  const states = new Ear<{ state: ConnectionState; reason?: string }>();
  sky.onState((state, { reason }) => states.hear({ state, reason }));
  return { sky, states };
}

/** Answers each connection with `welcome`, and each message as told. */
function behave(answer: (message: ClientMessage, say: (message: ServerMessage) => void) => void): void {
  server.on("connection", (socket) => {
    const say = (message: ServerMessage) => socket.send(JSON.stringify(message));
    const [tick, speed, simTime] = [0, 1, "2026-06-01T18:00:00.000Z"];
    say({ type: "welcome", session: "s-0", version: "0", protocol: "skyhaul.v1", epoch: "e1", tick, simTime, speed, playback: false });
    socket.on("message", (data) => answer(JSON.parse(String(data)) as ClientMessage, say));
  });
}

const event = (id: number, seq: number): EventMessage => ({
  type: "event",
  id,
  seq,
  tick: seq,
  simTime: "2026-06-01T18:00:00.000Z",
  event: { kind: "Created", deliveryId: "x" },
});

test("a server that falls silent is noticed and tried again", async () => {
  behave(() => {});
  const { sky, states } = connect({ heartbeatMs: 10, patienceMs: 300 });
  await states.find("the first connection", ({ state }) => state === "open");
  const loss = await states.find("the loss", ({ state }) => state === "lost");
  expect(loss.reason).toBe("the server is silent");
  await states.find("the next connection", ({ state }) => state === "resumed");
  expect(sky.isOpen).toBe(true);
});

test("a topic that the server ends is not followed any more, nor asked for again", async () => {
  const asked: ClientMessage[] = [];
  behave((message, say) => {
    asked.push(message);
    if (message.type !== "subscribe") return;
    say({ type: "subscribed", id: message.id, recovered: false, hz: 1 });
    if (message.topic !== "fleet") return;
    say({ type: "error", id: message.id, code: "not_found", message: "there is no fleet any more" });
    say({ type: "unsubscribed", id: message.id });
  });
  const { sky, states } = connect();
  const told = new Ear<string>();
  const fleet = sky.subscribe("fleet", {}, { error: ({ message }) => told.hear(message) });
  const drone = sky.subscribe("drone/d-1", {}, { subscribed: () => told.hear("subscribed") });
  await told.find("the other topic", (word) => word === "subscribed");
  expect(told.heard).toEqual(["there is no fleet any more", "subscribed"]);
  expect([fleet.state, drone.state]).toEqual(["refused", "followed"]);
  fleet.update({ maxHz: 1 });
  fleet.close();
  for (const socket of server.clients) socket.terminate();
  await states.find("the next connection", ({ state }) => state === "resumed");
  await told.find("the other topic again", () => told.heard.length === 3);
  expect(asked.map((message) => ("topic" in message ? message.topic : message.type))).toEqual(["fleet", "drone/d-1", "drone/d-1"]);
});

test("a server that answers heartbeats is kept", async () => {
  let asked = 0;
  const enough = new Ear<number>();
  behave((message, say) => {
    if (message.type !== "ping") return;
    enough.hear(++asked);
    say({ type: "pong", sent: message.sent ?? null });
  });
  const { sky, states } = connect({ heartbeatMs: 10, patienceMs: 2_000 });
  await enough.find("three heartbeats", (count) => count === 3);
  expect(states.heard.map(({ state }) => state)).toEqual(["open"]);
  expect(sky.roundTripMs).toBeGreaterThanOrEqual(0);
});

test("a refused token is tried no more until there is another, and is in no URL", async () => {
  const shown = new Ear<{ url: string; protocols: string }>();
  server.on("connection", (socket, request) => {
    const protocols = request.headers["sec-websocket-protocol"] ?? "";
    shown.hear({ url: request.url!, protocols });
    if (!protocols.includes("good")) {
      socket.send(JSON.stringify({ type: "error", code: "unauthorized", message: "the token has expired" }));
      socket.close(4401, "unauthorized");
    }
  });
  const { sky, states } = connect({ token: "old" });
  const refusal = await states.find("the refusal", ({ state }) => state === "refused");
  expect(refusal.reason).toBe("the token has expired");
  sky.renew("good");
  await shown.find("the other token", ({ protocols }) => protocols.includes("skyhaul.token.good"));
  expect(shown.heard.map(({ url }) => url)).toEqual(["/ws", "/ws"]);
  expect(shown.heard[0].protocols).toBe("skyhaul.v1.json,skyhaul.token.old");
});

test("a token that is renewed is shown on the open connection too", async () => {
  const said = new Ear<ClientMessage>();
  behave(said.hear);
  const { sky, states } = connect({ token: "old" });
  await states.find("the connection", ({ state }) => state === "open");
  sky.renew("new");
  expect(await said.find("the token", ({ type }) => type === "auth")).toEqual({ type: "auth", token: "new" });
});

test("what was told is not told again, and the next connection goes on after it", async () => {
  const said = new Ear<ClientMessage>();
  behave((message, say) => {
    said.hear(message);
    if (message.type !== "subscribe") return;
    say({ type: "subscribed", id: message.id, recovered: true, hz: 5 });
    // All of it, whatever the client has.
    for (const seq of [1, 2, 3]) say(event(message.id, seq));
    if (message.since?.seq === 3) say(event(message.id, 4));
    else for (const socket of server.clients) socket.close(1013);
  });
  const { sky } = connect();
  const told = new Ear<EventMessage>();
  sky.subscribe("delivery/x", { fromStart: true }, { event: told.hear });
  await told.find("what came after the cut", ({ seq }) => seq === 4);
  expect(told.heard.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  const since = said.heard.map((message) => message.type === "subscribe" && message.since);
  expect(since).toEqual([
    { epoch: "e1", seq: 0 },
    { epoch: "e1", seq: 3 },
  ]);
});

test("a server that has no time is asked again", async () => {
  let asked = 0;
  behave((message, say) => {
    if (message.type !== "subscribe") return;
    asked += 1;
    if (asked === 1) say({ type: "error", id: message.id, code: "rate_limited", message: "too much" });
    else say({ type: "subscribed", id: message.id, recovered: false, hz: 1 });
  });
  const { sky } = connect();
  const answers = new Ear<unknown>();
  const fleet = sky.subscribe("fleet", {}, { subscribed: answers.hear });
  await answers.find("an answer", () => true);
  expect(asked).toBe(2);
  expect(fleet.state).toBe("followed");
});

test("a message that cannot be read ends the connection", async () => {
  server.once("connection", (socket) => socket.send("{"));
  const { states } = connect();
  await states.find("the end", ({ reason }) => reason?.startsWith("a message could not be read") ?? false);
});

test("waits grow, are never equal for all, and begin anew", () => {
  const backoff = new Backoff({ firstMs: 100, longestMs: 1000, random: () => 1 });
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
  const lucky = new Backoff({ firstMs: 100, longestMs: 1000, random: () => 0 });
  expect(lucky.next()).toBe(50);
});

test("a recording that goes to another moment begins each topic anew, with numbers of its own", async () => {
  const told = new Ear<ServerMessage>();
  let asked: ClientMessage | undefined;
  behave((message, say) => {
    if (message.type !== "subscribe") return;
    asked = message;
    say({ type: "subscribed", id: message.id, hz: 0, recovered: false });
    for (const seq of [1, 2, 3]) say(event(message.id, seq));
    say({ type: "discontinuity", epoch: "e2", tick: 7, simTime: "2026-06-01T18:00:07.000Z", discontinuity: true });
    // As it was then: less has happened yet.
    say(event(message.id, 1));
    if (told.heard.length < 4) for (const socket of server.clients) setTimeout(() => socket.terminate(), 20);
  });
  const { sky, states } = connect();
  const moved = new Ear<ServerMessage>();
  sky.onDiscontinuity(moved.hear);
  sky.subscribe("delivery/x", {}, { event: told.hear, discontinuity: told.hear });
  await moved.find("the move", ({ type }) => type === "discontinuity");
  await told.find("the first event again", (message) => message.type === "event" && told.heard.some(({ type }) => type === "discontinuity") && message.seq === 1);
  const seen = told.heard.slice(0, 5).map((message) => (message.type === "event" ? message.seq : message.type));
  expect(seen).toEqual([1, 2, 3, "discontinuity", 1]);
  expect(sky.welcome).toMatchObject({ epoch: "e2", tick: 7 });
  // The next connection goes on from there.
  await states.find("the next connection", ({ state }) => state === "resumed");
  await told.find("what it was told", () => asked?.type === "subscribe" && asked.since !== undefined);
  expect(asked).toMatchObject({ since: { epoch: "e2", seq: 1 } });
});

test("a moment of one's own is asked for, told of, and refused in words", async () => {
  const asked: ClientMessage[] = [];
  behave((message, say) => {
    asked.push(message);
    if (message.type === "play") say({ type: "error", code: "not_recorded", message: "nothing is recorded" });
    else if (message.type === "seek" || message.type === "live") {
      say({ type: "clock", live: message.type === "live", state: "running", speed: 1, tick: 7, simTime: "2026-06-01T18:00:07.000Z" });
    }
  });
  const { sky, states } = connect();
  await states.find("the connection", ({ state }) => state === "open");
  const [clocks, refusals] = [new Ear<ServerMessage>(), new Ear<ServerMessage>()];
  sky.onClock(clocks.hear);
  sky.onRefusal(refusals.hear);
  sky.seek("2026-06-01T18:00:07Z");
  await clocks.find("the past", (message) => message.type === "clock" && !message.live);
  sky.play(-2);
  await refusals.find("why not", (message) => message.type === "error" && message.code === "not_recorded");
  sky.live();
  await clocks.find("the present", (message) => message.type === "clock" && message.live);
  expect(asked).toEqual([{ type: "seek", simTime: "2026-06-01T18:00:07Z" }, { type: "play", speed: -2 }, { type: "live" }]);
});
