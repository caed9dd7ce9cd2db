// A window into the page for its browser tests: what is drawn, read as figures rather than
// as pixels. Nothing on the page uses it.

import { STATUSES, type Bbox } from "@skyhaul/client";
import type { StyleSpecification } from "maplibre-gl";

import { connection, fleet } from "../state/session";
import { following, select, selection, type Selection } from "../state/selection";
import { simNow } from "../state/clock";
import { van } from "../state/van";
import { LOOKED } from "./camera";
import { isDrawn, type Shown } from "./drones";
import type { SkyMap } from "./skymap";

export interface TestHook {
  connection(): string;
  simNow(): number | null;
  fleet(): unknown;
  /** Drones drawn in the last frame. */
  drones(): number;
  ids(): string[];
  /** Drones in the air. */
  airborne(): number;
  drone(id: string): Shown | null;
  /** Where a drone will be drawn at a moment of `performance.now()`. */
  at(id: string, moment: number): Shown | null;
  selection(): Selection | null;
  following(): boolean;
  select: typeof select;
  camera(): { center: [number, number]; zoom: number; pitch: number };
  /** Where a drone is on the screen, for a test that clicks it. */
  screen(id: string): { x: number; y: number } | null;
  jump(center: [number, number], zoom: number): void;
  subscribed(): { bbox: Bbox; hz: number };
  /** Names of what the map is drawn from. */
  sources(): string[];
  frameMs(): number[];
  idle(): boolean;
  /** The map stands where it should, as far as it does not follow something, and all of it is there. */
  settled(): boolean;
  /** Where the van of the selected delivery is drawn. */
  van(): [longitude: number, latitude: number] | null;
  /** Whether the selected drone's plan is drawn. */
  routed(): boolean;
}

declare global {
  interface Window {
    __skyhaul?: TestHook;
  }
}

/** Only where a program drives the browser: nobody else's page has it. */
export function exposeForTests(sky: SkyMap): void {
  if (!navigator.webdriver) return;
  window.__skyhaul = {
    connection: () => connection.peek().state,
    simNow: () => simNow.peek(),
    fleet: () => fleet.peek(),
    drones: () => sky.buffer.sample(performance.now()).length,
    ids: () => {
      const { length } = sky.buffer.sample(performance.now());
      return Array.from({ length }, (_, index) => sky.buffer.idAt(index)!);
    },
    airborne: () => {
      const { length, statuses } = sky.buffer.sample(performance.now());
      return statuses.subarray(0, length).filter((status) => isDrawn(STATUSES[status]!)).length;
    },
    drone: (id) => sky.buffer.shown(id) ?? null,
    at: (id, moment) => {
      sky.buffer.sample(moment);
      return sky.buffer.shown(id) ?? null;
    },
    selection: () => selection.peek(),
    following: () => following.peek(),
    select,
    camera: () => {
      const { lng, lat } = sky.map.getCenter();
      return { center: [lng, lat], zoom: sky.map.getZoom(), pitch: sky.map.getPitch() };
    },
    screen: (id) => sky.screen(id),
    jump: (center, zoom) => void sky.map.jumpTo({ center, zoom }, LOOKED),
    subscribed: () => ({ bbox: sky.viewport.asked ?? [0, 0, 0, 0], hz: sky.viewport.hz }),
    // There is none for the moment in which one gives way to another.
    sources: () => Object.keys((sky.map.getStyle() as StyleSpecification | undefined)?.sources ?? {}),
    frameMs: () => [...sky.frameMs],
    settled: () => sky.map.areTilesLoaded() && !sky.map.isMoving(),
    van: () => {
      const at = van.peek();
      return at && [at.longitude, at.latitude];
    },
    routed: () => sky.routed,
    idle: () => sky.map.loaded() && !sky.map.isMoving(),
  };
}
