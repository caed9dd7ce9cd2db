// A wall screen shows one delivery after the other, each with a code that takes it along.

import jsQR from "jsqr";
import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { headline, scene, SMALL } from "./scene";

const here = scene("calm");

afterEach(() => here.server.api.control({ state: "running", speed: 1 }));

/** What a phone's camera reads off the screen. */
async function read(screen: Page, name: string): Promise<string> {
  const picture = await screen.getByRole("img", { name }).screenshot();
  // The page's own policy keeps such tools out of it.
  const phone = await screen.context().newPage();
  const { data, width, height } = await phone.evaluate(async (png) => {
    const bitmap = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
    canvas.drawImage(bitmap, 0, 0);
    const { data, width, height } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    return { data: Array.from(data), width, height };
  }, picture.toString("base64"));
  await phone.close();
  const code = jsQR(Uint8ClampedArray.from(data), width, height);
  if (!code) throw new Error("no code can be read");
  return code.data;
}

test("a wall screen goes from delivery to delivery by itself", async () => {
  const first = await here.order();
  const screen = await here.look("/?kiosk");
  const shown = (id: string) => screen.locator(`[data-delivery="${id}"]`).waitFor();
  await shown(first);
  await headline(screen, /on its way to collect it/);
  await here.server.api.control({ speed: 100 });
  await headline(screen, /^Delivered$/);
  await here.server.api.control({ speed: 1 });
  const second = await here.order();
  await shown(second);
  expect(await screen.locator("[data-delivery]").count()).toBe(1);
});

test("the code on a wall screen opens that delivery, and no other, on a phone", async () => {
  const id = await here.order();
  const screen = await here.look("/?kiosk", { deviceScaleFactor: 1 });
  await screen.locator(`[data-delivery="${id}"]`).waitFor();
  const link = new URL(await read(screen, "Code with a link to this delivery"));
  expect(link.origin + link.pathname).toBe(`${here.server.url}/`);
  expect(link.hash).toMatch(/^#t=/);
  expect(link.search).toBe("");

  const phone = await here.look(`/${link.hash}`, SMALL);
  await headline(phone, /on its way to collect it/);
  expect(await phone.evaluate(() => window.__skyhaul!.selection())).toMatchObject({ kind: "delivery", id });
  expect(await phone.getByRole("button", { name: "Operations" }).count()).toBe(0);
});
