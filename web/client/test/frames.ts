// Positions messages, as a server would send them.

import type { DroneStatus, PositionRow, PositionsMessage } from "../src/messages.js";

export const START = Date.parse("2026-06-01T18:00:00Z");

export interface Flight {
  id: string;
  latitude: number;
  longitude: number;
  height?: number;
  heading?: number;
  status?: DroneStatus;
}

export function row(flight: Flight): PositionRow {
  const { id, latitude, longitude, height = 60, heading = 0, status = "cruising" } = flight;
  return [id, latitude, longitude, height, heading, 14, 0.8, status];
}

/** A message that left the server at `sentAt`, when the world was `simSeconds` old. */
export function positions(
  sentAt: number,
  simSeconds: number,
  flights: Flight[],
  more: Partial<PositionsMessage> = {},
): PositionsMessage {
  return {
    type: "positions",
    id: 1,
    tick: Math.round(simSeconds * 10),
    simTime: new Date(START + simSeconds * 1000).toISOString(),
    sentAt,
    full: false,
    drones: flights.map(row),
    gone: [],
    ...more,
  };
}
