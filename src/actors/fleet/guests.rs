//! Drones that stand at another hub than their own, where weather or a fault made them land.
//!
//! They charge where a charger is free that nobody waits for, and fly home as soon as battery
//! and forecast allow, also where the hub was withdrawn meanwhile. Nobody sends them on missions
//! from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::ageing::Healths;
use crate::sim::energy;
use crate::sim::flight::FlightPlan;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::World;

use super::pads::Claim;
use super::{Context, DroneMessage, Effects, Fleet, FleetMessage, Mail};
use crate::actors::Effect;

/// How often a guest is looked at.
const LOOK_EVERY: SimDuration = SimDuration(60_000_000);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Guests(BTreeMap<DroneId, Guest>);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Guest {
    hub: HubId,
    /// At `charging_since`, or for good while not charging.
    energy_wh: f64,
    charging_since: Option<SimTime>,
}

impl Guests {
    pub fn drones(&self) -> impl Iterator<Item = DroneId> + '_ {
        self.0.keys().copied()
    }

    /// How many charge at a hub.
    pub fn plugged_at(&self, hub: HubId) -> u32 {
        let here = |guest: &&Guest| guest.hub == hub && guest.charging_since.is_some();
        self.0.values().filter(here).count() as u32
    }
}

impl Fleet {
    pub(super) fn receive(
        &mut self,
        context: &Context,
        drone: DroneId,
        hub: HubId,
        energy_wh: f64,
        effects: &mut Effects,
    ) {
        let guest = Guest {
            hub,
            energy_wh,
            charging_since: None,
        };
        self.guests.0.insert(drone, guest);
        self.lend_charger(context, drone, effects);
        look_again(context, drone, effects);
    }

    /// Home, if it may and can, as soon as its turn for a pad comes; else it charges on.
    pub(super) fn send_home(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        let Some(&guest) = self.guests.0.get(&drone) else {
            return;
        };
        let (energy_wh, full_wh) = holds(context, &self.docks.healths, drone, &guest);
        if self.way_home(context, drone, &guest).is_some() {
            let (pads, claim) = (self.pads.of_mut(guest.hub), Claim::Empty(drone));
            if pads.turn_of(claim).is_none() {
                pads.join(claim);
            }
            self.serve(context, guest.hub, effects);
            if !self.guests.0.contains_key(&drone) {
                return;
            }
        }
        match guest.charging_since {
            Some(_) if energy_wh >= full_wh => self.return_charger(context, drone, effects),
            Some(_) => {}
            None => self.lend_charger(context, drone, effects),
        }
        look_again(context, drone, effects);
    }

    /// There is a pad for it, and its turn has come. Who cannot leave gives it up until it is
    /// looked at again.
    pub(super) fn go_home_if_it_may(
        &mut self,
        context: &Context,
        from: HubId,
        drone: DroneId,
        turn: u64,
        effects: &mut Effects,
    ) {
        let guest = self.guests.0.get(&drone).copied();
        let plan = guest.and_then(|guest| self.way_home(context, drone, &guest));
        let Some(plan) = plan.filter(|plan| self.takes_way(context, drone, plan)) else {
            return self.pads.of_mut(from).leave(turn);
        };
        let takes = SimDuration::from_secs(plan.on_pad_s());
        self.pads.of_mut(from).take_off(context.now, drone, turn, takes);
        self.part_with_guest(context, drone, effects);
        effects.send(Mail::Drone(drone, DroneMessage::FlyHome { from, plan }));
    }

    /// A plan from the hub where it stands, that leaves the reserve.
    fn way_home(&self, context: &Context, drone: DroneId, guest: &Guest) -> Option<FlightPlan> {
        let (world, hub) = (&context.world, guest.hub);
        let (energy_wh, _) = holds(context, &self.docks.healths, drone, guest);
        let is_closed = self.closed.contains_key(&hub) && !world.roster.is_hub_withdrawn(hub);
        let fleet = world.fleet_of(drone).filter(|_| !is_closed)?;
        let (plan, need_wh) = self.way(context, fleet.model, hub, fleet.hub)?;
        (need_wh <= energy_wh).then_some(plan)
    }

    /// Of a hub, wherever they stand.
    pub(super) fn guests_of(&self, world: &World, home: HubId) -> Vec<DroneId> {
        let is_of = |drone: &DroneId| world.fleet_of(*drone).is_some_and(|fleet| fleet.hub == home);
        self.guests.drones().filter(is_of).collect()
    }

    /// Whether it was one; its charger is free again.
    pub(super) fn part_with_guest(
        &mut self,
        context: &Context,
        drone: DroneId,
        effects: &mut Effects,
    ) -> bool {
        self.return_charger(context, drone, effects);
        let Some(guest) = self.guests.0.remove(&drone) else {
            return false;
        };
        let pads = self.pads.of_mut(guest.hub);
        if let Some(turn) = pads.turn_of(Claim::Empty(drone)) {
            pads.leave(turn);
        }
        self.board.changed(guest.hub);
        true
    }

    /// To one that is not full: a full one would only return it.
    fn lend_charger(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        let Some(guest) = self.guests.0.get_mut(&drone) else {
            return;
        };
        let (energy_wh, full_wh) = holds(context, &self.docks.healths, drone, guest);
        if energy_wh < full_wh && self.docks.lend(context, guest.hub) {
            guest.charging_since = Some(context.now);
            effects.0.push(Effect::Charge(drone, true));
        }
    }

    fn return_charger(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        let Some(guest) = self.guests.0.get_mut(&drone) else {
            return;
        };
        if guest.charging_since.is_none() {
            return;
        }
        guest.energy_wh = holds(context, &self.docks.healths, drone, guest).0;
        guest.charging_since = None;
        let hub = guest.hub;
        effects.0.push(Effect::Charge(drone, false));
        if let Some(pair) = self.docks.take_back(context, hub, effects) {
            self.offer(context, pair, effects);
        }
    }
}

/// What its battery holds, and what it may, watt-hours.
fn holds(context: &Context, healths: &Healths, drone: DroneId, guest: &Guest) -> (f64, f64) {
    let Some(fleet) = context.world.fleet_of(drone) else {
        return (guest.energy_wh, guest.energy_wh);
    };
    let battery = healths.charged(&context.world.model(fleet.model).battery, drone);
    let charged_s = |since| context.now.since(since).as_secs();
    let energy_wh = match guest.charging_since {
        Some(since) => energy::energy_after(&battery, guest.energy_wh, charged_s(since)),
        None => guest.energy_wh,
    };
    (energy_wh, battery.capacity_wh)
}

fn look_again(context: &Context, drone: DroneId, effects: &mut Effects) {
    let at = context.now + LOOK_EVERY;
    effects.wake_at(at, Mail::Fleet(FleetMessage::SendHome { drone }));
}
