//! What a delivery's customer was promised, and how well it held: each expected time as it was
//! told, held against what happened. A pure listener to one delivery's events.

use super::event::{DeliveryEvent, Etas};
use super::motion::greater;
use super::time::{SimDuration, SimTime};

/// What drifts in the air, or in a line on the ground, is told again when it has moved by more than
/// this since it was told, seconds; by more yet where it is farther away than [`NEAR_S`].
pub const THRESHOLD_S: f64 = 5.0;
/// What drifts at random goes as far as the square root of the time that it has: it is told again
/// where it has gone farther than it would in the time that is left, seen from so near, seconds.
const NEAR_S: f64 = 60.0;

/// Before the delivery by this much, seconds.
pub const TIMES_TO_GO: [u32; 4] = [600, 300, 120, 60];

/// A told time that differs from the one before it by more than this is a visible jump, seconds.
const JUMP_S: f64 = THRESHOLD_S;

/// Whether a time that drifts is told again, seconds since the start.
#[inline(always)]
pub fn has_drifted(told_s: f64, newest_s: f64, now_s: f64) -> bool {
    let moved_s = newest_s - told_s;
    let farther = greater((newest_s - now_s) / NEAR_S, 1.0);
    moved_s * moved_s > THRESHOLD_S * THRESHOLD_S * farther
}

/// Whether a change of plan is worth telling: it comes later, so that what was told would run out
/// before it is there, or earlier by more than what may drift untold.
pub fn is_worth_telling(told: Etas, newest: Etas, tick: SimDuration) -> bool {
    let differs = |told: SimTime, newest: SimTime| {
        let later_s = newest.as_secs() - told.as_secs();
        later_s > tick.as_secs() || later_s < -THRESHOLD_S
    };
    differs(told.pickup, newest.pickup) || differs(told.delivery, newest.delivery)
}

/// What one delivery was promised so far, and by a drone: what a van makes of the traffic is not
/// judged.
#[derive(Clone, Debug, Default)]
pub struct Promise {
    is_by_drone: bool,
    picked_up_at: Option<SimTime>,
    /// (when told, delivery ETA), in order; the first is the quote.
    told: Vec<(SimTime, SimTime)>,
}

/// How the promises of a completed delivery held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// From the first quote to the delivery, seconds.
    pub trip_s: f64,
    /// Actual minus promised, seconds, as all of these: positive means that it came late.
    pub at_quote_s: f64,
    pub at_pickup_s: Option<f64>,
    /// In the order of [`TIMES_TO_GO`]; `None` where that was before the quote.
    pub by_time_to_go_s: [Option<f64>; TIMES_TO_GO.len()],
    /// How often what was told jumped.
    pub jumps: u32,
}

impl Promise {
    /// Answers where the event is the delivery's completion, and there was a quote.
    pub fn hear(&mut self, at: SimTime, event: &DeliveryEvent) -> Option<Kept> {
        match event {
            DeliveryEvent::Assigned { etas, .. } => {
                self.is_by_drone = true;
                self.told.push((at, etas.delivery));
            }
            DeliveryEvent::HeadedToPickup { etas }
            | DeliveryEvent::EtaChanged { etas }
            | DeliveryEvent::HeadedToDropoff { etas } => self.tell(at, etas),
            DeliveryEvent::PickedUp { .. } => self.picked_up_at = Some(at),
            DeliveryEvent::Completed { .. } => return self.kept(at),
            // What is told next is the quote of what is wanted now.
            DeliveryEvent::Rescheduled { .. } => self.told.clear(),
            DeliveryEvent::HandedToCarrier { .. }
            | DeliveryEvent::Failed { .. }
            | DeliveryEvent::Cancelled => *self = Promise::default(),
            DeliveryEvent::Accepted { .. }
            | DeliveryEvent::Delayed { .. }
            | DeliveryEvent::Created
            | DeliveryEvent::StepDelayed { .. }
            | DeliveryEvent::AwaitingConfirmation { .. }
            | DeliveryEvent::BroughtBack { .. }
            | DeliveryEvent::NotifyMeRequested { .. } => {}
        }
        None
    }

    fn tell(&mut self, at: SimTime, etas: &Etas) {
        if self.is_by_drone {
            self.told.push((at, etas.delivery));
        }
    }

    fn kept(&self, actual: SimTime) -> Option<Kept> {
        let (quoted_at, quoted) = *self.told.first()?;
        let error_s = |eta: SimTime| actual.as_secs() - eta.as_secs();
        let at_moment = |seconds: u32| {
            let moment = actual.as_secs() - f64::from(seconds);
            let was_quoted = moment >= quoted_at.as_secs();
            let told = was_quoted.then(|| self.eta_at(SimTime::from_secs(moment)));
            told.flatten().map(error_s)
        };
        let jumped =
            |pair: &&[(SimTime, SimTime)]| (pair[1].1.as_secs() - pair[0].1.as_secs()).abs() > JUMP_S;
        Some(Kept {
            trip_s: actual.since(quoted_at).as_secs(),
            at_quote_s: error_s(quoted),
            at_pickup_s: self.picked_up_at.and_then(|at| self.eta_at(at)).map(error_s),
            by_time_to_go_s: TIMES_TO_GO.map(at_moment),
            jumps: self.told.windows(2).filter(jumped).count() as u32,
        })
    }

    /// The newest ETA that had been told by this moment.
    fn eta_at(&self, moment: SimTime) -> Option<SimTime> {
        let told = self.told.partition_point(|(at, _)| *at <= moment);
        self.told[..told].last().map(|(_, eta)| *eta)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sim::geo::LatLon;
    use crate::sim::ids::DroneId;
    use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};

    const LOCATION: LatLon = LatLon { lat: 0.0, lon: 0.0 };

    fn secs(seconds: f64) -> SimTime {
        SimTime::from_secs(seconds)
    }

    fn etas(delivery_s: f64) -> Etas {
        Etas {
            pickup: secs(300.0),
            delivery: secs(delivery_s),
        }
    }

    fn assigned(delivery_s: f64) -> DeliveryEvent {
        DeliveryEvent::Assigned {
            drone: DroneId(0),
            etas: etas(delivery_s),
        }
    }

    fn order() -> Order {
        let stop = Stop {
            location: LOCATION,
            altitude_m: 0.0,
        };
        Order {
            owner: Owner::account("shop"),
            pickup: stop,
            dropoff: stop,
            package: Package {
                id: "p".into(),
                size: ContainerSize::Small,
                weight_kg: 0.5,
                tag: None,
            },
            expedited: false,
            confirmation: ConfirmationRequired::None,
            deadline: String::new(),
            not_before: SimTime::START,
        }
    }

    /// What the last of these comes to.
    fn hear(events: &[(f64, DeliveryEvent)]) -> Option<Kept> {
        let mut promise = Promise::default();
        let kept = events.iter().map(|(at, event)| promise.hear(secs(*at), event));
        kept.last().flatten()
    }

    #[test]
    fn later_is_told_and_earlier_where_it_is_by_more_than_may_drift() {
        let tick = SimDuration::from_secs(0.1);
        let told = |newest: Etas| is_worth_telling(etas(900.0), newest, tick);
        for (delivery_s, is_told) in [
            (900.0, false),
            (900.09, false),
            (900.2, true),
            (895.5, false),
            (894.5, true),
        ] {
            assert_eq!(told(etas(delivery_s)), is_told, "{delivery_s}");
        }
        let pickup = secs(301.0);
        assert!(told(Etas {
            pickup,
            ..etas(900.0)
        }));
    }

    #[test]
    fn what_drifts_is_told_of_the_more_the_nearer_it_is() {
        for (left_s, most_s) in [(0.0, 5.0), (60.0, 5.0), (240.0, 10.0), (540.0, 15.0)] {
            let (now_s, newest_s) = (1_000.0, 1_000.0 + left_s);
            for sign in [-1.0, 1.0] {
                let moved = |by_s: f64| has_drifted(newest_s + sign * by_s, newest_s, now_s);
                assert!(!moved(most_s - 0.01) && moved(most_s + 0.01), "{left_s} {sign}");
            }
        }
    }

    #[test]
    fn errors_are_taken_from_what_had_been_told_at_each_time_to_go() {
        let kept = hear(&[
            (0.0, assigned(900.0)),
            (1.0, DeliveryEvent::HeadedToPickup { etas: etas(904.0) }),
            (350.0, DeliveryEvent::PickedUp { location: LOCATION }),
            (800.0, DeliveryEvent::EtaChanged { etas: etas(990.0) }),
            (1_000.0, DeliveryEvent::Completed { location: LOCATION }),
        ]);
        let expected = Kept {
            trip_s: 1_000.0,
            at_quote_s: 100.0,
            at_pickup_s: Some(96.0),
            by_time_to_go_s: [Some(96.0), Some(96.0), Some(10.0), Some(10.0)],
            jumps: 1,
        };
        assert_eq!(kept, Some(expected), "four seconds are no jump");
    }

    #[test]
    fn what_was_not_promised_yet_is_not_judged() {
        let kept = hear(&[
            (400.0, assigned(500.0)),
            (490.0, DeliveryEvent::Completed { location: LOCATION }),
        ]);
        let kept = kept.unwrap();
        assert_eq!(kept.by_time_to_go_s, [None, None, None, Some(-10.0)]);
        assert_eq!((kept.at_pickup_s, kept.jumps), (None, 0));
    }

    #[test]
    fn a_new_schedule_is_a_new_promise_and_a_van_makes_none() {
        let location = LOCATION;
        let completed = (990.0, DeliveryEvent::Completed { location });
        let etas = etas(700.0);
        let van = (5.0, DeliveryEvent::HandedToCarrier { etas });
        assert_eq!(hear(&[(0.0, assigned(500.0)), van, completed.clone()]), None);
        let order = Arc::new(order());
        let rescheduled = (5.0, DeliveryEvent::Rescheduled { order });
        let again = (
            10.0,
            DeliveryEvent::EtaChanged {
                etas: self::etas(1_000.0),
            },
        );
        let kept = hear(&[(0.0, assigned(500.0)), rescheduled, again, completed]);
        assert_eq!(kept.map(|kept| kept.at_quote_s), Some(-10.0));
    }
}
