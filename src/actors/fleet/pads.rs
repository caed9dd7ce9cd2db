//! The hubs' pads: who comes down to which, until when each is taken, and who waits for one.
//!
//! A landing takes a pad up from before its descent until the drone is moved off it, a take-off
//! until it has climbed away. Who finds none free stands in the hub's line, those in the air and
//! those on the ground in the order of asking; the turns of those in the air serve the one whose
//! battery lasts least long. Nobody has a pad before it is free, so whoever leaves the line leaves
//! no hole; when a turn comes is worked out from the line as it stands. Who in the air cannot wait
//! so long, or finds the stack full, comes down beside the pads, which is counted: nobody falls
//! for want of a pad.

mod line;
mod slots;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::sim::flight::{self, STACK_PLACES};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::route::LEVELS_M;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{Hub, World};

use super::{Context, DroneMessage, Effects, Fleet, Mail};
pub(super) use line::{CLIMB, Claim, HubPads};

/// Who can hold no longer than this does not begin to.
const LEAST_HOLD_S: f64 = 30.0;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pads {
    hubs: Vec<HubPads>,
}

/// A drone over the hub.
#[derive(Clone, Copy)]
pub(super) struct Comer {
    pub drone: DroneId,
    pub endurance_s: f64,
    pub descent_s: f64,
    /// When the next turn of one in the air comes.
    pub first_turn: SimTime,
    /// Until when it is to leave the pads to others.
    pub waits_until: Option<SimTime>,
    /// By place in the stack: whether no zone is in the way.
    pub open: [bool; STACK_PLACES as usize],
}

impl Comer {
    pub fn is_open(&self, place: u8) -> bool {
        self.open[usize::from(place)]
    }
}

impl Pads {
    /// As snapshots before format 7 have them.
    pub fn restored(hubs: Vec<HubPads>) -> Self {
        Pads { hubs }
    }

    /// Makes room for all hubs of the world, which may have become more.
    pub fn grow(&mut self, world: &World) {
        let known = self.hubs.len();
        let of = |hub: &Hub| HubPads::new(hub.pads);
        self.hubs.extend(world.hubs[known..].iter().map(of));
    }

    /// After a restore: what follows from the lines, see [`HubPads::mark`].
    pub fn mark(&mut self, of: impl Fn(DeliveryId) -> Option<(bool, SimDuration)>) {
        self.hubs.iter_mut().for_each(|pads| pads.mark(&of));
    }

    /// What the outlooks stand on may have changed.
    pub fn forget_outlooks(&mut self) {
        self.hubs.iter_mut().for_each(HubPads::forget_outlook);
    }

    pub fn of(&self, hub: HubId) -> &HubPads {
        &self.hubs[hub.index()]
    }

    pub fn of_mut(&mut self, hub: HubId) -> &mut HubPads {
        &mut self.hubs[hub.index()]
    }

    fn numbered(&self) -> impl Iterator<Item = (HubId, &HubPads)> + '_ {
        (0..).map(HubId).zip(&self.hubs)
    }
}

impl Fleet {
    /// Who comes down to a pad, or waits for one in the air.
    pub fn approaching(&self) -> impl Iterator<Item = (HubId, DroneId)> + '_ {
        let here = |(hub, pads): (HubId, &'_ HubPads)| {
            let drones: Vec<DroneId> = pads.in_the_air().collect();
            drones.into_iter().map(move |drone| (hub, drone))
        };
        self.pads.numbered().flat_map(here)
    }

    /// By hub: landings, pads that are landed on, and pads.
    pub fn landings(&self) -> impl Iterator<Item = (HubId, usize, usize, usize)> + '_ {
        self.pads.numbered().map(|(hub, pads)| {
            let (landings, taken, all) = pads.landings();
            (hub, landings, taken, all)
        })
    }

    pub(super) fn approach(
        &mut self,
        context: &Context,
        drone: DroneId,
        hub: HubId,
        (endurance_s, descent_s): (f64, f64),
        effects: &mut Effects,
    ) {
        let turnaround = context.world.hub(hub).turnaround;
        let takes = SimDuration(line::from_above(descent_s).0 + turnaround.0);
        let comer = Comer {
            drone,
            endurance_s,
            descent_s,
            waits_until: self.leaves_pad_until(context, hub, takes),
            first_turn: self.first_turn_in_the_air(context, hub),
            open: open_places(context, hub),
        };
        let pads = self.pads.of_mut(hub);
        if let Some(place) = pads.approach(context.now, turnaround, comer) {
            let message = DroneMessage::AwaitPad {
                place,
                seconds: endurance_s,
            };
            effects.send(Mail::Drone(drone, message));
        }
        self.board.changed(hub);
        self.look_again(context, hub, effects);
        self.expect_anew(context, hub, effects);
    }

    /// A turn of one in the air has come.
    pub(super) fn call_down(&mut self, context: &Context, hub: HubId, turn: u64, effects: &mut Effects) {
        let turnaround = context.world.hub(hub).turnaround;
        let called = self.pads.of_mut(hub).call_down(context.now, turnaround, turn);
        if let Some(drone) = called {
            effects.send(Mail::Drone(drone, DroneMessage::ComeDown));
        }
    }

    /// It is down at the hub, on a pad or beside.
    pub(super) fn set_down(&mut self, context: &Context, drone: DroneId, hub: HubId, effects: &mut Effects) {
        let turnaround = context.world.hub(hub).turnaround;
        self.pads.of_mut(hub).land(context.now, turnaround, drone);
        self.serve(context, hub, effects);
    }

    /// It does not come down to any pad any more.
    pub(super) fn strays(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        self.history.gives_up(drone);
        self.intents.end(drone);
        let theirs = self.pads.numbered().filter(|(_, pads)| pads.expects(drone));
        let hubs: Vec<HubId> = theirs.map(|(hub, _)| hub).collect();
        for hub in hubs {
            self.pads.of_mut(hub).stray(context.now, drone);
            self.serve(context, hub, effects);
        }
    }
}

/// Which places of a hub's stack may be flown to and held at on every level.
fn open_places(context: &Context, hub: HubId) -> [bool; STACK_PLACES as usize] {
    let (airspace, at) = (&context.world.airspace, context.world.hub(hub).at);
    std::array::from_fn(|place| {
        let beside = flight::stack_place(at, place as u8);
        LEVELS_M
            .into_iter()
            .all(|level_m| airspace.is_open(context.now, at, beside, level_m))
    })
}
