// Those who run the fleet: its figures and charts, the clock's controls, and faults.

import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { scene } from "./scene";

const here = scene("aloft");
const operations = (page: Page) => page.getByRole("complementary", { name: "Operations" });

afterEach(() => here.server.api.control({ state: "running", speed: 1 }));

async function open(): Promise<Page> {
  const page = await here.look("/", { viewport: { width: 900, height: 640 }, deviceScaleFactor: 1, mayBeRefused: true });
  await page.getByRole("button", { name: "Operations", exact: true }).click();
  await operations(page).getByText(/240 drones/).waitFor();
  return page;
}

/** The figure under this label. */
const figure = (page: Page, label: string) =>
  operations(page).locator("dl.figure-grid > div").filter({ hasText: label }).locator("dd");

test("pause, one tick at a time, and on at another speed", async () => {
  const page = await open();
  const panel = operations(page);
  await panel.getByRole("button", { name: "Pause" }).click();
  await page.locator("[data-notice=paused]").waitFor();
  const { tick } = await here.server.api.simulation();
  const step = panel.getByRole("button", { name: "One tick" });
  for (const ticks of [1, 2]) {
    const answered = page.waitForResponse((response) => response.url().endsWith("/api/simulation/step"));
    await step.click();
    expect((await answered).status()).toBe(200);
    expect((await here.server.api.simulation()).tick).toBe(tick + ticks);
  }
  await panel.getByRole("button", { name: "×20", exact: true }).click();
  await panel.getByRole("button", { name: "Resume" }).click();
  await page.locator("[data-notice=paused]").waitFor({ state: "detached" });
  await panel.getByRole("button", { name: "×20", exact: true, pressed: true }).waitFor();
  expect(await here.server.api.simulation()).toMatchObject({ state: "running", speed: 20 });
  expect(await step.isDisabled()).toBe(true);
});

test("a drone is broken on purpose, and is seen to be", async () => {
  const page = await open();
  const form = page.getByRole("form", { name: "Inject a fault" });
  const returning = await page.evaluate(() => {
    const { ids, drone } = window.__skyhaul!;
    return ids().filter((id) => drone(id)?.status === "returning");
  });
  const models = await Promise.all(returning.map(async (id) => (await here.server.api.drone(id)).model));
  const drone = returning[models.indexOf("matternet-m2")]!;
  await form.getByRole("textbox", { name: "Drone" }).fill("d-9999");
  await form.getByRole("button", { name: "Break it" }).click();
  await form.getByRole("status").getByText(/target/).waitFor();

  await form.getByRole("textbox", { name: "Drone" }).fill(drone);
  await form.getByRole("button", { name: "Break it" }).click();
  await form.getByRole("status").getByText(`Done: ${drone}`).waitFor();
  await page.waitForFunction((id) => {
    const { ids, drone } = window.__skyhaul!;
    return !ids().includes(id) || drone(id)?.status === "lost";
  }, drone);
  expect((await here.server.api.drone(drone)).status).toBe("lost");
  await page.getByRole("region", { name: "Fleet by state" }).getByText("In trouble 1").waitFor();
});

test("a hub that is closed says so, and until when", async () => {
  const page = await open();
  const form = page.getByRole("form", { name: "Inject a fault" });
  await form.getByRole("combobox", { name: "Kind" }).selectOption("Hub closed");
  await form.getByRole("textbox", { name: "Hub" }).fill("geary");
  await form.getByRole("textbox", { name: "For" }).fill("10m");
  await form.getByRole("button", { name: "Break it" }).click();
  await form.getByRole("status").getByText("Done: geary").waitFor();
  await page.evaluate(() => window.__skyhaul!.select({ kind: "hub", id: "geary" }));
  await page.getByRole("region", { name: "Hub" }).getByText(/^Closed until \d\d:\d\d:\d\d/).waitFor();
});

test("figures and charts say what the server does", async () => {
  await here.order({ pickupLocation: "Ferry Building", dropOffLocation: "37.77,-122.42" });
  await here.server.api.control({ speed: 100 });
  const page = await open();
  await expect.poll(() => figure(page, "Completed").textContent()).toMatch(/[1-9]/);
  expect(await figure(page, "Sessions").textContent()).toMatch(/^1/);
  expect(await figure(page, "Tick").textContent()).toMatch(/^[\d.,]+ ms/);
  for (const name of [/Deliveries a minute: \d/, /In the air: \d/, /Tick: [\d.]+ ms/, /ETA error, typical and 95 %: [\d.]+ \/ [\d.]+ s/]) {
    const chart = operations(page).getByRole("img", { name });
    await chart.scrollIntoViewIfNeeded();
    // More than axes: something is drawn in the colour of the line that lies on top.
    await expect.poll(() => chart.locator("canvas").evaluate(drawsLine), { message: `${name}` }).toBe(true);
  }
});

function drawsLine(canvas: SVGElement | HTMLElement): boolean {
  const pixels = (canvas: HTMLCanvasElement) =>
    canvas.getContext("2d", { willReadFrequently: true })!.getImageData(0, 0, canvas.width, canvas.height).data;
  const inks = ["--accent", "--warn"].map((name) => {
    const pot = document.createElement("canvas");
    pot.width = pot.height = 1;
    const brush = pot.getContext("2d")!;
    brush.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    brush.fillRect(0, 0, 1, 1);
    return pixels(pot);
  });
  const data = pixels(canvas as HTMLCanvasElement);
  for (let i = 0; i < data.length; i += 4) {
    const apart = (ink: Uint8ClampedArray) => [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[i + c]! - ink[c]!), 0);
    if (data[i + 3]! > 100 && inks.some((ink) => apart(ink) < 60)) return true;
  }
  return false;
}
