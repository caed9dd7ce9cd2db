// Somebody opens the page: there is a city, drones move in it, one is followed, and the
// server may go away and come back.

import { join } from "node:path";

import { chromium, type Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject, test } from "vitest";

import type {} from "../src/map/hook";
import { Server } from "../client/test/server";
import { dronesDrawn, visit, type Visit, type VisitOptions } from "./browser";

const WORLD = join(import.meta.dirname, "worlds/aloft.toml");

let browser: Browser;
let server: Server;
let open: Visit | undefined;

beforeAll(async () => {
  [browser, server] = await Promise.all([chromium.connect(inject("browser")), Server.start("--scenario", WORLD)]);
});

afterEach(async () => {
  await open?.close();
  open = undefined;
});

afterAll(async () => {
  await browser?.close();
  await server?.end();
});

async function look(options?: VisitOptions): Promise<Visit> {
  open = await visit(browser, `${server.url}/`, options);
  await dronesDrawn(open.page);
  return open;
}

/** An airborne drone near the middle of the window. */
async function someDrone({ page }: Visit): Promise<string> {
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
  const { page, misdeeds } = await look();
  const id = await someDrone(open!);
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
  expect(misdeeds).toEqual([]);
});

test("a drone glides between frames rather than jumping from one to the next", async () => {
  const { page } = await look();
  const id = await someDrone(open!);
  // Within a fifth of a second one message arrives, but far more places are shown.
  await page.waitForFunction((id) => {
    const hook = window.__skyhaul!;
    const now = performance.now();
    const places = Array.from({ length: 40 }, (_, i) => hook.at(id, now + i * 5));
    return new Set(places.map((at) => at && `${at.longitude} ${at.latitude}`)).size > 20;
  }, id);
});

test("a click on a drone selects and follows it until the map is dragged", async () => {
  const { page, misdeeds } = await look({ reducedMotion: "reduce" });
  const id = await someDrone(open!);
  // The drone moves on while the click is on its way, so it may take another.
  await expect
    .poll(async () => {
      const at = await page.evaluate((id) => window.__skyhaul!.screen(id), id);
      await page.mouse.click(at!.x, at!.y);
      return page.evaluate(() => window.__skyhaul!.selection());
    }, { timeout: 30_000 })
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
  expect(misdeeds).toEqual([]);
});

test("only what is in view is asked for", async () => {
  const { page } = await look();
  const all = await page.evaluate(() => window.__skyhaul!.subscribed());
  await page.evaluate(() => window.__skyhaul!.jump([-122.4148, 37.7599], 16));
  await page.waitForFunction((all) => {
    const { bbox, hz } = window.__skyhaul!.subscribed();
    return hz > all.hz && bbox[2] - bbox[0] < (all.bbox[2] - all.bbox[0]) / 4;
  }, all);
  await page.waitForFunction(() => {
    const hook = window.__skyhaul!;
    const [west, , east] = hook.subscribed().bbox;
    // The server widens to its grid of about 300 m.
    const inside = (longitude: number) => longitude > west - 0.01 && longitude < east + 0.01;
    return hook.ids().every((id) => inside(hook.drone(id)!.longitude));
  });
});

test("the page says that the server is gone, and goes on when it is back", async () => {
  const { page, misdeeds } = await look({ serverMayGo: true });
  await server.stop("SIGKILL");
  await page.waitForFunction(() => window.__skyhaul!.connection() === "lost");
  await server.start();
  await page.waitForFunction(() => window.__skyhaul!.connection() === "resumed");
  const id = await someDrone(open!);
  const before = await page.evaluate((id) => window.__skyhaul!.drone(id)!.longitude, id);
  await page.waitForFunction(
    ([id, longitude]) => window.__skyhaul!.drone(id) && window.__skyhaul!.drone(id)!.longitude !== longitude,
    [id, before] as const,
  );
  expect(misdeeds).toEqual([]);
});
