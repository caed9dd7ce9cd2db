// The one connection of this page, and what it says about itself and the clock.

import { Api, Skyhaul, type ConnectionState, type Fleet, type StateDetail } from "@skyhaul/client";
import { signal } from "@preact/signals";

import { lastTold, observeTime } from "./clock";
import { anotherWorld } from "./another_world";
import { base } from "./settings";
import { token } from "./token";

export const connection = signal<{ state: ConnectionState; detail: StateDetail; since: number }>({
  state: "connecting",
  detail: { attempt: 0 },
  since: Date.now(),
});

/** The newest `fleet` message; null before the first one. */
export const fleet = signal<Fleet | null>(null);

/** How often a recording went to another moment, so that its past is not the one that was shown. */
export const moves = signal(0);

const socketUrl = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${base}/ws`;

export const sky = new Skyhaul({ url: socketUrl, token: token.peek() });
export const api = new Api({ base, token: token.peek() });
/** What is read is read here: of the moment that the page looks at, whichever that is. */
export const reads = signal<Api>(api);

/** Follows the connection's state and the fleet's figures. */
export function startSession(): void {
  sky.onState((state, detail) => {
    const changed = state !== connection.peek().state;
    connection.value = { state, detail, since: changed ? Date.now() : connection.peek().since };
    const { welcome } = sky;
    if (state === "resumed" && welcome && !welcome.playback && Date.parse(welcome.simTime) < (lastTold() ?? 0)) anotherWorld();
    if (sky.isOpen && sky.welcome) observeTime(sky.welcome.simTime, sky.welcome.speed);
  });
  sky.onDiscontinuity(({ simTime }) => {
    moves.value += 1;
    observeTime(simTime, 0);
  });
  sky.subscribe("fleet", {}, {
    fleet(message) {
      observeTime(message.simTime, paceOf(message.fleet));
      fleet.value = message.fleet;
    },
  });
}

/** Simulated seconds that a second takes; what is wanted, until it has been measured. */
export function paceOf({ state, speed, realTimeFactor }: Pick<Fleet, "state" | "speed" | "realTimeFactor">): number {
  if (state !== "running") return 0;
  return realTimeFactor === 0 && typeof speed === "number" ? speed : realTimeFactor;
}
