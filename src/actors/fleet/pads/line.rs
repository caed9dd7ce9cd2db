//! One hub's pads and its line; [`turns`] says when they come, [`long`] about when.

mod long;
mod turns;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::flight::STACK_PLACES;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::{SimDuration, SimTime};

use super::{Comer, LEAST_HOLD_S};
pub(in crate::actors::fleet) use long::CLIMB;
use long::Takes;
use turns::Outlook;

/// A descent may take this much longer than it is planned to.
const SPARE_S: f64 = 2.0;
/// From a place in the stack over the pads.
const FROM_STACK_S: f64 = 20.0;
/// Who leaves a pad to others can hold so much longer than that.
const SPARED: SimDuration = SimDuration(60_000_000);

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
    /// Turns of those on the ground who would leave if they could. It follows from the line and from
    /// what has begun.
    #[serde(skip)]
    departing: BTreeSet<u64>,
    /// It follows from the plans of those in the line.
    #[serde(skip)]
    takes: Takes,
    #[serde(skip)]
    outlook: Outlook,
}

/// For whom a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
        if matches!(claim, Claim::Empty(_)) {
            self.departing.insert(turn);
        }
        turn
    }

    pub fn leave(&mut self, turn: u64) {
        self.forget_outlook();
        self.line.remove(&turn);
        self.departing.remove(&turn);
        self.takes.forget(turn);
    }

    /// The delivery that has this turn has begun.
    pub fn begins(&mut self, turn: u64) {
        self.departing.insert(turn);
    }

    /// How many on the ground wait for anything that keeps them there.
    pub fn departing(&self) -> u32 {
        self.departing.len() as u32
    }

    /// After a restore: what follows from the line. `of` says of a delivery whether it has begun, and
    /// for how long it will take a pad up.
    pub fn mark(&mut self, of: impl Fn(DeliveryId) -> Option<(bool, SimDuration)>) {
        (self.departing, self.takes) = Default::default();
        for (turn, claim) in &self.line {
            let mission = match claim {
                Claim::Mission(id) => of(*id),
                Claim::Landing | Claim::Empty(_) => None,
            };
            if let Some((_, takes)) = mission {
                self.takes.set(*turn, takes);
            }
            let has_begun = mission.is_some_and(|(has_begun, _)| has_begun);
            if has_begun || matches!(claim, Claim::Empty(_)) {
                self.departing.insert(*turn);
            }
        }
    }

    /// The first in the line behind this turn, or of all.
    pub fn next_in_line(&self, after: Option<u64>) -> Option<(u64, Claim)> {
        let from = after.map_or(0, |turn| turn + 1);
        let next = self.line.range(from..).next();
        next.map(|(turn, claim)| (*turn, *claim))
    }

    pub fn length(&self) -> usize {
        self.line.len()
    }

    pub fn last_turn(&self) -> Option<u64> {
        self.line.last_key_value().map(|(turn, _)| *turn)
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
    pub(super) fn frees(&self, now: SimTime, turnaround: SimDuration) -> Vec<SimTime> {
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
        let mut are_landed_on = None;
        let mut pads = (0..).zip(&self.free_at).filter(|(_, at)| **at <= now);
        let free = pads.find(|(pad, _)| {
            let are_landed_on = are_landed_on.get_or_insert_with(|| self.are_landed_on());
            !are_landed_on[*pad as usize]
        });
        free.map(|(pad, _)| pad)
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
        self.forget_outlook();
        let free_at = &mut self.free_at[pad as usize];
        *free_at = until.max(*free_at);
    }

    fn free_place(&self, comer: &Comer) -> Option<u8> {
        let is_free = |place: &u8| self.holding.values().all(|other| other.place != *place);
        (0..STACK_PLACES).find(|place| comer.is_open(*place) && is_free(place))
    }

    /// Over the hub; answers where it holds, where it has to. It comes down else.
    pub fn approach(&mut self, now: SimTime, turnaround: SimDuration, comer: Comer) -> Option<u8> {
        self.forget_outlook();
        if self.landing.contains_key(&comer.drone) {
            return None;
        }
        // Who holds already was led away from its place, or its time there is over.
        let before = self.holding.remove(&comer.drone);
        let place = before
            .map(|before| before.place)
            .filter(|place| comer.is_open(*place));
        let place = place.or_else(|| self.free_place(&comer));
        let until = now + SimDuration::from_secs(comer.endurance_s);
        let may_hold = |turn: SimTime| comer.endurance_s >= LEAST_HOLD_S && turn <= until;
        let waits = comer.waits_until.filter(|_| place.is_some());
        let waits = waits.is_some_and(|waits_until| may_hold(waits_until + SPARED));
        if let Some(pad) = self.free_pad(now).filter(|_| !waits) {
            if let Some(before) = before {
                self.leave(before.turn);
            }
            self.comes_down(now, turnaround, comer.drone, pad, comer.descent_s + SPARE_S);
            return None;
        }
        let turn = before.map(|before| before.turn);
        let Some(place) = place.filter(|_| may_hold(comer.first_turn)) else {
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

    /// For how long the next to come down from the stack would take a pad up, and until when it can
    /// leave that to others.
    pub(super) fn next_landing(&self, turnaround: SimDuration) -> Option<(SimDuration, SimTime)> {
        let urgent = self.holding.values().min_by_key(|holding| holding.until)?;
        let takes = SimDuration(landing(urgent.descent_s).0 + turnaround.0);
        Some((takes, SimTime(urgent.until.0.saturating_sub(SPARED.0))))
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
        self.forget_outlook();
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
        self.forget_outlook();
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

/// From over the hub.
pub(super) fn from_above(descent_s: f64) -> SimDuration {
    SimDuration::from_secs(descent_s + SPARE_S)
}

/// From a place in the stack.
fn landing(descent_s: f64) -> SimDuration {
    SimDuration::from_secs(FROM_STACK_S + descent_s + SPARE_S)
}
