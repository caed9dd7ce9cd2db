// A connection that stays: it opens a WebSocket, notices when the server is gone, comes back
// after a while that grows, and follows again whatever was followed, from where it stood.

import { Backoff } from "./backoff.js";
import { codecs, type Codec, type Encoding } from "./codec.js";
import type { ClientMessage, ClockMessage, DiscontinuityMessage, ErrorMessage, ServerMessage, WelcomeMessage } from "./messages.js";
import { Subscription, type Handlers, type Topic, type TopicOptions } from "./subscription.js";

export type ConnectionState =
  /** No connection yet. */
  | "connecting"
  | "open"
  /** The connection broke; another is tried. */
  | "lost"
  /** Open once more. */
  | "resumed"
  /** The server does not accept the token; `renew` tries another. */
  | "refused"
  /** `close` was called. */
  | "closed";

export interface StateDetail {
  /** Attempts that failed since the last connection. */
  attempt: number;
  /** When the next attempt begins, in milliseconds. */
  retryInMs?: number;
  /** In words, for people. */
  reason?: string;
}

/** The part of the standard's WebSocket that is used here; the package `ws` has it too. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocket;

export interface SkyhaulOptions {
  /** `ws://127.0.0.1:8080/ws` */
  url: string;
  /** A JWT; it goes into the handshake, and never into the URL. */
  token?: string;
  encoding?: Encoding;
  /** Where there is no global one, as in Node before 22. */
  WebSocket?: WebSocketClass;
  /** Silence after which the server is asked whether it is there. */
  heartbeatMs?: number;
  /** How long it has for an answer, the first one included. */
  patienceMs?: number;
  firstRetryMs?: number;
  longestRetryMs?: number;
}

type StateListener = (state: ConnectionState, detail: StateDetail) => void;
type MoveListener = (message: DiscontinuityMessage) => void;
type ClockListener = (message: ClockMessage) => void;
type RefusalListener = (message: ErrorMessage) => void;

const RATE_LIMIT_WAIT_MS = 1000;
/** A connection that lasted so long was a good one: the next wait is short again. */
const PROVEN_MS = 5000;
const TOKEN_REFUSED = 4401;

export class Skyhaul {
  /** What the server said of itself when the connection opened. */
  welcome: WelcomeMessage | undefined;
  /** Of the last heartbeat. */
  roundTripMs: number | undefined;

  readonly #options: Required<Omit<SkyhaulOptions, "token" | "WebSocket">>;
  readonly #WebSocket: WebSocketClass;
  readonly #codec: Codec;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<StateListener>();
  readonly #movers = new Set<MoveListener>();
  readonly #clocks = new Set<ClockListener>();
  readonly #refusals = new Set<RefusalListener>();
  readonly #subscriptions = new Map<number, Subscription>();
  #token: string | undefined;
  #state: ConnectionState = "connecting";
  #socket: WebSocket | undefined;
  /** The server has said `welcome` on the present socket. */
  #greeted = false;
  #openedAt = 0;
  #heardAt = 0;
  #pingedAt: number | undefined;
  #reason: string | undefined;
  #nextId = 1;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;

  constructor(options: SkyhaulOptions) {
    this.#options = {
      encoding: "json",
      heartbeatMs: 10_000,
      patienceMs: 10_000,
      firstRetryMs: 250,
      longestRetryMs: 10_000,
      ...options,
    };
    this.#token = options.token;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.#codec = codecs[this.#options.encoding];
    const { firstRetryMs: firstMs, longestRetryMs: longestMs } = this.#options;
    this.#backoff = new Backoff({ firstMs, longestMs, random: Math.random });
    globalThis.addEventListener?.("online", this.#comeBack);
    globalThis.document?.addEventListener("visibilitychange", this.#comeBack);
    this.#connect();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === "open" || this.#state === "resumed";
  }

  /** Returns what stops the listening. */
  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * What is shown went to another moment; what was told until then is of another past. Returns what
   * stops the listening.
   */
  onDiscontinuity(listener: MoveListener): () => void {
    this.#movers.add(listener);
    return () => this.#movers.delete(listener);
  }

  /**
   * How the clock goes that this session looks at: answers `seek`, `play` and `live`, and what
   * changes by itself after one of them. Returns what stops the listening.
   */
  onClock(listener: ClockListener): () => void {
    this.#clocks.add(listener);
    return () => this.#clocks.delete(listener);
  }

  /** The server refused something that is about no topic, such as a moment. Returns what stops the listening. */
  onRefusal(listener: RefusalListener): () => void {
    this.#refusals.add(listener);
    return () => this.#refusals.delete(listener);
  }

  /**
   * Goes to another moment of what is recorded, for this session alone: all topics begin anew
   * there. RFC 3339. A connection that breaks comes back to what all look at.
   */
  seek(simTime: string): void {
    this.#send({ type: "seek", simTime });
  }

  /** How this session's own show goes on: simulated seconds a second, below 0 backwards, 0 stands still. */
  play(speed: number): void {
    this.#send({ type: "play", speed });
  }

  /** Back to what all look at. */
  live(): void {
    this.#send({ type: "live" });
  }

  /** Follows a topic until its `close`, or until the server refuses it; before there is a connection too. */
  subscribe(topic: Topic, options: TopicOptions = {}, handlers: Handlers = {}): Subscription {
    const id = this.#nextId++;
    const port = {
      send: (message: ClientMessage) => this.#send(message),
      forget: (id: number) => void this.#subscriptions.delete(id),
    };
    const subscription = new Subscription(id, topic, options, handlers, port);
    this.#subscriptions.set(id, subscription);
    if (this.#greeted && this.welcome) this.#send(subscription.request(this.welcome.epoch));
    return subscription;
  }

  /** Another token, for this connection and those to come. */
  renew(token: string): void {
    this.#token = token;
    this.#send({ type: "auth", token });
    if (this.#state === "refused") this.#connect();
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#drop();
    for (const subscription of [...this.#subscriptions.values()]) subscription.close();
    globalThis.removeEventListener?.("online", this.#comeBack);
    globalThis.document?.removeEventListener("visibilitychange", this.#comeBack);
    this.#enter("closed");
  }

  #enter(state: ConnectionState, detail: Partial<StateDetail> = {}): void {
    this.#state = state;
    const told = { attempt: this.#backoff.attempt, ...detail };
    for (const listener of [...this.#listeners]) listener(state, told);
  }

  #connect(): void {
    this.#drop();
    this.#reason = undefined;
    const protocols = [this.#codec.protocol];
    if (this.#token) protocols.push(`skyhaul.token.${this.#token}`);
    const socket = new this.#WebSocket(this.#options.url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (frame) => this.#hear(frame.data as string | ArrayBuffer);
    socket.onclose = (closed) => this.#ended(closed.code, closed.reason);
    // A close follows, which says more.
    socket.onerror = () => {};
    this.#socket = socket;
    this.#heardAt = this.#pingedAt = performance.now();
    this.#pulse = setInterval(() => this.#beat(), Math.min(1000, this.#options.patienceMs / 2));
  }

  /** Lets go of the present socket: nothing of it is heard from here on. */
  #drop(): void {
    clearTimeout(this.#retry);
    clearInterval(this.#pulse);
    this.#retry = undefined;
    this.#greeted = false;
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #send(message: ClientMessage): void {
    if (this.#greeted) this.#socket?.send(this.#codec.encode(message));
  }

  #hear(frame: string | ArrayBuffer): void {
    this.#heardAt = performance.now();
    let message: ServerMessage;
    try {
      message = this.#codec.decode(frame);
    } catch (error) {
      return this.#ended(undefined, `a message could not be read: ${String(error)}`);
    }
    switch (message.type) {
      case "welcome":
        return this.#greet(message);
      case "pong":
        this.roundTripMs = this.#heardAt - (this.#pingedAt ?? this.#heardAt);
        this.#pingedAt = undefined;
        return;
      case "bye":
        this.#reason = message.message;
        return;
      case "discontinuity":
        return this.#moved(message);
      case "clock":
        for (const listener of [...this.#clocks]) listener(message);
        return;
      default:
        this.#pass(message);
    }
  }

  /** A recording went to another moment: all topics begin anew there. */
  #moved(message: DiscontinuityMessage): void {
    const { epoch, tick, simTime } = message;
    if (this.welcome) this.welcome = { ...this.welcome, epoch, tick, simTime };
    for (const subscription of [...this.#subscriptions.values()]) subscription.moved(message);
    for (const listener of [...this.#movers]) listener(message);
  }

  #greet(welcome: WelcomeMessage): void {
    const first = this.welcome === undefined;
    this.welcome = welcome;
    this.#greeted = true;
    this.#openedAt = this.#heardAt;
    this.#pingedAt = undefined;
    for (const subscription of this.#subscriptions.values()) this.#send(subscription.request(welcome.epoch));
    this.#enter(first ? "open" : "resumed");
  }

  #pass(message: ServerMessage): void {
    if (message.type === "error" && message.code === "unauthorized") {
      this.#reason = message.message;
      // The close that follows says whether it is this connection or one topic.
      if (message.id === undefined) return;
    }
    if (message.type === "error" && message.id === undefined) for (const listener of [...this.#refusals]) listener(message);
    if (!("id" in message) || message.id === undefined) return;
    const subscription = this.#subscriptions.get(message.id);
    if (message.type === "error" && message.code === "rate_limited" && subscription) {
      const socket = this.#socket;
      setTimeout(() => {
        const still = socket === this.#socket && this.#subscriptions.has(subscription.id);
        if (still) this.#send(subscription.again());
      }, RATE_LIMIT_WAIT_MS);
      return;
    }
    subscription?.hear(message);
  }

  #beat(): void {
    const now = performance.now();
    const { heartbeatMs, patienceMs } = this.#options;
    if (this.#pingedAt !== undefined) {
      if (now - Math.max(this.#pingedAt, this.#heardAt) > patienceMs) this.#ended(undefined, "the server is silent");
    } else if (now - this.#heardAt > heartbeatMs) {
      this.#pingedAt = now;
      this.#send({ type: "ping", sent: Math.round(now) });
    }
  }

  #ended(code: number | undefined, words: string): void {
    const wasOpen = this.#greeted;
    const lasted = performance.now() - this.#openedAt;
    const reason = this.#reason ?? (words || "the server cannot be reached");
    this.#drop();
    if (code === TOKEN_REFUSED) return this.#enter("refused", { reason });
    if (wasOpen && lasted > PROVEN_MS) this.#backoff.reset();
    const retryInMs = this.#backoff.next();
    this.#retry = setTimeout(() => this.#connect(), retryInMs);
    this.#enter(this.welcome ? "lost" : "connecting", { retryInMs, reason });
  }

  /** The network is back, or somebody looks again: there is no point in waiting on. */
  readonly #comeBack = (): void => {
    if (globalThis.document?.visibilityState === "hidden") return;
    if (this.#retry !== undefined) this.#connect();
    else this.#beat();
  };
}
