// The messages of the server's WebSocket. Made from asyncapi.json by `npm run generate`; not edited by hand.

/**
 * Whatever is said, in either direction.
 */
export type AnyMessage = ServerMessage | ClientMessage;
/**
 * What the server says.
 */
export type ServerMessage =
  | AuthorizedMessage
  | ByeMessage
  | ClockMessage
  | DensityMessage
  | DiscontinuityMessage
  | ErrorMessage
  | EventMessage
  | FleetMessage
  | PongMessage
  | PositionsMessage
  | PressureMessage
  | SnapshotMessage
  | SubscribedMessage
  | UnsubscribedMessage
  | WelcomeMessage;
export type ByeCode = "server_shutdown";
/**
 * A factor above 0 and up to 10,000, or as fast as it goes. Of a recording 0.1 to 1,000, below 0
 * for backwards.
 */
export type Speed = number | NamedSpeed;
export type NamedSpeed = "max";
export type ErrorCode =
  | "bad_message"
  | "unknown_type"
  | "unknown_topic"
  | "duplicate_id"
  | "duplicate_topic"
  | "unknown_id"
  | "too_many"
  | "not_found"
  | "forbidden"
  | "unauthorized"
  | "rate_limited"
  | "not_recorded";
/**
 * What happened and to whom. Number and time belong to the message that carries it.
 */
export type EventBody =
  | (DeliveryKind & {
      deliveryId: string;
    })
  | (DroneKind & {
      droneId: string;
    })
  | (HubKind & {
      hub: string;
    })
  | SupervisorKind
  | (PackageKind & {
      packageId: string;
    })
  | (AccountEventKind & {
      accountId: string;
    });
export type DeliveryKind =
  | {
      dropoff: Location;
      expedited: boolean;
      kind: "Accepted";
      ownerId: string;
      payloadKg: number;
      pickup: Location;
    }
  | {
      kind: "Delayed";
      waitingFor: WaitingFor;
    }
  | {
      kind: "Created";
    }
  | (EtasBody & {
      droneId: string;
    } & {
      kind: "Assigned";
    })
  | (EtasBody & {
      kind: "HeadedToPickup";
    })
  | {
      kind: "PickedUp";
      location: Location;
    }
  | (EtasBody & {
      kind: "HeadedToDropoff";
    })
  | (EtasBody & {
      kind: "EtaChanged";
    })
  | {
      kind: "Completed";
      location: Location;
    }
  | {
      kind: "Failed";
      reason: FailureReason;
    }
  | (EtasBody & {
      carrier: string;
    } & {
      kind: "HandedToCarrier";
    })
  | {
      kind: "Cancelled";
    }
  | {
      deadline: string;
      dropoff: Location;
      kind: "Rescheduled";
      pickup: Location;
    }
  | {
      confirmationRequired: ConfirmationRequired;
      kind: "AwaitingConfirmation";
    }
  | {
      kind: "NotifyMeRequested";
    };
export type WaitingFor =
  "drone" | "pickup_time" | "third_party" | "answer" | "retry" | "compensation" | "return" | "carrier" | "weather";
export type FailureReason =
  | "no_drone_in_time"
  | "backlog_full"
  | "drone_lost"
  | "carrier_failed"
  | "carrier_refused"
  | "account_suspended"
  | "account_unknown"
  | "accounts_full"
  | "step_unavailable"
  | "not_confirmed"
  | "too_many_attempts"
  | "carrier_full"
  | "schedule_full"
  | "internal_error";
export type ConfirmationRequired = "FingerPrint" | "Picture" | "Voice" | "None";
export type DroneKind =
  | {
      deliveryId: string | null;
      hub: string;
      kind: "TakenOff";
    }
  | (FlightBody & {
      hub: string;
    } & {
      kind: "Landed";
    })
  | {
      kind: "LowBattery";
    }
  | {
      fault: FlightFault;
      kind: "Fault";
    }
  | {
      kind: "Holding";
    }
  | {
      kind: "Diverted";
    }
  | (FlightBody & {
      location: Location;
    } & {
      kind: "Lost";
    })
  | {
      hub: string;
      kind: "Added";
    }
  | {
      kind: "Withdrawn";
    }
  | {
      /**
       * Over the ground.
       */
      distanceM: number;
      heightDifferenceM: number;
      kind: "LossOfSeparation";
      location: Location;
      otherDroneId: string;
    }
  | {
      kind: "WeatherAlarm";
      reason: Breach;
    };
export type FlightFault = "rotor_out" | "battery_cell" | "link_lost";
export type Breach = "wind" | "gust" | "rain" | "no_headway";
export type HubKind =
  | {
      /**
       * So many landings so far found no pad in time, and were made beside them.
       */
      besidePads: number;
      /**
       * Drones that charge.
       */
      charging: number;
      /**
       * Drones on the ground that have a delivery, or a way home, and wait to leave.
       */
      departing: number;
      /**
       * Drones in the air that wait for a pad to land on.
       */
      holding: number;
      kind: "QueueChanged";
      /**
       * Drones that wait for a charger.
       */
      queued: number;
    }
  | {
      kind: "Closed";
      /**
       * Null where it stays closed until another `hub_closed` says when it opens.
       * RFC 3339, simulated.
       */
      until: string | null;
    }
  | {
      kind: "Opened";
    }
  | {
      kind: "Added";
    }
  | {
      kind: "Withdrawn";
    }
  | (GroundStop & {
      kind: "GroundStopped";
    })
  | {
      kind: "GroundStopLifted";
      model: string;
    };
/**
 * For operators.
 */
export type SupervisorKind =
  | {
      deliveryId: string;
      kind: "DeadLettered";
      /**
       * RFC 3339, simulated.
       */
      since: string;
      step: Step;
      /**
       * How often it was given up.
       */
      times: number;
    }
  | {
      deliveryId: string;
      kind: "DeadLetterResolved";
    }
  | {
      kind: "BreakerChanged";
      state: BreakerState;
    }
  | {
      actor: string;
      /**
       * Of a drone or a delivery.
       */
      id: string | null;
      kind: "ActorFailed";
    };
export type Step = "account" | "package" | "third_party" | "drone" | "delivery";
export type BreakerState = "closed" | "open" | "half_open";
export type PackageKind = {
  kind: "Stored";
  /**
   * Null where an operator put it.
   */
  ownerId: string | null;
  size: ContainerSize;
  weightKg: number;
};
export type ContainerSize = "Small" | "Medium" | "Large";
/**
 * What the account is from now on.
 */
export type AccountEventKind =
  | {
      accountKind: AccountKind;
      kind: "Registered";
      name: string;
      status: AccountStatus;
    }
  | {
      accountKind: AccountKind;
      kind: "Changed";
      name: string;
      status: AccountStatus;
    };
export type AccountKind = "business" | "customer";
export type AccountStatus = "active" | "suspended";
/**
 * How promised times held, of the last thousand deliveries that drones completed. The errors
 * beside `samples` are those of the first quotes.
 */
export type EtaError = ErrorSpread & {
  atPickup: ErrorSpread | null;
  /**
   * Mean of actual minus quoted: positive means that deliveries come late.
   */
  biasSeconds: number;
  /**
   * Of what was told so long before the end, the longest first.
   */
  byTimeToGo: TimeToGo[];
  /**
   * How often what a customer was told jumped by more than five seconds, a delivery.
   */
  jumps: number;
  /**
   * Over a minute after the quote.
   */
  lateShare: number;
  samples: number;
};
export type TimeToGo = ErrorSpread & {
  atQuote: ErrorSpread;
  seconds: number;
  /**
   * That had been quoted by then; no others are in this row.
   */
  trips: number;
};
export type SimulationState = "running" | "paused" | "stalled";
/**
 * drone, latitude, longitude, height, heading, ground speed, battery, status
 *
 * @minItems 8
 * @maxItems 8
 */
export type PositionRow = [
  string,
  number,
  number,
  number,
  number,
  number,
  number,
  (
    | "parked"
    | "charging"
    | "climbing"
    | "cruising"
    | "descending"
    | "hovering"
    | "returning"
    | "holding"
    | "grounded"
    | "lost"
  )
];
export type SnapshotMessage = Subject & {
  id: number;
  /**
   * Number of the topic's last event; absent where a topic has no events.
   */
  seq?: number;
  simTime: string;
  tick: number;
} & {
  type: "snapshot";
};
export type Stage =
  "Created" | "Rescheduled" | "HeadedToPickup" | "HeadedToDropoff" | "Completed" | "Cancelled" | "Failed";
export type DroneStatus =
  | "parked"
  | "charging"
  | "climbing"
  | "cruising"
  | "descending"
  | "hovering"
  | "returning"
  | "holding"
  | "grounded"
  | "lost";
/**
 * west, south, east, north in degrees
 *
 * @minItems 4
 * @maxItems 4
 */
export type Bbox = [number, number, number, number];
/**
 * What a client says.
 */
export type ClientMessage =
  | AuthMessage
  | LiveMessage
  | PingMessage
  | PlayMessage
  | SeekMessage
  | SubscribeMessage
  | UnsubscribeMessage
  | UpdateMessage;

/**
 * Answers `auth`: whom the token lets in, and until when.
 */
export interface AuthorizedMessage {
  /**
   * Absent for an operator.
   */
  account?: string;
  /**
   * The one delivery that a customer's token is for.
   */
  delivery?: string;
  /**
   * Wall time, RFC 3339; the session ends then unless a newer token came.
   */
  expires: string;
  /**
   * `operator`, `business` or `customer`
   */
  role: string;
  type: "authorized";
}
export interface ByeMessage {
  code: ByeCode;
  message: string;
  type: "bye";
}
/**
 * How the clock goes that this session looks at: answers `seek`, `play` and `live`, and comes
 * when a show of the session's own changes by itself, as at the end of what is recorded.
 */
export interface ClockMessage {
  /**
   * Simulated seconds from one recorded frame to the next.
   */
  frameSeconds?: number;
  /**
   * From when to when there is something to see; absent in a live world as it is now.
   */
  from?: string;
  /**
   * Of the last `seek`, `play` or `live` that this answers, where that has one; all before it
   * are answered too.
   */
  id?: number;
  /**
   * It looks at what all look at: the world as it is now, or what a recording is played as
   * for all.
   */
  live: boolean;
  /**
   * By this name the same moment is read over HTTP, as long as the session looks at it:
   * `/shows/{show}/api/…`. Absent where it looks at what all do.
   */
  show?: string;
  simTime: string;
  speed: Speed;
  /**
   * `running`, `paused` or `stalled`
   */
  state: string;
  tick: number;
  to?: string;
  type: "clock";
}
/**
 * How many drones there are where they are not shown one by one.
 */
export interface DensityMessage {
  /**
   * Latitude and longitude of a cell's middle, and the drones in it.
   */
  cells: [number, number, number][];
  id: number;
  simTime: string;
  tick: number;
  type: "density";
}
/**
 * What is shown went to another moment: snapshots and full messages of all topics follow.
 */
export interface DiscontinuityMessage {
  /**
   * Always true.
   */
  discontinuity: boolean;
  epoch: string;
  simTime: string;
  tick: number;
  type: "discontinuity";
}
export interface ErrorMessage {
  code: ErrorCode;
  /**
   * Absent where the request's own could not be read.
   */
  id?: number;
  message: string;
  type: "error";
}
export interface EventMessage {
  event: EventBody;
  id: number;
  seq: number;
  simTime: string;
  tick: number;
  type: "event";
}
/**
 * A place in degrees (WGS 84); altitude in metres above the ground.
 */
export interface Location {
  altitude: number;
  latitude: number;
  longitude: number;
}
/**
 * RFC 3339, simulated.
 */
export interface EtasBody {
  deliveryEta: string;
  pickupEta: string;
}
/**
 * What a flight took, from take-off to its end.
 */
export interface FlightBody {
  airborneSeconds: number;
  /**
   * Metres over the ground.
   */
  distanceM: number;
  energyWh: number;
}
/**
 * A type of drones that stays on the ground, and for what.
 */
export interface GroundStop {
  model: string;
  reason: Breach;
}
export interface FleetMessage {
  fleet: Fleet;
  id: number;
  simTime: string;
  tick: number;
  type: "fleet";
}
export interface Fleet {
  airborne: number;
  /**
   * Drones by status; all statuses are listed.
   */
  byStatus: {
    [k: string]: number;
  };
  charging: number;
  /**
   * Over the last five simulated minutes.
   */
  completedPerMinute: number;
  deliveries: DeliveryCounts;
  drones: number;
  etaError: EtaError | null;
  lost: number;
  realTimeFactor: number;
  /**
   * How many look on.
   */
  sessions: number;
  speed: Speed;
  state: SimulationState;
  /**
   * Wall time that a tick takes to compute.
   */
  tickMs: number;
  tickSlipMs: number;
}
/**
 * `accepted` is the sum of the others.
 */
export interface DeliveryCounts {
  accepted: number;
  cancelled: number;
  completed: number;
  failed: number;
  underWay: number;
  waiting: number;
}
/**
 * Median and 95th percentile of absolute errors, in seconds and as shares of the trip from the
 * first quote to the door.
 */
export interface ErrorSpread {
  p50Seconds: number;
  p50Share: number;
  p95Seconds: number;
  p95Share: number;
}
export interface PongMessage {
  /**
   * As in the `ping`; null where that had none.
   */
  sent: number | null;
  type: "pong";
}
/**
 * Where drones are: all of them, or those that changed since the message before.
 */
export interface PositionsMessage {
  drones: PositionRow[];
  /**
   * These are all, parked ones too: any other is not there.
   */
  full: boolean;
  /**
   * Drones that are not to be shown any more.
   */
  gone: string[];
  id: number;
  /**
   * Wall clock, milliseconds since 1970, when the frame left the engine.
   */
  sentAt: number;
  simTime: string;
  tick: number;
  type: "positions";
}
/**
 * How far a slow client is degraded, said at each change of the level.
 */
export interface PressureMessage {
  /**
   * Beats that went by since the subscription's last message.
   */
  conflated: number;
  /**
   * Positions, or gauges, a second from now on, at most; 0 where a topic has
   * neither: events come as they are read.
   */
  effectiveHz: number;
  id: number;
  /**
   * 0 all is well, 1 a lower rate, 2 the newest positions now and then, 3 full
   * messages only.
   */
  level: number;
  type: "pressure";
}
/**
 * What a snapshot is of, under its kind: one of them, and none for `events`.
 */
export interface Subject {
  delivery?: DeliverySnapshot;
  drone?: Drone;
  fleet?: Fleet;
  hub?: Hub;
}
export interface DeliverySnapshot {
  /**
   * The third party that carries it; only where one does.
   */
  carrier?: string | null;
  /**
   * As `pickupEta`.
   */
  deliveryEta: string | null;
  /**
   * Null before a drone is assigned.
   */
  droneId: string | null;
  id: string;
  location: Location;
  /**
   * Null while there is no plan; the actual time once reached. RFC 3339, simulated.
   */
  pickupEta: string | null;
  /**
   * What the third party takes for it, in the scenario's money; only where one carries it.
   */
  price?: number | null;
  stage: Stage;
}
export interface Drone {
  /**
   * State of charge, 0 to 1: of what a new battery holds when it is full.
   */
  battery: number;
  /**
   * What its own battery holds when it is full: 1 as new.
   */
  batteryHealth: number;
  /**
   * The delivery that it has yet to bring to its end. One that is `parked` with it waits to
   * leave.
   */
  deliveryId: string | null;
  /**
   * m/s
   */
  groundSpeed: number;
  /**
   * Degrees clockwise from north.
   */
  heading: number;
  /**
   * Where it belongs.
   */
  hub: string;
  id: string;
  location: Location;
  model: string;
  payloadKg: number;
  status: DroneStatus;
  /**
   * m/s, positive upwards.
   */
  verticalSpeed: number;
}
export interface Hub {
  /**
   * So many landings so far found no pad in time, and were made beside them.
   */
  besidePads: number | null;
  chargers: number;
  /**
   * Drones that charge. As the five below, `null` to who is not an operator.
   */
  charging: number | null;
  /**
   * Nobody takes off, who waits for a pad neither: a `hub_closed` fault. Landing and charging go
   * on.
   */
  closed: boolean;
  /**
   * When a closed hub opens; `null` where it is open, or stays closed until another
   * `hub_closed` says when it opens. RFC 3339, simulated.
   */
  closedUntil: string | null;
  /**
   * Drones on the ground that have a delivery, or a way home, and wait to leave: for a pad, for
   * the hub to open, for the weather, or for a free way. They are `parked`.
   */
  departing: number | null;
  /**
   * Types of drones that the weather keeps here, as forecast or as seen: none of them takes off, whatever it waits for.
   */
  groundStops: GroundStop[];
  /**
   * Drones in the air that wait for a pad to land on.
   */
  holding: number | null;
  id: string;
  location: Location;
  name: string;
  pads: number;
  /**
   * Drones on the ground that do not charge, those that wait among them.
   */
  parked: number | null;
  /**
   * Drones that wait for a charger.
   */
  queued: number | null;
}
export interface SubscribedMessage {
  bbox?: Bbox;
  hz: number;
  id: number;
  /**
   * What was missed follows as events, without a snapshot.
   */
  recovered: boolean;
  type: "subscribed";
}
/**
 * Answers `unsubscribe`; or says, after an `error`, that there is no right to the
 * topic any more.
 */
export interface UnsubscribedMessage {
  id: number;
  type: "unsubscribed";
}
export interface WelcomeMessage {
  epoch: string;
  playback: boolean;
  protocol: string;
  session: string;
  simTime: string;
  speed: Speed;
  tick: number;
  type: "welcome";
  version: string;
}
/**
 * Shows a token, or a newer one before the last expires.
 */
export interface AuthMessage {
  token: string;
  type: "auth";
}
/**
 * Back to what all look at.
 */
export interface LiveMessage {
  /**
   * As of `seek`.
   */
  id?: number;
  type: "live";
}
/**
 * Asks for a `pong`.
 */
export interface PingMessage {
  /**
   * Comes back as it is.
   */
  sent?: number;
  type: "ping";
}
/**
 * How the session's own show goes on: simulated seconds a second, below 0 backwards (positions
 * only), 0 stands still. A session that has none gets one, at the moment that it sees.
 */
export interface PlayMessage {
  /**
   * As of `seek`.
   */
  id?: number;
  speed: Speed;
  type: "play";
}
/**
 * Goes to another moment of what is recorded, for this session alone; `clock` answers.
 */
export interface SeekMessage {
  /**
   * Of the client's choice; the `clock` or the `error` that answers carries it.
   */
  id?: number;
  simTime: string;
  type: "seek";
}
/**
 * Follows a topic: `delivery/{id}`, `drone/{id}`, `hub/{id}`, `area`, `fleet`, or
 * `events` (every lifecycle event; operators).
 */
export interface SubscribeMessage {
  bbox?: Bbox;
  /**
   * Of the client's choice; all that is said about the topic carries it.
   */
  id: number;
  /**
   * Most positions a second; rounded down to 10, 5, 2, 1 or 0.5.
   */
  maxHz?: number;
  since?: Since;
  topic: string;
  type: "subscribe";
}
/**
 * The last event that a client saw, and the world's past that it was numbered in.
 */
export interface Since {
  epoch: string;
  seq: number;
}
/**
 * Nothing with this id follows the answer.
 */
export interface UnsubscribeMessage {
  id: number;
  type: "unsubscribe";
}
/**
 * Looks elsewhere, or at another rate. A `full` message follows.
 */
export interface UpdateMessage {
  bbox?: Bbox;
  id: number;
  maxHz?: number;
  type: "update";
}
