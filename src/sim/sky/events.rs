//! What the sky tells: the ends of legs and flights, and what drones run into.

use serde::{Deserialize, Serialize};

use super::super::flight::Milestone;
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::time::SimTime;
use super::super::weather::Breach;

/// What the sky tells about one drone after a step; in drone order.
#[derive(Clone, Debug, PartialEq)]
pub struct FlightEvent {
    pub drone: DroneId,
    pub kind: FlightEventKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FlightEventKind {
    /// The end of a leg that means something; `Landed` comes with `FlightLog`.
    Reached(Milestone),
    /// Down at the hub; the drone has left the airborne columns.
    Landed(FlightLog),
    LowBattery,
    /// The battery is empty: the drone has left the sky for good.
    Exhausted {
        at: Point,
        log: FlightLog,
    },
    /// Down elsewhere than at a hub, as planned: the drone has left the sky for good.
    SetDown {
        at: Point,
        log: FlightLog,
    },
    /// For some seconds the weather has been more than the type may fly in, or the drone got
    /// nowhere in it. Once an episode.
    WeatherAlarm(Breach),
    /// The expected times moved by more than the threshold since they were last told.
    EtaMoved {
        pickup: SimTime,
        delivery: SimTime,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightLog {
    pub energy_wh: f64,
    pub distance_m: f64,
    pub airborne_s: f64,
}
