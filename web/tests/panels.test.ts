// Somebody orders, follows, shares; a customer looks at their delivery; the server goes and
// comes back; a wall screen chooses by itself.

import { join } from "node:path";

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import type {} from "../src/map/hook";
import type { Order } from "../client/src/api";
import { Server } from "../client/test/server";
import { launch, visit, type Visit, type VisitOptions } from "./browser";

const WORLD = join(import.meta.dirname, "worlds/calm.toml");
/** A delivery takes some minutes of its world. */
const FAST = 60;

let browser: Browser;
let server: Server;
const open: Visit[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start("--scenario", WORLD)]);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((visit) => visit.close()));
  await server.api.control({ state: "running", speed: 1 });
});

afterAll(async () => {
  await browser?.close();
  await server?.end();
});

async function look(path = "/", options: VisitOptions = {}): Promise<Visit> {
  const visited = await visit(browser, `${server.url}${path}`, { reducedMotion: "reduce", ...options });
  open.push(visited);
  return visited;
}

const headline = (page: Page, words: RegExp) => page.locator("[data-headline]").filter({ hasText: words }).waitFor();

async function orderByApi(): Promise<string> {
  const order: Order = {
    ownerId: "cafe",
    pickupLocation: "Dolores Park",
    dropOffLocation: "General Hospital",
    packageInfo: { packageId: "p", size: "Small", weight: 1 },
  };
  return (await server.api.order(order)).deliveryId;
}

async function linkFor(delivery: string): Promise<string> {
  const asked = { role: "customer", account: "cafe", delivery, ttl: "1h" };
  const { token } = await server.api.post<{ token: string }>("/api/tokens", asked);
  return `/#t=${token}`;
}

test("two clicks order a delivery, and it is followed to the door", async () => {
  const { page, misdeeds } = await look("/", { viewport: { width: 1000, height: 700 } });
  await page.waitForFunction(() => window.__skyhaul?.idle());
  await page.getByRole("button", { name: "Order a delivery" }).first().click();
  await page.mouse.click(560, 380);
  await page.mouse.click(720, 420);
  await page.getByRole("button", { name: "Order", exact: true }).click();
  await headline(page, /On the way to the pick-up/);
  expect(await page.getByRole("timer").textContent()).toMatch(/^\d+:\d\d$/);
  expect(await page.locator("[data-quote]").textContent()).toMatch(/First quote \d\d:\d\d:\d\d/);
  await server.api.control({ speed: FAST });
  await headline(page, /^Delivered$/);
  expect(await page.locator(".stage.done").count()).toBe(6);
  expect(misdeeds).toEqual([]);
});

test("keys alone order by name, and what the server finds wrong stands at its field", async () => {
  const { page } = await look();
  await page.getByRole("combobox", { name: "Find a delivery" }).waitFor();
  await page.keyboard.press("n");
  await page.getByRole("combobox", { name: "Pick-up" }).focus();
  await page.keyboard.type("dolo");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Atlantis");
  await page.keyboard.press("Enter");
  const dropoff = page.getByRole("combobox", { name: "Drop-off" });
  await page.locator("#order-dropoff-error").waitFor();
  expect(await dropoff.getAttribute("aria-invalid")).toBe("true");
  expect(await page.locator("#order-pickup-error").count()).toBe(0);
  await dropoff.fill("general");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await headline(page, /On the way to the pick-up/);
  await page.getByText("Dolores Park", { exact: true }).waitFor();
});

test("a customer's link shows its delivery, and no other drone", async () => {
  const mine = await orderByApi();
  await orderByApi();
  const { page, misdeeds } = await look(await linkFor(mine));
  await headline(page, /on its way to collect it/);
  expect(page.url()).not.toContain("t=");
  expect(await page.getByRole("button", { name: "Operations" }).count()).toBe(0);
  expect(await page.evaluate(() => window.__skyhaul?.ids() ?? [])).toEqual([]);
  expect(misdeeds).toEqual([]);
});

test("a link that is not valid says so", async () => {
  const { page } = await look("/#t=e30.eyJyb2xlIjoiY3VzdG9tZXIifQ.x", { serverMayGo: true });
  await page.getByRole("heading", { name: "This link is not valid" }).waitFor();
});

test("the server goes and comes back, and the followed delivery goes on without a hole", async () => {
  const id = await orderByApi();
  const { page } = await look(`/#d=${id}`, { serverMayGo: true });
  await headline(page, /On the way to the pick-up/);
  await server.stop("SIGKILL");
  await page.locator("[data-notice=lost]").waitFor();
  await server.start();
  await page.locator("[data-notice=resumed]").waitFor();
  await server.api.control({ speed: FAST });
  await headline(page, /^Delivered$/);
  // Each milestone was told once, with its time.
  const times = await page.locator(".stage-time").allTextContents();
  expect(times.every((time) => /^\d\d:\d\d:\d\d$/.test(time))).toBe(true);
  expect([...times].sort()).toEqual(times);
});

test("a paused world says so and goes on at a click", async () => {
  await server.api.control({ state: "paused" });
  const { page } = await look();
  await page.locator("[data-notice=paused]").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.locator("[data-notice=paused]").waitFor({ state: "detached" });
  expect((await server.api.simulation()).state).toBe("running");
});

test("a wall screen shows a delivery by itself, with a code to take along", async () => {
  const id = await orderByApi();
  const { page, misdeeds } = await look("/?kiosk");
  await page.locator(`[data-delivery="${id}"]`).waitFor();
  await page.getByRole("img", { name: "Code with a link" }).waitFor();
  expect(misdeeds).toEqual([]);
});
