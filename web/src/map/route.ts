// The planned route of the selected drone, asked for when it is selected and again when its
// plan may have changed. A drone on the ground has none.

import { token } from "../state/token";

export interface Route {
  /** Longitude, latitude, metres above the ground. */
  path: [number, number, number][];
  wayPoints: [number, number, number][];
}

export async function loadRoute(droneId: string): Promise<Route | null> {
  const bearer = token.peek();
  const headers: Record<string, string> = bearer ? { Authorization: `Bearer ${bearer}` } : {};
  try {
    const response = await fetch(`/api/drones/${encodeURIComponent(droneId)}/route`, { headers });
    return response.ok ? routeFrom(await response.json()) : null;
  } catch {
    return null;
  }
}

/** Any GeoJSON with a line in it, or a list of way-points with locations. */
function routeFrom(body: unknown): Route | null {
  const path = positionsIn(body);
  return path.length > 1 ? { path, wayPoints: path } : null;
}

function positionsIn(value: unknown): [number, number, number][] {
  if (typeof value !== "object" || value === null) return [];
  const object = value as Record<string, unknown>;
  if (object.type === "LineString" && Array.isArray(object.coordinates)) {
    return object.coordinates.map(([x, y, z]: number[]) => [x!, y!, z ?? 0]);
  }
  return [...(Array.isArray(object.features) ? object.features : []), object.geometry, object.path].flatMap(positionsIn);
}
