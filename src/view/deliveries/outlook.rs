//! What may be said of a delivery that nobody has promised anything yet, or not any more: when the
//! package that its drone brings back is there, and about when it may be delivered.
//!
//! A guess for who asks, made from what the view knows; no event tells of it.

use crate::sim::dispatch;
use crate::sim::drone::Task;
use crate::sim::event::{DeliveryEvent, Etas, Happening};
use crate::sim::ids::DeliveryId;
use crate::sim::order::{Order, Stop};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::WaitingFor;
use crate::sim::world::{Recipient, World};
use crate::view::View;
use crate::view::pulse::waits::{Expected, Wait};

use super::{DeliveryHandle, DeliveryRecord, WorkflowState};

/// About what a take-off takes its pad up for, and a landing with what comes after it, seconds.
const TAKE_OFF_S: f64 = 15.0;
const LANDING_S: f64 = 60.0;
/// Whose drones it is reckoned with: of so many hubs' types, the nearest to the pick-up.
const PAIRS: usize = 12;
/// So many of those who wait are held against one of them.
const LOOKED_AT: usize = 256;
/// Who waits this often as long as all who wait would take to serve is passed over, but nobody
/// before this.
const PASSED_OVER: usize = 2;
const LEAST_PASSED_OVER: SimDuration = SimDuration(120_000_000);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outlook {
    /// When what its drone brings back is at the hub.
    pub back: Option<SimTime>,
    /// About when it may be picked up and delivered; `None` where nobody can know.
    pub etas: Option<Etas>,
}

impl View {
    /// Of a delivery that has no promised times.
    pub fn outlook_of(&self, delivery: &DeliveryHandle) -> Outlook {
        let record = delivery.look().clone();
        let (now, world) = (self.now_at(), self.world());
        match record.workflow {
            WorkflowState::AwaitingDrone(WaitingFor::Return) => self.outlook_of_return(&world, &record),
            WorkflowState::Queued | WorkflowState::AwaitingDrone(WaitingFor::Drone) => {
                let freed = self.drone_is_free(&world, &record);
                let etas = freed.and_then(|at| self.flown(&world, at, record.id, &record.order));
                Outlook { back: None, etas }
            }
            WorkflowState::AwaitingDrone(WaitingFor::PickupTime) => {
                let at = record.order.not_before.max(now);
                let etas = self.flown(&world, at, record.id, &record.order);
                Outlook { back: None, etas }
            }
            _ => Outlook::default(),
        }
    }

    /// It sets out again from the hub, unless nobody would take it twice.
    fn outlook_of_return(&self, world: &World, record: &DeliveryRecord) -> Outlook {
        let route = record.drone().and_then(|drone| self.route(drone));
        let Some(hub) = route.as_ref().and_then(|route| route.route.points.last()) else {
            return Outlook::default();
        };
        let back = hub.expected.max(self.now_at());
        let visits = visits(record);
        let rests = match visits {
            0 => SimDuration::ZERO,
            _ => world.recipient.redeliver_after,
        };
        let mut order = Order::clone(&record.order);
        order.pickup = Stop {
            location: hub.at,
            altitude_m: 0.0,
        };
        let goes_again = visits < Recipient::MOST_VISITS;
        let again = goes_again.then(|| self.flown(world, back + rests, record.id, &order));
        Outlook {
            back: Some(back),
            etas: again.flatten(),
        }
    }

    fn now_at(&self) -> SimTime {
        self.now.read().at
    }

    /// By how long others like it waited for a drone lately; where nobody did, when those who
    /// wait longer have drones, as fast as they came free in the last minutes. `None` of who is
    /// passed over. Where no drone came free, since hubs are closed, now.
    fn drone_is_free(&self, world: &World, record: &DeliveryRecord) -> Option<SimTime> {
        let now = self.now.read();
        let per_minute = now.pulse.completed_per_minute(now.at);
        let (at, waits) = (now.at, now.pulse.waits.clone());
        let is_closed = now.hubs.iter().any(|hub| hub.closed_until.is_some());
        drop(now);
        if per_minute == 0.0 {
            return is_closed.then_some(at);
        }
        let own = Wait::open(world, record, at);
        match own.map(|own| waits.expect(&own, self.waiting(world, at).into_iter())) {
            Some(Expected::By(time)) => return Some(time.max(at)),
            Some(Expected::PassedOver) => return None,
            Some(Expected::Unknown) | None => {}
        }
        let index = self.deliveries.index.read();
        let (ahead, all) = (index.waiting_before(record.id)?, index.waiting(WaitingFor::Drone));
        drop(index);
        let come = |drones: usize| SimDuration::from_secs(drones as f64 * 60.0 / per_minute);
        // In so long all who wait would have been served: others are served before it.
        let would_be = come(PASSED_OVER * (all + 1)).max(LEAST_PASSED_OVER);
        let is_passed_over = own.is_some_and(|own| at.since(own.began) > would_be);
        (!is_passed_over).then(|| at + come(ahead + 1))
    }

    /// Those who wait for a drone, as many as are looked at.
    fn waiting(&self, world: &World, now: SimTime) -> Vec<Wait> {
        let ids = self.deliveries.index.read().first_waiting(LOOKED_AT);
        let wait = |id| {
            let handle = self.deliveries.known(id)?;
            let record = handle.look();
            let waits = record.workflow == WorkflowState::AwaitingDrone(WaitingFor::Drone);
            waits.then(|| Wait::open(world, &record, now)).flatten()
        };
        ids.into_iter().filter_map(wait).collect()
    }

    /// By the drone that is there first, if one leaves then, or when its hub opens; `None` where no
    /// type can, or none may by the weather of now.
    fn flown(&self, world: &World, leaves: SimTime, id: DeliveryId, order: &Order) -> Option<Etas> {
        let task = Task::of(world, id, order);
        let (now, hubs): (_, Vec<_>) = {
            let now = self.now.read();
            let known = now.hubs.iter().map(|hub| (hub.closed_until, hub.queues));
            (now.at, known.collect())
        };
        // Those who wait already for a drone spread over the hubs, and leave before it.
        let ahead = self
            .deliveries
            .index
            .read()
            .waiting_before(id)
            .unwrap_or_default();
        let ahead = ahead as f64 / hubs.len().max(1) as f64;
        let pairs = world.pairs();
        let away_m = |index: &usize| world.hub(pairs.get(*index).hub).at.distance(task.pickup);
        let mut near: Vec<usize> = (0..pairs.len())
            .filter(|index| pairs.in_service(*index) > 0)
            .collect();
        near.sort_by(|a, b| away_m(a).total_cmp(&away_m(b)));
        let flown = near.into_iter().take(PAIRS).filter_map(|index| {
            let pair = pairs.get(index);
            let (closed_until, queues) = hubs.get(pair.hub.index()).copied().unwrap_or_default();
            let opens = closed_until.unwrap_or(now);
            let mission = dispatch::mission_of(world, now, pair, &task).ok()?;
            // Behind the opening its line goes pad by pad.
            let ahead = if closed_until.is_some() { ahead } else { 0.0 };
            let line_s =
                TAKE_OFF_S * (f64::from(queues.departing) + ahead) + LANDING_S * f64::from(queues.holding);
            let has_pad = opens + SimDuration::from_secs(line_s / f64::from(world.hub(pair.hub).pads.max(1)));
            let leaves = leaves.max(has_pad);
            let door = world.recipient.expected(task.confirmed);
            (opens != SimTime::NEVER).then(|| Etas {
                pickup: leaves + SimDuration::from_secs(mission.pickup_s),
                delivery: leaves + SimDuration::from_secs(mission.delivery_s) + door,
            })
        });
        flown.min_by_key(|etas| etas.delivery)
    }
}

/// At the door, for nothing.
fn visits(record: &DeliveryRecord) -> u32 {
    let at_door = record.events.iter().filter(|event| {
        matches!(
            event.happening,
            Happening::Delivery(_, DeliveryEvent::AwaitingConfirmation { .. })
        )
    });
    at_door.count() as u32
}
