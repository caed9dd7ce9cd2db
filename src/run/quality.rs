//! How good the promised times were, over all completed deliveries of a run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::sim::event::DeliveryEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::promise::{Kept, Promise, TIMES_TO_GO};
use crate::sim::time::SimTime;

/// A delivery counts as late when it comes more than this after its first quote.
const LATE_S: f64 = 60.0;

/// Of errors: median and 95th percentile of their absolute values, in seconds and as shares of
/// the trip from the first quote to the door, and their mean; `None` without deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    pub p50_seconds: Option<f64>,
    pub p95_seconds: Option<f64>,
    pub p50_share: Option<f64>,
    pub p95_share: Option<f64>,
    /// Positive means that deliveries come later than told.
    pub bias_seconds: Option<f64>,
}

/// How often what a customer was told jumped by more than five seconds, per delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jumps {
    pub mean: Option<f64>,
    pub p95: Option<f64>,
}

#[derive(Default)]
struct Errors {
    /// Actual minus told.
    seconds: Vec<f64>,
    /// Absolute, of the trip.
    shares: Vec<f64>,
}

/// Errors of all completed deliveries.
#[derive(Default)]
pub struct Quality {
    open: BTreeMap<DeliveryId, Promise>,
    at_quote: Errors,
    at_pickup: Errors,
    by_time_to_go: [Errors; TIMES_TO_GO.len()],
    jumps: Vec<f64>,
}

impl Quality {
    pub fn hear(&mut self, at: SimTime, id: DeliveryId, event: &DeliveryEvent) {
        if let DeliveryEvent::Assigned { .. } = event {
            self.open.entry(id).or_default();
        }
        let Some(promise) = self.open.get_mut(&id) else {
            return;
        };
        let kept = promise.hear(at, event);
        let is_over = matches!(
            event,
            DeliveryEvent::Completed { .. }
                | DeliveryEvent::Failed { .. }
                | DeliveryEvent::Cancelled
                | DeliveryEvent::HandedToCarrier { .. }
        );
        if is_over {
            self.open.remove(&id);
        }
        if let Some(kept) = kept {
            self.add(&kept);
        }
    }

    fn add(&mut self, kept: &Kept) {
        self.at_quote.add(kept.at_quote_s, kept.trip_s);
        if let Some(error_s) = kept.at_pickup_s {
            self.at_pickup.add(error_s, kept.trip_s);
        }
        for (errors, error_s) in self.by_time_to_go.iter_mut().zip(kept.by_time_to_go_s) {
            if let Some(error_s) = error_s {
                errors.add(error_s, kept.trip_s);
            }
        }
        self.jumps.push(f64::from(kept.jumps));
    }

    pub fn late_share(&self) -> Option<f64> {
        let late = |error: &&f64| **error > LATE_S;
        let late = self.at_quote.seconds.iter().filter(late).count();
        let count = self.at_quote.seconds.len();
        (count > 0).then(|| late as f64 / count as f64)
    }

    pub fn at_quote(&self) -> Spread {
        self.at_quote.spread()
    }

    pub fn at_pickup(&self) -> Spread {
        self.at_pickup.spread()
    }

    /// In the order of [`TIMES_TO_GO`].
    pub fn by_time_to_go(&self) -> impl Iterator<Item = (u32, Spread)> + '_ {
        TIMES_TO_GO
            .into_iter()
            .zip(self.by_time_to_go.iter().map(Errors::spread))
    }

    pub fn jumps(&self) -> Jumps {
        Jumps {
            mean: mean(&self.jumps),
            p95: percentile(&self.jumps, 0.95),
        }
    }
}

impl Errors {
    fn add(&mut self, error_s: f64, trip_s: f64) {
        self.seconds.push(error_s);
        if trip_s > 0.0 {
            self.shares.push(error_s.abs() / trip_s);
        }
    }

    fn spread(&self) -> Spread {
        let absolute: Vec<f64> = self.seconds.iter().map(|error| error.abs()).collect();
        Spread {
            p50_seconds: percentile(&absolute, 0.5),
            p95_seconds: percentile(&absolute, 0.95),
            p50_share: percentile(&self.shares, 0.5),
            p95_share: percentile(&self.shares, 0.95),
            bias_seconds: mean(&self.seconds),
        }
    }
}

/// `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.iter().sum::<f64>() / count as f64)
}

/// The nearest-rank percentile.
pub(super) fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::event::Etas;
    use crate::sim::geo::LatLon;
    use crate::sim::ids::DroneId;

    #[test]
    fn errors_bias_lateness_and_jumps_are_told_of_all_that_were_completed() {
        let mut quality = Quality::default();
        let secs = SimTime::from_secs;
        let etas = |delivery| Etas {
            pickup: secs(30.0),
            delivery: secs(delivery),
        };
        let location = LatLon { lat: 0.0, lon: 0.0 };
        for number in 1..=20_u64 {
            let id = DeliveryId::new(number, [0; 10]);
            let (drone, quoted) = (DroneId(0), etas(900.0));
            quality.hear(secs(0.0), id, &DeliveryEvent::Assigned { drone, etas: quoted });
            quality.hear(secs(350.0), id, &DeliveryEvent::PickedUp { location });
            quality.hear(secs(800.0), id, &DeliveryEvent::EtaChanged { etas: etas(990.0) });
            // 905, 910, … 1,000: the last eight come over a minute after their quote.
            let at = secs(900.0 + 5.0 * number as f64);
            quality.hear(at, id, &DeliveryEvent::Completed { location });
        }
        let never_quoted = DeliveryId::new(99, [0; 10]);
        quality.hear(secs(1.0), never_quoted, &DeliveryEvent::Completed { location });
        let quote = quality.at_quote();
        assert_eq!((quote.p50_seconds, quote.p95_seconds), (Some(50.0), Some(95.0)));
        assert_eq!(quote.bias_seconds, Some(52.5));
        assert_eq!(quote.p95_share, Some(95.0 / 995.0));
        assert_eq!(quality.late_share(), Some(8.0 / 20.0));
        assert_eq!(quality.at_pickup(), quote);
        let last_minute = quality.by_time_to_go().last().unwrap();
        assert_eq!((last_minute.0, last_minute.1.p50_seconds), (60, Some(35.0)));
        let jumps = quality.jumps();
        assert_eq!((jumps.mean, jumps.p95), (Some(1.0), Some(1.0)));
        assert!(quality.open.is_empty());
    }
}
