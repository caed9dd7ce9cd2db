// Somebody orders, and follows what they ordered to the door.

import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { headline, record, scene, setSpeed } from "./scene";

const DESK = { viewport: { width: 1000, height: 640 } };
const here = scene("calm");

afterEach(() => here.server.api.control({ state: "running", speed: 1 }));

const seconds = (timer: string) => timer.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

test("two clicks order a delivery, and it is followed to the door", async () => {
  const page = await look(DESK);
  await page.getByRole("button", { name: "Order a delivery" }).first().click();
  await page.mouse.click(560, 380);
  await page.mouse.click(720, 420);
  const told = await record(page, {
    stage: ".stage.now .stage-label",
    timer: ".delivery [role=timer]",
    quote: "[data-quote]",
  });
  await page.getByRole("button", { name: "Order", exact: true }).click();
  await headline(page, /On the way to the pick-up/);
  await setSpeed(page, "×20");
  const id = new URL(page.url()).hash.slice("#d=".length);
  await here.happens(id, "PickedUp");
  await setSpeed(page, "×100");
  await headline(page, /^Delivered$/);

  const { stage, timer, quote } = await told();
  expect(stage.slice(stage.indexOf("To pick-up"))).toEqual(["To pick-up", "Picked up", "To drop-off"]);
  const left = timer.map(seconds);
  expect(left.length).toBeGreaterThan(3);
  expect(left[0]).toBeGreaterThan(left.at(-1)!);
  // It stands beside the time that is left, and only how far off it is changes.
  const first = quote.map((text) => text.slice(0, "First quote 00:00:00".length));
  expect(first[0]).toMatch(/^First quote \d\d:\d\d:\d\d$/);
  expect(new Set(first).size).toBe(1);
  expect(await page.locator(".stage.done").count()).toBe(6);
  expect(await page.locator("[data-quote]").textContent()).toMatch(/(late|early|and so it was)$/);
  await page.getByText("from order to door").waitFor();
});

test("names order a delivery, as fast as the server can", async () => {
  const page = await look(DESK);
  await page.getByRole("button", { name: "Order a delivery" }).first().click();
  for (const [field, name] of [["Pick-up", "Dolores Park"], ["Drop-off", "General Hospital"]] as const) {
    await page.getByRole("combobox", { name: field }).fill(name.slice(0, 4));
    await page.getByRole("option", { name }).click();
  }
  await page.getByRole("spinbutton", { name: "Weight" }).fill("0.8");
  await page.getByRole("checkbox", { name: "Expedited" }).check();
  await page.getByRole("button", { name: "Order", exact: true }).click();
  await headline(page, /On the way to the pick-up/);
  const card = page.getByRole("region", { name: "Delivery" });
  await card.getByText("0.8 kg · expedited · for walk-in").waitFor();
  await setSpeed(page, "max");
  await headline(page, /^Delivered$/);
  for (const name of ["Dolores Park", "General Hospital"]) await card.getByText(name, { exact: true }).waitFor();
});

test("keys alone order, and what the server finds wrong stands at its field", async () => {
  const page = await look();
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

/** Until the map can be clicked. */
async function look(options = {}): Promise<Page> {
  const page = await here.look("/", { mayBeRefused: true, ...options });
  await page.waitForFunction(() => window.__skyhaul?.idle());
  return page;
}
