//! One hub's pads and its line.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::flight::STACK_PLACES;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::{SimDuration, SimTime};

use super::{Comer, LEAST_HOLD_S};

/// A descent may take this much longer than it is planned to.
const SPARE_S: f64 = 2.0;
/// From a place in the stack over the pads.
const FROM_STACK_S: f64 = 20.0;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::actors::fleet) struct HubPads {
    /// By pad: until when it is taken.
    free_at: Vec<SimTime>,
    /// Who comes down to which.
    landing: BTreeMap<DroneId, u32>,
    /// Who climbs away from which, and until when.
    leaving: BTreeMap<DroneId, (u32, SimTime)>,
    /// Who waits for one, by turn.
    line: BTreeMap<u64, Claim>,
    next_turn: u64,
    holding: BTreeMap<DroneId, Holding>,
    /// How many came down beside the pads.
    beside: u32,
    /// When the line is looked at: a nearer alarm does not take a farther one away.
    looks: BTreeSet<SimTime>,
}

/// For whom a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::actors::fleet) enum Claim {
    /// One of those in the air: the one whose battery lasts least long.
    Landing,
    /// The drone that is kept for this delivery, which may not have begun.
    Mission(DeliveryId),
    /// A drone without a package: a guest on its way home, or one that is to be stationed elsewhere.
    Empty(DroneId),
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Holding {
    /// In the stack.
    place: u8,
    /// Its battery does not last longer.
    until: SimTime,
    descent_s: f64,
    turn: u64,
}

impl HubPads {
    pub fn new(pads: u32) -> Self {
        HubPads {
            free_at: vec![SimTime::START; pads as usize],
            ..HubPads::default()
        }
    }

    /// As snapshots before format 7 have it: all that waits does so in the air, the holders by
    /// place, end and descent.
    pub fn restored(
        free_at: Vec<SimTime>,
        landing: BTreeMap<DroneId, u32>,
        holders: impl Iterator<Item = (DroneId, u8, SimTime, f64)>,
        beside: u32,
    ) -> Self {
        let mut pads = HubPads {
            free_at,
            landing,
            beside,
            ..HubPads::default()
        };
        for (drone, place, until, descent_s) in holders {
            let turn = pads.join(Claim::Landing);
            let holding = Holding {
                place,
                until,
                descent_s,
                turn,
            };
            pads.holding.insert(drone, holding);
        }
        pads
    }

    pub fn beside(&self) -> u32 {
        self.beside
    }

    pub fn holding(&self) -> u32 {
        self.holding.len() as u32
    }

    pub fn in_the_air(&self) -> impl Iterator<Item = DroneId> + '_ {
        self.landing.keys().chain(self.holding.keys()).copied()
    }

    /// Whether it comes down to a pad, or holds for one.
    pub fn expects(&self, drone: DroneId) -> bool {
        self.landing.contains_key(&drone) || self.holding.contains_key(&drone)
    }

    /// Landings, pads that are landed on, and pads.
    pub fn landings(&self) -> (usize, usize, usize) {
        let taken: BTreeSet<u32> = self.landing.values().copied().collect();
        (self.landing.len(), taken.len(), self.free_at.len())
    }

    /// Who waits, in order.
    pub fn line(&self) -> impl Iterator<Item = (u64, Claim)> + '_ {
        self.line.iter().map(|(turn, claim)| (*turn, *claim))
    }

    /// At the end of the line.
    pub fn join(&mut self, claim: Claim) -> u64 {
        let turn = self.next_turn;
        self.next_turn += 1;
        self.line.insert(turn, claim);
        turn
    }

    pub fn leave(&mut self, turn: u64) {
        self.line.remove(&turn);
    }

    /// The turn of a claim that holds none itself.
    pub fn turn_of(&self, claim: Claim) -> Option<u64> {
        let mut line = self.line();
        line.find(|(_, other)| *other == claim).map(|(turn, _)| turn)
    }

    /// By pad: whether somebody comes down to it.
    fn are_landed_on(&self) -> Vec<bool> {
        let mut are = vec![false; self.free_at.len()];
        for pad in self.landing.values() {
            are[*pad as usize] = true;
        }
        are
    }

    /// By pad: when it is free, as far as is known; the past is now.
    fn frees(&self, now: SimTime, turnaround: SimDuration) -> Vec<SimTime> {
        let free = |(is_landed_on, at): (bool, &SimTime)| {
            let least = if is_landed_on { now + turnaround } else { now };
            (*at).max(least)
        };
        let are_landed_on = self.are_landed_on().into_iter();
        are_landed_on.zip(&self.free_at).map(free).collect()
    }

    /// When the next is free that is not yet.
    pub fn next_free(&self, now: SimTime, turnaround: SimDuration) -> Option<SimTime> {
        self.frees(now, turnaround)
            .into_iter()
            .filter(|at| *at > now)
            .min()
    }

    pub fn free_pad(&self, now: SimTime) -> Option<u32> {
        let are_landed_on = self.are_landed_on().into_iter();
        let mut pads = (0..).zip(are_landed_on.zip(&self.free_at));
        let free = pads.find(|(_, (is_landed_on, at))| **at <= now && !is_landed_on);
        free.map(|(pad, _)| pad)
    }

    /// When those in the line have their pads, as far as is known, the soonest first. `ask` says
    /// from when on one can take a pad, and for how long it does. A pad that is free goes to the
    /// first in the line who can take it then: who can only later leaves it to others, and where
    /// several can only from one moment on, as when their hub opens, they go one after the other.
    pub fn expected(
        &self,
        now: SimTime,
        turnaround: SimDuration,
        ask: impl Fn(Claim) -> (SimTime, SimDuration),
    ) -> Vec<(Claim, SimTime)> {
        let descents = self.holding.values().map(|holding| holding.descent_s);
        let down = SimDuration(landing(descents.fold(0.0, f64::max)).0 + turnaround.0);
        let claimed = |(turn, claim): (u64, Claim)| {
            let (ready, takes) = match claim {
                Claim::Landing => (now, down),
                Claim::Mission(_) | Claim::Empty(_) => ask(claim),
            };
            ((ready, turn), (claim, takes))
        };
        let mut not_yet: BTreeMap<(SimTime, u64), (Claim, SimDuration)> = self.line().map(claimed).collect();
        let mut able: BTreeMap<u64, (Claim, SimDuration)> = BTreeMap::new();
        let mut frees = self.frees(now, turnaround);
        let mut expected = Vec::with_capacity(not_yet.len());
        while let Some(free) = frees.iter_mut().min() {
            let next = not_yet.first_key_value().filter(|_| able.is_empty());
            let at = next.map_or(*free, |(&(ready, _), _)| ready.max(*free));
            while let Some(entry) = not_yet.first_entry().filter(|entry| entry.key().0 <= at) {
                let ((_, turn), claim) = entry.remove_entry();
                able.insert(turn, claim);
            }
            let Some((_, (claim, takes))) = able.pop_first() else {
                break;
            };
            *free = at + takes;
            expected.push((claim, at));
        }
        expected
    }

    /// Whether an alarm is to be set for then; the line is looked at by then anyway, else.
    pub fn set_look(&mut self, now: SimTime, at: SimTime) -> bool {
        self.looks.retain(|set| *set > now);
        let is_set = self.looks.first().is_some_and(|set| *set <= at);
        if !is_set {
            self.looks.insert(at);
        }
        !is_set
    }

    fn takes(&mut self, pad: u32, until: SimTime) {
        let free_at = &mut self.free_at[pad as usize];
        *free_at = until.max(*free_at);
    }

    fn free_place(&self, comer: &Comer) -> Option<u8> {
        let is_free = |place: &u8| self.holding.values().all(|other| other.place != *place);
        (0..STACK_PLACES).find(|place| comer.is_open(*place) && is_free(place))
    }

    /// Over the hub; answers where it holds, where it has to. It comes down else.
    pub fn approach(&mut self, now: SimTime, turnaround: SimDuration, comer: Comer) -> Option<u8> {
        if self.landing.contains_key(&comer.drone) {
            return None;
        }
        // Who holds already was led away from its place, or its time there is over.
        let before = self.holding.remove(&comer.drone);
        if let Some(pad) = self.free_pad(now) {
            if let Some(before) = before {
                self.leave(before.turn);
            }
            self.comes_down(now, turnaround, comer.drone, pad, comer.descent_s + SPARE_S);
            return None;
        }
        let until = now + SimDuration::from_secs(comer.endurance_s);
        let may_hold = comer.endurance_s >= LEAST_HOLD_S && comer.first_turn <= until;
        let place = before
            .map(|before| before.place)
            .filter(|place| comer.is_open(*place));
        let place = place.or_else(|| self.free_place(&comer));
        let turn = before.map(|before| before.turn);
        let Some(place) = place.filter(|_| may_hold) else {
            if let Some(turn) = turn {
                self.leave(turn);
            }
            return None;
        };
        let holding = Holding {
            place,
            until,
            descent_s: comer.descent_s,
            turn: turn.unwrap_or_else(|| self.join(Claim::Landing)),
        };
        self.holding.insert(comer.drone, holding);
        Some(place)
    }

    /// The turn is that of the one in the air that can wait least long, whoever asked for it: the
    /// two change turns. Answers who comes down.
    pub fn call_down(&mut self, now: SimTime, turnaround: SimDuration, turn: u64) -> Option<DroneId> {
        let pad = self.free_pad(now)?;
        let order = |(drone, holding): &(&DroneId, &Holding)| (holding.until, **drone);
        let (&drone, &urgent) = self.holding.iter().min_by_key(order)?;
        self.holding.remove(&drone);
        self.leave(turn);
        if let Some(holder) = self.holding.values_mut().find(|holder| holder.turn == turn) {
            holder.turn = urgent.turn;
        }
        self.comes_down(
            now,
            turnaround,
            drone,
            pad,
            FROM_STACK_S + urgent.descent_s + SPARE_S,
        );
        Some(drone)
    }

    fn comes_down(&mut self, now: SimTime, turnaround: SimDuration, drone: DroneId, pad: u32, seconds: f64) {
        self.landing.insert(drone, pad);
        self.takes(pad, now + SimDuration::from_secs(seconds) + turnaround);
    }

    /// Who turned back in the climb is down where it took off.
    pub fn land(&mut self, now: SimTime, turnaround: SimDuration, drone: DroneId) {
        self.stop_holding(drone);
        let left = self.leaving.remove(&drone);
        let left = left.filter(|(_, until)| *until + turnaround >= now);
        let pad = self.landing.remove(&drone).or(left.map(|(pad, _)| pad));
        match pad.or_else(|| self.free_pad(now)) {
            Some(pad) => self.takes(pad, now + turnaround),
            None => self.beside += 1,
        }
    }

    /// A pad that it was to come down to is another's at once.
    pub fn stray(&mut self, now: SimTime, drone: DroneId) {
        if let Some(pad) = self.landing.remove(&drone) {
            let free_at = &mut self.free_at[pad as usize];
            *free_at = now.min(*free_at);
        }
        self.stop_holding(drone);
    }

    fn stop_holding(&mut self, drone: DroneId) {
        if let Some(holding) = self.holding.remove(&drone) {
            self.leave(holding.turn);
        }
    }

    /// Takes a free pad up for so long.
    pub fn take_off(&mut self, now: SimTime, drone: DroneId, turn: u64, takes: SimDuration) {
        self.leave(turn);
        let until = now + takes;
        self.leaving.retain(|_, (_, until)| *until >= now);
        if let Some(pad) = self.free_pad(now) {
            self.takes(pad, until);
            self.leaving.insert(drone, (pad, until));
        }
    }
}

/// From a place in the stack.
fn landing(descent_s: f64) -> SimDuration {
    SimDuration::from_secs(FROM_STACK_S + descent_s + SPARE_S)
}
