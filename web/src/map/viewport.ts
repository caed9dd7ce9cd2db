// Only what is in view is asked of the server: one `area` subscription that moves along
// with the camera, less often the farther out it is.

import type { Bbox, Skyhaul, Subscription } from "@skyhaul/client";
import type { Handlers } from "@skyhaul/client";
import type { Map as MapLibre } from "maplibre-gl";

/** Room around the view, so that a small move needs nothing new. */
const MARGIN = 0.15;
const SETTLE_MS = 180;

/** Positions a second by zoom: far out a drone crosses a pixel in seconds. */
const RATES: [belowZoom: number, hz: number][] = [
  [10, 1],
  [11.5, 2],
  [14.5, 5],
  [Infinity, 10],
];

const CROWD = 6000;
const CROWD_HZ = 2;
/** It has to become much smaller to be none any more, or the rate would go up and down. */
const STAYS_CROWD = 0.7;

export class Viewport {
  #subscription: Subscription | undefined;
  #asked: Bbox | undefined;
  #hz = 0;
  #crowded = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly sky: Skyhaul,
    private readonly map: MapLibre,
    private readonly area: Bbox,
    private readonly handlers: Handlers,
    /** Whether there is anything to see but what is followed. */
    private watching: boolean,
  ) {
    map.on("move", () => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#look();
      }, SETTLE_MS);
    });
    map.on("resize", () => this.#look());
    this.#look();
  }

  /** Nothing more is asked. */
  close(): void {
    this.watching = false;
    clearTimeout(this.#timer);
    this.#subscription?.close();
  }

  /** So many drones are in view. Each message about a crowd takes a while to read, so it comes less often. */
  saw(drones: number): void {
    this.#crowded = drones > (this.#crowded ? CROWD * STAYS_CROWD : CROWD);
    this.#look();
  }

  /** West, south, east, north of what is subscribed now. */
  get asked(): Bbox | undefined {
    return this.#asked;
  }

  get hz(): number {
    return this.#hz;
  }

  #look(): void {
    if (!this.watching) return;
    const view = this.#inView();
    const zoom = this.map.getZoom();
    const hz = Math.min(RATES.find(([below]) => zoom < below)![1], this.#crowded ? CROWD_HZ : Infinity);
    if (this.#asked && hz === this.#hz && contains(this.#asked, view) && !muchLarger(this.#asked, view)) return;
    const bbox = clipped(widened(view), this.area);
    this.#asked = bbox;
    this.#hz = hz;
    if (this.#subscription) this.#subscription.update({ bbox, maxHz: hz });
    else this.#subscription = this.sky.subscribe("area", { bbox, maxHz: hz }, this.handlers);
  }

  #inView(): Bbox {
    const bounds = this.map.getBounds();
    return clipped(
      [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()],
      this.area,
    );
  }
}

function widened([west, south, east, north]: Bbox): Bbox {
  const across = (east - west) * MARGIN;
  const up = (north - south) * MARGIN;
  return [west - across, south - up, east + across, north + up];
}

/** The part within the area; a view beside it keeps a sliver of the area's rim. */
function clipped([west, south, east, north]: Bbox, area: Bbox): Bbox {
  const [areaWest, areaSouth, areaEast, areaNorth] = area;
  const sliver = 1e-4;
  const left = Math.min(Math.max(west, areaWest), areaEast - sliver);
  const below = Math.min(Math.max(south, areaSouth), areaNorth - sliver);
  return [
    left,
    below,
    Math.max(Math.min(east, areaEast), left + sliver),
    Math.max(Math.min(north, areaNorth), below + sliver),
  ];
}

function contains(outer: Bbox, inner: Bbox): boolean {
  return outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];
}

/** More is followed than is seen: not worth its bytes. */
function muchLarger(outer: Bbox, inner: Bbox): boolean {
  const size = ([west, south, east, north]: Bbox) => (east - west) * (north - south);
  return size(outer) > 3 * size(widened(inner));
}
