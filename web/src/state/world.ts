// What stands still: the world, its hubs and its zones. Hubs are asked for again, because
// their queues change.

import { effect, signal } from "@preact/signals";
import type { FeatureCollection, MultiPolygon, Polygon } from "geojson";

import type { Api, Bbox, Hub } from "@skyhaul/client";

import { anotherWorld } from "./another_world";
import { moves, reads } from "./session";
import { base } from "./settings";
import { token } from "./token";

export interface Place {
  name: string;
  location: { altitude: number; latitude: number; longitude: number };
}

export interface Basemap {
  kind: "pmtiles" | "style" | "raster";
  url: string;
}

/** `GET /api/world`. */
export interface World {
  name: string;
  description: string;
  start: string;
  epoch: string;
  area: { bbox: Bbox; land: MultiPolygon | null; ground: number; geoid: number };
  places: Place[];
  unknownPlaces: "refuse" | "scatter";
  drones: number;
  camera: { bounds: Bbox };
  basemap: Basemap | null;
}

export interface ZoneProperties {
  name: string;
  floor: number;
  ceiling: number;
  reference: "AGL" | "AMSL";
}

export type Zones = FeatureCollection<Polygon, ZoneProperties>;

export const world = signal<World | null>(null);
/** The server does not tell this to whoever opened the page. */
export const worldRefused = signal(false);
export const hubs = signal<Hub[]>([]);
export const zones = signal<Zones>({ type: "FeatureCollection", features: [] });

const HUBS_EVERY_MS = 4000;
const RETRY_MS = 2000;

/** Loads the world, however long the server takes to be there. */
export async function loadWorld(): Promise<void> {
  for (;;) {
    try {
      const [loaded, zoned] = await Promise.all([read<World>("/api/world"), read<Zones>("/api/zones")]);
      zones.value = zoned;
      world.value = loaded;
      break;
    } catch (error) {
      // Asking again would not help.
      if (error instanceof Refused) {
        worldRefused.value = true;
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
  setInterval(() => void refreshHubs(), HUBS_EVERY_MS);
  // At another moment others stand there.
  effect(() => {
    void [moves.value, reads.value];
    void refreshHubs();
  });
}

/** After a lost connection: is it still the same place? */
export async function checkWorld(): Promise<void> {
  const before = world.peek();
  const now = before && (await read<World>("/api/world").catch(() => null));
  if (!now) return;
  if (now.name !== before.name || now.start !== before.start || now.area.bbox.some((side, i) => side !== before.area.bbox[i])) {
    anotherWorld();
  }
}

async function refreshHubs(): Promise<void> {
  if (document.hidden) return;
  const asked = reads.peek();
  try {
    const all = await allHubs(asked);
    if (reads.peek() === asked) hubs.value = all;
  } catch {
    // The connection's own state says that the server is gone; the last figures stay.
  }
}

async function allHubs(asked: Api): Promise<Hub[]> {
  const all: Hub[] = [];
  let cursor: string | undefined;
  do {
    const page = await asked.hubs({ limit: 1000, ...(cursor && { cursor }) });
    all.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return all;
}

async function read<T>(path: string): Promise<T> {
  const bearer = token.peek();
  const response = await fetch(base + path, bearer ? { headers: { Authorization: `Bearer ${bearer}` } } : {});
  if (response.status === 401 || response.status === 403) throw new Refused();
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

class Refused extends Error {}
