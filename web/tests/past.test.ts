// A live world that is recorded: one page goes back in it, and comes again to what is live, while
// the world goes on.

import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { eventually } from "../client/test/server";
import { serious } from "./barriers";
import { scene } from "./scene";

const here = scene("recorded", "--speed", "20");
const track = (page: Page) => page.getByRole("slider", { name: "Moment of the recording" });
const live = (page: Page) => page.getByRole("button", { name: "Live", exact: true });

afterEach(() => here.server.api.record({ state: "off" }));

const served = async () => Date.parse((await here.server.api.simulation()).simTime);
type Place = { latitude: number; longitude: number };
const shown = (page: Page) => page.evaluate(() => window.__skyhaul!.simNow()!);

/** Opens the page of a world of which two minutes are recorded. */
async function open(): Promise<Page> {
  await here.server.api.record({ state: "recording" });
  await eventually("two minutes are recorded", async () => {
    const { from } = await here.server.api.recording();
    return from !== null && (await served()) - Date.parse(from) > 120_000;
  });
  const page = await here.look("/", { viewport: { width: 1000, height: 640 }, deviceScaleFactor: 1, mayBeRefused: true });
  await track(page).waitFor();
  await page.waitForFunction(() => (window.__skyhaul?.drones() ?? 0) > 0);
  return page;
}

test("it goes back by a key, plays there, and comes to what is live again", async () => {
  const page = await open();
  expect(await page.getByText("Past", { exact: true }).count()).toBe(0);
  await page.getByRole("button", { name: "Order a delivery" }).waitFor();
  const before = await served();
  await page.keyboard.press("Shift+ArrowLeft");
  await page.getByText("Past", { exact: true }).waitFor();
  expect(await shown(page)).toBeLessThan(before - 20_000);
  // Nothing in it can be changed.
  expect(await page.getByRole("button", { name: "Order a delivery" }).count()).toBe(0);
  // The world goes on, and so does what this page sees of its past.
  const then = await shown(page);
  await page.waitForFunction((then) => window.__skyhaul!.simNow()! > then + 5_000, then);
  expect(await here.server.api.simulation()).toMatchObject({ state: "running", speed: 20 });
  expect(await serious(page)).toEqual([]);
  // A hub is shown as it was, by the session that looks at the past.
  await page.keyboard.press("/");
  await page.keyboard.type("Mission Street");
  await page.getByRole("option", { name: /Mission Street/ }).click();
  await page.getByRole("region", { name: "Hub", exact: true }).getByText("Charging").waitFor();
  await page.keyboard.press("Escape");

  await page.keyboard.press("k");
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  expect(await here.server.api.simulation()).toMatchObject({ state: "running" });
  await live(page).click();
  await page.getByText("Past", { exact: true }).waitFor({ state: "detached" });
  await eventually("the page shows what is now", async () => Math.abs((await served()) - (await shown(page))) < 60_000);
  await page.getByRole("button", { name: "Order a delivery" }).waitFor();
});

test("routes, hubs and what is read in the past are of then", async () => {
  const page = await open();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const shows = () => asked.flatMap((path) => /^\/shows\/[0-9a-f]+(?=\/api\/hubs)/.exec(path) ?? []);
  await page.keyboard.press("Shift+ArrowLeft");
  await page.getByText("Past", { exact: true }).waitFor();
  await page.keyboard.press("k");
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  await expect.poll(() => shows().length).toBeGreaterThan(0);
  const flying = await page.waitForFunction(() => {
    const { ids, drone } = window.__skyhaul!;
    return ids().find((id) => drone(id)?.status === "cruising");
  });
  const id = (await flying.jsonValue())!;
  await page.evaluate((id) => window.__skyhaul!.select({ kind: "drone", id }), id);
  await page.waitForFunction(() => window.__skyhaul!.routed());
  expect(asked).toContain(`${shows()[0]}/api/drones/${id}/route`);
  expect(asked).not.toContain(`/api/drones/${id}/route`);
  const then = async (path: string) => fetch(`${here.server.url}${shows()[0]}/api/${path}`);
  // It stands, and on a busy machine what is drawn comes to where it stands after a while.
  await eventually("the drone is drawn where it was", async () => {
    const { location: told } = (await (await then(`drones/${id}`)).json()) as { location: Place };
    const drawn = await page.evaluate((id) => window.__skyhaul!.drone(id), id);
    const apart = (key: keyof Place) => (drawn ? Math.abs(drawn[key] - told[key]) : Infinity);
    return apart("latitude") < 0.0005 && apart("longitude") < 0.0005;
  });
  const clock = (await (await then("simulation")).json()) as { simTime: string };
  expect(Math.abs(Date.parse(clock.simTime) - (await shown(page)))).toBeLessThan(1_000);
  await live(page).click();
  await page.getByText("Past", { exact: true }).waitFor({ state: "detached" });
  expect((await then("hubs")).status).toBe(404);
});

test("it is dragged into the past, one page alone, and End brings it back", async () => {
  const [page, other] = [await open(), await here.look("/", { viewport: { width: 500, height: 400 }, mayBeRefused: true })];
  await other.waitForFunction(() => (window.__skyhaul?.drones() ?? 0) > 0);
  const box = (await track(page).boundingBox())!;
  const at = (share: number) => [box.x + box.width * share, box.y + box.height / 2] as const;
  await page.mouse.move(...at(0.9));
  await page.mouse.down();
  for (const share of [0.7, 0.5, 0.3]) await page.mouse.move(...at(share));
  await page.mouse.up();
  await page.getByText("Past", { exact: true }).waitFor();
  expect(await shown(page)).toBeLessThan((await served()) - 30_000);
  await eventually("the other page shows what is now", async () => Math.abs((await served()) - (await shown(other))) < 60_000);
  await page.keyboard.press("End");
  await page.getByText("Past", { exact: true }).waitFor({ state: "detached" });
});

test("a recording is begun and ended among the operations", async () => {
  const page = await here.look("/", { viewport: { width: 1000, height: 700 }, deviceScaleFactor: 1, mayBeRefused: true });
  await page.getByRole("button", { name: "Operations", exact: true }).click();
  const form = page.getByRole("region", { name: "Recording of this world" });
  await form.getByRole("button", { name: "Record", exact: true }).click();
  await form.getByText(/so far/).waitFor();
  await track(page).waitFor();
  await form.getByRole("button", { name: "Stop recording" }).click();
  await form.getByText(/The last one is/).waitFor();
  await track(page).waitFor({ state: "detached" });
  expect(await here.server.api.recording()).toMatchObject({ state: "off" });
});
