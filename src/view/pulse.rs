//! How the service is doing lately: what was completed, how good the first quotes were, and how
//! long requests waited for a drone.
//!
//! Bounded: counts by simulated second for five minutes, the errors of the last thousand
//! deliveries, and what [`Waits`] remembers.

pub(super) mod waits;

use std::collections::VecDeque;

use super::DeliveryRecord;
use super::reading::{ErrorReading, QuoteReading, TimeToGoReading};
use crate::sim::event::{DeliveryEvent, Happening};
use crate::sim::promise::{Kept, Promise};
use crate::sim::time::SimTime;
use crate::sim::world::World;

use waits::{Wait, Waits};

/// Simulated seconds over which deliveries a minute are counted.
const WINDOW_S: u64 = 300;
/// Deliveries whose quotes are judged.
const JUDGED: usize = 1_000;
/// A delivery counts as late when it comes more than this after its first quote.
const LATE_S: f64 = 60.0;

#[derive(Default)]
pub(super) struct Pulse {
    /// (simulated second, deliveries completed in it), in order.
    completed: VecDeque<(u64, u32)>,
    /// Newest last.
    judged: VecDeque<Kept>,
    pub(super) waits: Waits,
}

impl Pulse {
    /// As it would have become from these deliveries' events.
    pub(super) fn of<'a>(world: &World, records: impl Iterator<Item = &'a DeliveryRecord>) -> Self {
        let (mut ended, mut waits) = (Vec::new(), Vec::new());
        for record in records {
            ended.extend(completion(record));
            waits.extend(Wait::all_of(world, record));
        }
        ended.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.at_quote_s.total_cmp(&b.1.at_quote_s)));
        let mut pulse = Pulse::default();
        for (at, kept) in ended {
            pulse.note(at, kept);
        }
        waits.sort_by_key(|wait| (wait.until, wait.began));
        waits.into_iter().for_each(|wait| pulse.waits.hear(wait));
        pulse
    }

    /// Hears of a delivery's last event.
    pub(super) fn hear(&mut self, world: &World, record: &DeliveryRecord) {
        match record.events.last().map(|event| &event.happening) {
            Some(Happening::Delivery(_, DeliveryEvent::Completed { .. })) => {
                if let Some((at, kept)) = completion(record) {
                    self.note(at, kept);
                }
            }
            Some(_) => {
                if let Some(wait) = Wait::ended(world, record) {
                    self.waits.hear(wait);
                }
            }
            None => {}
        }
    }

    fn note(&mut self, at: SimTime, kept: Kept) {
        let second = at.as_secs() as u64;
        match self.completed.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.completed.push_back((second, 1)),
        }
        while self
            .completed
            .front()
            .is_some_and(|(first, _)| first + WINDOW_S < second)
        {
            self.completed.pop_front();
        }
        if self.judged.len() == JUDGED {
            self.judged.pop_front();
        }
        self.judged.push_back(kept);
    }

    /// Over the last five simulated minutes, or as long as the world is old.
    pub(super) fn completed_per_minute(&self, now: SimTime) -> f64 {
        let second = now.as_secs() as u64;
        let recent = self.completed.iter().filter(|(at, _)| at + WINDOW_S > second);
        let completed: u64 = recent.map(|(_, count)| u64::from(*count)).sum();
        completed as f64 * 60.0 / (WINDOW_S.min(second.max(60))) as f64
    }

    pub(super) fn quotes(&self) -> Option<QuoteReading> {
        let quoted = || self.judged.iter().map(|kept| kept.at_quote_s);
        let errors = |told: fn(&Kept) -> Option<f64>| {
            let told = |kept| Some((told(kept)?, kept.trip_s));
            percentiles(self.judged.iter().filter_map(told))
        };
        let at_quote = errors(|kept| Some(kept.at_quote_s))?;
        let count = self.judged.len() as f64;
        let by_time_to_go = |index: usize| {
            let told = |kept: &&Kept| kept.by_time_to_go_s[index].is_some();
            let trips = || self.judged.iter().filter(told);
            let error = |kept: &Kept| Some((kept.by_time_to_go_s[index]?, kept.trip_s));
            Some(TimeToGoReading {
                trips: trips().count() as u32,
                error: percentiles(trips().filter_map(error))?,
                at_quote: percentiles(trips().map(|kept| (kept.at_quote_s, kept.trip_s)))?,
            })
        };
        Some(QuoteReading {
            samples: self.judged.len() as u32,
            at_quote,
            bias_s: quoted().sum::<f64>() / count,
            late_share: quoted().filter(|error| *error > LATE_S).count() as f64 / count,
            at_pickup: errors(|kept| kept.at_pickup_s),
            by_time_to_go: std::array::from_fn(by_time_to_go),
            jumps: self.judged.iter().map(|kept| f64::from(kept.jumps)).sum::<f64>() / count,
        })
    }
}

/// Of (error, length of the trip), seconds, by nearest rank; `None` of nothing.
fn percentiles(errors: impl Iterator<Item = (f64, f64)>) -> Option<ErrorReading> {
    let (mut seconds, mut shares): (Vec<f64>, Vec<f64>) = errors
        .map(|(error_s, trip_s)| (error_s.abs(), error_s.abs() / trip_s.max(1.0)))
        .unzip();
    let of = |values: &mut Vec<f64>, share: f64| {
        values.sort_unstable_by(f64::total_cmp);
        let rank = (share * values.len() as f64).ceil() as usize;
        values.get(rank.saturating_sub(1)).copied()
    };
    Some(ErrorReading {
        p50_s: of(&mut seconds, 0.5)?,
        p95_s: of(&mut seconds, 0.95)?,
        p50_share: of(&mut shares, 0.5)?,
        p95_share: of(&mut shares, 0.95)?,
    })
}

/// When a delivery was completed by a drone, and how what was promised of it held.
fn completion(record: &DeliveryRecord) -> Option<(SimTime, Kept)> {
    let mut promise = Promise::default();
    let mut completed = None;
    for event in &record.events {
        if let Happening::Delivery(_, kind) = &event.happening {
            completed = promise.hear(event.at, kind).map(|kept| (event.at, kept));
        }
    }
    completed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_judged_over_the_last_thousand_and_counts_over_five_minutes() {
        let mut pulse = Pulse::default();
        assert_eq!(pulse.quotes(), None);
        for second in 0..2_000 {
            let error_s = if second < 1_000 {
                500.0
            } else {
                f64::from(second % 100) - 20.0
            };
            let kept = Kept {
                trip_s: 900.0,
                at_quote_s: error_s,
                at_pickup_s: Some(error_s / 2.0),
                by_time_to_go_s: [None, (error_s > 0.0).then_some(1.0), Some(error_s), Some(10.0)],
                jumps: second as u32 % 2,
            };
            pulse.note(SimTime::from_secs(f64::from(second)), kept);
        }
        let quotes = pulse.quotes().expect("there were deliveries");
        assert_eq!((quotes.samples, quotes.bias_s), (1_000, 29.5));
        assert_eq!((quotes.at_quote.p50_s, quotes.at_quote.p95_s), (29.0, 74.0));
        assert_eq!(quotes.at_quote.p95_share, 74.0 / 900.0);
        assert_eq!(quotes.late_share, 0.19, "81 to 99 seconds of each hundred");
        let [earliest, some, _, last] = quotes.by_time_to_go;
        assert_eq!((earliest, last.map(|row| row.error.p95_s)), (None, Some(10.0)));
        assert_eq!(
            last.map(|row| row.at_quote),
            Some(quotes.at_quote),
            "the same trips"
        );
        let some = some.expect("those that came late had been quoted by then");
        assert_eq!(
            (some.trips, some.error.p50_s, some.at_quote.p50_s),
            (790, 1.0, 40.0)
        );
        assert_eq!(quotes.at_pickup.map(|error| error.p95_s), Some(37.0));
        assert_eq!(quotes.jumps, 0.5);
        let per_minute = |at| pulse.completed_per_minute(SimTime::from_secs(at));
        assert_eq!(per_minute(1_999.0), 60.0);
        assert_eq!(per_minute(2_149.0), 30.0);
        assert_eq!(per_minute(2_400.0), 0.0);
        assert!(pulse.completed.len() <= 301);
    }
}
