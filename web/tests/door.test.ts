// At the door somebody has to give a word: the recipient, an operator for them, or nobody.

import { afterEach, expect, test } from "vitest";

import { headline, record, scene, SMALL } from "./scene";

const here = scene("door");
const FINGERPRINT = { confirmationRequired: "FingerPrint" } as const;

afterEach(() => here.server.api.control({ state: "running", speed: 1 }));

test("an operator orders with a word at the door, and gives it for the recipient", async () => {
  const page = await here.look("/");
  await page.getByRole("button", { name: "Order a delivery" }).first().click();
  await page.getByRole("combobox", { name: "Pick-up" }).fill("Dolores Park");
  await page.getByRole("combobox", { name: "Drop-off" }).fill("General Hospital");
  await page.getByRole("combobox", { name: "At the door" }).selectOption("Waits for a fingerprint");
  await page.getByRole("button", { name: "Order", exact: true }).click();
  await headline(page, /On the way to the pick-up/);
  const id = new URL(page.url()).hash.slice("#d=".length);
  await here.server.api.control({ speed: 40 });
  await here.happens(id, "AwaitingConfirmation");
  await here.server.api.control({ speed: 1 });
  await headline(page, /At the door, waiting for the recipient’s fingerprint/);
  expect(await page.getByRole("timer").count()).toBe(0);
  await page.getByRole("button", { name: "Confirm for the recipient" }).click();
  await headline(page, /^Delivered$/);
});

test("a customer gives it by their own link", async () => {
  const id = await here.order(FINGERPRINT);
  const asked = { role: "customer", account: "cafe", delivery: id, ttl: "1h" };
  const { token } = await here.server.api.post<{ token: string }>("/api/tokens", asked);
  const page = await here.look(`/#t=${token}`, { ...SMALL, mayBeRefused: true });
  await here.server.api.control({ speed: 40 });
  await here.happens(id, "AwaitingConfirmation");
  await here.server.api.control({ speed: 1 });
  await headline(page, /It is at your door/);
  await page.getByRole("button", { name: "I have it: give my fingerprint" }).click();
  await headline(page, /^Delivered$/);
});

test("nobody gives it: it comes back, goes out once more, and then stays", async () => {
  const id = await here.order(FINGERPRINT);
  const page = await here.look(`/#d=${id}`);
  await headline(page, /On the way to the pick-up/);
  const told = await record(page, { headline: "[data-headline]" });
  await here.server.api.control({ speed: 100 });
  await headline(page, /^Not delivered$/);
  await page.getByText("Nobody gave the word that the order asks for.").waitFor();
  const { headline: heard } = await told();
  const door = "At the door, waiting for the recipient’s fingerprint";
  const back = "The drone brings the package back";
  const hub = "Back at the hub, to set out again";
  expect(heard.filter((words) => [door, back, hub].includes(words)).slice(0, 5)).toEqual([door, back, hub, door, back]);
  expect(await page.getByRole("timer").count()).toBe(0);
});
