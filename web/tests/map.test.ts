// Somebody opens the page: there is a city, drones move in it, one is followed, and the
// server may go away and come back.

import type { Bbox } from "@skyhaul/client";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import type {} from "../src/map/hook";
import { dronesDrawn, type VisitOptions } from "./browser";
import { scene } from "./scene";
import { tap, type Wire } from "./sockets";

const here = scene("aloft");

async function look(options?: VisitOptions): Promise<Page> {
  const page = await here.look("/", options);
  await dronesDrawn(page);
  return page;
}

/** An airborne drone near the middle of the window. */
async function someDrone(page: Page): Promise<string> {
  return page.evaluate(() => {
    const hook = window.__skyhaul!;
    const apart = (id: string) => {
      const at = hook.screen(id)!;
      return Math.hypot(at.x - innerWidth / 2, at.y - innerHeight / 2);
    };
    const flying = hook.ids().filter((id) => hook.drone(id)?.status === "returning");
    return flying.sort((one, other) => apart(one) - apart(other))[0]!;
  });
}

test("the page shows drones that move, without an error and without asking other hosts", async () => {
  const page = await look();
  const id = await someDrone(page);
  const before = await page.evaluate((id) => window.__skyhaul!.drone(id), id);
  await page.waitForFunction(
    ([id, longitude, latitude]) => {
      const now = window.__skyhaul!.drone(id);
      return now && (now.longitude !== longitude || now.latitude !== latitude);
    },
    [id, before!.longitude, before!.latitude] as const,
  );
  await page.waitForFunction(() => window.__skyhaul!.idle());
  expect(await page.title()).toBe("Skyhaul");
});

test("a drone glides between frames rather than jumping from one to the next", async () => {
  const page = await look();
  const id = await someDrone(page);
  // Within a fifth of a second one message arrives, but far more places are shown.
  await page.waitForFunction((id) => {
    const hook = window.__skyhaul!;
    const now = performance.now();
    const places = Array.from({ length: 40 }, (_, i) => hook.at(id, now + i * 5));
    return new Set(places.map((at) => at && `${at.longitude} ${at.latitude}`)).size > 20;
  }, id);
});

test("a click on a drone selects and follows it until the map is dragged", async () => {
  const page = await look();
  const id = await someDrone(page);
  // The drone moves on while the click is on its way, so it may take another.
  await expect
    .poll(async () => {
      const at = await page.evaluate((id) => window.__skyhaul!.screen(id), id);
      await page.mouse.click(at!.x, at!.y);
      return page.evaluate(() => window.__skyhaul!.selection());
    })
    .toMatchObject({ kind: "drone" });
  await page.waitForFunction(() => {
    const hook = window.__skyhaul!;
    const chosen = hook.selection();
    const drone = chosen && hook.drone(chosen.id);
    const [longitude, latitude] = hook.camera().center;
    return drone && Math.hypot(drone.longitude - longitude, drone.latitude - latitude) < 2e-4;
  });
  expect(await page.evaluate(() => window.__skyhaul!.following())).toBe(true);

  await page.mouse.move(400, 200);
  await page.mouse.down();
  await page.mouse.move(520, 320, { steps: 8 });
  await page.mouse.up();
  await page.waitForFunction(() => !window.__skyhaul!.following());
  expect(await page.evaluate(() => window.__skyhaul!.selection())).toMatchObject({ kind: "drone" });
});

const inside = ([west, south, east, north]: Bbox, outer: Bbox, slack = 0) =>
  west >= outer[0] - slack && south >= outer[1] - slack && east <= outer[2] + slack && north <= outer[3] + slack;
const width = ([west, , east]: Bbox) => east - west;

test("only what is in view is asked for, and asked once when the camera stands still", async () => {
  let wire!: Wire;
  const page = await look({ prepare: async (page) => void (wire = tap(page)) });
  const [{ said, heard }] = wire.connections as [Wire["connections"][number]];
  const areas = () => said.flatMap((message) => ("bbox" in message && message.bbox ? [message] : []));
  const first = areas()[0]!;
  expect(first.type).toBe("subscribe");

  await page.evaluate(() => window.__skyhaul!.jump([-122.4148, 37.7599], 16));
  await page.waitForFunction((west) => window.__skyhaul!.subscribed().bbox[0] > west, first.bbox![0]);
  const near = await page.evaluate(() => window.__skyhaul!.subscribed());
  await expect.poll(() => areas().at(-1)).toMatchObject({ type: "update", bbox: near.bbox, maxHz: near.hz });
  expect(width(near.bbox)).toBeLessThan(width(first.bbox!) / 4);
  expect(near.hz).toBeGreaterThan(first.maxHz!);
  // From the server's answer on, no row is of anywhere else: it widens to its grid.
  const narrowed = () => heard.findIndex((message) => message.type === "subscribed" && message.bbox && width(message.bbox) < width(first.bbox!) / 4);
  await expect.poll(narrowed).not.toBe(-1);
  const answer = narrowed();
  const { bbox: granted, id } = heard[answer] as { bbox: Bbox; id: number };
  expect(inside(near.bbox, granted)).toBe(true);
  expect(inside(granted, near.bbox, 0.01)).toBe(true);
  const since = () => heard.slice(answer).flatMap((message) => (message.type === "positions" && message.id === id ? [message] : []));
  await expect.poll(() => since().length).toBeGreaterThan(5);
  const rows = since().flatMap(({ drones }) => drones);
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.filter(([, latitude, longitude]) => !inside([longitude, latitude, longitude, latitude], granted))).toEqual([]);
  // Nor is any other shown.
  const strangers = await page.evaluate((box) => {
    const { ids, drone } = window.__skyhaul!;
    return ids().filter((id) => {
      const { longitude, latitude } = drone(id)!;
      return longitude < box[0] || longitude > box[2] || latitude < box[1] || latitude > box[3];
    });
  }, granted);
  expect(strangers).toEqual([]);

  // A drag of many small steps moves the view a little each time; few of them need anything new.
  const before = areas().length;
  await page.mouse.move(700, 300);
  await page.mouse.down();
  for (let step = 1; step <= 30; step++) await page.mouse.move(700 - step * 15, 300);
  await page.mouse.up();
  await expect.poll(() => areas().length).toBeGreaterThan(before);
  await page.waitForFunction(() => window.__skyhaul!.idle());
  expect(areas().length - before).toBeLessThan(15);
});

test("the page says that the server is gone, and goes on when it is back", async () => {
  const page = await look({ serverMayGo: true });
  await here.server.stop("SIGKILL");
  await page.waitForFunction(() => window.__skyhaul!.connection() === "lost");
  await here.server.start();
  await page.waitForFunction(() => window.__skyhaul!.connection() === "resumed");
  const id = await someDrone(page);
  const before = await page.evaluate((id) => window.__skyhaul!.drone(id)!.longitude, id);
  await page.waitForFunction(
    ([id, longitude]) => window.__skyhaul!.drone(id) && window.__skyhaul!.drone(id)!.longitude !== longitude,
    [id, before] as const,
  );
});
