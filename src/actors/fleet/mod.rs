//! The fleet (the reference's Drone service): which drone flies which request.
//!
//! Owns who is docked where ([`docks`]), the hubs' chargers and pads ([`pads`]), the queue of
//! requests that wait for a drone ([`queue`]), or for the next round where the scenario's policy
//! serves in rounds ([`rounds`]), and the drones that are kept for deliveries until they leave
//! ([`promises`], [`departures`]). Hears requests from the scheduler, landings from
//! drones, and its own alarms; sends drones on missions. Bounds: the queue holds at most
//! `[dispatch] backlog` requests, beyond that the answer is `NoRoom`; a hub's line has at most one
//! place for each drone. After a panic it goes on from before the message that brought it about.

mod air;
mod before;
mod board;
mod closing;
mod departures;
mod docks;
mod free;
mod guests;
mod history;
mod intents;
mod memo;
mod message;
mod offers;
mod pads;
mod positioning;
mod promises;
mod queue;
mod roster;
mod rounds;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::event::HubEvent;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::order::Order;
use crate::sim::separation::Intents;
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::delivery::DeliveryMessage;
use super::drone::DroneMessage;
use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

pub use before::FleetBefore7;
use board::Board;
use docks::Docks;
use free::moment;
use guests::Guests;
use history::History;
use intents::NEARLY;
use memo::Memo;
pub use message::FleetMessage;
use offers::Offers;
use pads::Pads;
use positioning::Positioning;
use promises::Kept;
use queue::Queue;
use roster::Gone;
use rounds::Rounds;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    board: Board,
    docks: Docks,
    queue: Queue,
    /// By pair: when its fullest drone next suffices for a waiting request.
    next_offer: Vec<Option<SimTime>>,
    /// Hubs that nobody leaves, and until when.
    closed: BTreeMap<HubId, SimTime>,
    /// Drones that are off their chargers for a delivery and have not left.
    kept: BTreeMap<DeliveryId, Kept>,
    gone: Gone,
    rounds: Rounds,
    pads: Pads,
    intents: Intents,
    history: History,
    guests: Guests,
    positioning: Positioning,
    /// How many of those who are kept were planned for anew in this tick.
    #[serde(skip)]
    planned_anew: (SimTime, usize),
    #[serde(skip)]
    offers: Memo<Offers>,
}

impl Fleet {
    /// Everyone but those `aloft` docked with a full battery.
    pub fn new(world: &World, aloft: &[DroneId]) -> Self {
        Fleet {
            board: Board::default(),
            docks: Docks::new(world, aloft),
            queue: Queue::new(),
            next_offer: Vec::new(),
            closed: BTreeMap::new(),
            kept: BTreeMap::new(),
            gone: Gone::default(),
            rounds: Rounds::default(),
            pads: Pads::default(),
            intents: Intents::default(),
            history: History::default(),
            guests: Guests::default(),
            positioning: Positioning::default(),
            planned_anew: Default::default(),
            offers: Memo::default(),
        }
        .with_world(world, SimTime::START)
    }

    /// After a restore: what follows from the world is made again.
    pub fn with_world(mut self, world: &World, now: SimTime) -> Self {
        self.history.forget_older(world);
        self.grow(world, now);
        self.pads
            .mark(|id| self.kept.get(&id).map(|kept| (kept.has_begun(), kept.on_pad())));
        self
    }

    /// Makes room for all pairs and hubs of the world, which may have become more.
    fn grow(&mut self, world: &World, now: SimTime) {
        self.board.grow(world);
        self.docks.grow(world);
        self.pads.grow(world);
        self.history.grow(world);
        self.queue.grow(world, now);
        self.next_offer.resize(world.pairs().len(), None);
    }

    /// Hubs that nobody leaves, and until when.
    pub fn hubs_closed(&self) -> impl Iterator<Item = (HubId, SimTime)> + '_ {
        self.closed.iter().map(|(hub, until)| (*hub, *until))
    }

    /// Who waits for a drone.
    pub fn queued(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.queue.ids()
    }

    pub fn docked(&self) -> impl Iterator<Item = DroneId> + '_ {
        self.docks.drones().chain(self.guests.drones())
    }

    /// By hub: chargers in use, and drones that are plugged in.
    pub fn chargers(&self) -> impl Iterator<Item = (HubId, u32, u32)> + '_ {
        let at_home = self.docks.chargers();
        at_home.map(|(hub, in_use, plugged)| (hub, in_use, plugged + self.guests.plugged_at(hub)))
    }

    fn assign(&mut self, context: &Context, id: DeliveryId, order: Arc<Order>, effects: &mut Effects) {
        let world = &context.world;
        if self.kept.contains_key(&id) {
            return self.tell_kept(context, id, effects);
        }
        if self.queue.holds(id) {
            return effects.send(Mail::Scheduler(SchedulerMessage::Queued { id }));
        }
        self.expect_more(context, &order, effects);
        let (policy, at) = (world.dispatch.policy.policy(), moment(context));
        let found = match policy.in_rounds() {
            true => None,
            false => {
                let claims = self.claims(context);
                policy.at_once(at, &order, &self.free(context, claims))
            }
        };
        match found {
            Some((pair, mission)) => self.keep(context, pair, id, &order, mission, effects),
            None if self.queue.len() >= world.dispatch.backlog => {
                effects.send(Mail::Scheduler(SchedulerMessage::NoRoom { id }));
            }
            None if policy.in_rounds() => self.await_round(context, id, order, effects),
            None => {
                self.queue.push(id, order, world, context.now);
                effects.send(Mail::Scheduler(SchedulerMessage::Queued { id }));
                self.plan_offers(context, effects);
            }
        }
    }

    fn withdraw(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        if self.kept.contains_key(&id) {
            return self.tell_kept(context, id, effects);
        }
        self.waits_no_longer(context, id, effects);
        effects.send(Mail::Scheduler(SchedulerMessage::Withdrawn { id }));
    }

    fn dock(&mut self, context: &Context, drone: DroneId, hub: HubId, energy_wh: f64, effects: &mut Effects) {
        let world = &context.world;
        self.history.gives_up(drone);
        self.intents.end(drone);
        self.set_down(context, drone, hub, effects);
        match self.lands_with(world, drone, hub) {
            Some(pair) => self.put_back(context, pair, drone, energy_wh, effects),
            None => self.receive(context, drone, hub, energy_wh, effects),
        }
    }

    /// Onto a charger, or to the end of the queue for one; unless it is to leave the world, or its
    /// station was withdrawn while it was kept, where nobody docks any more.
    fn put_back(
        &mut self,
        context: &Context,
        pair: usize,
        drone: DroneId,
        energy_wh: f64,
        effects: &mut Effects,
    ) {
        self.intents.end(drone);
        if context.world.is_withdrawn(drone) {
            return effects.send(Mail::Drone(drone, DroneMessage::Retire));
        }
        let hub = context.world.pairs().get(pair).hub;
        let Some(pair) = self.lands_with(&context.world, drone, hub) else {
            return self.receive(context, drone, hub, energy_wh, effects);
        };
        self.docks.dock(context, pair, drone, energy_wh, effects);
        self.offer(context, pair, effects);
    }

    fn charged(&mut self, context: &Context, drone: DroneId, since: SimTime, effects: &mut Effects) {
        if let Some(plugged_in_next) = self.docks.charged(context, drone, since, effects) {
            self.offer(context, plugged_in_next, effects);
        }
    }
}

impl Role for Fleet {
    type Message = FleetMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn entries(&self) -> usize {
        self.docks.len() + self.queue.entries() + self.kept.len() + self.intents.count()
    }

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Fleet(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: FleetMessage, effects: &mut Effects) {
        if self.is_smaller_than(&context.world) {
            self.grow(&context.world, context.now);
        }
        // What is asked for in a row sees the same hub, but for who joins its line.
        if !matches!(message, FleetMessage::Assign { .. }) {
            self.pads.forget_outlooks();
        }
        match message {
            FleetMessage::Assign { id, order } => self.assign(context, id, order, effects),
            FleetMessage::Withdraw { id } => self.withdraw(context, id, effects),
            FleetMessage::Undo { id } => self.undo(context, id, effects),
            FleetMessage::Depart { id, told } => self.depart(context, id, told, effects),
            FleetMessage::Docked {
                drone,
                hub,
                energy_wh,
            } => self.dock(context, drone, hub, energy_wh, effects),
            FleetMessage::Charged { drone, since } => self.charged(context, drone, since, effects),
            FleetMessage::Offer { pair, due } => {
                if self.next_offer[pair] == Some(due) {
                    self.offer(context, pair, effects);
                }
            }
            FleetMessage::Close {
                hub,
                duration,
                reply_to,
            } => self.close(context, hub, duration, reply_to, effects),
            FleetMessage::Open { hub, due } => self.open_again(context, hub, due, effects),
            FleetMessage::Joined { first, count } => self.take_in(context, first, count, effects),
            FleetMessage::HubJoined { hub } => self.board.tell(context, hub, HubEvent::Added, effects),
            FleetMessage::Leave { drone } => self.let_go(context, drone, effects),
            FleetMessage::LeaveHub { hub } => self.let_go_of_hub(context, hub, effects),
            FleetMessage::Left { drone } => self.has_left(context, drone, effects),
            FleetMessage::Round { due } => self.round(context, due, effects),
            FleetMessage::Position { due } => self.position(context, due, effects),
            FleetMessage::Approach {
                drone,
                hub,
                endurance_s,
                descent_s,
            } => self.approach(context, drone, hub, (endurance_s, descent_s), effects),
            FleetMessage::PadFree { hub } => self.serve(context, hub, effects),
            FleetMessage::Strayed { drone } => self.strays(context, drone, effects),
            FleetMessage::AirChanged => self.air_changed(context, effects),
            FleetMessage::SendHome { drone } => self.send_home(context, drone, effects),
            FleetMessage::Worn { drone, health } => {
                let pair = self.pair_of(&context.world, drone);
                self.docks.wears(pair, drone, health);
            }
            FleetMessage::Recall { drone, id, task } => self.recall(context, drone, id, task, effects),
            FleetMessage::Revise => self.revise_more(context, effects),
            FleetMessage::Replanned { drone, plan } => self.takes_other_way(context, drone, &plan),
            FleetMessage::OffPlan { drone } => self.history.gives_up(drone),
            FleetMessage::AtDoor { drone, confirmed } => {
                self.history.arrives(drone, confirmed, context.now);
            }
            FleetMessage::Arrived { .. } => {}
            FleetMessage::TellExpected { hub } => self.tell_expected(context, hub, effects),
            FleetMessage::MetWeather { at, met } => self.hear_of_weather(context, at, &met, effects),
            FleetMessage::Looked => self.looked(context, effects),
            FleetMessage::PlanMore { after } => self.plan_more(context, after, effects),
        }
        self.tell_queues(context, effects);
    }
}
