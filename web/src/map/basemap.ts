// The operator's own map under the drones (`--basemap`): a style of somebody's, raster
// tiles, or a PMTiles archive, whose vector tiles are drawn in this page's colours.

import {
  addProtocol,
  type FilterSpecification,
  type LayerSpecification,
  type SourceSpecification,
  type StyleSpecification,
} from "maplibre-gl";
import { PMTiles, Protocol, TileType } from "pmtiles";

import type { Theme } from "../state/settings";
import type { Basemap } from "../state/world";
import { PALETTES } from "./palette";
import { groundLayers } from "./style";

/** What a basemap puts in the place of land and water. */
export interface Ground {
  sources: Record<string, SourceSpecification>;
  layers: LayerSpecification[];
  glyphs?: string;
  sprite?: StyleSpecification["sprite"];
}

const SOURCE = "basemap";
let protocol: Protocol | undefined;

/** Null where the basemap cannot be had: the scenario's land and water are there then. */
export async function loadGround(basemap: Basemap, theme: Theme): Promise<Ground | null> {
  try {
    switch (basemap.kind) {
      case "raster":
        return raster([basemap.url], theme);
      case "style":
        return await fromStyle(basemap.url);
      case "pmtiles":
        return await fromArchive(new URL(basemap.url, location.href).href, theme);
    }
  } catch (error) {
    console.warn(`the basemap ${basemap.url} cannot be shown`, error);
    return null;
  }
}

function raster(tiles: string[], theme: Theme): Ground {
  return {
    sources: { [SOURCE]: { type: "raster", tiles, tileSize: 256 } },
    layers: [...underneath(theme), { id: SOURCE, type: "raster", source: SOURCE, paint: rasterPaint(theme) }],
  };
}

/** Bright maps would outshine the drones at night. */
function rasterPaint(theme: Theme) {
  return theme === "dark" ? { "raster-brightness-max": 0.5, "raster-saturation": -0.4 } : { "raster-saturation": -0.2 };
}

function underneath(theme: Theme): LayerSpecification[] {
  return groundLayers(PALETTES[theme], false).filter(({ type }) => type === "background");
}

async function fromStyle(url: string): Promise<Ground> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const style = (await response.json()) as StyleSpecification;
  return { sources: style.sources, layers: style.layers, glyphs: style.glyphs, sprite: style.sprite };
}

async function fromArchive(url: string, theme: Theme): Promise<Ground> {
  if (!protocol) {
    protocol = new Protocol();
    addProtocol("pmtiles", protocol.tile);
  }
  const archive = new PMTiles(url);
  protocol.add(archive);
  const { tileType } = await archive.getHeader();
  if (tileType !== TileType.Mvt) {
    return raster([`pmtiles://${url}/{z}/{x}/{y}`], theme);
  }
  const metadata = (await archive.getMetadata()) as { vector_layers?: { id: string }[] };
  const names = (metadata.vector_layers ?? []).map(({ id }) => id);
  return {
    sources: { [SOURCE]: { type: "vector", url: `pmtiles://${url}` } },
    layers: [...underneath(theme), ...names.flatMap((name) => vectorLayers(name, theme))],
  };
}

/** Layer names of the usual schemas (Protomaps, OpenMapTiles, Shortbread) by what they are. */
const KINDS: [kind: "land" | "water" | "green" | "building" | "road", names: RegExp][] = [
  ["water", /^(water|ocean|waterway|water_polygons)/],
  ["land", /^(earth|land)$/],
  ["green", /^(landuse|landcover|natural|park|sites)/],
  ["building", /^building/],
  ["road", /^(roads?|transportation|streets?|transit)$/],
];

function vectorLayers(name: string, theme: Theme): LayerSpecification[] {
  const colours = PALETTES[theme];
  const kind = KINDS.find(([, names]) => names.test(name))?.[0];
  const from = { source: SOURCE, "source-layer": name } as const;
  const id = `${SOURCE}-${name}`;
  const filter: FilterSpecification = ["==", ["geometry-type"], "Polygon"];
  switch (kind) {
    case "land":
      return [{ id, type: "fill", ...from, filter, paint: { "fill-color": colours.land } }];
    case "water":
      return [{ id, type: "fill", ...from, filter, paint: { "fill-color": colours.water } }];
    case "green":
      return [
        { id, type: "fill", ...from, filter, paint: { "fill-color": colours.green, "fill-opacity": 0.5 } },
      ];
    case "building":
      return [
        {
          id,
          type: "fill",
          ...from,
          filter,
          minzoom: 13,
          paint: { "fill-color": colours.building, "fill-opacity": 0.8 },
        },
      ];
    case "road":
      return [
        {
          id,
          type: "line",
          ...from,
          layout: { "line-join": "round", "line-cap": "round" },
          paint: {
            "line-color": colours.road,
            "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, 0.4, 14, 1.4, 18, 9],
          },
        },
      ];
    default:
      return [];
  }
}
