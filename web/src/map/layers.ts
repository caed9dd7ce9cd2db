// The moving part of the map, as deck.gl layers: drones with their stems and shadows, the
// selected drone's trail and route, and densities where single drones may not be seen.

import { COORDINATE_SYSTEM, type BinaryAttribute, type Layer } from "@deck.gl/core";
import { LineLayer, PathLayer, ScatterplotLayer, SolidPolygonLayer } from "@deck.gl/layers";
import type { Location, Sample } from "@skyhaul/client";

import type { Theme } from "../state/settings";
import { DroneLayer } from "./drone_layer";
import type { DroneArrays, Shown } from "./drones";
import { PALETTES, doingOf, type Rgb } from "./palette";
import type { End } from "./ends";
import type { Place, Route, RouteLeg, WayPoint } from "./route";

/** Nearer than this drones get stems and shadows; farther out those would be noise. */
export const STEM_ZOOM = 11.8;

export interface Scene {
  theme: Theme;
  zoom: number;
  /** Of a drone, in pixels. */
  radius: number;
  origin: [longitude: number, latitude: number];
  sample: Sample;
  arrays: DroneArrays;
  selected: Shown | undefined;
  trail: Float64Array;
  /** What the selected drone has still to fly. */
  route: Route | null;
  /** Of the selected delivery, or of what the selected drone does. */
  ends: End[];
  density: [latitude: number, longitude: number, count: number][];
  /** That carries the selected delivery. */
  van: Location | null;
}

export function layersOf(scene: Scene): Layer[] {
  return [
    densityLayer(scene),
    bearingLayer(scene),
    routeLayer(scene),
    ...wayPointLayers(scene),
    trailLayer(scene),
    shadowLayer(scene),
    stemLayer(scene),
    selectedStemLayer(scene),
    droneLayer(scene),
    ringLayer(scene),
    vanLayer(scene),
  ];
}

/** Bytes that the graphics card reads as 0 to 1, which deck.gl's types do not know. */
function colourAttribute(value: Uint8Array): BinaryAttribute {
  return { value, size: 4, normalized: true } as BinaryAttribute;
}

/** Share of the window that drones may cover before they are drawn smaller. */
const MOST_COVERED = 0.1;

/**
 * Radius of a drone in pixels: a dot over the whole city, an arrow in its streets, and never
 * so large that a crowd hides the ground.
 */
export function droneRadius(zoom: number, drones: number, pixels: number): number {
  const wanted = Math.min(16, Math.max(3.4, 4.2 + (zoom - 10) * 2.3));
  const room = Math.sqrt((MOST_COVERED * pixels) / Math.max(1, drones));
  return Math.max(2, Math.min(wanted, room));
}

function droneLayer({ theme, zoom, radius, origin, sample, arrays }: Scene): Layer {
  return new DroneLayer({
    id: "drones",
    data: {
      length: sample.length,
      attributes: {
        getPosition: { value: sample.positions, size: 3 },
        getAngle: { value: sample.headings, size: 1 },
        getFillColor: colourAttribute(arrays.colours),
      },
    },
    coordinateSystem: COORDINATE_SYSTEM.LNGLAT_OFFSETS,
    coordinateOrigin: [...origin, 0],
    radiusUnits: "pixels",
    getRadius: 1,
    radiusScale: radius,
    stroked: true,
    lineWidthUnits: "pixels",
    getLineWidth: 1,
    lineWidthScale: zoom < 12 || radius < 6 ? 0.7 : 1.4,
    getLineColor: [...PALETTES[theme].outline, 235],
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function stemLayer({ theme, zoom, origin, sample, arrays }: Scene): Layer {
  return new LineLayer({
    id: "stems",
    visible: zoom >= STEM_ZOOM,
    data: {
      length: sample.length,
      attributes: {
        getSourcePosition: { value: arrays.ground, size: 3 },
        getTargetPosition: { value: sample.positions, size: 3 },
        getColor: colourAttribute(arrays.colours),
      },
    },
    coordinateSystem: COORDINATE_SYSTEM.LNGLAT_OFFSETS,
    coordinateOrigin: [...origin, 0],
    getWidth: 1,
    opacity: stemOpacity(zoom, theme),
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function stemOpacity(zoom: number, theme: Theme): number {
  const most = theme === "dark" ? 0.34 : 0.42;
  return most * Math.min(1, Math.max(0.25, (zoom - STEM_ZOOM) / 2));
}

function shadowLayer({ theme, zoom, radius, origin, sample, arrays }: Scene): Layer {
  return new ScatterplotLayer({
    id: "shadows",
    visible: zoom >= STEM_ZOOM,
    data: {
      length: sample.length,
      attributes: {
        getPosition: { value: arrays.ground, size: 3 },
        getFillColor: colourAttribute(arrays.shadows),
      },
    },
    coordinateSystem: COORDINATE_SYSTEM.LNGLAT_OFFSETS,
    coordinateOrigin: [...origin, 0],
    radiusUnits: "pixels",
    getRadius: 1,
    radiusScale: Math.max(1, radius * 0.22),
    opacity: theme === "dark" ? 0.5 : 0.07,
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function selectedStemLayer({ theme, selected }: Scene): Layer {
  return new LineLayer<Shown>({
    id: "selected-stem",
    data: selected ? [selected] : [],
    getSourcePosition: ({ longitude, latitude }) => [longitude, latitude, 0],
    getTargetPosition: ({ longitude, latitude, height }) => [longitude, latitude, height],
    getColor: [...PALETTES[theme].selected, 200],
    getWidth: 1.5,
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function ringLayer({ theme, radius, selected }: Scene): Layer {
  return new ScatterplotLayer<Shown>({
    id: "ring",
    data: selected ? [selected] : [],
    getPosition: ({ longitude, latitude, height }) => [longitude, latitude, height],
    billboard: true,
    filled: true,
    stroked: true,
    radiusUnits: "pixels",
    getRadius: 1,
    radiusScale: radius + 7,
    lineWidthUnits: "pixels",
    getLineWidth: 2,
    getLineColor: [...PALETTES[theme].selected, 235],
    getFillColor: ({ status }) => [...PALETTES[theme].doing[doingOf(status)], 28],
    updateTriggers: { getFillColor: [theme, selected?.status] },
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function vanLayer({ theme, van }: Scene): Layer {
  return new ScatterplotLayer<Location>({
    id: "van",
    data: van ? [van] : [],
    getPosition: ({ longitude, latitude }) => [longitude, latitude, 0],
    billboard: true,
    stroked: true,
    radiusUnits: "pixels",
    getRadius: 8,
    lineWidthUnits: "pixels",
    getLineWidth: 2,
    getLineColor: [...PALETTES[theme].selected, 235],
    getFillColor: [...PALETTES[theme].doing.underway, 255],
    updateTriggers: { getFillColor: theme, getLineColor: theme },
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

/** The way that the drone came, brighter towards the drone. */
function trailLayer({ theme, trail }: Scene): Layer {
  const points = trail.length / 3;
  const colour = PALETTES[theme].trail;
  const colours = new Uint8Array(points * 4);
  for (let i = 0; i < points; i++) {
    colours.set([...colour, Math.round(50 + 170 * ((i + 1) / points) ** 1.6)], i * 4);
  }
  return new PathLayer({
    id: "trail",
    data: {
      length: points > 1 ? 1 : 0,
      startIndices: [0],
      attributes: { getPath: { value: trail, size: 3 }, getColor: colourAttribute(colours) },
    },
    _pathType: "open",
    getWidth: 1,
    widthUnits: "pixels",
    widthScale: 3,
    capRounded: true,
    jointRounded: true,
    billboard: true,
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

function routeLayer({ theme, route }: Scene): Layer {
  const { route: planned, routeHome } = PALETTES[theme];
  return new PathLayer<RouteLeg>({
    id: "route",
    data: route?.legs ?? [],
    getPath: ({ path }) => path,
    getColor: ({ leg }) => (leg === "home" ? [...routeHome, 110] : [...planned, 170]),
    getWidth: 1,
    widthUnits: "pixels",
    widthScale: 2,
    jointRounded: true,
    billboard: true,
    updateTriggers: { getColor: theme },
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

/** Where the package changes hands, right down to the ground; turns are dots on the way. */
function wayPointLayers({ theme, route, ends }: Scene): Layer[] {
  const colours = PALETTES[theme];
  const rgb: Record<WayPoint["kind"], Rgb> = {
    pickup: colours.pickupRgb,
    dropoff: colours.dropoffRgb,
    turn: colours.route,
    landing: colours.route,
  };
  const fade = (alpha: number, past: boolean) => (past ? alpha * 0.45 : alpha);
  return [
    new LineLayer<End>({
      id: "end-stems",
      data: ends,
      getSourcePosition: ({ at: [longitude, latitude] }) => [longitude, latitude, 0],
      getTargetPosition: ({ at }) => at,
      getColor: ({ kind, past }) => [...rgb[kind], fade(150, past)],
      getWidth: 1.2,
      updateTriggers: { getColor: theme },
      parameters: { depthCompare: "always", depthWriteEnabled: false },
    }),
    new ScatterplotLayer<End>({
      id: "ends",
      data: ends,
      getPosition: ({ at: [longitude, latitude] }) => [longitude, latitude, 0],
      radiusUnits: "pixels",
      getRadius: 11,
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 2.5,
      getFillColor: ({ kind, past }) => [...rgb[kind], fade(80, past)],
      getLineColor: ({ kind, past }) => [...rgb[kind], fade(255, past)],
      updateTriggers: { getFillColor: theme, getLineColor: theme },
      parameters: { depthCompare: "always", depthWriteEnabled: false },
    }),
    new ScatterplotLayer<WayPoint>({
      id: "way-points",
      data: route?.wayPoints ?? [],
      getPosition: ({ at }) => at,
      billboard: true,
      radiusUnits: "pixels",
      getRadius: ({ kind }) => (kind === "turn" ? 2.4 : 3.6),
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1.4,
      getFillColor: [...colours.outline, 255],
      getLineColor: ({ kind }) => [...rgb[kind], 235],
      updateTriggers: { getLineColor: theme },
      parameters: { depthCompare: "always", depthWriteEnabled: false },
    }),
  ];
}

/** Where nobody tells the plan: straight to what is next. */
function bearingLayer({ theme, route, ends, selected }: Scene): Layer {
  const next = ends.find(({ past }) => !past);
  const from: Place | undefined = selected
    ? [selected.longitude, selected.latitude, selected.height]
    : ends.find((end) => end !== next)?.at;
  return new LineLayer<End>({
    id: "bearing",
    data: next && from && !route ? [next] : [],
    getSourcePosition: () => from ?? [0, 0, 0],
    getTargetPosition: ({ at }) => at,
    getColor: [...PALETTES[theme].route, 110],
    getWidth: 1.5,
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

/** Cells of about 300 m, as the server counts them. */
function densityLayer({ theme, density }: Scene): Layer {
  return new SolidPolygonLayer<[number, number, number]>({
    id: "density",
    data: density,
    getPolygon: ([latitude, longitude]) => cell(latitude, longitude),
    getFillColor: ([, , count]) => [
      ...PALETTES[theme].doing.underway,
      Math.min(170, 30 + 28 * Math.log2(1 + count)),
    ],
    updateTriggers: { getFillColor: theme },
    parameters: { depthCompare: "always", depthWriteEnabled: false },
  });
}

const HALF_CELL_DEGREES = 0.00135;

/** A square a little smaller than the cell, around its middle. */
function cell(latitude: number, longitude: number): [number, number][] {
  const north = HALF_CELL_DEGREES * 0.92;
  const east = north / Math.cos((latitude * Math.PI) / 180);
  return [
    [longitude - east, latitude - north],
    [longitude + east, latitude - north],
    [longitude + east, latitude + north],
    [longitude - east, latitude + north],
  ];
}
