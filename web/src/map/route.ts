// Where the selected drone is going: its planned route, as the server tells it, and what is
// left of it at a moment. A drone on the ground has none.

import { reads } from "../state/session";
import { viewer } from "../state/viewer";
import type { Shown } from "./drones";

export type Leg = "toPickup" | "toDropoff" | "home";
/** Longitude, latitude, metres above the ground. */
export type Place = [longitude: number, latitude: number, height: number];

export interface RouteLeg {
  leg: Leg;
  path: Place[];
  /** When each place is reached as planned, milliseconds of simulated time. */
  times: number[];
}

export interface WayPoint {
  kind: "turn" | "pickup" | "dropoff" | "landing";
  at: Place;
  time: number;
}

export interface Route {
  legs: RouteLeg[];
  wayPoints: WayPoint[];
}

/** The interesting part of `GET /api/drones/{id}/route`. */
interface Answer {
  features: {
    geometry: { type: "LineString"; coordinates: Place[] } | { type: "Point"; coordinates: Place };
    properties: { leg: Leg; times?: string[]; wayPoint?: WayPoint["kind"]; time?: string };
  }[];
}

export async function loadRoute(droneId: string): Promise<Route | null> {
  const answer = await reads.peek().get<Answer>(`/api/drones/${encodeURIComponent(droneId)}/route`).catch(() => null);
  return answer && seen(routeOf(answer));
}

function routeOf({ features }: Answer): Route {
  const route: Route = { legs: [], wayPoints: [] };
  for (const { geometry, properties } of features) {
    if (geometry.type === "LineString") {
      const times = (properties.times ?? []).map((time) => Date.parse(time));
      route.legs.push({ leg: properties.leg, path: geometry.coordinates, times });
    } else if (properties.wayPoint) {
      route.wayPoints.push({
        kind: properties.wayPoint,
        at: geometry.coordinates,
        time: Date.parse(properties.time ?? ""),
      });
    }
  }
  return route;
}

/** A customer sees the way of the package, not where the drone comes from or goes afterwards. */
function seen({ legs, wayPoints }: Route): Route {
  if (viewer.peek().role !== "customer") return { legs, wayPoints };
  return {
    legs: legs.filter(({ leg }) => leg === "toDropoff"),
    wayPoints: wayPoints.filter(({ kind }) => kind === "dropoff"),
  };
}

/** What is still to be flown, beginning at the drone itself. */
export function ahead(route: Route, drone: Shown, simTime: number): Route {
  const here: Place = [drone.longitude, drone.latitude, drone.height];
  const legs: RouteLeg[] = [];
  for (const { leg, path, times } of route.legs) {
    const next = times.findIndex((time) => time > simTime);
    if (next < 0) continue;
    const begun = legs.length === 0;
    const left = path.slice(next);
    legs.push({ leg, path: begun ? [here, ...left] : path, times });
  }
  return { legs, wayPoints: route.wayPoints.filter(({ time }) => time > simTime) };
}
