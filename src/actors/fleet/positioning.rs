//! Idle drones move to where demand is expected, where the scenario asks for it.
//!
//! What is expected near a hub is the scenario's own rate at the start, and from then on what was
//! asked for near it, the longer ago the less. Once a minute, while requests come, the drones of
//! each type are held against that: a hub that has more than its part of them gives some to those
//! that have less, a few at a time, and keeps its own part. Only drones go that nobody waits for,
//! whose battery does for the way and for work after it, to hubs that fly their type and have a
//! charger for each drone. Who was moved is stationed there, docks and flies from there as its own
//! do, until it is moved on; where weather or a fault lets it land elsewhere it goes to its own hub.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

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

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Positioning {
    /// Who is, or flies, elsewhere than at its own hub, for good.
    stationed: BTreeMap<DroneId, HubId>,
    /// By hub: requests near it, as they were remembered at `since`.
    asked: Vec<f64>,
    since: SimTime,
    next: Option<SimTime>,
}

/// Drones of one type at one hub.
struct Post {
    pair: usize,
    hub: HubId,
    /// Stationed there, whatever they do now.
    drones: u32,
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
            self.asked = forecast
                .into_iter()
                .map(|rate_per_s| rate_per_s * MEMORY_S)
                .collect();
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
        for model in (0..context.world.models.len()).map(|model| ModelId(model as u16)) {
            self.position_type(context, model, effects);
        }
    }

    fn position_type(&mut self, context: &Context, model: ModelId, effects: &mut Effects) {
        let mut posts = self.posts(context, model);
        let all: u32 = posts.iter().map(|post| post.drones).sum();
        for _ in 0..(all / SHARE_OF_A_ROUND).max(1) {
            if !self.move_one(context, &mut posts, effects) {
                break;
            }
        }
    }

    /// Where this type is flown from, with what is expected there.
    fn posts(&mut self, context: &Context, model: ModelId) -> Vec<Post> {
        let world = &context.world;
        let asked = self.positioning.remembered(world, context.now).to_vec();
        let is_open = |hub: HubId| !self.closed.contains_key(&hub) && !world.roster.is_hub_withdrawn(hub);
        let pairs = world.pairs().all().iter().enumerate();
        let of_type = pairs.filter(|(_, pair)| pair.model == model && is_open(pair.hub));
        let mut posts: Vec<Post> = of_type
            .map(|(pair, Pair { hub, .. })| Post {
                pair,
                hub: *hub,
                drones: self.drones_at(world, pair),
                expected: asked[hub.index()],
            })
            .collect();
        let all: f64 = posts.iter().map(|post| f64::from(post.drones)).sum();
        let asked: f64 = posts.iter().map(|post| post.expected).sum();
        for post in &mut posts {
            let share = if asked > 0.0 { post.expected / asked } else { 0.0 };
            post.expected = all * share;
        }
        posts
    }

    /// Of a pair, wherever they are now.
    fn drones_at(&self, world: &World, pair: usize) -> u32 {
        let Pair { hub, model } = world.pairs().get(pair);
        let is_of = |drone: &DroneId| world.fleet_of(*drone).is_some_and(|fleet| fleet.model == model);
        let (here, away) = self.positioning.strangers(world, hub);
        let count = |drones: Vec<DroneId>| drones.iter().filter(|drone| is_of(drone)).count() as u32;
        (world.pairs().in_service(pair) + count(here)).saturating_sub(count(away))
    }

    /// From where most are too many to where most are missing; `false` where nobody is to go.
    fn move_one(&mut self, context: &Context, posts: &mut [Post], effects: &mut Effects) -> bool {
        let surplus = |post: &Post| f64::from(post.drones) - post.expected;
        let mut order: Vec<usize> = (0..posts.len()).collect();
        order.sort_by(|a, b| surplus(&posts[*a]).total_cmp(&surplus(&posts[*b])));
        let is_short = |taker: &usize| surplus(&posts[*taker]) <= -1.0;
        // One stays, whatever is expected.
        let can_spare = |giver: &usize| surplus(&posts[*giver]) >= 1.0 && posts[*giver].drones > 1;
        let takers: Vec<usize> = order.iter().copied().filter(is_short).collect();
        let givers: Vec<usize> = order.iter().rev().copied().filter(can_spare).collect();
        for taker in takers {
            let to = posts[taker].hub;
            if !self.has_charger_for_more(context, to) {
                continue;
            }
            let giver = givers
                .iter()
                .find(|giver| self.sends(context, &posts[**giver], to, effects));
            if let Some(&giver) = giver {
                posts[giver].drones -= 1;
                posts[taker].drones += 1;
                return true;
            }
        }
        false
    }

    fn has_charger_for_more(&self, context: &Context, hub: HubId) -> bool {
        let world = &context.world;
        let pairs = world
            .pairs()
            .all()
            .iter()
            .enumerate()
            .filter(|(_, pair)| pair.hub == hub);
        let drones: u32 = pairs.map(|(pair, _)| self.drones_at(world, pair)).sum();
        drones < world.hub(hub).chargers
    }

    /// One of the post's idle drones, if one has the battery and a pad is free for it.
    fn sends(&mut self, context: &Context, post: &Post, to: HubId, effects: &mut Effects) -> bool {
        let (world, from) = (&context.world, post.hub);
        let Some((plan, need_wh)) = self.way(context, world.pairs().get(post.pair).model, from, to) else {
            return false;
        };
        let battery = &world.model(world.pairs().get(post.pair).model).battery;
        let need_wh = need_wh + FOR_WORK * battery.capacity_wh;
        let is_wanted = self.queue.least_need_wh(post.pair).is_some();
        let fullest_wh = self.fullest_wh(context, post.pair).unwrap_or_default();
        let has_pad =
            self.pads.of(from).free_pad(context.now).is_some() && self.pads.of(from).line().next().is_none();
        if is_wanted || fullest_wh < need_wh || !has_pad {
            return false;
        }
        let Some(released) = self.docks.release(context, post.pair, need_wh, effects) else {
            return false;
        };
        if let Some(next) = released.plugged_in_next {
            self.plan_offer(context, next, effects);
        }
        let drone = released.drone;
        if !self.takes_way(context, drone, &plan) {
            self.put_back(context, post.pair, drone, released.energy_wh, effects);
            return false;
        }
        let pads = self.pads.of_mut(from);
        let turn = pads.join(Claim::Home(drone));
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
