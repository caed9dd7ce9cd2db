// A window into the page for its browser tests: what is drawn, read as figures rather than
// as pixels. Nothing on the page uses it.

import { connection, fleet } from "../state/session";
import { following, select, selection } from "../state/selection";
import { simNow } from "../state/clock";
import type { SkyMap } from "./skymap";

export interface TestHook {
  connection(): string;
  simNow(): number | null;
  fleet(): unknown;
  /** Drones drawn in the last frame. */
  drones(): number;
  ids(): string[];
  drone(id: string): unknown;
  selection(): unknown;
  following(): boolean;
  select: typeof select;
  camera(): { center: [number, number]; zoom: number; pitch: number };
  /** Where a drone is on the screen, for a test that clicks it. */
  screen(id: string): { x: number; y: number } | null;
  subscribed(): { bbox: unknown; hz: number };
  frameMs(): number[];
  idle(): boolean;
  map: unknown;
}

declare global {
  interface Window {
    __skyhaul?: TestHook;
  }
}

export function exposeForTests(sky: SkyMap): void {
  window.__skyhaul = {
    connection: () => connection.peek().state,
    simNow: () => simNow.peek(),
    fleet: () => fleet.peek(),
    drones: () => sky.buffer.sample(performance.now()).length,
    ids: () => {
      const { length } = sky.buffer.sample(performance.now());
      return Array.from({ length }, (_, index) => sky.buffer.idAt(index)!);
    },
    drone: (id) => sky.buffer.shown(id) ?? null,
    selection: () => selection.peek(),
    following: () => following.peek(),
    select,
    camera: () => {
      const { lng, lat } = sky.map.getCenter();
      return { center: [lng, lat], zoom: sky.map.getZoom(), pitch: sky.map.getPitch() };
    },
    screen: (id) => sky.screen(id),
    subscribed: () => ({ bbox: sky.viewport.asked, hz: sky.viewport.hz }),
    frameMs: () => [...sky.frameMs],
    idle: () => sky.map.loaded() && !sky.map.isMoving(),
    map: sky.map,
  };
}
