//! Drones and hubs that come and go while the world runs: the fleet's part.
//!
//! Who is withdrawn the world says ([`World::is_withdrawn`]); here it is seen to that nobody
//! keeps a dock for them. A drone that waits for its take-off is taken off its delivery; one that
//! is kept for a delivery that has not begun leaves the world then, and one in the air hears of it
//! by itself and leaves when it can.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::ageing::Healths;
use crate::sim::event::HubEvent;
use crate::sim::fleet_index::Pair;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::{Context, DroneMessage, Effects, Fleet, Mail};

/// Who has left the world.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Gone {
    /// By hub, so that it is known when the last one has.
    drones: BTreeMap<HubId, u32>,
    hubs: BTreeSet<HubId>,
}

impl Fleet {
    /// After a restore: what the sky knows of the batteries.
    pub fn with_healths(mut self, healths: Healths) -> Self {
        self.docks.healths = healths;
        self
    }

    /// Hubs that have left the world, in order.
    pub fn hubs_gone(&self) -> impl Iterator<Item = HubId> + '_ {
        self.gone.hubs.iter().copied()
    }

    /// Whether the world has pairs or hubs that are not known here yet.
    pub(super) fn is_smaller_than(&self, world: &World) -> bool {
        self.next_offer.len() < world.pairs().len() || self.board.hub_count() < world.hubs.len()
    }

    /// New drones wait at their hub for whoever waits for them.
    pub(super) fn take_in(&mut self, context: &Context, first: DroneId, count: u32, effects: &mut Effects) {
        let world = &context.world;
        let fleet = world.fleet_of(first).expect("every drone belongs to a fleet");
        let drones = (first.0..first.0 + count).map(DroneId);
        let pair = self.docks.take_in(world, fleet, drones);
        self.offer(context, pair, effects);
    }

    /// One that is docked leaves the world at once; who lies somewhere is counted on no more.
    pub(super) fn let_go(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        self.positioning.loses(&context.world, drone);
        if self.part_with_guest(context, drone, effects) {
            return effects.send(Mail::Drone(drone, DroneMessage::Retire));
        }
        self.give_back_where(context, |_, other| other == drone, effects);
        let pair = self.pair_of(&context.world, drone);
        let (was_docked, plugged_in_next) = self.docks.remove(context, pair, drone, effects);
        if was_docked {
            effects.send(Mail::Drone(drone, DroneMessage::Retire));
        }
        if let Some(pair) = plugged_in_next {
            self.offer(context, pair, effects);
        }
    }

    /// Nobody leaves from there any more, for good.
    pub(super) fn let_go_of_hub(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let until = SimTime::NEVER;
        if self.closed.insert(hub, until) != Some(until) {
            self.board.tell(context, hub, HubEvent::Closed { until }, effects);
        }
        self.give_back_where(context, |from, _| from == hub, effects);
        self.part_with_strangers(context, hub, effects);
        for drone in self.docks.empty(hub, effects) {
            effects.send(Mail::Drone(drone, DroneMessage::Retire));
        }
        for drone in self.guests_of(&context.world, hub) {
            self.let_go(context, drone, effects);
        }
        self.see_off(context, hub, effects);
    }

    pub(super) fn has_left(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        self.strays(context, drone, effects);
        self.positioning.ends(drone);
        let fleet = context.world.fleet_of(drone);
        let hub = fleet.expect("every drone belongs to a fleet").hub;
        *self.gone.drones.entry(hub).or_default() += 1;
        self.see_off(context, hub, effects);
    }

    /// A withdrawn hub has left the world when all of its drones have.
    fn see_off(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let world = &context.world;
        let gone = self.gone.drones.get(&hub).copied().unwrap_or(0);
        let is_empty = gone == world.drone_count_of(hub);
        if world.roster.is_hub_withdrawn(hub) && is_empty && self.gone.hubs.insert(hub) {
            self.board.tell(context, hub, HubEvent::Withdrawn, effects);
        }
    }
}

pub(super) fn pair_of(world: &World, drone: DroneId) -> usize {
    let fleet = world.fleet_of(drone).expect("every drone belongs to a fleet");
    let pair = world.pairs().number_of(Pair::of(fleet));
    pair.expect("pairs are made from the fleets")
}
