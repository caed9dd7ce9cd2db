// Against the real server, where it asks for tokens: shown, refused, renewed, expired.

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { Problem, type Order } from "../src/api.js";
import type { Encoding } from "../src/codec.js";
import type { ErrorMessage, EventMessage, PositionsMessage } from "../src/messages.js";
import type { ConnectionState, Skyhaul, SkyhaulOptions } from "../src/skyhaul.js";
import { Ear, scenario, Server } from "./server.js";

const order: Order = {
  ownerId: "cafe",
  pickupLocation: "Dolores Park",
  dropOffLocation: "General Hospital",
  packageInfo: { packageId: "lunch", size: "Small", weight: 1 },
};

let server: Server;
const open: Skyhaul[] = [];

beforeEach(async () => {
  server = await Server.start("--scenario", scenario("tiny"), "--paused", "--no-demand", "--auth", "required");
});

afterEach(async () => {
  for (const sky of open.splice(0)) sky.close();
  await server.end();
});

const asOperator = async () => server.apiWith(await server.token("operator"));
const customer = (...more: string[]) => server.token("customer", "--account", "cafe", ...more);

function connect(token: string, options: Partial<SkyhaulOptions> = {}) {
  const sky = server.connect({ token, ...options });
  open.push(sky);
  const states = new Ear<{ state: ConnectionState; reason?: string }>();
  sky.onState((state, { reason }) => states.hear({ state, reason }));
  return { sky, states };
}

describe.each<Encoding>(["json", "msgpack"])("in %s", (encoding) => {
  test("a token that the server does not know is refused in words, and not tried again until there is another", async () => {
    const { sky, states } = connect("not.a.token", { encoding });
    const refusal = await states.find("the refusal", ({ state }) => state === "refused");
    expect(refusal.reason).toMatch(/token/);
    expect(sky.welcome).toBeUndefined();
    sky.renew(await customer());
    await states.find("the connection", ({ state }) => state === "open");
    expect(states.heard.map(({ state }) => state)).toEqual(["refused", "open"]);
  });

  test("what is followed goes on over a renewal, and ends with the token where there is none", async () => {
    const api = await asOperator();
    const { deliveryId } = await api.order(order);
    const brief = await customer("--ttl", "3s");
    const [kept, ending] = [connect(brief, { encoding }), connect(brief, { encoding })];
    const events = new Ear<EventMessage>();
    kept.sky.subscribe(`delivery/${deliveryId}`, { fromStart: true }, { event: events.hear });
    ending.sky.subscribe(`delivery/${deliveryId}`, { fromStart: true });
    for (const { states } of [kept, ending]) await states.find("the connection", ({ state }) => state === "open");
    kept.sky.renew(await customer());
    const end = await ending.states.find("the end", ({ state }) => state === "refused");
    expect(end.reason).toBe("the token has expired");
    await api.control({ state: "running", speed: "max" });
    await events.find("completion", ({ event }) => event.kind === "Completed");
    expect(kept.states.heard.map(({ state }) => state)).toEqual(["open"]);
    expect(ending.states.heard.map(({ state }) => state)).toEqual(["open", "refused"]);
    expect(events.heard.map(({ seq }) => seq)).toEqual(events.heard.map((_, index) => index + 1));
  });
});

test("a customer's link shows the drone until the drop-off, which ends what follows it for good", async () => {
  const api = await asOperator();
  const { deliveryId } = await api.order(order);
  const { sky, states } = connect(await customer("--delivery", deliveryId));
  const [events, positions, errors, again] = [
    new Ear<EventMessage>(),
    new Ear<PositionsMessage>(),
    new Ear<ErrorMessage>(),
    new Ear<ErrorMessage>(),
  ];
  sky.subscribe(`delivery/${deliveryId}`, { fromStart: true }, { event: events.hear });
  const fleet = sky.subscribe("fleet", {}, { error: again.hear });
  expect((await again.find("a refusal", () => true)).code).toBe("forbidden");
  expect(fleet.state).toBe("refused");

  let tick = 0;
  const until = async (stage: string) => {
    while ((await api.deliveryStatus(deliveryId)).stage !== stage) await api.step((tick += 20) && 20);
  };
  await until("HeadedToDropoff");
  const { droneId } = await api.delivery(deliveryId);
  const drone = sky.subscribe(`drone/${droneId}`, { maxHz: 10 }, { positions: positions.hear, error: errors.hear });
  await positions.find("the drone", ({ drones }) => drones[0]?.[0] === droneId);
  await until("Completed");
  expect((await errors.find("the end", () => true)).code).toBe("forbidden");
  expect(drone.state).toBe("refused");

  // A new connection asks for what is left only.
  await server.stop("SIGKILL");
  await states.find("the loss", ({ state }) => state === "lost");
  await server.start();
  await states.find("the next connection", ({ state }) => state === "resumed");
  const probe = new Ear<ErrorMessage>();
  sky.subscribe("events", {}, { error: probe.hear });
  await probe.find("an answer after all others", () => true);
  expect(errors.heard.length).toBe(1);
});

test("over HTTP a refusal is a problem with its status", async () => {
  const status = async (token?: string) => {
    const asked = await server.apiWith(token).simulation().catch((error: unknown) => error);
    return asked instanceof Problem ? asked.status : 200;
  };
  expect(await status()).toBe(401);
  expect(await status("not.a.token")).toBe(401);
  expect(await status(await customer())).toBe(200);
  const guest = server.apiWith(await customer());
  await expect(guest.control({ state: "running" })).rejects.toMatchObject({ status: 403 });
  await expect(guest.order({ ...order, ownerId: "bakery" })).rejects.toMatchObject({ status: 403 });
});
