//! What the fleet hears.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::ReplyTo;
use crate::sim::drone::Task;
use crate::sim::event::Etas;
use crate::sim::flight::FlightPlan;
use crate::sim::geo::Point;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::weather::Conditions;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FleetMessage {
    /// From the scheduler: find a drone, and keep it. Asked twice it answers the same.
    Assign { id: DeliveryId, order: Arc<Order> },
    /// From the scheduler: take it off the queue, unless a drone was found.
    Withdraw { id: DeliveryId },
    /// From a drone: landed with this much left.
    Docked {
        drone: DroneId,
        hub: HubId,
        energy_wh: f64,
    },
    /// To itself: a drone that was plugged in then is full.
    Charged { drone: DroneId, since: SimTime },
    /// To itself: the pair's fullest drone may suffice now for a request that waits.
    Offer { pair: usize, due: SimTime },
    /// From outside: nobody takes off from the hub for so long.
    Close {
        hub: HubId,
        duration: SimDuration,
        reply_to: ReplyTo,
    },
    /// To itself: the hub opens, unless it was closed for longer since.
    Open { hub: HubId, due: SimTime },
    /// From the scheduler: as if it had never been asked.
    Undo { id: DeliveryId },
    /// From the scheduler: the delivery has begun, and its customer was told this, so the drone
    /// that is kept for it leaves as soon as it may.
    Depart { id: DeliveryId, told: Etas },
    /// From the engine: these drones are new, and docked with full batteries.
    Joined { first: DroneId, count: u32 },
    /// From the engine: this hub is new.
    HubJoined { hub: HubId },
    /// From the engine: the drone is to leave the world. From a drone: it lies somewhere, and no
    /// hub sees it again.
    Leave { drone: DroneId },
    /// From the engine: the hub is to leave the world, when the last of its drones has.
    LeaveHub { hub: HubId },
    /// From a drone: it has left the world.
    Left { drone: DroneId },
    /// To itself: the next round, where the policy serves in rounds.
    Round { due: SimTime },
    /// To itself: idle drones may move to where more is expected.
    Position { due: SimTime },
    /// From the engine: plans are not what they were, for zones opened or closed, or another
    /// forecast was issued.
    AirChanged,
    /// From a drone: it is over the hub and would land; it can hold for so long.
    Approach {
        drone: DroneId,
        hub: HubId,
        endurance_s: f64,
        descent_s: f64,
    },
    /// To itself: somebody in the hub's line may have a pad.
    PadFree { hub: HubId },
    /// From a drone: it does not come down where it was expected, but on the spot or at another
    /// hub.
    Strayed { drone: DroneId },
    /// As stores of older programs may hold it: means nothing any more.
    Arrived { drone: DroneId },
    /// To itself: a drone that stands at another hub than its own may fly home by now.
    SendHome { drone: DroneId },
    /// From the engine: of its type's capacity a drone's battery has so much left.
    Worn { drone: DroneId, health: f64 },
    /// From a drone on the ground: its delivery wants it not to come, or to go elsewhere.
    Recall {
        drone: DroneId,
        id: DeliveryId,
        task: Option<Box<Task>>,
    },
    /// To itself: more of those who wait for a drone are to be held against the air as it is now.
    Revise,
    /// From a drone in the air, where ways are kept free: it flies this from now on.
    Replanned { drone: DroneId, plan: FlightPlan },
    /// From a drone in the air: something came between it and its plan that is no error of its
    /// hub's.
    OffPlan { drone: DroneId },
    /// To itself: those in the hub's line hear when they are expected, once for all that has
    /// changed there.
    TellExpected { hub: HubId },
    /// From a drone in the air: it has met this weather there.
    MetWeather { at: Point, met: Conditions },
    /// To itself: stations have looked, after drones had met weather.
    Looked,
    /// To itself: those of who are kept that come after this one are planned for anew, for the air has
    /// changed.
    PlanMore { after: Option<DeliveryId> },
    /// From a drone: it is done at the door, with the recipient's word where that was required.
    AtDoor { drone: DroneId, confirmed: bool },
}
