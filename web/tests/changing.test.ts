// Somebody thinks better of what they ordered; and what no drone brings comes by van.

import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { headline, record, scene, setSpeed } from "./scene";

const here = scene("calm");

afterEach(() => here.server.api.control({ state: "running", speed: 1 }));

test("what is not collected yet is called off, after a second word", async () => {
  const id = await here.order();
  const page = await here.look(`/#d=${id}`);
  await headline(page, /On the way to the pick-up/);
  const cancel = page.getByRole("button", { name: "Cancel delivery" });
  await cancel.click();
  await page.getByRole("button", { name: "Keep it" }).click();
  expect((await here.server.api.deliveryStatus(id)).stage).toBe("HeadedToPickup");
  await cancel.click();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await headline(page, /^Cancelled$/);
  await cancel.waitFor({ state: "detached" });
  expect(await here.server.api.deliveryStatus(id)).toMatchObject({ stage: "Cancelled", deliveryETA: null });
});

test("while the world is paused the page says why nothing can be called off", async () => {
  const id = await here.order();
  await here.happens(id, "HeadedToPickup");
  await here.server.api.control({ state: "paused" });
  const page = await here.look(`/#d=${id}`, { mayBeRefused: true });
  await page.getByRole("button", { name: "Cancel delivery" }).click();
  await page.getByRole("button", { name: "Yes, cancel it" }).click();
  await page.getByRole("alert").filter({ hasText: "paused" }).waitFor();
  expect((await here.server.api.deliveryStatus(id)).stage).toBe("HeadedToPickup");
});

test("its places change until it is collected; what the server finds wrong stands at its field", async () => {
  const id = await here.order();
  const page = await here.look(`/#d=${id}`, { mayBeRefused: true });
  await headline(page, /On the way to the pick-up/);
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const dropoff = page.getByRole("combobox", { name: "Drop-off" });
  const change = page.getByRole("button", { name: "Change it" });
  expect(await change.isDisabled()).toBe(true);
  await dropoff.fill("Atlantis");
  await change.click();
  await page.locator("#change-dropoff-error").waitFor();
  await dropoff.fill("37.7651, -122.4201");
  await change.click();
  await page.getByRole("region", { name: "Delivery" }).locator("dd", { hasText: "37.7651, -122.4201" }).waitFor();
  await headline(page, /On the way to the pick-up/);
  expect((await here.server.api.delivery(id)).dropoff).toMatchObject({ latitude: 37.7651, longitude: -122.4201 });

  await setSpeed(page, "×20");
  await here.happens(id, "PickedUp");
  await page.getByRole("button", { name: "Cancel delivery" }).waitFor({ state: "detached" });
});

test("what no drone can carry is followed by van, to its end", async () => {
  const id = await here.order({ packageInfo: { packageId: "heavy", size: "Large", weight: 100 } });
  const page = await here.look(`/#d=${id}`);
  await headline(page, /A van is on the way to the pick-up/);
  expect(await page.locator(".stage.never").count()).toBe(0);
  await page.getByRole("timer").waitFor();
  await page.getByText("by third-party").waitFor();
  const told = await record(page, { headline: "[data-headline]" });
  await here.server.api.control({ speed: 100 });
  await here.happens(id, "PickedUp");
  await here.server.api.control({ speed: 1 });
  // On the road between the two places, and nearer to the second as time goes on.
  await page.waitForFunction(() => window.__skyhaul!.van() !== null);
  const [from] = (await page.evaluate(() => window.__skyhaul!.van()))!;
  await here.server.api.control({ speed: 20 });
  await page.waitForFunction((from) => (window.__skyhaul!.van()?.[0] ?? from) > from, from);
  await setSpeed(page, "max");
  await headline(page, /^Delivered$/);
  await page.waitForFunction(() => window.__skyhaul!.van() === null);
  expect((await told()).headline).toContain("On the way to the drop-off, by van");
});
