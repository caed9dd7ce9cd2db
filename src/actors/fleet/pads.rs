//! The hubs' pads: who comes down to which, until when each is taken, and who waits for one.
//!
//! A landing takes a pad up from before its descent until the drone is moved off it, a take-off
//! until it has climbed away. Who finds none free is promised the next that will be, in the order
//! of asking; what is promised to those in the air goes to the one whose battery lasts least
//! long. Who cannot wait so long, or finds the stack full, comes down beside the pads, which is
//! counted: nobody falls for want of a pad.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::flight::STACK_PLACES;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{Hub, World};

use super::{Context, DroneMessage, Effects, Fleet, FleetMessage, Mail};

/// A descent may take this much longer than it is planned to.
const SPARE_S: f64 = 2.0;
/// From a place in the stack over the pads.
const FROM_STACK_S: f64 = 20.0;
/// Who can hold no longer than this does not begin to.
const LEAST_HOLD_S: f64 = 30.0;
/// Who comes down later than thought is given so much more time at once.
const LATER: SimDuration = SimDuration(5_000_000);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pads {
    hubs: Vec<HubPads>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct HubPads {
    /// By pad: until when it is taken, or promised.
    free_at: Vec<SimTime>,
    /// Who comes down to which.
    landing: BTreeMap<DroneId, u32>,
    /// Pads that come free for those in the air, and when.
    promised: BTreeSet<(SimTime, u32)>,
    holding: BTreeMap<DroneId, Holding>,
    /// Who waits on the ground, and until when.
    departing: BTreeSet<(SimTime, DroneId)>,
    /// How many came down beside the pads.
    beside: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Holding {
    /// In the stack.
    place: u8,
    /// Its battery does not last longer.
    until: SimTime,
    descent_s: f64,
}

/// Of one hub, as they are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PadQueues {
    pub holding: u32,
    pub departing: u32,
    pub beside: u32,
}

/// A drone over the hub.
#[derive(Clone, Copy)]
struct Comer {
    drone: DroneId,
    endurance_s: f64,
    descent_s: f64,
}

impl Pads {
    /// Makes room for all hubs of the world, which may have become more.
    pub fn grow(&mut self, world: &World) {
        let known = self.hubs.len();
        let of = |hub: &Hub| HubPads {
            free_at: vec![SimTime::START; hub.pads as usize],
            ..HubPads::default()
        };
        self.hubs.extend(world.hubs[known..].iter().map(of));
    }

    pub fn queues(&self, hub: HubId) -> PadQueues {
        let pads = &self.hubs[hub.index()];
        PadQueues {
            holding: pads.holding.len() as u32,
            departing: pads.departing.len() as u32,
            beside: pads.beside,
        }
    }

    /// How long who takes off now waits for a pad.
    pub fn wait(&self, hub: HubId, now: SimTime, turnaround: SimDuration) -> SimDuration {
        let soonest = self.hubs[hub.index()].soonest(now, turnaround);
        soonest.map_or(SimDuration(0), |(at, _)| at.since(now))
    }

    /// Who comes down to a pad, or waits for one in the air.
    pub fn in_the_air(&self) -> impl Iterator<Item = (HubId, DroneId)> + '_ {
        let numbered = (0..).map(HubId).zip(&self.hubs);
        numbered.flat_map(|(hub, pads)| {
            let drones = pads.landing.keys().chain(pads.holding.keys());
            drones.map(move |drone| (hub, *drone))
        })
    }

    /// By hub: pads that somebody comes down to, each once, of how many.
    pub fn taken_by_landings(&self) -> impl Iterator<Item = (HubId, usize, usize, usize)> + '_ {
        (0..).map(HubId).zip(&self.hubs).map(|(hub, pads)| {
            let taken: BTreeSet<u32> = pads.landing.values().copied().collect();
            (hub, pads.landing.len(), taken.len(), pads.free_at.len())
        })
    }
}

impl HubPads {
    /// The pad that is free first, and when; the past is now.
    fn soonest(&self, now: SimTime, turnaround: SimDuration) -> Option<(SimTime, u32)> {
        let free = |(pad, at): (u32, &SimTime)| {
            let is_landed_on = self.landing.values().any(|other| *other == pad);
            let least = if is_landed_on { now + turnaround } else { now };
            ((*at).max(least), pad)
        };
        (0..).zip(&self.free_at).map(free).min()
    }

    fn takes(&mut self, pad: u32, until: SimTime) {
        let free_at = &mut self.free_at[pad as usize];
        *free_at = until.max(*free_at);
    }

    fn free_place(&self) -> Option<u8> {
        let is_free = |place: &u8| self.holding.values().all(|other| other.place != *place);
        (0..STACK_PLACES).find(is_free)
    }

    /// Over the hub; answers where it holds and for how long, where it has to. It comes down else.
    fn approach(
        &mut self,
        now: SimTime,
        turnaround: SimDuration,
        comer: Comer,
    ) -> Option<(u8, f64, SimTime)> {
        let is_out_of_time = self.holding.remove(&comer.drone).is_some();
        if is_out_of_time || self.landing.contains_key(&comer.drone) {
            return None;
        }
        let (at, pad) = self.soonest(now, turnaround)?;
        if at == now {
            self.landing.insert(comer.drone, pad);
            let down = SimDuration::from_secs(comer.descent_s + SPARE_S);
            self.takes(pad, now + down + turnaround);
            return None;
        }
        let until = now + SimDuration::from_secs(comer.endurance_s);
        let first = self
            .promised
            .first()
            .map_or(at, |(promised, _)| at.min(*promised));
        let place = self.free_place();
        let place = place.filter(|_| comer.endurance_s >= LEAST_HOLD_S && first <= until)?;
        let down = SimDuration::from_secs(FROM_STACK_S + comer.descent_s + SPARE_S);
        self.takes(pad, at + down + turnaround);
        self.promised.insert((at, pad));
        let holding = Holding {
            place,
            until,
            descent_s: comer.descent_s,
        };
        self.holding.insert(comer.drone, holding);
        Some((place, comer.endurance_s, at))
    }

    /// What was promised for now goes to those in the air that can wait least long. Answers who
    /// comes down, and when to look again at pads that are not free yet.
    fn keep_promises(&mut self, now: SimTime, turnaround: SimDuration) -> (Vec<DroneId>, Vec<SimTime>) {
        let (mut called, mut again) = (Vec::new(), Vec::new());
        self.departing.retain(|(at, _)| *at > now);
        while let Some((at, pad)) = self.promised.first().copied().filter(|(at, _)| *at <= now) {
            self.promised.remove(&(at, pad));
            if self.landing.values().any(|other| *other == pad) {
                self.promised.insert((now + LATER, pad));
                again.push(now + LATER);
                continue;
            }
            let urgent = self
                .holding
                .iter()
                .min_by_key(|(drone, holding)| (holding.until, **drone));
            let Some((&drone, &holding)) = urgent else {
                continue;
            };
            self.holding.remove(&drone);
            self.landing.insert(drone, pad);
            let down = SimDuration::from_secs(FROM_STACK_S + holding.descent_s + SPARE_S);
            self.takes(pad, now + down + turnaround);
            called.push(drone);
        }
        (called, again)
    }

    fn land(&mut self, now: SimTime, turnaround: SimDuration, drone: DroneId) {
        self.holding.remove(&drone);
        let pad = self.landing.remove(&drone);
        let free = || {
            let (at, pad) = self.soonest(now, turnaround)?;
            (at == now).then_some(pad)
        };
        match pad.or_else(free) {
            Some(pad) => self.takes(pad, now + turnaround),
            None => self.beside += 1,
        }
    }

    /// Answers from when on it has a pad.
    fn take_off(
        &mut self,
        now: SimTime,
        turnaround: SimDuration,
        drone: DroneId,
        use_s: f64,
    ) -> Option<SimTime> {
        let (at, pad) = self.soonest(now, turnaround)?;
        self.takes(pad, at + SimDuration::from_secs(use_s));
        if at > now {
            self.departing.insert((at, drone));
        }
        Some(at)
    }
}

impl Fleet {
    /// Who comes down to a pad, or waits for one in the air.
    pub fn approaching(&self) -> impl Iterator<Item = (HubId, DroneId)> + '_ {
        self.pads.in_the_air()
    }

    /// By hub: landings, pads that are landed on, and pads.
    pub fn landings(&self) -> impl Iterator<Item = (HubId, usize, usize, usize)> + '_ {
        self.pads.taken_by_landings()
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
        let comer = Comer {
            drone,
            endurance_s,
            descent_s,
        };
        let pads = &mut self.pads.hubs[hub.index()];
        if let Some((place, seconds, due)) = pads.approach(context.now, turnaround, comer) {
            let message = DroneMessage::AwaitPad { place, seconds };
            effects.send(Mail::Drone(drone, message));
            effects.wake_at(due, Mail::Fleet(FleetMessage::PadFree { hub }));
        }
        self.tell_pads(context, hub, effects);
    }

    pub(super) fn pad_free(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let turnaround = context.world.hub(hub).turnaround;
        let (called, again) = self.pads.hubs[hub.index()].keep_promises(context.now, turnaround);
        for drone in called {
            effects.send(Mail::Drone(drone, DroneMessage::ComeDown));
        }
        for due in again {
            effects.wake_at(due, Mail::Fleet(FleetMessage::PadFree { hub }));
        }
        self.tell_pads(context, hub, effects);
    }

    /// It is down at the hub, on a pad or beside.
    pub(super) fn set_down(&mut self, context: &Context, drone: DroneId, hub: HubId, effects: &mut Effects) {
        let turnaround = context.world.hub(hub).turnaround;
        self.pads.hubs[hub.index()].land(context.now, turnaround, drone);
        self.tell_pads(context, hub, effects);
    }

    /// It does not come down to any pad any more.
    pub(super) fn strays(&mut self, context: &Context, drone: DroneId, effects: &mut Effects) {
        self.history.gives_up(drone);
        self.intents.end(drone);
        let theirs = |(hub, other): (HubId, DroneId)| (other == drone).then_some(hub);
        let hubs: Vec<HubId> = self.pads.in_the_air().filter_map(theirs).collect();
        for hub in hubs {
            let pads = &mut self.pads.hubs[hub.index()];
            pads.landing.remove(&drone);
            pads.holding.remove(&drone);
            self.tell_pads(context, hub, effects);
        }
    }

    /// Takes a pad for a take-off, and answers how long the drone waits for it.
    pub(super) fn pad_for_take_off(
        &mut self,
        context: &Context,
        drone: DroneId,
        hub: HubId,
        use_s: f64,
        effects: &mut Effects,
    ) -> SimDuration {
        let turnaround = context.world.hub(hub).turnaround;
        let pads = &mut self.pads.hubs[hub.index()];
        let Some(at) = pads.take_off(context.now, turnaround, drone, use_s) else {
            return SimDuration(0);
        };
        if at > context.now {
            effects.wake_at(at, Mail::Fleet(FleetMessage::PadFree { hub }));
            self.tell_pads(context, hub, effects);
        }
        at.since(context.now)
    }

    /// How long who takes off now waits for a pad, as far as is known.
    pub(super) fn wait_for_pad(&self, context: &Context, hub: HubId) -> SimDuration {
        self.pads
            .wait(hub, context.now, context.world.hub(hub).turnaround)
    }

    fn tell_pads(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let queues = self.pads.queues(hub);
        if self.docks.set_pad_queues(hub, queues) {
            self.docks.tell_queue(context, hub, effects);
        }
    }
}

#[cfg(test)]
mod tests;
