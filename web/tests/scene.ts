// Where a story takes place: a server with a world of its own, and whoever opens its page.
// Each page that was opened is held to good manners when its story ends.

import { join } from "node:path";

import type { EventMessage } from "@skyhaul/client";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, inject } from "vitest";

import type { Order } from "../client/src/api";
import { Ear, Server } from "../client/test/server";
import { visit, type Visit, type VisitOptions } from "./browser";

type DomainEvent = EventMessage["event"];
type EventKind = DomainEvent["kind"];

/** Fewer pixels are drawn sooner. */
export const SMALL = { viewport: { width: 390, height: 640 } };

export interface Scene {
  readonly browser: Browser;
  readonly server: Server;
  /** Opens an address of the server; closed when the test ends. */
  look(path?: string, options?: VisitOptions): Promise<Page>;
  /** An order by the interface, as another program would place it. */
  order(more?: Partial<Order>): Promise<string>;
  /** Waits until the server has told this of a delivery; whatever a page may be busy with. */
  happens(delivery: string, kind: EventKind, token?: string): Promise<DomainEvent>;
}

/** A world of `tests/worlds`, served while this file's tests run. */
export function scene(world: string, ...options: string[]): Scene {
  return stage(() => Server.start("--scenario", scenarioOf(world), ...options));
}

/** The same world as a recording of so long, which is played. */
export function recording(world: string, until: string, ...options: string[]): Scene {
  return stage(() => Server.replay(scenarioOf(world), until, ...options));
}

const scenarioOf = (world: string): string => join(import.meta.dirname, "worlds", `${world}.toml`);

function stage(start: () => Promise<Server>): Scene {
  let browser: Browser | undefined;
  let server: Server | undefined;
  const open: Visit[] = [];

  beforeAll(async () => {
    [browser, server] = await Promise.all([chromium.connect(inject("browser")), start()]);
  });

  afterEach(async () => {
    const visits = open.splice(0);
    await Promise.all(visits.map((visit) => visit.close()));
    expect(visits.flatMap(({ misdeeds }) => misdeeds)).toEqual([]);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.end();
  });

  return {
    get browser() {
      return browser!;
    },
    get server() {
      return server!;
    },
    async look(path = "/", options = {}) {
      const visited = await visit(browser!, `${server!.url}${path}`, { reducedMotion: "reduce", ...options });
      open.push(visited);
      return visited.page;
    },
    async order(more = {}) {
      const order: Order = {
        ownerId: "cafe",
        pickupLocation: "Dolores Park",
        dropOffLocation: "General Hospital",
        packageInfo: { packageId: "p", size: "Small", weight: 1 },
        ...more,
      };
      return (await server!.api.order(order)).deliveryId;
    },
    async happens(delivery, kind, token) {
      const sky = server!.connect({ token });
      const told = new Ear<DomainEvent>();
      sky.subscribe(`delivery/${delivery}`, { fromStart: true }, { event: ({ event }) => told.hear(event) });
      const event = await told.find(kind, (event) => event.kind === kind);
      sky.close();
      return event;
    },
  };
}

/** Waits until the page says this of the delivery or drone that it shows. */
export async function headline(page: Page, words: RegExp): Promise<void> {
  await page.locator("[data-headline]").filter({ hasText: words }).waitFor();
}

/** Presses one of the page's own speeds. */
export async function setSpeed(page: Page, speed: "×1" | "×5" | "×20" | "×100" | "max"): Promise<void> {
  const operations = page.getByRole("complementary", { name: "Operations" });
  if (!(await operations.isVisible())) await page.getByRole("button", { name: "Operations", exact: true }).click();
  await operations.getByRole("button", { name: speed, exact: true }).click();
}

declare global {
  interface Window {
    __told: Record<string, string[]>;
  }
}

/** Writes down what stands at each of these places, whenever it changes; returns what reads it. */
export async function record<Name extends string>(
  page: Page,
  places: Record<Name, string>,
): Promise<() => Promise<Record<Name, string[]>>> {
  await page.evaluate((places) => {
    const told: Record<string, string[]> = (window.__told = {});
    const note = () => {
      for (const [name, selector] of Object.entries(places)) {
        const text = document.querySelector(selector)?.textContent;
        if (text && text !== (told[name] ??= []).at(-1)) told[name].push(text);
      }
    };
    const all = { subtree: true, childList: true, characterData: true, attributes: true };
    new MutationObserver(note).observe(document.body, all);
    note();
  }, places as Record<string, string>);
  return () => page.evaluate(() => window.__told) as Promise<Record<Name, string[]>>;
}
