// A customer gets a link from an operator: it shows their delivery, and there is no way from
// it to anything else.

import type { BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, expect, test } from "vitest";

import type {} from "../src/map/hook";
import type { Api } from "../client/src/api";
import { headline, scene, SMALL } from "./scene";

const here = scene("calm", "--auth", "required");
let operator: string;
let api: Api;

beforeAll(async () => {
  operator = await here.server.token("operator");
  api = here.server.apiWith(operator);
});

afterEach(() => api.control({ state: "running", speed: 1 }));

async function order(): Promise<string> {
  const { deliveryId } = await api.order({
    ownerId: "cafe",
    pickupLocation: "Dolores Park",
    dropOffLocation: "General Hospital",
    packageInfo: { packageId: "p", size: "Small", weight: 1 },
  });
  return deliveryId;
}

async function linkFor(delivery: string, ttl = "1h"): Promise<{ link: string; token: string }> {
  const { token } = await api.post<{ token: string }>("/api/tokens", { role: "customer", account: "cafe", delivery, ttl });
  return { token, link: `/#t=${token}` };
}

/** Whatever the page asks for, as it goes out. */
function asked(profile: BrowserContext): { url: string; headers: Promise<Record<string, string>> }[] {
  const all: ReturnType<typeof asked> = [];
  const watch = (page: Page) => page.on("websocket", (socket) => all.push({ url: socket.url(), headers: Promise.resolve({}) }));
  profile.on("request", (request) => all.push({ url: request.url(), headers: request.allHeaders() }));
  profile.pages().forEach(watch);
  profile.on("page", watch);
  return all;
}

test("an operator shares a delivery, and whoever gets the link sees it and nothing else", async () => {
  const [mine, other] = [await order(), await order()];
  const assigned = await here.happens(mine, "Assigned", operator);
  const drone = String("droneId" in assigned && assigned.droneId);
  const shown: ReturnType<typeof asked>[] = [];
  const watched = async (page: Page) => void shown.push(asked(page.context()));

  const desk = await here.look(`/#t=${operator}`, { prepare: watched });
  await desk.getByRole("combobox", { name: "Find a delivery" }).fill(mine);
  await desk.keyboard.press("Enter");
  await headline(desk, /On the way to the pick-up/);
  await desk.getByRole("button", { name: "Customer’s link" }).click();
  const link = await desk.getByRole("textbox", { name: "Link" }).inputValue();
  await desk.context().close();

  const page = await here.look(link.slice(here.server.url.length), { ...SMALL, mayBeRefused: true, prepare: watched });
  await headline(page, /on its way to collect it/);
  expect(page.url()).toBe(`${here.server.url}/#d=${mine}`);
  expect(await page.evaluate(() => window.__skyhaul!.selection())).toMatchObject({ kind: "delivery", id: mine });
  expect(await page.evaluate(() => window.__skyhaul!.ids())).toEqual([]);
  for (const name of ["Operations", "Order a delivery", "Customer’s link"]) {
    expect(await page.getByRole("button", { name }).count()).toBe(0);
  }

  // What somebody finds who opens the tools for developers in it.
  const answers = await page.evaluate(askEverything, { other, drone });
  const all = <T,>(of: Record<string, unknown>, answer: T) => Object.fromEntries(Object.keys(of).map((what) => [what, answer]));
  expect(answers.refused).toEqual(all(answers.refused, 403));
  expect(answers.topics).toEqual(all(answers.topics, "forbidden"));
  // Lists hold what is theirs, and their drone has not picked anything up yet.
  expect(answers.lists).toEqual({ "/api/deliveries?ownerId=cafe": [mine], "/api/drones": [], "/api/drones.geojson": [] });
  // Another's delivery in the address is not shown either.
  await page.evaluate((id) => void (location.hash = `#d=${id}`), other);
  await headline(page, /This link does not show this delivery/);
  await page.evaluate((id) => void (location.hash = `#d=${id}`), mine);
  await headline(page, /on its way to collect it/);

  // From pick-up on the one drone is there; after the drop-off it is gone.
  await api.control({ speed: 40 });
  await here.happens(mine, "PickedUp", operator);
  await api.control({ speed: 1 });
  await headline(page, /On its way to you/);
  await page.waitForFunction((drone) => window.__skyhaul!.ids().join() === drone, drone);
  await api.control({ speed: 100 });
  await headline(page, /^Delivered$/);
  await page.waitForFunction(() => window.__skyhaul!.ids().length === 0);

  const customer = link.split("#t=")[1]!;
  for (const { url, headers } of shown.flat()) {
    for (const token of [operator, customer]) {
      expect(url).not.toContain(token);
      expect((await headers).referer ?? "").not.toContain(token);
    }
  }
  expect(shown.flat().length).toBeGreaterThan(20);
  for (const token of [operator, customer]) expect(here.server.log).not.toContain(token);
});

/** Runs in the customer's page, with the customer's own token. */
async function askEverything({ other, drone }: { other: string; drone: string }) {
  const token = sessionStorage.getItem("skyhaul.token")!;
  const ask = (method: string, path: string, body?: unknown): Promise<Response> => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    return fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  };
  const parcel = { packageId: "p", size: "Small", weight: 1 };
  const order = { ownerId: "cafe", pickupLocation: "Dolores Park", dropOffLocation: "General Hospital", packageInfo: parcel };
  const attempts: [method: string, path: string, body?: unknown][] = [
    ["GET", `/api/deliveries/${other}`],
    ["GET", `/api/deliveries/${other}/owner`],
    ["GET", `/api/deliveries/${other}/status`],
    ["GET", `/api/deliveries/public/${other}`],
    ["GET", `/api/deliveryrequests/${other}`],
    ["GET", "/api/deliveries?ownerId=bakery"],
    ["GET", `/api/drones/${drone}`],
    ["GET", `/api/drones/${drone}/route`],
    ["GET", "/metrics"],
    ["POST", "/api/deliveryrequests", order],
    ["POST", "/api/tokens", { role: "customer", account: "cafe", delivery: other, ttl: "1h" }],
    ["PUT", "/api/simulation", { state: "paused" }],
    ["POST", "/api/simulation/step", { ticks: 1 }],
    ["POST", "/api/simulation/faults", { kind: "rotor_out", target: drone }],
  ];
  const refused: Record<string, number> = {};
  for (const [method, path, body] of attempts) refused[`${method} ${path}`] = (await ask(method, path, body)).status;

  const lists: Record<string, string[]> = {};
  for (const path of ["/api/deliveries?ownerId=cafe", "/api/drones", "/api/drones.geojson"]) {
    const list = (await (await ask("GET", path)).json()) as Record<"items" | "features", { id: string }[] | undefined>;
    lists[path] = (list.items ?? list.features)!.map(({ id }) => id);
  }

  const wanted = [`delivery/${other}`, `drone/${drone}`, "drone/d-0", "hub/mission", "fleet", "events", "area"];
  const topics: Record<string, string> = {};
  const socket = new WebSocket(`ws://${location.host}/ws`, ["skyhaul.v1.json", `skyhaul.token.${token}`]);
  await new Promise<void>((done, failed) => {
    socket.onerror = () => failed(new Error("no connection"));
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as { type: string; id?: number; code?: string; epoch?: string };
      if (message.type === "welcome") {
        const since = { epoch: message.epoch, seq: 0 };
        const bbox = [-122.46, 37.73, -122.38, 37.8];
        // What was before, too, if there is a way to it.
        for (const [id, topic] of wanted.entries()) {
          const more = topic === "area" ? { bbox } : topic === "fleet" ? {} : { since };
          socket.send(JSON.stringify({ type: "subscribe", id, topic, ...more }));
        }
      } else if (message.id !== undefined) {
        topics[wanted[message.id]!] = message.type === "error" ? message.code! : message.type;
        if (Object.keys(topics).length === wanted.length) done();
      }
    };
  });
  socket.close();
  return { refused, lists, topics };
}

test("a link that has expired says so, to whoever opens it and to whoever looks at it", async () => {
  const { link } = await linkFor(await order(), "2s");
  const page = await here.look(link, { ...SMALL, serverMayGo: true });
  await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
  await page.getByText("It may have expired").waitFor();
  const late = await here.look(link, { ...SMALL, serverMayGo: true, mayBeRefused: true });
  await late.getByRole("heading", { name: "This link is not valid" }).waitFor();
});

test("a link that nobody signed shows nothing", async () => {
  const page = await here.look("/#t=e30.eyJyb2xlIjoiY3VzdG9tZXIifQ.x", { ...SMALL, serverMayGo: true });
  await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
});

test("a link that nobody accepts is not asked about again and again", async () => {
  let asked: string[] = [];
  const prepare = async (page: Page) => {
    await page.clock.install();
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  };
  const page = await here.look("/#t=e30.eyJyb2xlIjoiY3VzdG9tZXIifQ.x", { ...SMALL, serverMayGo: true, prepare });
  await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
  asked = [];
  await page.clock.runFor("00:20");
  expect(asked).toEqual([]);
});

test("without a token the page asks for one, and opens with it", async () => {
  const page = await here.look("/", { ...SMALL, serverMayGo: true });
  await page.getByRole("heading", { name: "Who are you?" }).waitFor();
  await page.getByRole("textbox", { name: "Token" }).fill(operator);
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("combobox", { name: "Find a delivery" }).waitFor();
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
  await page.waitForFunction(() => window.__skyhaul?.connection() === "open");
  expect(page.url()).toBe(`${here.server.url}/`);
});
