// Makes the pictures in docs/ anew: the page as people see it at a busy moment, in a real
// browser on the real program. Look at them before they are committed.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import type { Delivery, Stage } from "../client/src/index";
import type {} from "../src/map/hook";
import { eventually, scenario, Server } from "../client/test/server";
import { dronesDrawn, visit } from "./browser";

const DOCS = join(import.meta.dirname, "../../docs");
/** Lunch in San Francisco: about a fourth of the fleet is in the air. */
const BUSY_TICK = 70_000;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
/** Long enough that the map has drawn what came last, labels included. */
const CHART_MS = 120_000;
/** A busy machine draws a large window slowly. */
const PATIENCE_MS = 180_000;
const CALM_FRAMES = 8;

let browser: Browser;
let server: Server;

beforeAll(async () => {
  mkdirSync(DOCS, { recursive: true });
  [browser, server] = await Promise.all([chromium.connect(inject("browser")), Server.start("--scenario", scenario("san-francisco"))]);
  await server.api.control({ speed: "max", pauseAtTick: BUSY_TICK });
  await eventually("it is lunch time", async () => (await server.api.simulation()).state === "paused");
  await server.api.control({ state: "running", speed: 1 });
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await server?.end();
});

/** Opens the page, does something with it, and takes its picture once nothing changes any more. */
async function picture(
  name: string,
  path: string,
  act: (page: Page) => Promise<void> = dronesDrawn,
  options: BrowserContextOptions = {},
  from = server,
): Promise<void> {
  const { page, misdeeds, close } = await visit(browser, `${from.url}${path}`, {
    viewport: DESKTOP,
    deviceScaleFactor: 1,
    colorScheme: "dark",
    reducedMotion: "reduce",
    ...options,
  });
  page.setDefaultTimeout(PATIENCE_MS);
  await act(page);
  await page.waitForFunction(
    (calm) => {
      const hook = window.__skyhaul;
      const counted = window as unknown as { calmFrames?: number };
      counted.calmFrames = hook?.settled() ? (counted.calmFrames ?? 0) + 1 : 0;
      return counted.calmFrames > calm;
    },
    CALM_FRAMES,
    { polling: "raf" },
  );
  await page.evaluate(drawnAnew);
  await page.screenshot({ path: join(DOCS, `${name}.png`) });
  await close();
  expect(misdeeds).toEqual([]);
}

/** Drawing on the processor the browser now and then leaves what has moved where it was. */
async function drawnAnew(): Promise<void> {
  const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
  for (const opacity of ["0.99", ""]) {
    document.documentElement.style.opacity = opacity;
    await frame();
    await frame();
  }
}

/** Among the newest of that stage the one with about so many seconds still before it. */
async function deliveryThat(stage: Stage, secondsLeft: number): Promise<Delivery> {
  const { simTime } = await server.api.simulation();
  const { items } = await server.api.deliveries({ stage, limit: 500 });
  const timed = await Promise.all(
    items.slice(-60).map(async (delivery) => {
      const { deliveryETA } = await server.api.deliveryStatus(delivery.id);
      return { delivery, apart: Math.abs((Date.parse(deliveryETA ?? "") - Date.parse(simTime)) / 1000 - secondsLeft) };
    }),
  );
  return timed.sort((one, other) => one.apart - other.apart)[0]!.delivery;
}

async function customerLink({ id, owner }: Delivery): Promise<string> {
  const asked = { role: "customer", account: owner.accountId, delivery: id, ttl: "1h" };
  return `#t=${(await server.api.post<{ token: string }>("/api/tokens", asked)).token}`;
}

const headline = (page: Page) => page.locator("[data-headline]").filter({ hasText: /way/ }).waitFor();

test("the city, dark and light", async () => {
  await picture("city-dark", "/");
  await picture("city-light", "/", dronesDrawn, { colorScheme: "light" });
});

test("a delivery that is followed", async () => {
  const { id } = await deliveryThat("HeadedToDropoff", 150);
  await picture("following", `/#d=${id}`, async (page) => {
    await headline(page);
    await page.waitForFunction(() => window.__skyhaul?.routed());
  });
});

test("a customer's link, the wall screen, and a phone", async () => {
  const onItsWay = await deliveryThat("HeadedToDropoff", 240);
  await picture("customer", `/${await customerLink(onItsWay)}`, headline, { ...PHONE, colorScheme: "light" });
  await picture("kiosk", "/?kiosk", async (page) => {
    await page.getByRole("img", { name: "Code with a link" }).waitFor();
    await headline(page);
  }, { viewport: { width: 1600, height: 900 } });
  await picture("phone", "/", dronesDrawn, PHONE);
});

test("operations, with what they show over some minutes", async () => {
  await picture("operations", "/", async (page) => {
    await dronesDrawn(page);
    await page.keyboard.press("o");
    await page.waitForFunction((ms) => performance.now() > ms, CHART_MS);
  });
});

test("a recording, with the pointer over its timeline", async () => {
  const recording = await Server.replay(scenario("lunch-unsettled"), "2h", "--paused");
  await recording.api.control({ simTime: "2026-06-01T20:05:00Z" });
  await eventually("all of it was read", async () => (await recording.api.timeline()).gathered === null);
  await picture("timeline", "/", async (page) => {
    await dronesDrawn(page);
    const box = (await page.getByRole("slider").boundingBox())!;
    await page.mouse.move(box.x + 0.7 * box.width, box.y + box.height / 2);
    await page.locator(".track-preview").waitFor();
  }, {}, recording);
  await recording.end();
});

test("a recording, and what it would have been", async () => {
  const recording = await Server.replay(scenario("demo"), "20m", "--paused");
  await recording.api.control({ simTime: "2026-06-01T19:05:00Z" });
  await picture("compare", "/", async (page) => {
    await page.getByRole("button", { name: "What if…" }).click();
    await page.getByLabel("Orders").fill("800/h");
    await page.getByLabel("Wind, m/s").fill("9");
    await page.getByRole("button", { name: "Let it go on" }).click();
    await page.getByRole("heading", { name: /differ from/ }).waitFor();
    await recording.api.control({ simTime: "2026-06-01T19:15:00Z" });
    for (const map of ["The recording", "Beside it"]) {
      const element = await page.locator(`iframe[title="${map}"]`).elementHandle();
      const frame = (await element!.contentFrame())!;
      await frame.waitForFunction((at) => window.__skyhaul?.settled() && (window.__skyhaul.simNow() ?? 0) >= at, Date.parse("2026-06-01T19:14:59Z"));
    }
    await page.waitForFunction(() => document.querySelector(".track")?.getAttribute("aria-valuenow") === "900");
    // The page around them has no map of its own.
    await page.evaluate(() => Object.assign(window, { __skyhaul: { settled: () => true } }));
  }, {}, recording);
  await recording.end();
});
