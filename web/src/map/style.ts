// The map under the drones as a MapLibre style: land and water, grid, hubs, places and
// no-fly zones, all from the scenario. No request leaves this server for it: without a
// `glyphs` address MapLibre draws text with the page's own font.

import fontFile from "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2?url";
import type {
  ExpressionSpecification,
  GeoJSONSourceSpecification,
  LayerSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type { Feature, FeatureCollection, Geometry, Position } from "geojson";

import type { Bbox, Hub } from "@skyhaul/client";

import type { Theme } from "../state/settings";
import type { Place, World, Zones } from "../state/world";
import type { Ground } from "./basemap";
import { PALETTES, type Palette } from "./palette";

/** MapLibre reads the weight off the first name, and takes the first family that is there. */
const FONT = ["Inter Variable Medium", "Inter Variable"];
const BOLD = ["Inter Variable Semibold", "Inter Variable"];

/** Grid lines across the area: what gives a drone something to move against where there are no streets. */
const COARSE = 10;
const FINE = 60;

/** What the style shows besides the world. */
export interface Shown {
  hubs: Hub[];
  zones: Zones;
}

/** With the scenario's own land and water, or with a basemap in their place. */
export function mapStyle(world: World, shown: Shown, theme: Theme, basemap: Ground | null): StyleSpecification {
  const colours = PALETTES[theme];
  return {
    // Whoever serves its glyphs does not have this page's font.
    ...(basemap?.glyphs && {
      glyphs: basemap.glyphs,
      "font-faces": Object.fromEntries([...FONT, ...BOLD].map((name) => [name, fontFile])),
    }),
    ...(basemap?.sprite && { sprite: basemap.sprite }),
    version: 8,
    name: `skyhaul-${theme}`,
    sources: {
      ...basemap?.sources,
      land: geojson(landOf(world)),
      outside: geojson(outsideOf(world.area.bbox)),
      grid: geojson(gridOf(world.area.bbox, COARSE)),
      "fine-grid": geojson(gridOf(world.area.bbox, FINE)),
      zones: geojson(shown.zones),
      hubs: geojson(hubPoints(shown.hubs)),
      places: geojson(placePoints(world.places)),
    },
    sky: {
      "sky-color": colours.outside,
      "horizon-color": colours.outside,
      "fog-color": colours.outside,
      "fog-ground-blend": 0.85,
      "sky-horizon-blend": 0.4,
      "horizon-fog-blend": 0.6,
    },
    layers: [...(basemap?.layers ?? groundLayers(colours, world.area.land === null)), ...overlayLayers(colours)],
  };
}

/** Land and water; what a basemap replaces. */
export function groundLayers(colours: Palette, allLand: boolean): LayerSpecification[] {
  return [
    {
      id: "water",
      type: "background",
      paint: { "background-color": allLand ? colours.land : colours.water },
    },
    { id: "land", type: "fill", source: "land", paint: { "fill-color": colours.land, "fill-antialias": true } },
    {
      id: "coast-glow",
      type: "line",
      source: "land",
      paint: {
        "line-color": colours.coastGlow,
        "line-width": byZoom(10, 4, 15, 14),
        "line-blur": byZoom(10, 4, 15, 12),
        "line-opacity": 0.5,
      },
    },
    {
      id: "coast",
      type: "line",
      source: "land",
      layout: { "line-join": "round" },
      paint: { "line-color": colours.coast, "line-width": byZoom(10, 0.8, 15, 1.6) },
    },
  ];
}

/** What is shown over land and water, or over a basemap. */
export function overlayLayers(colours: Palette): LayerSpecification[] {
  return [
    {
      id: "grid",
      type: "line",
      source: "grid",
      paint: { "line-color": colours.grid, "line-opacity": byZoom(10, 0.05, 14, 0.09), "line-width": 0.7 },
    },
    {
      id: "fine-grid",
      type: "line",
      source: "fine-grid",
      minzoom: 12.5,
      paint: { "line-color": colours.grid, "line-opacity": byZoom(12.5, 0, 14.5, 0.07), "line-width": 0.6 },
    },
    {
      id: "outside",
      type: "fill",
      source: "outside",
      paint: { "fill-color": colours.outside, "fill-opacity": colours.outsideOpacity, "fill-antialias": false },
    },
    {
      id: "outside-edge",
      type: "line",
      source: "outside",
      paint: { "line-color": colours.grid, "line-opacity": 0.22, "line-width": 1, "line-dasharray": [3, 4] },
    },
    {
      id: "zone-ground",
      type: "line",
      source: "zones",
      paint: { "line-color": colours.zone, "line-opacity": 0.7, "line-width": 1.2, "line-dasharray": [2, 1.5] },
    },
    {
      id: "zones",
      type: "fill-extrusion",
      source: "zones",
      paint: {
        "fill-extrusion-color": colours.zone,
        "fill-extrusion-base": ["get", "floor"],
        "fill-extrusion-height": ["get", "ceiling"],
        "fill-extrusion-opacity": 0.2,
        "fill-extrusion-vertical-gradient": true,
      },
    },
    {
      id: "places",
      type: "circle",
      source: "places",
      minzoom: 11.5,
      paint: {
        "circle-radius": byZoom(12, 1.5, 16, 3.5),
        "circle-color": colours.place,
        "circle-opacity": byZoom(11.5, 0.5, 13, 0.9),
      },
    },
    {
      id: "hub-apron",
      type: "circle",
      source: "hubs",
      paint: {
        "circle-radius": byZoom(10, 6, 16, 26),
        "circle-color": colours.hubRing,
        "circle-opacity": 0.12,
        "circle-stroke-color": colours.hubRing,
        "circle-stroke-opacity": 0.55,
        "circle-stroke-width": 1,
        "circle-pitch-alignment": "map",
        "circle-pitch-scale": "map",
      },
    },
    {
      id: "hubs",
      type: "circle",
      source: "hubs",
      paint: {
        "circle-radius": byZoom(10, 2.2, 16, 4.5),
        "circle-color": colours.hub,
      },
    },
    {
      id: "zone-names",
      type: "symbol",
      source: "zones",
      minzoom: 12,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "text-max-width": 8 },
      paint: { "text-color": colours.zone, "text-halo-color": colours.halo, "text-halo-width": 1.4 },
    },
    {
      id: "place-names",
      type: "symbol",
      source: "places",
      minzoom: 12.5,
      layout: {
        "text-field": ["get", "name"],
        "text-font": FONT,
        "text-size": byZoom(12.5, 10.5, 16, 13),
        "text-variable-anchor": ["top", "bottom", "left", "right"],
        "text-radial-offset": 0.6,
        "text-max-width": 9,
      },
      paint: { "text-color": colours.soft, "text-halo-color": colours.halo, "text-halo-width": 1.4 },
    },
    {
      id: "hub-names",
      type: "symbol",
      source: "hubs",
      minzoom: 10.5,
      layout: {
        "text-field": [
          "format",
          ["get", "name"],
          { "text-font": ["literal", BOLD] },
          ["case", ["==", ["get", "detail"], ""], "", ["concat", "\n", ["get", "detail"]]],
          { "font-scale": 0.86, "text-color": colours.soft },
        ],
        "text-font": BOLD,
        "text-size": byZoom(11, 11, 16, 14),
        "text-variable-anchor": ["top", "bottom", "right", "left"],
        "text-radial-offset": 1.1,
        "text-max-width": 11,
        "text-justify": "auto",
        "symbol-sort-key": 0,
      },
      paint: { "text-color": colours.ink, "text-halo-color": colours.halo, "text-halo-width": 1.6 },
    },
  ];
}

function byZoom(zoomA: number, a: number, zoomB: number, b: number): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], zoomA, a, zoomB, b];
}

function geojson(data: GeoJSONSourceSpecification["data"]): GeoJSONSourceSpecification {
  return { type: "geojson", data, tolerance: 0.2 };
}

function feature(geometry: Geometry): Feature {
  return { type: "Feature", properties: {}, geometry };
}

function landOf(world: World): FeatureCollection {
  const { land } = world.area;
  return { type: "FeatureCollection", features: land ? [feature(land)] : [] };
}

/** All but the area: it is there, but nothing happens in it. */
function outsideOf([west, south, east, north]: Bbox): Feature {
  const globe: Position[] = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];
  const area: Position[] = [[west, south], [west, north], [east, north], [east, south], [west, south]];
  return feature({ type: "Polygon", coordinates: [globe, area] });
}

/** Lines at round degrees, so that about so many of them cross the area. */
function gridOf([west, south, east, north]: Bbox, count: number): Feature {
  const step = roundStep((north - south) / count);
  const lines: Position[][] = [];
  for (let x = Math.ceil(west / step) * step; x < east; x += step) {
    lines.push([[x, south], [x, north]]);
  }
  for (let y = Math.ceil(south / step) * step; y < north; y += step) {
    lines.push([[west, y], [east, y]]);
  }
  return feature({ type: "MultiLineString", coordinates: lines });
}

/** The next 1, 2 or 5 times a power of ten. */
function roundStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(atLeast));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= atLeast) ?? 10;
  return factor * power;
}

export function hubPoints(hubs: Hub[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: hubs.map((hub) => ({
      type: "Feature",
      properties: { id: hub.id, name: hub.name, detail: hubDetail(hub) },
      geometry: { type: "Point", coordinates: [hub.location.longitude, hub.location.latitude] },
    })),
  };
}

/** What stands and waits there, which only operators are told. */
function hubDetail({ charging, parked, queued, closed }: Hub): string {
  if (closed) return "closed";
  if (charging === null || parked === null) return "";
  const parts = [`${charging + parked} here`];
  if (queued !== null && queued > 0) parts.push(`${queued} waiting`);
  return parts.join(" · ");
}

function placePoints(places: Place[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: places.map(({ name, location }) => ({
      type: "Feature",
      properties: { name },
      geometry: { type: "Point", coordinates: [location.longitude, location.latitude] },
    })),
  };
}
