//! What a drone hears.

use serde::{Deserialize, Serialize};

use crate::sim::command::ReplyTo;
use crate::sim::drone::Task;
use crate::sim::event::{Etas, Proximity};
use crate::sim::fault::FlightFault;
use crate::sim::flight::FlightPlan;
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, HubId};
use crate::sim::separation::Advice;
use crate::sim::sky::{Fix, FlightLog};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::weather::{Breach, Conditions};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DroneMessage {
    /// From the fleet: take off, and fly this.
    Mission {
        task: Box<Task>,
        plan: FlightPlan,
    },
    PickedUp,
    /// At the end of the hand-over.
    Delivered,
    /// At the hub, with this much left in the battery.
    Landed {
        hub: HubId,
        log: FlightLog,
        energy_left_wh: f64,
    },
    LowBattery,
    /// Down somewhere else, for good.
    Down {
        at: LatLon,
        log: FlightLog,
    },
    EtaMoved(Etas),
    /// From outside: something breaks.
    Fault {
        fault: FlightFault,
        reply_to: ReplyTo,
    },
    /// From outside: nobody reaches it for so long.
    LoseLink {
        duration: Option<SimDuration>,
        reply_to: ReplyTo,
    },
    /// To itself: it hears again, unless the link was lost anew since.
    LinkBack {
        due: SimTime,
    },
    /// From its delivery: come home, unless the package is on board.
    Release {
        delivery: DeliveryId,
    },
    /// From its delivery: go there instead, if the battery allows.
    Redirect {
        task: Box<Task>,
    },
    /// From its delivery: the recipient has it.
    Confirmed {
        delivery: DeliveryId,
    },
    /// From its delivery: nobody came to the door.
    BringBack {
        delivery: DeliveryId,
    },
    /// From the sky: where it is, as it asked; `None` where it is not in the air any more.
    Located {
        fix: Option<Fix>,
        purpose: Purpose,
    },
    /// From the engine: it is new.
    Joined,
    /// From the engine: it is to leave the world.
    Leave,
    /// From the fleet: its dock is given away, so it leaves the world now.
    Retire,
    /// From the engine: a no-fly zone has come to lie in its way.
    WayClosed,
    /// From the sky: over the hub, before the descent.
    OverHub,
    /// From the fleet: no pad is free; hold at this place of the stack, at most so long.
    AwaitPad {
        place: u8,
        seconds: f64,
    },
    /// From the fleet: there is a pad now.
    ComeDown,
    /// From the engine: it has come too close to another.
    TooClose {
        proximity: Proximity,
        height_m: f32,
    },
    /// From the engine: another comes, and it is this one that makes way.
    MakeWay(Box<Advice>),
    /// As stores of older programs may hold it: means nothing any more.
    Lean {
        seconds: f64,
        there: SimTime,
    },
    /// From the sky: the weather is too much for it, or it gets nowhere.
    WeatherAlarm {
        breach: Breach,
    },
    /// To itself: it has waited for the weather to pass, unless it began to wait anew since.
    LookAgain {
        due: SimTime,
    },
    /// From the sky: where it is and what blows there, as it asked; `None` where it is not in the
    /// air any more.
    Felt {
        around: Option<(Fix, Conditions)>,
        trouble: Trouble,
    },
    /// From the fleet: home from a hub that is not its own.
    FlyHome {
        from: HubId,
        plan: FlightPlan,
    },
    /// From the fleet: to another hub, and to be stationed there.
    MoveTo {
        from: HubId,
        to: HubId,
        plan: FlightPlan,
    },
    /// From the fleet: it does not hold the drone for this delivery, which wanted it to go there,
    /// or not to come.
    NotOnGround {
        delivery: DeliveryId,
        task: Option<Box<Task>>,
    },
    /// From the sky: where it is, as it asked, in the middle of a hand-over of which so many seconds
    /// are left.
    LocatedAtHandover {
        fix: Fix,
        left_s: f64,
        purpose: Purpose,
    },
}

/// Why a drone asks what blows around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The weather has become too much.
    Weather,
    /// It has waited for it to pass.
    Waited,
    /// It lost a rotor, and must come down at the nearest hub.
    Limping,
    /// It lost a rotor, and comes down where it is.
    Gliding,
}

/// Why a drone asks where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Purpose {
    /// To fly from there to what it is at now.
    Replan,
    /// To go elsewhere, if its battery allows.
    Redirect(Box<Task>),
    /// To see whether its battery still does for what it is at.
    CheckBattery,
    /// To wait there so long for its link.
    Hold(SimDuration),
    /// To ask the hub for a pad.
    Approach,
    /// To hold beside the hub until there is one.
    AwaitPad { place: u8, seconds: f64 },
    /// To land where it holds.
    ComeDown,
}
