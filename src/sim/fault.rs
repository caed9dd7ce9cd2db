//! Faults that somebody injects: what breaks, and what of.

use serde::{Deserialize, Serialize};

use super::actor::{Actor, SINGLE_ACTORS};
use super::geo::LatLon;
use super::ids::{DroneId, HubId};
use super::time::SimDuration;
use super::weather::Turn;
use super::workflow::Step;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// No effect on a drone that is not in the air by then.
    InFlight(DroneId, FlightFault),
    /// Nobody takes off from the hub for so long; landing and charging go on. Closed forever it
    /// opens where another one says when.
    HubClosed(HubId, SimDuration),
    /// Third-party transport takes nothing for so long, or does not take the next job that it is
    /// asked for. Vans that are on the road go on.
    CarrierDown(Option<SimDuration>),
    /// The owner of a workflow's step does not do as it should: once, or always for so long.
    Step(Step, StepFault, Option<SimDuration>),
    /// A drone in the air hears nothing for so long: it hovers, then goes on. Without an end it
    /// flies home.
    LinkLost(DroneId, Option<SimDuration>),
    /// An actor panics over a message; of many of a kind, one that is drawn.
    Panic(Victim),
    /// The wind is another than it would be.
    WindShift(WindShift),
}

/// What becomes of the wind, and where.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindShift {
    /// In this place's weather cell; everywhere where there is none.
    pub at: Option<LatLon>,
    /// Drawn where nobody says.
    pub turn: Option<Turn>,
    /// For good without it.
    pub lasts: Option<SimDuration>,
}

impl WindShift {
    /// Speed in m/s, and where from in degrees clockwise from north, as far as they are said.
    pub fn turn(speed_mps: Option<f64>, from_deg: Option<f64>) -> Option<Turn> {
        let is_said = speed_mps.is_some() || from_deg.is_some();
        is_said.then_some(Turn::To {
            speed_mps,
            from_rad: from_deg.map(f64::to_radians),
        })
    }
}

/// Who panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Victim {
    Actor(Actor),
    AnyDrone,
    AnyDelivery,
}

impl Victim {
    /// Of a kind's name, in the singular or the plural.
    pub fn of_kind(name: &str) -> Option<Self> {
        match name {
            "drone" => Some(Victim::AnyDrone),
            "delivery" => Some(Victim::AnyDelivery),
            _ => {
                let name = name.strip_suffix('s').unwrap_or(name);
                let single = SINGLE_ACTORS.into_iter().find(|actor| actor.kind() == name);
                single.map(Victim::Actor)
            }
        }
    }
}

impl StepFault {
    /// Answers that come so much later; without a duration later than anybody waits for them.
    pub fn slow(duration: Option<SimDuration>, step_timeout: SimDuration) -> Self {
        StepFault::Slow(duration.unwrap_or(SimDuration(step_timeout.0.saturating_mul(2))))
    }
}

/// What goes wrong with a step, or with its undoing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepFault {
    /// It is not done; it may go well another time.
    Fail,
    /// It is done, and nobody hears of it.
    AnswerLost,
    /// It is done, and the answer comes so much later.
    Slow(SimDuration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FlightFault {
    /// With six rotors and more the drone limps to the nearest hub, with wings it glides down
    /// where it is; others fall.
    RotorOut,
    /// A cell gives out: its share of what the battery holds is gone, and for good that of what
    /// it may hold.
    BatteryCell,
    /// Nobody reaches the drone.
    LinkLost,
}

impl FlightFault {
    pub fn as_str(self) -> &'static str {
        match self {
            FlightFault::RotorOut => "rotor_out",
            FlightFault::BatteryCell => "battery_cell",
            FlightFault::LinkLost => "link_lost",
        }
    }
}
