//! How good the promised times were: each delivery's ETAs as they were told, held against
//! what happened.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::event::{DeliveryEvent, Etas};
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;

/// Before the delivery by this much, seconds.
pub const TIMES_TO_GO: [u32; 4] = [600, 300, 120, 60];

/// A delivery counts as late when it comes more than this after its first quote.
const LATE_S: f64 = 60.0;

/// Median and 95th percentile of absolute errors, seconds; `None` without deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    pub p50_seconds: Option<f64>,
    pub p95_seconds: Option<f64>,
}

/// What one delivery was promised so far.
struct Promise {
    assigned_at: SimTime,
    picked_up_at: Option<SimTime>,
    /// (when told, delivery ETA), in order; the first is the quote.
    told: Vec<(SimTime, SimTime)>,
}

/// Errors of all completed deliveries.
#[derive(Default)]
pub struct Quality {
    open: BTreeMap<DeliveryId, Promise>,
    /// Actual minus quoted, seconds.
    quote_errors: Vec<f64>,
    /// Absolute, as shares of the trip.
    quote_shares: Vec<f64>,
    at_pickup: Vec<f64>,
    by_time_to_go: [Vec<f64>; TIMES_TO_GO.len()],
}

impl Quality {
    pub fn hear(&mut self, at: SimTime, id: DeliveryId, event: &DeliveryEvent) {
        match event {
            DeliveryEvent::Assigned { etas, .. } => {
                let promise = self.open.entry(id).or_insert_with(|| Promise {
                    assigned_at: at,
                    picked_up_at: None,
                    told: Vec::new(),
                });
                promise.told.push((at, etas.delivery));
            }
            DeliveryEvent::HeadedToPickup { etas }
            | DeliveryEvent::EtaChanged { etas }
            | DeliveryEvent::HeadedToDropoff { etas } => self.told(at, id, etas),
            DeliveryEvent::PickedUp { .. } => {
                if let Some(promise) = self.open.get_mut(&id) {
                    promise.picked_up_at = Some(at);
                }
            }
            DeliveryEvent::Completed { .. } => {
                if let Some(promise) = self.open.remove(&id) {
                    self.settle(at, &promise);
                }
            }
            // What is promised from now on is for another flight.
            DeliveryEvent::Rescheduled { .. } => {
                if let Some(promise) = self.open.get_mut(&id) {
                    promise.assigned_at = at;
                    promise.told.clear();
                }
            }
            DeliveryEvent::Failed { .. } | DeliveryEvent::Cancelled => {
                self.open.remove(&id);
            }
            DeliveryEvent::Accepted { .. }
            | DeliveryEvent::Delayed { .. }
            | DeliveryEvent::Created
            | DeliveryEvent::StepDelayed { .. }
            | DeliveryEvent::AwaitingConfirmation { .. }
            | DeliveryEvent::BroughtBack { .. }
            | DeliveryEvent::NotifyMeRequested { .. } => {}
            // What is promised for a drone is judged, not what a van makes of the traffic.
            DeliveryEvent::HandedToCarrier { .. } => {
                self.open.remove(&id);
            }
        }
    }

    fn told(&mut self, at: SimTime, id: DeliveryId, etas: &Etas) {
        if let Some(promise) = self.open.get_mut(&id) {
            promise.told.push((at, etas.delivery));
        }
    }

    fn settle(&mut self, actual: SimTime, promise: &Promise) {
        let Some((_, quoted)) = promise.told.first() else {
            return;
        };
        let error = actual.as_secs() - quoted.as_secs();
        let trip = actual.since(promise.assigned_at).as_secs();
        self.quote_errors.push(error);
        if trip > 0.0 {
            self.quote_shares.push(error.abs() / trip);
        }
        if let Some(eta) = promise.picked_up_at.and_then(|at| promise.eta_at(at)) {
            self.at_pickup.push(absolute_error(actual, eta));
        }
        for (errors, seconds) in self.by_time_to_go.iter_mut().zip(TIMES_TO_GO) {
            let moment = actual.as_secs() - f64::from(seconds);
            if moment >= promise.assigned_at.as_secs()
                && let Some(eta) = promise.eta_at(SimTime::from_secs(moment))
            {
                errors.push(absolute_error(actual, eta));
            }
        }
    }

    /// Share of the trip: median and 95th percentile of the quote's absolute error.
    pub fn quote_error_shares(&self) -> (Option<f64>, Option<f64>) {
        (
            percentile(&self.quote_shares, 0.5),
            percentile(&self.quote_shares, 0.95),
        )
    }

    /// Mean of actual minus quoted, seconds: positive means that deliveries come late.
    pub fn bias_s(&self) -> Option<f64> {
        let count = self.quote_errors.len();
        (count > 0).then(|| self.quote_errors.iter().sum::<f64>() / count as f64)
    }

    pub fn late_share(&self) -> Option<f64> {
        let count = self.quote_errors.len();
        let late = self.quote_errors.iter().filter(|error| **error > LATE_S).count();
        (count > 0).then(|| late as f64 / count as f64)
    }

    pub fn at_quote(&self) -> Spread {
        let absolute: Vec<f64> = self.quote_errors.iter().map(|error| error.abs()).collect();
        spread(&absolute)
    }

    pub fn at_pickup(&self) -> Spread {
        spread(&self.at_pickup)
    }

    /// In the order of [`TIMES_TO_GO`].
    pub fn by_time_to_go(&self) -> impl Iterator<Item = (u32, Spread)> + '_ {
        TIMES_TO_GO
            .into_iter()
            .zip(self.by_time_to_go.iter().map(|errors| spread(errors)))
    }
}

impl Promise {
    /// The newest ETA that had been told by this moment.
    fn eta_at(&self, moment: SimTime) -> Option<SimTime> {
        let told = self.told.partition_point(|(at, _)| *at <= moment);
        self.told[..told].last().map(|(_, eta)| *eta)
    }
}

fn absolute_error(actual: SimTime, eta: SimTime) -> f64 {
    (actual.as_secs() - eta.as_secs()).abs()
}

fn spread(errors: &[f64]) -> Spread {
    Spread {
        p50_seconds: percentile(errors, 0.5),
        p95_seconds: percentile(errors, 0.95),
    }
}

/// The nearest-rank percentile.
fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::geo::LatLon;
    use crate::sim::ids::DroneId;

    #[test]
    fn errors_are_taken_from_what_had_been_told_at_each_time_to_go() {
        let mut quality = Quality::default();
        let id = DeliveryId::new(1, [0; 10]);
        let secs = SimTime::from_secs;
        let etas = |delivery| Etas {
            pickup: secs(300.0),
            delivery: secs(delivery),
        };
        let location = LatLon { lat: 0.0, lon: 0.0 };
        let drone = DroneId(0);
        quality.hear(
            secs(0.0),
            id,
            &DeliveryEvent::Assigned {
                drone,
                etas: etas(900.0),
            },
        );
        quality.hear(secs(350.0), id, &DeliveryEvent::PickedUp { location });
        quality.hear(secs(800.0), id, &DeliveryEvent::EtaChanged { etas: etas(990.0) });
        quality.hear(secs(1_000.0), id, &DeliveryEvent::Completed { location });
        assert_eq!(quality.bias_s(), Some(100.0));
        assert_eq!(quality.late_share(), Some(1.0));
        assert_eq!(quality.quote_error_shares(), (Some(0.1), Some(0.1)));
        assert_eq!(quality.at_pickup().p50_seconds, Some(100.0));
        let medians: Vec<_> = quality
            .by_time_to_go()
            .map(|(_, spread)| spread.p50_seconds)
            .collect();
        assert_eq!(medians, [Some(100.0), Some(100.0), Some(10.0), Some(10.0)]);
    }
}
