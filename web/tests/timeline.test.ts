// A recording is played: scrubbed, backwards, over and over, from a link, and by keys alone.

import type { Page } from "playwright-core";
import { afterEach, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { eventually } from "../client/test/server";
import { serious } from "./barriers";
import { headline, recording } from "./scene";

const here = recording("recorded", "12m", "--paused");
const START = Date.parse("2026-06-01T18:00:00Z");
const MINUTES = 12;
/** Frames come once a second, and a pixel of the track is a few. */
const NEAR_S = 8;

const track = (page: Page) => page.getByRole("slider", { name: "Moment of the recording" });
const press = (page: Page, name: string) => page.getByRole("region", { name: "Recording" }).getByRole("button", { name, exact: true });

/** Seconds since the beginning that the server shows. */
async function served(): Promise<number> {
  return (Date.parse((await here.server.api.simulation()).simTime) - START) / 1000;
}

async function goTo(seconds: number): Promise<void> {
  const simTime = new Date(START + seconds * 1000).toISOString();
  await here.server.api.control({ state: "paused", speed: 1, loop: false, simTime });
}

afterEach(() => goTo(0));

async function open(path = "/", options = {}): Promise<Page> {
  const page = await here.look(path, { viewport: { width: 1000, height: 640 }, deviceScaleFactor: 1, mayBeRefused: true, ...options });
  await track(page).waitFor();
  return page;
}

/** Waits until the page says that it is this moment, `HH:MM:SS`. */
async function says(page: Page, elapsed: RegExp): Promise<void> {
  await page.waitForFunction((words) => new RegExp(words).test(document.querySelector("[role=slider]")?.getAttribute("aria-valuetext") ?? ""), elapsed.source);
}

/** Where drones are drawn. */
const drawn = (page: Page) =>
  page.evaluate(() => {
    const { ids, drone } = window.__skyhaul!;
    return Object.fromEntries(ids().map((id) => [id, drone(id)!] as const).map(([id, { longitude, latitude }]) => [id, [longitude, latitude]]));
  }) as Promise<Record<string, [number, number]>>;

test("it says that it is a recording, what is in it, and lets nothing be changed", async () => {
  await goTo(400);
  const page = await open();
  await page.getByText("Recording", { exact: true }).waitFor();
  expect(await page.getByRole("button", { name: "Order a delivery" }).count()).toBe(0);
  await page.keyboard.press("n");
  expect(await page.getByRole("button", { name: "Order", exact: true }).count()).toBe(0);
  await page.keyboard.press("o");
  await page.getByText("nothing in it can be broken or changed").waitFor();
  expect(await page.getByRole("form", { name: "Inject a fault" }).count()).toBe(0);
  await page.keyboard.press("Escape");
  // Deliveries as an area, and the drone that broke as a mark with words.
  await page.locator(".track .density[d^=M]").waitFor({ state: "attached" });
  const fault = page.locator(".track .mark.fault title").first();
  await fault.waitFor({ state: "attached" });
  expect(await fault.textContent()).toMatch(/Rotor out: d-\d+/);
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("Play backwards, faster each time").waitFor();
  await page.keyboard.press("Escape");
});

test("it is scrubbed: the page goes where the pointer does, and drones are there at once", async () => {
  await goTo(30);
  const page = await open();
  await page.waitForFunction(() => (window.__skyhaul?.drones() ?? 0) > 0);
  const box = (await track(page).boundingBox())!;
  const at = (share: number) => [box.x + box.width * share, box.y + box.height / 2] as const;
  await page.mouse.move(...at(0.2));
  await page.locator(".track-preview").getByText("00:02:2").waitFor();
  await page.mouse.down();
  for (const share of [0.3, 0.4, 0.5, 0.6, 0.75]) await page.mouse.move(...at(share));
  await page.mouse.up();
  await eventually("the server is where the pointer was let go", async () => Math.abs((await served()) - 0.75 * MINUTES * 60) < NEAR_S);
  await says(page, /^00:0(8:5|9:0)/);
  // What is drawn is what is there: nothing is still on its way from where it was.
  await eventually("drones are where they are at that moment", async () => {
    const [shown, { items }] = [await drawn(page), await here.server.api.drones({ limit: 1000 })];
    const seen = items.filter(({ id, status }) => ["cruising", "returning"].includes(status) && shown[id]);
    const apart = seen.map(({ id, location }) => Math.hypot(shown[id]![0] - location.longitude, shown[id]![1] - location.latitude));
    return seen.length > 3 && apart.every((degrees) => degrees < 1e-4);
  });
});

test("it plays backwards, and on again", async () => {
  await goTo(300);
  const page = await open();
  await press(page, "Play backwards").click();
  await eventually("time goes back", async () => (await served()) < 297);
  expect(await here.server.api.simulation()).toMatchObject({ state: "running", speed: -1 });
  const seen = await page.evaluate(() => window.__skyhaul!.simNow()!);
  await page.waitForFunction((seen) => window.__skyhaul!.simNow()! < seen, seen);
  await press(page, "Play").click();
  const turned = await served();
  await eventually("time goes on", async () => (await served()) > turned + 1);
  await press(page, "Pause").click();
  await eventually("it stands still", async () => (await here.server.api.simulation()).state === "paused");
});

test("at its end it begins again, over and over where that is wanted", async () => {
  await goTo(MINUTES * 60 - 3);
  const page = await open();
  await press(page, "Over and over").click();
  await page.getByRole("combobox", { name: "Speed" }).selectOption("×10");
  await press(page, "Play").click();
  await eventually("it begins again", async () => (await served()) < 300);
  expect(await here.server.api.simulation()).toMatchObject({ state: "running", speed: 10, playback: { loop: true } });
  await press(page, "Over and over").click();
  await eventually("it is to end", async () => (await here.server.api.simulation()).playback?.loop === false);
  await goTo(MINUTES * 60 - 2);
  await press(page, "Play").click();
  await page.getByRole("status").getByText("The recording ends here").waitFor();
  await says(page, /^00:12:00/);
  expect(Object.keys(await drawn(page)).length, "the last picture stays").toBeGreaterThan(0);
  await press(page, "Play").click();
  await eventually("who plays at the end begins again", async () => {
    const { state } = await here.server.api.simulation();
    return state === "running" && (await served()) < 300;
  });
});

test("a moment is shared, with the delivery that is looked at", async () => {
  await goTo(200);
  const { items } = await here.server.api.deliveries({ stage: "HeadedToDropoff" });
  const { id } = items[0]!;
  const page = await open(`/#d=${id}`);
  await headline(page, /On the way to the drop-off/);
  await press(page, "Share moment").click();
  const link = await page.getByRole("textbox", { name: "Link to this moment" }).inputValue();
  expect(link).toBe(`${here.server.url}/#d=${id}&at=00:03:20`);
  await goTo(600);
  const other = await open(link.slice(here.server.url.length));
  await headline(other, /On the way to the drop-off/);
  await says(other, /^00:03:2/);
  await eventually("the server went there", async () => Math.abs((await served()) - 200) < 2);

  // Before it was ordered there is a clear word, and it is followed again from when it is.
  await track(other).focus();
  await other.keyboard.press("Home");
  await headline(other, /Not ordered yet/);
  await goTo(200);
  await headline(other, /On the way to the drop-off/);
  await goTo(MINUTES * 60);
  await headline(other, /Delivered/);
});

test("keys alone play it", async () => {
  await goTo(300);
  const page = await open();
  await page.keyboard.press("ArrowRight");
  await says(page, /^00:05:05/);
  await page.keyboard.press("Shift+ArrowLeft");
  await says(page, /^00:04:05/);
  await page.keyboard.press(".");
  await says(page, /^00:04:06/);
  await page.keyboard.press(",");
  await page.keyboard.press(",");
  await says(page, /^00:04:04/);
  await eventually("the server is there too", async () => (await served()) === 244);
  const state = async () => (await here.server.api.simulation()).state;
  const speed = async () => (await here.server.api.simulation()).speed;
  await page.keyboard.press(" ");
  await eventually("it plays", async () => (await state()) === "running");
  await page.keyboard.press("l");
  await eventually("it plays faster", async () => (await speed()) === 2);
  await page.keyboard.press("j");
  await eventually("it plays backwards", async () => (await speed()) === -1);
  await page.keyboard.press("k");
  await eventually("it pauses", async () => (await state()) === "paused");
  await track(page).focus();
  await page.keyboard.press("End");
  await says(page, /^00:12:00 of 00:12:00, 18:12:00 UTC/);
});

test("a phone has it too", async () => {
  await goTo(120);
  const page = await open("/", { viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true });
  const box = (await track(page).boundingBox())!;
  expect(box.width).toBeGreaterThan(300);
  await page.touchscreen.tap(box.x + box.width / 2, box.y + box.height / 2);
  await says(page, /^00:0(5:5|6:0)/);
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`nothing keeps anybody out of it, ${colorScheme}`, async () => {
    await goTo(300);
    const page = await open("/", { colorScheme });
    await page.locator(".track .mark").first().waitFor({ state: "attached" });
    await press(page, "Share moment").click();
    await page.getByRole("textbox", { name: "Link to this moment" }).waitFor();
    expect(await serious(page)).toEqual([]);
  });
}
