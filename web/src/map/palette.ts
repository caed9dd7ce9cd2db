// The map's colours, dark and light, and what each says.

import type { DroneStatus } from "@skyhaul/client";

import type { Theme } from "../state/settings";

export type Rgb = [red: number, green: number, blue: number];

/** What a drone does, in the words of somebody who watches. */
export type Doing = "underway" | "handover" | "home" | "holding" | "trouble" | "ground";

export const DOING: Record<Doing, { label: string; statuses: DroneStatus[] }> = {
  underway: { label: "On the way", statuses: ["climbing", "cruising"] },
  handover: { label: "Picking up or lowering", statuses: ["descending", "hovering"] },
  home: { label: "Flying home", statuses: ["returning"] },
  holding: { label: "Waiting in the air", statuses: ["holding"] },
  trouble: { label: "In trouble", statuses: ["grounded", "lost"] },
  ground: { label: "At its hub", statuses: ["parked", "charging"] },
};

export interface Palette {
  water: string;
  land: string;
  coast: string;
  green: string;
  road: string;
  building: string;
  coastGlow: string;
  grid: string;
  outside: string;
  outsideOpacity: number;
  ink: string;
  soft: string;
  halo: string;
  hub: string;
  hubRing: string;
  place: string;
  zone: string;
  route: Rgb;
  routeHome: Rgb;
  trail: Rgb;
  outline: Rgb;
  selected: Rgb;
  pickupRgb: Rgb;
  dropoffRgb: Rgb;
  doing: Record<Doing, Rgb>;
}

export const PALETTES: Record<Theme, Palette> = {
  dark: {
    water: "#0c1622",
    land: "#172330",
    coast: "#3b5268",
    green: "#16281f",
    road: "#26374a",
    building: "#1e2c3b",
    coastGlow: "#2c4258",
    grid: "#8fb3d6",
    outside: "#0a111a",
    outsideOpacity: 0.55,
    ink: "#d3dfeb",
    soft: "#8298ad",
    halo: "#0f1924",
    hub: "#e9f1f8",
    hubRing: "#4cc2ff",
    place: "#8298ad",
    zone: "#ff6473",
    route: [126, 208, 255],
    routeHome: [126, 150, 172],
    trail: [76, 194, 255],
    outline: [8, 14, 22],
    selected: [255, 255, 255],
    pickupRgb: [87, 210, 139],
    dropoffRgb: [255, 184, 77],
    doing: {
      underway: [76, 194, 255],
      handover: [255, 190, 77],
      home: [150, 168, 190],
      holding: [255, 138, 76],
      trouble: [255, 90, 108],
      ground: [87, 210, 139],
    },
  },
  light: {
    water: "#cfdfea",
    land: "#f6f4ef",
    coast: "#a9bdcc",
    green: "#e0ebd8",
    road: "#ffffff",
    building: "#e9e5dc",
    coastGlow: "#bdd0dd",
    grid: "#2f5573",
    outside: "#dbe6ee",
    outsideOpacity: 0.6,
    ink: "#22384c",
    soft: "#546a7d",
    halo: "#fbfaf7",
    hub: "#173049",
    hubRing: "#0a6fc9",
    place: "#607488",
    zone: "#d0293b",
    route: [10, 111, 201],
    routeHome: [130, 146, 162],
    trail: [10, 111, 201],
    outline: [255, 255, 255],
    selected: [10, 40, 70],
    pickupRgb: [20, 135, 74],
    dropoffRgb: [194, 106, 0],
    doing: {
      underway: [10, 111, 201],
      handover: [209, 113, 0],
      home: [104, 122, 141],
      holding: [214, 80, 12],
      trouble: [206, 32, 54],
      ground: [20, 135, 74],
    },
  },
};

const BY_STATUS = new Map<string, Doing>(
  Object.entries(DOING).flatMap(([doing, { statuses }]) =>
    statuses.map((status) => [status, doing as Doing] as const),
  ),
);

/** A status that this page does not know is shown as being under way. */
export function doingOf(status: string): Doing {
  return BY_STATUS.get(status) ?? "underway";
}

export function css([red, green, blue]: Rgb, alpha = 1): string {
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}
