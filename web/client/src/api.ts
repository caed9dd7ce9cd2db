// The HTTP routes that a page needs, with their types. Whatever is not here is a `get` or a
// `post` away.

import type { Bbox, Drone, DroneStatus, Hub, Location, Speed, Stage } from "./messages.js";

export interface ApiOptions {
  /** Where the server is, without a slash at the end; empty for where the page came from. */
  base?: string;
  token?: string;
  fetch?: typeof fetch;
}

/** RFC 9457: what went wrong, with every wrong field. */
export interface ProblemBody {
  /** Stable; what programs should look at. */
  type: string;
  title: string;
  status: number;
  detail: string;
  instance?: string;
  errors?: { pointer: string; detail: string }[];
}

/** An answer that is no success, or none at all (`status` 0). */
export class Problem extends Error {
  constructor(
    readonly body: ProblemBody,
    /** Where the server said when to try again, in seconds. */
    readonly retryAfter?: number,
  ) {
    super(body.detail || body.title);
    this.name = "Problem";
  }

  get status(): number {
    return this.body.status;
  }

  /** What is wrong with one field, by its JSON pointer (`/packageInfo/weight`). */
  field(pointer: string): string | undefined {
    return this.body.errors?.find((error) => error.pointer === pointer)?.detail;
  }
}

/** What to deliver; weights in pounds. */
export interface Order {
  ownerId: string;
  /** `latitude,longitude`, `altitude,latitude,longitude`, or a name. */
  pickupLocation: string;
  dropOffLocation: string;
  packageInfo: { packageId: string; size: "Small" | "Medium" | "Large"; weight: number; tag?: string };
  confirmationRequired?: "None" | "FingerPrint" | "Picture" | "Voice";
  deadline?: string;
  expedited?: boolean;
  /** RFC 3339; the past means now. */
  pickupTime?: string;
}

export interface Accepted extends Order {
  deliveryId: string;
}

/** What may change about an order; what is left out stays as it is. */
export type OrderChange = Partial<Pick<Order, "pickupLocation" | "dropOffLocation" | "deadline" | "pickupTime">>;

export interface Confirmation {
  kind: "FingerPrint" | "Picture" | "Voice";
  /** RFC 3339, simulated. */
  at: string;
  location: Location;
  blob?: string;
}

export interface RequestStatus {
  deliveryId: string;
  state:
    | "Queued"
    | "Running"
    | "AwaitingDrone"
    | "Retrying"
    | "Compensating"
    | "Scheduled"
    | "Failed"
    | "DeadLettered"
    | "Cancelled";
  step: string | null;
  attempts: number;
  waitingFor: string | null;
  reason?: string;
}

export interface Delivery {
  id: string;
  owner: { userId: string; accountId: string };
  pickup: Location;
  dropoff: Location;
  deadline: string;
  expedited: boolean;
  confirmationRequired: string;
  droneId: string | null;
  carrier: string | null;
  /** What the third party takes for it, in the scenario's money. */
  price?: number;
  /** What its package was tagged with. */
  tag?: string;
}

/** A delivery in a list. */
export interface ListedDelivery extends Delivery {
  stage: Stage;
}

export interface DeliveryStatus {
  stage: Stage;
  lastKnownLocation: Location;
  pickupETA: string | null;
  deliveryETA: string | null;
  /** A guess where nothing is promised. */
  estimate?: { pickupETA: string; deliveryETA: string };
  /** While its drone brings the package back: when that is at the hub. */
  returnETA?: string;
  price?: number;
}

export interface Page<T> {
  items: T[];
  /** The `cursor` of the next page. */
  next: string | null;
}

export interface Simulation {
  state: "running" | "paused" | "stalled";
  speed: Speed;
  tick: number;
  simTime: string;
  realTimeFactor: number;
  tickSlipMs: number;
  digest: string;
  epoch: string;
  /** Of a recording that is played; a live world has none. */
  playback?: Playback;
}

/** What of a recording is played, and how. */
export interface Playback {
  from: string;
  to: string;
  loop: boolean;
  /** Simulated, from one recorded frame to the next. */
  frameSeconds: number;
}

/** The recording of a live world that goes on, or the last one. */
export interface Recording {
  state: "off" | "recording" | "failed";
  name: string | null;
  file: string | null;
  bytes: number;
  /** The first moment in it; null before there is one. */
  from: string | null;
  gaps: number;
  failure: string | null;
}

/** A recording at a glance. */
export interface Timeline {
  from: string;
  to: string;
  /** Deliveries completed in each of so many stretches of equal length. */
  buckets: number[];
  marks: TimelineMark[];
  /** Those that are left out, as there are too many. */
  unmarked: number;
  /** Up to where the recording has been read for this; null once that is all of it. */
  gathered: string | null;
}

/** Something that went wrong. */
export interface TimelineMark {
  at: string;
  kind: "fault" | "loss" | "failure";
  /** The fault, the reason of a failure, `separation`, or `drone_lost`. */
  what: string;
  of: "drone" | "delivery" | "hub";
  id: string;
  /** The other drone of a loss of separation. */
  with?: string;
}

/** What if: a recording that goes on from a moment, otherwise. */
export interface Fork {
  id: number;
  at: string;
  set: Record<string, string>;
  /** The name of its file. */
  file: string;
  state: "running" | "done" | "failed" | "cancelled";
  /** From 0 to 1. */
  progress: number;
  why?: string;
}

export interface Forks {
  items: Fork[];
  /** What is shown beside the recording, under `/beside/`. */
  beside: { file: string; from: string; to: string } | null;
}

/** Two recordings held against each other: the one that is played, and the one beside it. */
export interface Comparison {
  from: string;
  to: string;
  /** The first recorded moment in which they are not the same world. */
  partsAt: string | null;
  recordings: { file: string; seed: number; policy: string }[];
  measures: {
    name: string;
    /** For people, with its unit. */
    title: string;
    /** What values are shown times of. */
    scale: number;
    values: (number | null)[];
    /** The second minus the first. */
    difference: number | null;
  }[];
}

export interface SimulationChange {
  state?: "running" | "paused";
  speed?: Speed;
  pauseAtTick?: number;
  /** In playback: goes to that moment. */
  simTime?: string;
  /** In playback: from the end to the beginning, and on. */
  loop?: boolean;
}

type Query = Record<string, string | number | boolean | readonly number[] | undefined>;
type Paging = { limit?: number; cursor?: string };

export class Api {
  token: string | undefined;
  readonly #base: string;
  readonly #fetch: typeof fetch;

  constructor(options: ApiOptions = {}) {
    this.#base = options.base ?? "";
    this.token = options.token;
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
  }

  /** The same, as of the moment that a session looks at by itself: `show` of its last `clock`. */
  asOf(show: string): Api {
    return new Api({ base: `${this.#base}/shows/${show}`, token: this.token, fetch: this.#fetch });
  }

  /** Asks for a delivery; a key makes a repeat of the same request safe. */
  order(order: Order, idempotencyKey?: string): Promise<Accepted> {
    const headers: Record<string, string> = idempotencyKey ? { "idempotency-key": idempotencyKey } : {};
    return this.send("POST", "/api/deliveryrequests", order, headers);
  }

  /** How far the workflow of a request is. */
  request(id: string): Promise<RequestStatus> {
    return this.get(`/api/deliveryrequests/${encodeURIComponent(id)}`);
  }

  /** Calls a delivery off, which can be done until its package is picked up. */
  cancel(id: string): Promise<void> {
    return this.send("DELETE", `/api/deliveryrequests/${encodeURIComponent(id)}`);
  }

  /** Changes what is named, which can be done until the package is picked up. */
  reschedule(id: string, change: OrderChange): Promise<RequestStatus> {
    return this.send("PATCH", `/api/deliveryrequests/${encodeURIComponent(id)}`, change);
  }

  /** Gives the recipient's word, once it is waited for at the door. */
  confirm(id: string, { kind, at, location, blob = "" }: Confirmation): Promise<void> {
    return this.send("POST", `/api/deliveries/${encodeURIComponent(id)}/confirmations`, {
      dateTime: { dateTimeValue: at },
      geoCoordinates: location,
      confirmationType: kind,
      confirmationBlob: blob,
    });
  }

  delivery(id: string): Promise<Delivery> {
    return this.get(`/api/deliveries/${encodeURIComponent(id)}`);
  }

  deliveryStatus(id: string): Promise<DeliveryStatus> {
    return this.get(`/api/deliveries/${encodeURIComponent(id)}/status`);
  }

  deliveries(query: { ownerId?: string; stage?: Stage } & Paging = {}): Promise<Page<ListedDelivery>> {
    return this.get("/api/deliveries", query);
  }

  drone(id: string): Promise<Drone> {
    return this.get(`/api/drones/${encodeURIComponent(id)}`);
  }

  drones(query: { hub?: string; status?: DroneStatus; bbox?: Bbox } & Paging = {}): Promise<Page<Drone>> {
    return this.get("/api/drones", query);
  }

  hubs(query: Paging = {}): Promise<Page<Hub>> {
    return this.get("/api/hubs", query);
  }

  /** No-fly zones as GeoJSON. */
  zones<T = unknown>(): Promise<T> {
    return this.get("/api/zones");
  }

  simulation(): Promise<Simulation> {
    return this.get("/api/simulation");
  }

  /** The branches of the recording that is played. */
  forks(): Promise<Forks> {
    return this.get("/api/forks");
  }

  /** What if: goes on from a moment (RFC 3339), with other values in the scenario. */
  fork(at: string, set: Record<string, string>): Promise<Fork> {
    return this.send("POST", "/api/forks", { at, set });
  }

  cancelFork(id: number): Promise<void> {
    return this.send("DELETE", `/api/forks/${id}`);
  }

  comparison(): Promise<Comparison> {
    return this.get("/api/comparison");
  }

  /** Changes the clock; for operators. */
  control(change: SimulationChange): Promise<Simulation> {
    return this.send("PUT", "/api/simulation", change);
  }

  /** Lets a paused world go on by so many ticks; for operators. */
  step(ticks = 1): Promise<Simulation> {
    return this.send("POST", "/api/simulation/step", { ticks });
  }

  /** Of a recording that is played, with deliveries counted in so many stretches; for operators. */
  recording(): Promise<Recording> {
    return this.get("/api/recording");
  }

  /** Begins to record a live world, or ends it. */
  record(change: { state: "recording" | "off"; name?: string }): Promise<Recording> {
    return this.send("PUT", "/api/recording", change);
  }

  timeline(buckets?: number): Promise<Timeline> {
    return this.get("/api/timeline", { buckets });
  }

  /** Anything else. */
  get<T>(path: string, query: Query = {}): Promise<T> {
    const asked = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(",") : String(value)]],
    );
    const search = new URLSearchParams(asked).toString();
    return this.send("GET", search ? `${path}?${search}` : path);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.send("POST", path, body);
  }

  async send<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const sent = { accept: "application/json", ...headers };
    if (this.token) Object.assign(sent, { authorization: `Bearer ${this.token}` });
    if (body !== undefined) Object.assign(sent, { "content-type": "application/json" });
    let answer: Response;
    try {
      const json = body === undefined ? undefined : JSON.stringify(body);
      answer = await this.#fetch(this.#base + path, { method, headers: sent, body: json });
    } catch (error) {
      throw new Problem(unreachable(path, error));
    }
    const text = await answer.text();
    if (!answer.ok) throw problem(answer, path, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

function unreachable(instance: string, error: unknown): ProblemBody {
  const detail = error instanceof Error ? error.message : String(error);
  return { type: "about:blank", title: "The server cannot be reached", status: 0, detail, instance };
}

function problem(answer: Response, instance: string, text: string): Problem {
  const retryAfter = Number(answer.headers.get("retry-after")) || undefined;
  try {
    const body = JSON.parse(text) as Partial<ProblemBody>;
    if (typeof body.title === "string") {
      return new Problem({ type: "about:blank", detail: "", ...body, title: body.title, status: answer.status }, retryAfter);
    }
  } catch {
    // Somebody between us and the server answered in words of their own.
  }
  const title = answer.statusText || `Status ${answer.status}`;
  return new Problem({ type: "about:blank", title, status: answer.status, detail: text.slice(0, 200), instance }, retryAfter);
}
