// A map of the operator's own lies under the drones.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

import type {} from "../src/map/hook";
import { Server } from "../client/test/server";
import { dronesDrawn, visit } from "./browser";
import { archiveOf } from "./pmtiles";

const WORLD = join(import.meta.dirname, "worlds/aloft.toml");
/** One pixel, purple. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGOosFnwHwAE2AJUflcyxQAAAABJRU5ErkJggg==",
  "base64",
);

let browser: Browser;
let server: Server;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skyhaul-basemap-"));
  const archive = join(folder, "globe.pmtiles");
  await writeFile(archive, archiveOf(PICTURE));
  [browser, server] = await Promise.all([
    chromium.connect(inject("browser")),
    Server.start("--scenario", WORLD, "--basemap", archive),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await server?.end();
  await rm(folder, { recursive: true, force: true });
});

test("a local archive is read by ranges and drawn under the drones", async () => {
  const ranges: string[] = [];
  const listen = async (page: Page) => {
    page.on("response", (response) => {
      if (response.url().endsWith("/basemap.pmtiles")) ranges.push(`${response.status()}`);
    });
  };
  const { page, misdeeds, close } = await visit(browser, `${server.url}/`, { prepare: listen });
  await dronesDrawn(page);
  await page.waitForFunction(() => window.__skyhaul!.sources().includes("basemap"));
  await page.waitForFunction(() => window.__skyhaul!.idle());
  expect(ranges.length).toBeGreaterThan(0);
  expect(new Set(ranges)).toEqual(new Set(["206"]));
  // Places and hubs stay on top of it.
  expect(await page.evaluate(() => window.__skyhaul!.sources())).toContain("hubs");
  expect(misdeeds).toEqual([]);
  await close();
});
