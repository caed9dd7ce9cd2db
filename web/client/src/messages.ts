// The messages of the server's WebSocket, as its AsyncAPI description has them.

export type Bbox = [west: number, south: number, east: number, north: number];
export type DroneStatus =
  | "parked" | "charging" | "climbing" | "cruising" | "descending"
  | "hovering" | "returning" | "holding" | "grounded" | "lost";
/** Drone, latitude, longitude, metres above the ground, heading °, ground speed m/s, battery 0–1, status. */
export type PositionRow = [string, number, number, number, number, number, number, DroneStatus];
export type Speed = number | "max";
export type Stage =
  | "Created" | "Assigned" | "HeadedToPickup" | "PickedUp" | "HeadedToDropoff"
  | "AwaitingConfirmation" | "Completed" | "Cancelled" | "Failed" | (string & {});

export interface Location { altitude: number; latitude: number; longitude: number }
export interface WelcomeMessage {
  type: "welcome"; session: string; version: string; protocol: string; epoch: string;
  tick: number; simTime: string; speed: Speed; playback: boolean;
}
export interface SubscribedMessage { type: "subscribed"; id: number; recovered: boolean; hz: number; bbox?: Bbox }
export interface UnsubscribedMessage { type: "unsubscribed"; id: number }
export interface DeliverySnapshot {
  id: string; stage: Stage; droneId: string | null; location: Location;
  pickupEta: string | null; deliveryEta: string | null;
}
export interface Drone {
  id: string; model: string; hub: string; status: DroneStatus; location: Location; heading: number;
  groundSpeed: number; verticalSpeed: number; battery: number; deliveryId: string | null; payloadKg: number;
}
export interface Hub {
  id: string; name: string; location: Location; pads: number; chargers: number;
  charging: number; queued: number; parked: number;
}
export interface DeliveryCounts { accepted: number; waiting: number; underWay: number; completed: number; failed: number }
export interface Fleet {
  drones: number; airborne: number; charging: number; lost: number; speed: Speed; realTimeFactor: number;
  tickSlipMs: number; state: "running" | "paused" | "stalled"; deliveries: DeliveryCounts;
  [more: string]: unknown;
}
export interface SnapshotMessage {
  type: "snapshot"; id: number; seq?: number; tick: number; simTime: string;
  delivery?: DeliverySnapshot; drone?: Drone; hub?: Hub; fleet?: Fleet;
}
export interface PositionsMessage {
  type: "positions"; id: number; tick: number; simTime: string; sentAt: number; full: boolean;
  drones: PositionRow[]; gone: string[];
}
export interface EventBody { kind: string; deliveryId?: string; droneId?: string; hub?: string; [more: string]: unknown }
export interface EventMessage {
  type: "event"; id: number; seq: number; tick: number; simTime: string; event: EventBody;
}
export interface FleetMessage { type: "fleet"; id: number; tick: number; simTime: string; fleet: Fleet }
export interface DensityMessage {
  type: "density"; id: number; tick: number; simTime: string; cells: [latitude: number, longitude: number, count: number][];
}
export interface PressureMessage { type: "pressure"; id: number; level: number; effectiveHz: number; conflated: number }
export type ErrorCode =
  | "bad_message" | "unknown_type" | "unknown_topic" | "duplicate_id" | "duplicate_topic" | "unknown_id"
  | "too_many" | "not_found" | "forbidden" | "unauthorized" | "rate_limited";
export interface ErrorMessage { type: "error"; id?: number; code: ErrorCode; message: string }
export interface PongMessage { type: "pong"; sent: number | null }
export interface ByeMessage { type: "bye"; code: string; message: string }
export type ServerMessage =
  | WelcomeMessage | SubscribedMessage | UnsubscribedMessage | SnapshotMessage | PositionsMessage | EventMessage
  | FleetMessage | DensityMessage | PressureMessage | ErrorMessage | PongMessage | ByeMessage;

export interface Since { epoch: string; seq: number }
export interface SubscribeMessage {
  type: "subscribe"; id: number; topic: string; bbox?: Bbox; maxHz?: number; since?: Since;
}
export interface UpdateMessage { type: "update"; id: number; bbox?: Bbox; maxHz?: number }
export interface UnsubscribeMessage { type: "unsubscribe"; id: number }
export interface PingMessage { type: "ping"; sent?: number }
export interface AuthMessage { type: "auth"; token: string }
export type ClientMessage = SubscribeMessage | UpdateMessage | UnsubscribeMessage | PingMessage | AuthMessage;
