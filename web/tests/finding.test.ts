// Links and ids: what an address names is opened, what is looked up is found or not known.

import type { Page } from "playwright-core";
import { expect, test } from "vitest";

import type {} from "../src/map/hook";
import { headline, scene, SMALL } from "./scene";

const here = scene("calm");
const NOBODY = "01977000-0000-7000-8000-000000000000";

async function find(page: Page, words: string): Promise<void> {
  await page.getByRole("combobox", { name: "Find a delivery" }).fill(words);
  await page.keyboard.press("Enter");
}

const selection = (page: Page) => page.evaluate(() => window.__skyhaul!.selection());

test("a shared link opens on its delivery", async () => {
  const id = await here.order();
  const page = await here.look(`/#d=${id}`);
  await headline(page, /On the way to the pick-up/);
  await page.getByRole("button", { name: "Copy link" }).click();
  const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
  expect(link).toBe(`${here.server.url}/#d=${id}`);
  const other = await here.look(link.slice(here.server.url.length), SMALL);
  await headline(other, /On the way to the pick-up/);
  expect(await selection(other)).toMatchObject({ kind: "delivery", id });
});

test("a delivery, its drone, a hub and a place are found, and the address says which", async () => {
  const id = await here.order();
  const page = await here.look();
  await find(page, id);
  await headline(page, /On the way to the pick-up/);
  expect(new URL(page.url()).hash).toBe(`#d=${id}`);
  const drone = (await here.server.api.delivery(id)).droneId!;

  await find(page, drone.replace("d-", ""));
  await page.getByRole("region", { name: "Drone" }).getByRole("heading", { name: drone }).waitFor();
  expect(new URL(page.url()).hash).toBe(`#drone=${drone}`);
  await page.getByRole("button", { name: "its delivery" }).click();
  await headline(page, /On the way to the pick-up/);

  await find(page, "mission");
  await page.getByRole("region", { name: "Hub" }).getByRole("heading", { name: "Mission Street hub" }).waitFor();
  await find(page, "general");
  await page.waitForFunction(() => {
    const [longitude, latitude] = window.__skyhaul!.camera().center;
    return Math.hypot(longitude + 122.4045, latitude - 37.7557) < 0.004;
  });
});

test("what nobody knows is said to be unknown", async () => {
  const page = await here.look("/", { ...SMALL, mayBeRefused: true });
  await find(page, "Atlantis");
  await page.getByRole("alert").getByText("Nothing is called “Atlantis”.").waitFor();
  await find(page, NOBODY);
  await page.getByRole("alert").getByText(`Nothing is called “${NOBODY}”.`).waitFor();
  expect(await selection(page)).toBeNull();

  const linked = await here.look(`/#d=${NOBODY}`, { ...SMALL, mayBeRefused: true });
  await headline(linked, /There is no such delivery/);
  await linked.evaluate(() => void (location.hash = "#drone=d-999"));
  await linked.getByText("There is no such drone.").waitFor();
  // The page is not stuck there.
  const id = await here.order();
  await linked.evaluate((id) => void (location.hash = `#d=${id}`), id);
  await headline(linked, /On the way to the pick-up/);
});
