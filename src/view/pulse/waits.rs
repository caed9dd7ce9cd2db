//! How long those who waited for a drone did lately, and so how long who waits now may have to.
//!
//! A survival estimate (Kaplan and Meier's) of the waits of requests like the one that is asked
//! about: as urgent, and of trips as long, since far ones wait for fuller batteries. Who still waits
//! counts for as long as it has: where far requests are passed over, that is known, and nothing is
//! promised from how fast near ones go. Bounded: waits that ended in the last twenty minutes, and no
//! more than five hundred of them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::WaitingFor;
use crate::sim::world::World;
use crate::view::DeliveryRecord;

const WINDOW: SimDuration = SimDuration(1_200_000_000);
const REMEMBERED: usize = 500;
/// Those that are like it: so many whose trips are as long or the next longer, and no more that are
/// the next shorter.
const PEERS: usize = 20;
/// Nobody who has waited for less counts as passed over.
const NEWS: SimDuration = SimDuration(120_000_000);
/// Who waits is told when so many of those like it have been given a drone.
const HALF: f64 = 0.5;

#[derive(Clone, Debug, Default)]
pub(in crate::view) struct Waits(VecDeque<Wait>);

/// One request's wait for a drone, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::view) struct Wait {
    pub trip_m: f64,
    pub expedited: bool,
    pub began: SimTime,
    /// Until now, where it goes on.
    pub until: SimTime,
    /// Whether it ended with a drone.
    pub is_served: bool,
}

/// What the waits of others tell of one that goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::view) enum Expected {
    /// By then half of those like it have a drone.
    By(SimTime),
    /// Most of those like it are passed over, however long they wait.
    PassedOver,
    /// Nobody like it has been given a drone lately.
    Unknown,
}

impl Wait {
    /// The one that goes on.
    pub fn open(world: &World, record: &DeliveryRecord, now: SimTime) -> Option<Self> {
        Wait::over(world, &record.order, &record.events, now, false)
    }

    /// The one that the record's last event has ended.
    pub fn ended(world: &World, record: &DeliveryRecord) -> Option<Self> {
        let (last, before) = record.events.split_last()?;
        let is_served = ends_with_drone(last)?;
        Wait::over(world, &record.order, before, last.at, is_served)
    }

    /// All that have ended.
    pub fn all_of(world: &World, record: &DeliveryRecord) -> Vec<Self> {
        let ended = |(number, event): (usize, &Arc<Event>)| {
            let is_served = ends_with_drone(event)?;
            Wait::over(
                world,
                &record.order,
                &record.events[..number],
                event.at,
                is_served,
            )
        };
        record.events.iter().enumerate().filter_map(ended).collect()
    }

    fn over(
        world: &World,
        order: &Order,
        events: &[Arc<Event>],
        until: SimTime,
        is_served: bool,
    ) -> Option<Self> {
        let mut began = None;
        for event in events.iter().rev() {
            match &event.happening {
                Happening::Delivery(_, DeliveryEvent::Delayed { waiting_for }) => {
                    if *waiting_for == WaitingFor::Drone {
                        began = Some(event.at);
                    }
                }
                Happening::Delivery(
                    _,
                    DeliveryEvent::StepDelayed { .. } | DeliveryEvent::NotifyMeRequested { .. },
                ) => {}
                _ => break,
            }
        }
        let [from, to] = [order.pickup, order.dropoff].map(|stop| world.area.point(stop.location));
        began.map(|began| Wait {
            trip_m: from.distance(to),
            expedited: order.expedited,
            began,
            until,
            is_served,
        })
    }

    fn lasted(&self) -> SimDuration {
        self.until.since(self.began)
    }
}

impl Waits {
    /// Hears of a request that was given a drone, or another carrier.
    pub fn hear(&mut self, wait: Wait) {
        while self.0.len() >= REMEMBERED || self.0.front().is_some_and(|first| is_old(first, wait.until)) {
            self.0.pop_front();
        }
        self.0.push_back(wait);
    }

    /// `waiting` is who waits besides.
    pub fn expect(&self, own: &Wait, waiting: impl Iterator<Item = Wait>) -> Expected {
        let now = own.until;
        let lately = self.0.iter().filter(|wait| !is_old(wait, now)).copied();
        let alike = lately
            .chain(waiting)
            .filter(|wait| wait.expedited == own.expedited);
        let (mut peers, mut nearer): (Vec<Wait>, Vec<Wait>) =
            alike.partition(|wait| wait.trip_m >= own.trip_m);
        peers.sort_by(|a, b| a.trip_m.total_cmp(&b.trip_m));
        peers.truncate(PEERS);
        nearer.sort_by(|a, b| b.trip_m.total_cmp(&a.trip_m));
        nearer.truncate(peers.len());
        peers.extend(nearer);
        if !peers.iter().any(|peer| peer.is_served) {
            let are_passed_over = |peer: &Wait| peer.lasted() > own.lasted() && peer.lasted() > NEWS;
            return match peers.iter().any(are_passed_over) {
                true => Expected::PassedOver,
                false => Expected::Unknown,
            };
        }
        let longer = peers
            .iter()
            .filter(|peer| peer.is_served && peer.lasted() > own.lasted());
        let mut lasted: Vec<SimDuration> = longer.map(Wait::lasted).collect();
        lasted.sort_unstable();
        let begins = SimTime(now.0.saturating_sub(WINDOW.0));
        let mut waits_on = 1.0;
        for age in lasted {
            // Nothing is known of who was given a drone before the window, so a wait counts from the
            // age that it had then.
            let at_risk = |peer: &&Wait| begins.since(peer.began) <= age && peer.lasted() >= age;
            waits_on *= 1.0 - 1.0 / peers.iter().filter(at_risk).count().max(1) as f64;
            if waits_on <= HALF {
                return Expected::By(own.began + age);
            }
        }
        Expected::PassedOver
    }
}

/// Whether this ends a wait with a drone; `None` where it ends none.
fn ends_with_drone(event: &Event) -> Option<bool> {
    match &event.happening {
        Happening::Delivery(_, DeliveryEvent::Assigned { .. }) => Some(true),
        Happening::Delivery(_, DeliveryEvent::HandedToCarrier { .. }) => Some(false),
        _ => None,
    }
}

fn is_old(wait: &Wait, now: SimTime) -> bool {
    wait.until + WINDOW < now
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: f64 = 5_000.0;

    /// It began so long ago, and ended so long after that, with a drone; or goes on.
    fn wait(trip_m: f64, ago_s: f64, lasted_s: Option<f64>) -> Wait {
        let began = SimTime::from_secs(NOW_S - ago_s);
        Wait {
            trip_m,
            expedited: false,
            began,
            until: lasted_s.map_or(SimTime::from_secs(NOW_S), |lasted_s| {
                began + SimDuration::from_secs(lasted_s)
            }),
            is_served: lasted_s.is_some(),
        }
    }

    fn heard(waits: impl IntoIterator<Item = Wait>) -> Waits {
        let mut all = Waits::default();
        waits.into_iter().for_each(|wait| all.hear(wait));
        all
    }

    #[test]
    fn half_of_those_like_it_have_a_drone_by_then() {
        let near = (1..=9).map(|number| wait(3_000.0, 1_000.0, Some(60.0 * f64::from(number))));
        let waits = heard(near);
        let own = wait(3_000.0, 0.0, None);
        assert_eq!(
            waits.expect(&own, [own].into_iter()),
            Expected::By(SimTime::from_secs(NOW_S + 300.0))
        );
        // Of those who had waited as long.
        let own = wait(3_000.0, 350.0, None);
        assert_eq!(
            waits.expect(&own, [own].into_iter()),
            Expected::By(SimTime::from_secs(NOW_S - 350.0 + 420.0))
        );
    }

    #[test]
    fn who_still_waits_counts_and_who_is_passed_over_is_told_nothing() {
        let near = (0..40).map(|_| wait(2_000.0, 400.0, Some(90.0)));
        let far = (0..3).map(|_| wait(9_000.0, 1_000.0, Some(700.0)));
        let waits = heard(near.chain(far));
        let own = wait(9_000.0, 600.0, None);
        let still = |number| (0..number).map(|_| wait(9_000.0, 1_100.0, None));
        let soon = Expected::By(SimTime::from_secs(NOW_S - 600.0 + 700.0));
        assert_eq!(waits.expect(&own, still(1)), soon);
        assert_eq!(waits.expect(&own, still(38)), Expected::PassedOver);
        let urgent = Wait {
            expedited: true,
            ..own
        };
        assert_eq!(waits.expect(&urgent, still(1)), Expected::Unknown);
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let mut waits = heard((0..600).map(|_| wait(3_000.0, 3_000.0, Some(60.0))));
        assert_eq!(waits.0.len(), REMEMBERED);
        let own = wait(3_000.0, 0.0, None);
        assert_eq!(waits.expect(&own, [own].into_iter()), Expected::Unknown);
        waits.hear(wait(3_000.0, 100.0, Some(60.0)));
        assert_eq!(waits.0.len(), 1);
    }
}
