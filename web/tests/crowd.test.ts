// Far more drones than anybody flies, all in one view.

import { test } from "vitest";

import type {} from "../src/map/hook";
import { scene, SMALL } from "./scene";

const here = scene("crowd");

test("twenty thousand drones are all shown, move, and are asked for less often", async () => {
  const page = await here.look("/", SMALL);
  await page.waitForFunction(() => (window.__skyhaul?.airborne() ?? 0) > 19_000);
  await page.waitForFunction(() => window.__skyhaul!.subscribed().hz === 2);
  const [id, before] = await page.evaluate(() => {
    const { ids, drone } = window.__skyhaul!;
    const id = ids().find((id) => drone(id)?.status === "returning")!;
    return [id, drone(id)!.longitude] as const;
  });
  await page.waitForFunction(([id, before]) => window.__skyhaul!.drone(id)?.longitude !== before, [id, before] as const);
  // Near enough there are few of them again.
  await page.evaluate(() => window.__skyhaul!.jump([-122.5, 37.71], 17));
  await page.waitForFunction(() => window.__skyhaul!.subscribed().hz === 10);
  await page.waitForFunction(() => window.__skyhaul!.ids().length < 20_000);
});
