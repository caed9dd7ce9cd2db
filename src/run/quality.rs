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

/// How far off what was told so long before the end was, and beside it how far off the quotes of
/// the same trips had been: who was quoted later than that is in neither.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeToGo {
    pub seconds: u32,
    pub trips: u64,
    #[serde(flatten)]
    pub error: Spread,
    pub at_quote: Spread,
}

/// How often what a customer was told jumped by more than five seconds, per delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jumps {
    pub mean: Option<f64>,
    pub p95: Option<f64>,
}

/// Promises of all completed deliveries, and how they held.
#[derive(Default)]
pub struct Quality {
    open: BTreeMap<DeliveryId, Promise>,
    kept: Vec<Kept>,
}

impl Quality {
    pub fn hear(&mut self, at: SimTime, id: DeliveryId, event: &DeliveryEvent) {
        if let DeliveryEvent::Assigned { .. } = event {
            self.open.entry(id).or_default();
        }
        let Some(promise) = self.open.get_mut(&id) else {
            return;
        };
        self.kept.extend(promise.hear(at, event));
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
    }

    /// Of all completed deliveries, in the order of their ends.
    pub fn into_kept(self) -> Vec<Kept> {
        self.kept
    }

    pub fn late_share(&self) -> Option<f64> {
        let late = |kept: &&Kept| kept.at_quote_s > LATE_S;
        let late = self.kept.iter().filter(late).count();
        let count = self.kept.len();
        (count > 0).then(|| late as f64 / count as f64)
    }

    pub fn at_quote(&self) -> Spread {
        self.spread(|kept| Some(kept.at_quote_s))
    }

    pub fn at_pickup(&self) -> Spread {
        self.spread(|kept| kept.at_pickup_s)
    }

    /// In the order of [`TIMES_TO_GO`].
    pub fn by_time_to_go(&self) -> impl Iterator<Item = TimeToGo> + '_ {
        let row = |(index, seconds)| {
            let error_s = move |kept: &Kept| kept.by_time_to_go_s[index];
            TimeToGo {
                seconds,
                trips: self.kept.iter().filter_map(error_s).count() as u64,
                error: self.spread(error_s),
                at_quote: self.spread(|kept| error_s(kept).map(|_| kept.at_quote_s)),
            }
        };
        (0..).zip(TIMES_TO_GO).map(row)
    }

    pub fn jumps(&self) -> Jumps {
        let jumps: Vec<f64> = self.kept.iter().map(|kept| f64::from(kept.jumps)).collect();
        Jumps {
            mean: mean(&jumps),
            p95: percentile(&jumps, 0.95),
        }
    }

    /// Of those deliveries that have such an error.
    fn spread(&self, error_s: impl Fn(&Kept) -> Option<f64>) -> Spread {
        let errors = || {
            self.kept
                .iter()
                .filter_map(|kept| Some((error_s(kept)?, kept.trip_s)))
        };
        let signed: Vec<f64> = errors().map(|(error_s, _)| error_s).collect();
        let absolute: Vec<f64> = signed.iter().map(|error_s| error_s.abs()).collect();
        let trips = errors().filter(|(_, trip_s)| *trip_s > 0.0);
        let shares: Vec<f64> = trips.map(|(error_s, trip_s)| error_s.abs() / trip_s).collect();
        Spread {
            p50_seconds: percentile(&absolute, 0.5),
            p95_seconds: percentile(&absolute, 0.95),
            p50_share: percentile(&shares, 0.5),
            p95_share: percentile(&shares, 0.95),
            bias_seconds: mean(&signed),
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
        let rows: Vec<_> = quality.by_time_to_go().collect();
        let last_minute = rows.last().unwrap();
        assert_eq!(
            (last_minute.seconds, last_minute.error.p50_seconds),
            (60, Some(35.0))
        );
        assert_eq!((last_minute.trips, last_minute.at_quote), (20, quote));
        let jumps = quality.jumps();
        assert_eq!((jumps.mean, jumps.p95), (Some(1.0), Some(1.0)));
        assert!(quality.open.is_empty());
    }
}
