// In the frame of somebody else's page.

import { createServer, type Server as Http } from "node:http";
import type { AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, test } from "vitest";

import { visit } from "./browser";
import { scene, SMALL } from "./scene";

const here = scene("calm");
/** A shop that shows its customers where their orders are. */
let shop: Http;
let frame = "";

beforeAll(async () => {
  shop = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end(`<!doctype html><title>Shop</title><h1>Your order</h1><iframe src="${frame}" width="360" height="520"></iframe>`);
  });
  await new Promise<void>((listening) => shop.listen(0, "127.0.0.1", listening));
});

afterAll(() => new Promise((closed) => shop.close(closed)));

/** What the shop's page shows in its frame. */
async function atTheShop(address: string) {
  frame = address;
  const url = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/`;
  const visited = await visit(here.browser, url, { ...SMALL, mayShow: new URL(address).host, mayBeRefused: true });
  return { ...visited, inside: visited.page.frameLocator("iframe") };
}

test("a customer's link in a frame shows the delivery, without anything to operate", async () => {
  const delivery = await here.order();
  const asked = { role: "customer", account: "cafe", delivery, ttl: "1h" };
  const { token } = await here.server.api.post<{ token: string }>("/api/tokens", asked);
  const { inside, misdeeds, close } = await atTheShop(`${here.server.url}/?embed#t=${token}`);
  await inside.locator("[data-headline]").filter({ hasText: /on its way to collect it/ }).waitFor();
  await inside.getByRole("timer").waitFor();
  await inside.locator("canvas").first().waitFor();
  expect(await inside.getByRole("button").count()).toBe(0);
  expect(misdeeds).toEqual([]);
  await close();
});

test("a delivery's address in a frame shows the map and that delivery alone", async () => {
  const { inside, misdeeds, close } = await atTheShop(`${here.server.url}/?embed#d=${await here.order()}`);
  await inside.locator("[data-headline]").filter({ hasText: /on its way to collect it/ }).waitFor();
  for (const role of ["button", "combobox"] as const) expect(await inside.getByRole(role).count()).toBe(0);
  expect(misdeeds).toEqual([]);
  await close();
});

test("the page does not let itself be framed unasked", async () => {
  const { page, misdeeds, close } = await atTheShop(`${here.server.url}/`);
  await expect.poll(() => misdeeds.join()).toContain("frame-ancestors");
  expect(await page.frameLocator("iframe").locator("#app").count()).toBe(0);
  await close();
});
