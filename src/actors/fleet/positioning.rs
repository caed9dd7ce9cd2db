//! Idle drones move to where demand is expected, where the scenario asks for it.
//!
//! What is expected near a hub is the scenario's own rate at the start, and from then on what was
//! asked for near it, the longer ago the less; and where little was asked for, that work comes where
//! the scenario keeps its drones. Once a minute, while requests come, the drones of
//! each type are held against that: a hub that has more than its part of them gives some to those
//! that have less, a few at a time, and keeps its own part. Only drones go that nobody waits for,
//! whose battery does for the way and for work after it, to hubs that fly their type and have a
//! charger for each drone. Who was moved is stationed there, docks and flies from there as its own
//! do, until it is moved on; where weather or a fault lets it land elsewhere it goes to its own hub.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::demand;
use crate::sim::dispatch;
use crate::sim::fleet_index::Pair;
use crate::sim::flight::{self, FlightPlan, Whereabouts};
use crate::sim::geo::Point;
use crate::sim::ids::{DroneId, HubId, ModelId};
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{Positioning as Kind, World};

use super::pads::Claim;
use super::{Context, DroneMessage, Effects, Fleet, FleetMessage, Mail, roster};

const ROUND_EVERY: SimDuration = SimDuration(60_000_000);
/// What was asked for so long ago counts for 1/e of what is asked for now, seconds.
const MEMORY_S: f64 = 900.0;
/// In a round one drone in so many of a type moves at most, and one at least.
const SHARE_OF_A_ROUND: u32 = 20;
/// Share of a battery that is left for work when it is there, beside the reserve.
const FOR_WORK: f64 = 0.4;
/// Each drone counts at its own hub as so many requests that were asked for there, so that one
/// request draws no more than four drones, however little else is asked for.
const ASKED_A_DRONE: f64 = 0.25;
/// Where less than this is remembered nobody moves: one request alone says nothing.
const LEAST_ASKED: f64 = 1.5;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Positioning {
    /// Who is, or flies, elsewhere than at its own hub, for good.
    stationed: BTreeMap<DroneId, HubId>,
    /// Who lies somewhere, and has not been withdrawn for it.
    lost: BTreeSet<DroneId>,
    /// By hub: requests near it, as they were remembered at `since`.
    asked: Vec<f64>,
    since: SimTime,
    next: Option<SimTime>,
}

/// Drones of one type at one hub.
struct Post {
    pair: usize,
    hub: HubId,
    /// Its part of all of the type.
    expected: f64,
}

impl Positioning {
    /// Where it is stationed, if that is not its own hub.
    pub fn station_of(&self, drone: DroneId) -> Option<HubId> {
        self.stationed.get(&drone).copied()
    }

    fn station(&mut self, world: &World, drone: DroneId, hub: HubId) {
        let is_own = world.fleet_of(drone).is_some_and(|fleet| fleet.hub == hub);
        match is_own {
            true => self.stationed.remove(&drone),
            false => self.stationed.insert(drone, hub),
        };
    }

    pub fn ends(&mut self, drone: DroneId) {
        self.stationed.remove(&drone);
    }

    /// Nobody counts on it any more. Of who is withdrawn the world knows.
    pub fn loses(&mut self, world: &World, drone: DroneId) {
        if !world.is_withdrawn(drone) {
            self.ends(drone);
            self.lost.insert(drone);
        }
    }

    /// Those stationed at a hub that is not theirs, and those of it that are stationed elsewhere.
    pub fn strangers(&self, world: &World, hub: HubId) -> (Vec<DroneId>, Vec<DroneId>) {
        let of = |drone: &DroneId| world.fleet_of(*drone).is_some_and(|fleet| fleet.hub == hub);
        let all = self.stationed.iter();
        let here = all.clone().filter(|(_, at)| **at == hub).map(|(drone, _)| *drone);
        let away = all.map(|(drone, _)| *drone).filter(of);
        (here.collect(), away.collect())
    }

    /// As it is remembered now.
    fn remembered(&mut self, world: &World, now: SimTime) -> &mut [f64] {
        if self.asked.is_empty() {
            let forecast = demand::near_hubs(world, now);
            let remembered = |rate_per_s| rate_per_s * MEMORY_S;
            self.asked = forecast.into_iter().map(remembered).collect();
            // It is this moment's: none of it has been forgotten yet.
            self.since = now;
        }
        self.asked.resize(world.hubs.len(), 0.0);
        let kept = libm::exp(-now.since(self.since).as_secs() / MEMORY_S);
        self.asked.iter_mut().for_each(|asked| *asked *= kept);
        self.since = now;
        &mut self.asked
    }
}

impl Fleet {
    /// The pair that it docks with where it is stationed.
    pub(super) fn pair_of(&self, world: &World, drone: DroneId) -> usize {
        let own = roster::pair_of(world, drone);
        let Some(hub) = self.positioning.station_of(drone) else {
            return own;
        };
        let model = world.pairs().get(own).model;
        world.pairs().number_of(Pair { hub, model }).unwrap_or(own)
    }

    /// The pair that it docks with at this hub; `None` where it is a guest there, and from then on
    /// at home at its own.
    pub(super) fn lands_with(&mut self, world: &World, drone: DroneId, hub: HubId) -> Option<usize> {
        let own = roster::pair_of(world, drone);
        let is_stationed = self.positioning.station_of(drone) == Some(hub);
        if is_stationed && !world.roster.is_hub_withdrawn(hub) {
            return Some(self.pair_of(world, drone));
        }
        self.positioning.ends(drone);
        (world.pairs().get(own).hub == hub).then_some(own)
    }

    /// A hub is withdrawn: who is docked there and is not its own goes home, and its own who are
    /// docked elsewhere leave the world.
    pub(super) fn part_with_strangers(&mut self, context: &Context, hub: HubId, effects: &mut Effects) {
        let (here, away) = self.positioning.strangers(&context.world, hub);
        for drone in here {
            let pair = self.pair_of(&context.world, drone);
            let energy_wh = self.docks.holds_wh(pair, drone, context.now);
            let (was_docked, _) = self.docks.remove(context, pair, drone, effects);
            if was_docked {
                self.positioning.ends(drone);
                self.receive(context, drone, hub, energy_wh, effects);
            }
        }
        for drone in away {
            self.let_go(context, drone, effects);
        }
    }

    /// Somebody asks for something near a hub.
    pub(super) fn expect_more(&mut self, context: &Context, order: &Order, effects: &mut Effects) {
        let world = &context.world;
        if world.dispatch.positioning == Kind::None {
            return;
        }
        let near = demand::nearest_hub(world, world.area.point(order.pickup.location));
        self.positioning.remembered(world, context.now)[near.index()] += 1.0;
        if self.positioning.next.is_none() {
            let due = context.now + ROUND_EVERY;
            self.positioning.next = Some(due);
            effects.wake_at(due, Mail::Fleet(FleetMessage::Position { due }));
        }
    }

    /// The next round is due with the next request.
    pub(super) fn position(&mut self, context: &Context, due: SimTime, effects: &mut Effects) {
        if self.positioning.next != Some(due) {
            return;
        }
        self.positioning.next = None;
        let world = &context.world;
        let asked = self.positioning.remembered(world, context.now).to_vec();
        if asked.iter().sum::<f64>() < LEAST_ASKED {
            return;
        }
        let mut present = self.present(world);
        for model in (0..world.models.len()).map(|model| ModelId(model as u16)) {
            let posts = self.posts(world, model, &asked, &present);
            let all: u32 = posts.iter().map(|post| present[post.pair]).sum();
            for _ in 0..(all / SHARE_OF_A_ROUND).max(1) {
                if !self.move_one(context, &posts, &mut present, effects) {
                    break;
                }
            }
        }
    }

    /// By pair: who is stationed there and not lost, whatever they do now.
    fn present(&self, world: &World) -> Vec<u32> {
        let pairs = world.pairs();
        let mut present: Vec<u32> = (0..pairs.len()).map(|pair| pairs.in_service(pair)).collect();
        let counts = |drone: &&DroneId| !world.is_withdrawn(**drone);
        for drone in self.positioning.lost.iter().filter(counts) {
            let own = roster::pair_of(world, *drone);
            present[own] = present[own].saturating_sub(1);
        }
        for drone in self.positioning.stationed.keys().filter(counts) {
            let own = roster::pair_of(world, *drone);
            present[own] = present[own].saturating_sub(1);
            present[self.pair_of(world, *drone)] += 1;
        }
        present
    }

    /// Where this type is flown from, with what is expected there: by what was asked for, and for
    /// each drone that belongs there by a little that is not.
    fn posts(&self, world: &World, model: ModelId, asked: &[f64], present: &[u32]) -> Vec<Post> {
        let is_open = |hub: HubId| !self.closed.contains_key(&hub) && !world.roster.is_hub_withdrawn(hub);
        let pairs = world.pairs().all().iter().enumerate();
        let of_type = pairs.filter(|(_, pair)| pair.model == model && is_open(pair.hub));
        let mut posts: Vec<Post> = of_type
            .map(|(pair, Pair { hub, .. })| Post {
                pair,
                hub: *hub,
                expected: asked[hub.index()] + ASKED_A_DRONE * f64::from(world.pairs().in_service(pair)),
            })
            .collect();
        let all: f64 = posts.iter().map(|post| f64::from(present[post.pair])).sum();
        let sum: f64 = posts.iter().map(|post| post.expected).sum();
        for post in &mut posts {
            let share = if sum > 0.0 { post.expected / sum } else { 0.0 };
            post.expected = all * share;
        }
        posts
    }

    /// From where most are too many to where most are missing; `false` where nobody is to go.
    fn move_one(
        &mut self,
        context: &Context,
        posts: &[Post],
        present: &mut [u32],
        effects: &mut Effects,
    ) -> bool {
        let surplus = |post: &Post| f64::from(present[post.pair]) - post.expected;
        let mut order: Vec<&Post> = posts.iter().collect();
        order.sort_by(|a, b| surplus(a).total_cmp(&surplus(b)));
        let is_short = |taker: &&Post| {
            surplus(taker) <= -1.0 && has_charger_for_more(&context.world, taker.hub, present)
        };
        // One stays, whatever is expected.
        let can_spare = |giver: &&Post| surplus(giver) >= 1.0 && present[giver.pair] > 1;
        let takers: Vec<&Post> = order.iter().copied().filter(is_short).collect();
        let givers: Vec<&Post> = order.iter().rev().copied().filter(can_spare).collect();
        for taker in takers {
            let mut givers = givers.iter();
            if let Some(giver) = givers.find(|giver| self.sends(context, giver, taker.hub, effects)) {
                present[giver.pair] -= 1;
                present[taker.pair] += 1;
                return true;
            }
        }
        false
    }

    /// One of the post's idle drones, if one has the battery and a pad is free for it.
    fn sends(&mut self, context: &Context, post: &Post, to: HubId, effects: &mut Effects) -> bool {
        let (world, from) = (&context.world, post.hub);
        let model = world.pairs().get(post.pair).model;
        let for_work_wh = FOR_WORK * world.model(model).battery.capacity_wh;
        // A plan is dear: first whether anybody could fly it.
        let is_wanted = self.queue.least_need_wh(post.pair).is_some();
        let fullest_wh = self.fullest_wh(context, post.pair).unwrap_or_default();
        if is_wanted || fullest_wh < for_work_wh {
            return false;
        }
        let pads = self.pads.of(from);
        if pads.free_pad(context.now).is_none() || pads.line().next().is_some() {
            return false;
        }
        let Some((plan, need_wh)) = self.way(context, model, from, to) else {
            return false;
        };
        let need_wh = need_wh + for_work_wh;
        if fullest_wh < need_wh {
            return false;
        }
        let Some(released) = self.docks.release(context, post.pair, need_wh, effects) else {
            return false;
        };
        if let Some(next) = released.plugged_in_next {
            self.plan_offer_anew(context, next, effects);
        }
        let drone = released.drone;
        if !self.takes_way(context, drone, &plan) {
            self.put_back(context, post.pair, drone, released.energy_wh, effects);
            return false;
        }
        let pads = self.pads.of_mut(from);
        let turn = pads.join(Claim::Empty(drone));
        pads.take_off(context.now, drone, turn, SimDuration::from_secs(plan.on_pad_s()));
        self.board.changed(from);
        self.positioning.station(world, drone, to);
        effects.send(Mail::Drone(drone, DroneMessage::MoveTo { from, to, plan }));
        true
    }

    /// A flight between hubs without a package as it may be flown now, and what a battery must hold
    /// for it, the reserve included.
    pub(super) fn way(
        &self,
        context: &Context,
        model: ModelId,
        from: HubId,
        to: HubId,
    ) -> Option<(FlightPlan, f64)> {
        if self.stopped_until(from, model, context.now).is_some() {
            return None;
        }
        let (world, model) = (&context.world, context.world.model(model));
        let (air, at, there): (_, Point, Point) =
            (world.air(context.now), world.hub(from).at, world.hub(to).at);
        if dispatch::on_way(&model.limits, &air, at, there).is_some() {
            return None;
        }
        let from = Whereabouts::at_rest(at, 0.0);
        let mission = flight::plan_home(model, &air, from, there, 0.0).ok()?;
        let reserve_wh = model.battery.reserve * model.battery.capacity_wh;
        Some((
            mission.plan,
            dispatch::with_margin_wh(mission.energy_wh) + reserve_wh,
        ))
    }
}

fn has_charger_for_more(world: &World, hub: HubId, present: &[u32]) -> bool {
    let pairs = world.pairs().all().iter().zip(present);
    let here = pairs.filter(|(pair, _)| pair.hub == hub);
    here.map(|(_, drones)| drones).sum::<u32>() < world.hub(hub).chargers
}
