// What the page says when not all is well: paused, gone, empty.

import type { Page } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";

import type {} from "../src/map/hook";
import { headline, record, scene, SMALL } from "./scene";

const notice = (page: Page, kind: string) => page.locator(`[data-notice="${kind}"]`);

describe("in a world where nobody orders", () => {
  const here = scene("calm");

  afterEach(() => here.server.api.control({ state: "running" }));

  test("an empty sky says so, and offers to order", async () => {
    const page = await here.look("/", SMALL);
    await notice(page, "nothing-flies").getByRole("button", { name: "Order a delivery" }).click();
    await page.getByRole("form", { name: "Order a delivery" }).waitFor();
  });

  test("a paused world says so and goes on at a click", async () => {
    await here.server.api.control({ state: "paused" });
    const page = await here.look("/", SMALL);
    await notice(page, "paused").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await notice(page, "paused").waitFor({ state: "detached" });
    expect((await here.server.api.simulation()).state).toBe("running");
  });

  test("a server that stays away is said to be gone, with since when, until it is back", async () => {
    const page = await here.look("/", { ...SMALL, serverMayGo: true, prepare: (page) => page.clock.install() });
    await page.waitForFunction(() => window.__skyhaul?.connection() === "open");
    const told = await record(page, { notice: "[data-notice] p" });
    const said = async () => (await told()).notice.join("\n");
    await here.server.stop("SIGKILL");
    await notice(page, "lost").getByText(/Connection lost since \d/).waitFor();
    await page.clock.fastForward("00:30");
    await notice(page, "lost").getByText(/The server is gone, since \d.*comes back by itself/).waitFor();
    await here.server.start();
    await page.clock.fastForward("00:15");
    await expect.poll(said).toContain("Connected again. Nothing was missed.");
    await page.clock.fastForward("00:05");
    await notice(page, "resumed").waitFor({ state: "detached" });
  });

  test("a delivery whose history was moved out says so, and is not asked about again", async () => {
    let asked = 0;
    const prepare = async (page: Page) => {
      await page.clock.install();
      await page.route("**/api/deliveryrequests/*", (route) => {
        asked += 1;
        return route.fulfill({ status: 410, contentType: "application/problem+json", body: '{"title":"Gone","status":410}' });
      });
    };
    const page = await here.look("/#d=01900000-0000-7000-8000-000000000000", { ...SMALL, mayBeRefused: true, prepare });
    await headline(page, /^This delivery is long over$/);
    await page.clock.runFor("00:20");
    expect(asked).toBe(1);
  });

  test("what is ordered while the world is paused is told to wait for that", async () => {
    await here.server.api.control({ state: "paused" });
    const page = await here.look(`/#d=${await here.order()}`, SMALL);
    await headline(page, /^Accepted, not begun yet$/);
    await page.getByText("nothing happens until it goes on").waitFor();
    await here.server.api.control({ state: "running" });
    await headline(page, /pick-up/);
  });

  test("a clock that stands still is no lost connection", async () => {
    const prepare = async (page: Page) => {
      await page.routeWebSocket(/\/ws$/, (socket) => {
        const server = socket.connectToServer();
        server.onMessage((message) => socket.send(String(message).replace('"state":"running"', '"state":"stalled"')));
      });
    };
    const page = await here.look("/", { ...SMALL, prepare });
    await notice(page, "stalled").getByText(/cannot write to its store/).waitFor();
  });

  test("without WebGL there is no map, and everything else works", async () => {
    const prepare = async (page: Page) => {
      await page.addInitScript(() => (HTMLCanvasElement.prototype.getContext = () => null));
    };
    const page = await here.look("/", { ...SMALL, prepare });
    await page.locator("[data-no-map=impossible]").waitFor();
    await here.order();
    await page.getByRole("region", { name: "Under way" }).getByRole("button").first().click();
    await headline(page, /./);
    await page.getByRole("button", { name: "Close" }).click();
    await page.keyboard.press("n");
    await page.getByText("Type places or coordinates").waitFor();
    // A pointer that rests where suggestions appear would choose one.
    await page.mouse.move(1, 1);
    await page.getByRole("combobox", { name: "Pick-up" }).fill("Dolores Park");
    await page.getByRole("combobox", { name: "Drop-off" }).fill("General Hospital");
    await page.keyboard.press("Enter");
    await headline(page, /pick-up/);
  });

  test("a server that comes back with another world says so, and keeps nothing of the old one", async () => {
    const page = await here.look(`/#d=${await here.order()}`, { ...SMALL, serverMayGo: true, mayBeRefused: true });
    await headline(page, /pick-up/);
    await here.server.forget();
    await here.server.start();
    await notice(page, "resumed").getByText(/another world/).waitFor();
    await headline(page, /^There is no such delivery$/);
  });
});
