//! What a look at the world gives back: plain values, copied out.

use std::sync::Arc;

use crate::sim::delivery::{Bearer, Stage};
use crate::sim::drone::DroneStatus;
use crate::sim::event::{Etas, HubQueues};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId, HubId, ModelId};
use crate::sim::promise::TIMES_TO_GO;
use crate::sim::time::{SimTime, Tick};
use crate::sim::weather::Breach;

use super::routes::PlannedRoute;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    Running,
    Paused,
    /// The store does not take writes; the clock stands still until it does.
    Stalled,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Paused => "paused",
            RunState::Stalled => "stalled",
        }
    }
}

/// Simulated seconds per wall second that are wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    Times(f64),
    Max,
}

/// How the clock is driven, and how well it keeps up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    pub state: RunState,
    pub speed: Speed,
    /// Simulated seconds per wall second over the last few seconds; 0 while standing.
    pub real_time_factor: f64,
    /// How late the last tick started.
    pub tick_slip_ms: f64,
    /// Wall time that a tick takes to compute, smoothed.
    pub tick_ms: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            state: RunState::Paused,
            speed: Speed::Times(1.0),
            real_time_factor: 0.0,
            tick_slip_ms: 0.0,
            tick_ms: 0.0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockReading {
    pub pace: Pace,
    pub tick: Tick,
    pub at: SimTime,
    pub digest: [u8; 32],
    /// Shown as `e1`; changes when the world's past does.
    pub epoch: u64,
}

/// One drone, wherever it is.
#[derive(Clone, Debug, PartialEq)]
pub struct DroneReading {
    pub id: DroneId,
    pub model: ModelId,
    /// Where it belongs.
    pub hub: HubId,
    pub status: DroneStatus,
    pub location: LatLon,
    pub height_m: f64,
    pub heading_deg: f64,
    pub ground_speed_mps: f64,
    pub vertical_speed_mps: f64,
    /// What its battery holds, and what it holds when it is full, as shares of its type's capacity.
    pub battery: f64,
    pub battery_health: f64,
    pub delivery: Option<DeliveryId>,
    pub payload_kg: f64,
    /// Number of its last event; 0 before the first.
    pub seq: u32,
}

/// Where a drone in the air is going.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteReading {
    pub drone: DroneId,
    pub delivery: Option<DeliveryId>,
    pub route: Arc<PlannedRoute>,
}

/// Where a delivery stands at one tick.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryStatus {
    pub stage: Stage,
    pub bearer: Option<Bearer>,
    /// What third-party transport takes for it, where that is its bearer.
    pub price: Option<f64>,
    pub location: LatLon,
    pub height_m: f64,
    /// `None` while there is no plan; the actual times once reached.
    pub etas: Option<Etas>,
    /// Number of its last event.
    pub seq: u32,
    pub tick: Tick,
    pub at: SimTime,
}

impl DeliveryStatus {
    pub fn drone(&self) -> Option<DroneId> {
        match self.bearer {
            Some(Bearer::Drone(drone)) => Some(drone),
            Some(Bearer::Carrier) | None => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubReading {
    pub hub: HubId,
    pub queues: HubQueues,
    /// Drones on the ground here.
    pub grounded: u32,
    /// Nobody takes off before this time, which may be never; `None` where the hub is open.
    pub closed_until: Option<SimTime>,
    /// Types that the weather keeps there, and why.
    pub ground_stops: Vec<(ModelId, Breach)>,
    /// Number of its last event; 0 before the first.
    pub seq: u32,
    /// Withdrawn, and the last of its drones is out of the world.
    pub is_gone: bool,
}

/// Counts and gauges of the whole service at one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FleetReading {
    pub clock: ClockReading,
    pub drones: u32,
    pub airborne: u32,
    pub charging: u32,
    pub lost: u32,
    /// Drones by status, in the order of [`DroneStatus::ALL`].
    pub by_status: [u32; DroneStatus::ALL.len()],
    pub deliveries: DeliveryCounts,
    pub completed_per_minute: f64,
    /// `None` before the first completed delivery.
    pub quotes: Option<QuoteReading>,
}

/// How what was promised of the last deliveries held against what happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuoteReading {
    pub samples: u32,
    /// Of the first quote.
    pub at_quote: ErrorReading,
    /// Mean of actual minus quoted: positive means that deliveries come late.
    pub bias_s: f64,
    /// Over a minute after the quote.
    pub late_share: f64,
    /// What was told when the package was on board.
    pub at_pickup: Option<ErrorReading>,
    /// What was told so long before the end, in the order of [`TIMES_TO_GO`].
    pub by_time_to_go: [Option<TimeToGoReading>; TIMES_TO_GO.len()],
    /// How often what was told jumped, a delivery.
    pub jumps: f64,
}

/// Of those trips that had been quoted by then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeToGoReading {
    pub trips: u32,
    pub error: ErrorReading,
    /// Of the first quotes of the same trips.
    pub at_quote: ErrorReading,
}

/// Of absolute errors of what was told: seconds, and shares of the trip from the first quote on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErrorReading {
    pub p50_s: f64,
    pub p95_s: f64,
    pub p50_share: f64,
    pub p95_share: f64,
}

/// Deliveries by how far they have come; `accepted` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    pub accepted: u64,
    pub waiting: u64,
    pub under_way: u64,
    pub completed: u64,
    pub failed: u64,
    pub cancelled: u64,
}

/// One page of a list, and where the next begins.
#[derive(Clone, Debug)]
pub struct Page<T, C> {
    pub items: Vec<T>,
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    pub fn empty() -> Self {
        Page {
            items: Vec::new(),
            next: None,
        }
    }
}
