// The map itself: MapLibre for what stands still, deck.gl on top of it for what moves, and
// one loop that draws every frame. Signals say what to show; nothing here asks who set them.

import { MapboxOverlay } from "@deck.gl/mapbox";
import { PositionBuffer, type PositionsMessage } from "@skyhaul/client";
import { effect } from "@preact/signals";
import { Map as MapLibre, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

import { connection, moves, reads, sky } from "../state/session";
import { select, selectedDrone, selection } from "../state/selection";
import { embedded, half, kiosk, theme, type Theme } from "../state/settings";
import { gaze } from "../state/gaze";
import { mirror } from "../state/mirror";
import { mapTrouble } from "../state/map";
import { isPast, type Story } from "../state/story";
import { carrier, passing, story } from "../state/tracking";
import { van } from "../state/van";
import { viewer } from "../state/viewer";
import { hubs, zones, type World } from "../state/world";
import { loadGround } from "./basemap";
import { FollowCamera, PITCH, firstLook, lookAt, type Spot } from "./camera";
import { DroneArrays, isDrawn, type Shown } from "./drones";
import { endsOf } from "./ends";
import { hovered } from "./hover";
import { STEM_ZOOM, droneRadius, layersOf, type Scene } from "./layers";
import { doingOf } from "./palette";
import { nearestDrone } from "./picking";
import { setPinOnClick, showPins } from "./pins";
import { ahead, loadRoute, type Route } from "./route";
import { hubPoints, mapStyle } from "./style";
import { Trail } from "./trail";
import { Viewport } from "./viewport";

setWorkerUrl(workerUrl);

/** Room for a large fleet from the start. */
const CAPACITY = 32_768;
const MOUSE_REACH = 16;
const FINGER_REACH = 28;
const ROUTE_EVERY_MS = 5000;

export class SkyMap {
  readonly map: MapLibre;
  readonly buffer: PositionBuffer;
  readonly viewport: Viewport;
  /** Milliseconds that the last frames took to prepare, newest last. */
  readonly frameMs: number[] = [];
  readonly #overlay: MapboxOverlay;
  readonly #origin: [number, number];
  readonly #arrays = new DroneArrays();
  readonly #trail = new Trail();
  readonly #camera: FollowCamera;
  readonly #undo: (() => void)[] = [];
  #density: Scene["density"] = [];
  #route: Route | null = null;
  #frame = 0;
  #isGone = false;
  /** Time was moved, and nothing has come of the moment where it is now. */
  #moved = false;
  /** What the last drawn frame showed. */
  #looked: unknown[] = [];
  #pointer: { x: number; y: number } | null = null;

  constructor(container: HTMLElement, world: World) {
    const [west, south, east, north] = world.area.bbox;
    this.#origin = [(west + east) / 2, (south + north) / 2];
    this.buffer = new PositionBuffer({ origin: this.#origin, capacity: CAPACITY });
    this.map = new MapLibre({
      container,
      style: mapStyle(world, { hubs: hubs.peek(), zones: zones.peek() }, theme.peek(), null),
      center: this.#origin,
      zoom: 11,
      pitch: PITCH,
      maxPitch: 75,
      maxZoom: 19,
      minZoom: 8,
      attributionControl: false,
      interactive: !kiosk,
      keyboard: !embedded,
      fadeDuration: 150,
    });
    this.#undo.push(firstLook(this.map, world));
    if (half) this.#undo.push(mirror(this.map));
    this.#overlay = new MapboxOverlay({ interleaved: false, layers: [] });
    this.map.addControl(this.#overlay);
    this.#camera = new FollowCamera(this.map);
    this.viewport = new Viewport(sky, this.map, world.area.bbox, {
      subscribed: (message) => this.buffer.expect(message.hz),
      pressure: (message) => this.buffer.expect(message.effectiveHz),
      positions: (message) => {
        this.#arrive(message);
        if (message.full) this.viewport.saw(message.drones.length);
      },
      density: (message) => (this.#density = message.cells),
    }, viewer.peek().delivery === undefined);
    this.#followSignals(world);
    this.#listen();
    this.#frame = requestAnimationFrame(this.#draw);
  }

  destroy(): void {
    this.#isGone = true;
    cancelAnimationFrame(this.#frame);
    for (const undo of this.#undo) undo();
    this.viewport.close();
    this.map.remove();
  }

  /** The basemap comes when it is there; the scenario's own land and water do not wait for it. */
  async #restyle(world: World, wanted: Theme): Promise<void> {
    const ground = world.basemap && (await loadGround(world.basemap, wanted));
    if (theme.peek() !== wanted) return;
    this.map.setStyle(mapStyle(world, { hubs: hubs.peek(), zones: zones.peek() }, wanted, ground));
  }

  #followSignals(world: World): void {
    let shownTheme = theme.peek();
    if (world.basemap) void this.#restyle(world, shownTheme);
    this.#undo.push(
      effect(() => {
        if (theme.value === shownTheme) return;
        shownTheme = theme.value;
        void this.#restyle(world, shownTheme);
      }),
      effect(() => {
        const data = hubPoints(hubs.value);
        void this.map.getSource<GeoJSONSource>("hubs")?.setData(data);
      }),
      effect(() => {
        const data = zones.value;
        void this.map.getSource<GeoJSONSource>("zones")?.setData(data);
      }),
      effect(() => {
        const drone = selectedDrone.value;
        // At another moment it flies another way.
        void [moves.value, reads.value];
        this.#route = null;
        if (!drone) return;
        const refresh = async () => {
          if (!this.#isAirborne(drone)) {
            this.#route = null;
            return;
          }
          const asked = reads.peek();
          const route = await loadRoute(drone);
          if (selectedDrone.peek() === drone && reads.peek() === asked) this.#route = route;
        };
        void refresh();
        const timer = setInterval(() => void refresh(), ROUTE_EVERY_MS);
        return () => clearInterval(timer);
      }),
      effect(() => {
        if (moves.value === 0) return;
        this.#moved = true;
        this.#density = [];
        this.#trail.forget();
      }),
      effect(() => {
        // Another past: what was drawn belongs to a world that is gone.
        if (connection.value.state === "resumed") this.#density = [];
      }),
      effect(() => {
        if (carrier.value === null && viewer.peek().role !== "operator") this.buffer.reset();
      }),
      effect(() => {
        // Who may not see the area sees the one drone of their delivery, while it has the package.
        const message = passing.value;
        if (message && carrier.peek() && viewer.peek().role !== "operator") this.#arrive(message);
      }),
      effect(() => {
        if (gaze.value) lookAt(this.map, gaze.value);
      }),
      showPins(this.map),
    );
    // A new style begins with the hubs and zones of when it was made.
    this.map.on("styledata", () => {
      void this.map.getSource<GeoJSONSource>("hubs")?.setData(hubPoints(hubs.peek()));
    });
  }

  /** After a leap in time drones are where they are then; they fly there from nowhere. */
  #arrive(message: PositionsMessage): void {
    if (this.#moved) {
      this.buffer.reset();
      this.#camera.leap();
    }
    this.#moved = false;
    this.buffer.take(message);
  }

  /** Only then it has a plan to ask for. */
  #isAirborne(drone: string): boolean {
    const status = this.buffer.shown(drone)?.status;
    return status !== undefined && isDrawn(status) && doingOf(status) !== "trouble";
  }

  #listen(): void {
    this.map.on("mousemove", (event) => (this.#pointer = event.point));
    this.map.on("webglcontextlost", () => (mapTrouble.value = "lost"));
    this.map.on("webglcontextrestored", () => (mapTrouble.value = null));
    this.map.on("mouseout", () => (this.#pointer = null));
    this.map.on("click", (event) => this.#click(event));
  }

  #click(event: MapMouseEvent): void {
    if (setPinOnClick(event.lngLat)) return;
    const touched = event.originalEvent instanceof PointerEvent && event.originalEvent.pointerType === "touch";
    const id = this.#droneAt(event.point, touched ? FINGER_REACH : MOUSE_REACH);
    if (id) {
      select({ kind: "drone", id });
      return;
    }
    const [hub] = this.map.queryRenderedFeatures(event.point, { layers: ["hub-apron", "hub-names"] });
    const hubId: unknown = hub?.properties.id;
    select(typeof hubId === "string" ? { kind: "hub", id: hubId } : null);
  }

  #droneAt(point: { x: number; y: number }, reach: number): string | undefined {
    const [viewport] = this.#viewports();
    if (!viewport) return undefined;
    const sample = this.buffer.sample(performance.now());
    return this.buffer.idAt(nearestDrone(viewport, sample, this.#origin, point.x, point.y, reach));
  }

  #viewports() {
    const deck = (this.#overlay as unknown as { _deck?: import("@deck.gl/core").Deck })._deck;
    return deck?.isInitialized ? deck.getViewports() : [];
  }

  #hover(): void {
    const point = this.#pointer;
    const id = point && !this.map.isMoving() ? this.#droneAt(point, MOUSE_REACH) : undefined;
    const drone = id ? this.buffer.shown(id) : undefined;
    hovered.value = point && drone ? { drone, x: point.x, y: point.y } : null;
    this.map.getCanvas().style.cursor = drone ? "pointer" : "";
  }

  readonly #draw = (): void => {
    if (this.#isGone) return;
    this.#frame = requestAnimationFrame(this.#draw);
    const began = performance.now();
    const zoom = this.map.getZoom();
    const sample = this.buffer.sample(began);
    const id = selectedDrone.peek();
    const selected: Shown | undefined = id ? this.buffer.shown(id) : undefined;
    const told = selection.peek()?.kind === "delivery" ? story.peek() : null;
    this.#camera.step(selected, began, framed(told));
    this.#hover();
    const { clientWidth, clientHeight } = this.map.getContainer();
    const size = clientWidth * clientHeight;
    const looks = [sample.simTime, sample.length, zoom, size, theme.peek(), id, told, this.#route, this.#density, van.peek()];
    // A world that stands still is drawn once.
    if (looks.every((value, index) => value === this.#looked[index])) return;
    this.#looked = looks;
    const route = this.#route && selected ? ahead(this.#route, selected, sample.simTime) : null;
    this.#arrays.fill(sample, theme.peek(), zoom >= STEM_ZOOM);
    this.#overlay.setProps({
      layers: layersOf({
        theme: theme.peek(),
        zoom,
        radius: droneRadius(zoom, this.#arrays.drawn, size),
        origin: this.#origin,
        sample,
        arrays: this.#arrays,
        selected,
        trail: this.#trail.add(selected, sample.simTime, this.#route),
        route,
        ends: endsOf(told, route),
        density: this.#density,
        van: van.peek(),
      }),
    });
    this.frameMs.push(performance.now() - began);
    if (this.frameMs.length > 240) this.frameMs.shift();
  };

  get routed(): boolean {
    return this.#route !== null;
  }

  /** Where a drone is drawn, in pixels from the map's top left corner. */
  screen(id: string): { x: number; y: number } | null {
    const drone = this.buffer.shown(id);
    const [viewport] = this.#viewports();
    if (!drone || !viewport) return null;
    const [x, y] = viewport.project([drone.longitude, drone.latitude, drone.height]);
    return { x: x!, y: y! };
  }
}

/** Where those who only watch want to see the drone arrive; who works here looks at the drone. */
function framed(told: Story | null): Spot | null {
  if (!told || told.ending || (!kiosk && !embedded && viewer.peek().delivery === undefined)) return null;
  return isPast(told, "pickedUp") ? told.dropoff : told.pickup;
}
