// One topic that is followed, across all the connections that it takes. It knows the last
// event that its handlers were told, so that a new connection goes on from there: none is
// missed, and none comes twice. It knows nothing of sockets.

import type {
  Bbox,
  ClientMessage,
  DensityMessage,
  DiscontinuityMessage,
  ErrorMessage,
  EventMessage,
  FleetMessage,
  PositionsMessage,
  PressureMessage,
  ServerMessage,
  Since,
  SnapshotMessage,
  SubscribedMessage,
  SubscribeMessage,
} from "./messages.js";

export type Topic = `delivery/${string}` | `drone/${string}` | `hub/${string}` | "area" | "fleet" | "events";

/** What becomes of a topic; all are optional, and a topic calls those that it has messages for. */
export interface Handlers {
  /** The server follows the topic; after each `update` and each new connection once more. */
  subscribed?(message: SubscribedMessage): void;
  /** After a new connection: what was missed follows as events, without a snapshot. */
  recovered?(message: SubscribedMessage): void;
  /** All that is known now: it replaces whatever was shown before. */
  snapshot?(message: SnapshotMessage): void;
  /** The next event, numbered by `seq` without holes. */
  event?(message: EventMessage): void;
  positions?(message: PositionsMessage): void;
  fleet?(message: FleetMessage): void;
  density?(message: DensityMessage): void;
  /** A recording went to another moment: snapshots and full messages of that one follow. */
  discontinuity?(message: DiscontinuityMessage): void;
  /** This client reads too slowly, or no longer does (level 0). */
  pressure?(message: PressureMessage): void;
  /** A refused subscription has ended; a refused update leaves it as it was. */
  error?(message: ErrorMessage): void;
}

export interface TopicOptions {
  /** Of `area`, where it is needed: west, south, east, north. */
  bbox?: Bbox;
  /** Most positions a second. */
  maxHz?: number;
  /** Begin with the topic's first event rather than with a snapshot. */
  fromStart?: boolean;
  /** Begin after this event, which an earlier session saw. */
  since?: Since;
}

export type Change = Pick<TopicOptions, "bbox" | "maxHz">;

export type SubscriptionState =
  /** Waits for the server's answer, or for a connection. */
  | "asked"
  | "followed"
  /** The server does not let it be followed, or no longer; `error` was told why. */
  | "refused"
  | "closed";

/** How a subscription reaches the server; does nothing while there is no connection. */
export interface Port {
  send(message: ClientMessage): void;
  forget(id: number): void;
}

export class Subscription {
  #state: SubscriptionState = "asked";
  #last: Since | undefined;
  /** The epoch of the connection, which the numbers that come through it belong to. */
  #epoch = "";
  #connections = 0;

  constructor(
    readonly id: number,
    readonly topic: Topic,
    private options: TopicOptions,
    private readonly handlers: Handlers,
    private readonly port: Port,
  ) {
    this.#last = options.since;
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** The last event that the handlers were told of, for a later session's `since`. */
  get last(): Since | undefined {
    return this.#last;
  }

  /** Looks elsewhere, or at another rate. */
  update(change: Change): void {
    if (this.#state === "closed" || this.#state === "refused") return;
    this.options = { ...this.options, ...change };
    this.port.send({ type: "update", id: this.id, ...change });
  }

  /** No handler is called after this. */
  close(): void {
    if (this.#state === "closed") return;
    if (this.#state !== "refused") this.port.send({ type: "unsubscribe", id: this.id });
    this.#state = "closed";
    this.port.forget(this.id);
  }

  /** What a new connection has to ask. @internal */
  request(epoch: string): SubscribeMessage {
    this.#epoch = epoch;
    this.#state = "asked";
    const { bbox, maxHz, fromStart } = this.options;
    const since = this.#last ?? (fromStart ? { epoch, seq: 0 } : undefined);
    return {
      type: "subscribe",
      id: this.id,
      topic: this.topic,
      ...(bbox && { bbox }),
      ...(maxHz && { maxHz }),
      ...(since && { since }),
    };
  }

  /** What to ask again where the server had no time for it. @internal */
  again(): ClientMessage {
    if (this.#state === "asked") return this.request(this.#epoch);
    const { bbox, maxHz } = this.options;
    return { type: "update", id: this.id, ...(bbox && { bbox }), ...(maxHz && { maxHz }) };
  }

  /** What follows is of another past, with numbers of its own. @internal */
  moved(message: DiscontinuityMessage): void {
    this.#epoch = message.epoch;
    this.#last = undefined;
    this.handlers.discontinuity?.(message);
  }

  /** A message with this subscription's id. @internal */
  hear(message: ServerMessage): void {
    switch (message.type) {
      case "subscribed":
        return this.#subscribed(message);
      case "snapshot":
        this.#last = message.seq === undefined ? undefined : { epoch: this.#epoch, seq: message.seq };
        return this.handlers.snapshot?.(message);
      case "event":
        return this.#event(message);
      case "positions":
        return this.handlers.positions?.(message);
      case "fleet":
        return this.handlers.fleet?.(message);
      case "density":
        return this.handlers.density?.(message);
      case "pressure":
        return this.handlers.pressure?.(message);
      case "error":
        // An update may be refused; what was followed goes on then.
        if (this.#state === "asked" || message.code === "forbidden") this.#ended();
        return this.handlers.error?.(message);
      // The server ended it; the answer to `close` is heard by nobody.
      case "unsubscribed":
        return this.#ended();
      default:
        return;
    }
  }

  #ended(): void {
    this.#state = "refused";
    this.port.forget(this.id);
  }

  #subscribed(message: SubscribedMessage): void {
    const anew = this.#state === "asked";
    this.#state = "followed";
    if (anew) this.#connections += 1;
    this.handlers.subscribed?.(message);
    if (anew && message.recovered && this.#connections > 1) this.handlers.recovered?.(message);
  }

  #event(message: EventMessage): void {
    const last = this.#last;
    // What was told is not told again, whatever the server thinks.
    if (last && last.epoch === this.#epoch && message.seq <= last.seq) return;
    this.#last = { epoch: this.#epoch, seq: message.seq };
    this.handlers.event?.(message);
  }
}
