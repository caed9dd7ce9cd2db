// What if it had gone on otherwise: a branch is made from the page of a recording, and both are
// looked at side by side.

import type { Frame, Page } from "playwright-core";
import { expect, test } from "vitest";

import type {} from "../src/map/hook";
import { eventually } from "../client/test/server";
import { serious } from "./barriers";
import { recording } from "./scene";

const here = recording("recorded", "12m", "--paused");
const START = Date.parse("2026-06-01T18:00:00Z");

async function goTo(seconds: number): Promise<void> {
  const simTime = new Date(START + seconds * 1000).toISOString();
  await here.server.api.control({ state: "paused", speed: 1, loop: false, simTime });
}

async function open(path = "/"): Promise<Page> {
  const page = await here.look(path, { viewport: { width: 1200, height: 760 }, deviceScaleFactor: 1, mayBeRefused: true });
  await page.getByRole("slider", { name: "Moment of the recording" }).waitFor();
  return page;
}

const wish = (page: Page) => page.getByRole("form", { name: "What if" });

/** The two maps, once they show drones. */
async function maps(page: Page): Promise<[Frame, Frame]> {
  const frames: Frame[] = [];
  for (const title of ["The recording", "Beside it"]) {
    const element = await page.locator(`iframe[title="${title}"]`).elementHandle();
    const frame = (await element!.contentFrame())!;
    await frame.waitForFunction(() => (window.__skyhaul?.drones() ?? 0) > 0);
    frames.push(frame);
  }
  return frames as [Frame, Frame];
}

/** Seconds since the beginning that a map shows. */
const shown = async (frame: Frame) => ((await frame.evaluate(() => window.__skyhaul!.simNow()!)) - START) / 1000;

test("a change is wished for at a moment, made, and shown beside at every other", async () => {
  await goTo(300);
  const page = await open();
  await page.getByRole("button", { name: "What if…" }).click();
  await wish(page).getByText("What if from 00:05:00 on").waitFor();
  await wish(page).getByLabel("Orders").fill("many");
  await wish(page).getByRole("button", { name: "Let it go on" }).click();
  await wish(page).getByRole("alert").waitFor();
  await wish(page).getByLabel("Orders").fill("900/h");
  await wish(page).getByLabel("Dispatch").selectOption("nearest");
  await wish(page).getByRole("button", { name: "Let it go on" }).click();

  const compared = page.getByRole("region", { name: "Comparison" });
  await compared.getByRole("heading", { name: /^They differ from 00:05:\d\d on$/ }).waitFor();
  const requested = compared.getByRole("row", { name: /^requested/ });
  const [, before, after, more] = await requested.getByRole("cell").or(requested.getByRole("rowheader")).allTextContents();
  expect(Number(after) - Number(before)).toBe(Number(more));
  expect(Number(more)).toBeGreaterThan(20);
  await page.getByText("from 00:05:00: demand.rate = 900/h, dispatch.policy = nearest").waitFor();

  const [mine, theirs] = await maps(page);
  await goTo(500);
  for (const frame of [mine, theirs]) await eventually("it is there", async () => Math.abs((await shown(frame)) - 500) < 2);
  await page.getByRole("slider", { name: "Moment of the recording" }).focus();
  await page.keyboard.press("Home");
  await page.getByText("Until 00:05:00 it is the same world").waitFor();
  await goTo(400);
  await page.getByRole("button", { name: "Play", exact: true }).click();
  for (const frame of [mine, theirs]) await eventually("it plays", async () => (await shown(frame)) > 403);
  await page.getByRole("button", { name: "Pause", exact: true }).click();

  // Who looks at a place on the one map sees the same place on the other.
  await mine.evaluate(() => window.__skyhaul!.jump([-122.42, 37.76], 14));
  await theirs.waitForFunction(() => Math.abs(window.__skyhaul!.camera().zoom - 14) < 1e-6);
  expect((await theirs.evaluate(() => window.__skyhaul!.camera())).center[0]).toBeCloseTo(-122.42, 5);
  const drone = (await mine.evaluate(() => window.__skyhaul!.ids()))[0]!;
  await mine.evaluate((id) => window.__skyhaul!.select({ kind: "drone", id }), drone);
  await theirs.waitForFunction((id) => window.__skyhaul!.selection()?.id === id, drone);
  expect(await serious(page)).toEqual([]);

  await compared.getByRole("button", { name: "One map" }).click();
  await page.waitForFunction(() => (window.__skyhaul?.drones() ?? 0) > 0);
  await page.getByRole("button", { name: "Side by side" }).click();
  await maps(page);
});

test("whoever opens the page later finds both side by side, and a phone has them too", async () => {
  await goTo(450);
  const page = await here.look("/", { viewport: { width: 390, height: 740 }, deviceScaleFactor: 1, mayBeRefused: true });
  await maps(page);
  await page.getByRole("region", { name: "Comparison" }).getByText("losses of separation").waitFor();
});
