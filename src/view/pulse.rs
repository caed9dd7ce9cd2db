//! How the service is doing lately: what was completed, and how good the first quotes were.
//!
//! Bounded: counts by simulated second for five minutes, and the errors of the last
//! thousand deliveries.

use std::collections::VecDeque;
use std::sync::Arc;

use super::DeliveryRecord;
use super::reading::QuoteReading;
use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::time::SimTime;

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
    /// Actual minus quoted, seconds, newest last.
    quote_errors: VecDeque<f64>,
}

impl Pulse {
    /// As it would have become from these deliveries' events.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a DeliveryRecord>) -> Self {
        let mut ended: Vec<_> = records.filter_map(completion).collect();
        ended.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut pulse = Pulse::default();
        for (at, error) in ended {
            pulse.note(at, error);
        }
        pulse
    }

    /// Hears of a delivery that has come to its end.
    pub(super) fn hear(&mut self, record: &DeliveryRecord) {
        if let Some((at, error)) = completion(record) {
            self.note(at, error);
        }
    }

    fn note(&mut self, at: SimTime, error_s: f64) {
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
        if self.quote_errors.len() == JUDGED {
            self.quote_errors.pop_front();
        }
        self.quote_errors.push_back(error_s);
    }

    /// Over the last five simulated minutes, or as long as the world is old.
    pub(super) fn completed_per_minute(&self, now: SimTime) -> f64 {
        let second = now.as_secs() as u64;
        let recent = self.completed.iter().filter(|(at, _)| at + WINDOW_S > second);
        let completed: u64 = recent.map(|(_, count)| u64::from(*count)).sum();
        completed as f64 * 60.0 / (WINDOW_S.min(second.max(60))) as f64
    }

    pub(super) fn quotes(&self) -> Option<QuoteReading> {
        if self.quote_errors.is_empty() {
            return None;
        }
        let count = self.quote_errors.len();
        let mut absolute: Vec<f64> = self.quote_errors.iter().map(|error| error.abs()).collect();
        absolute.sort_unstable_by(f64::total_cmp);
        // The nearest rank.
        let percentile = |share: f64| absolute[((share * count as f64).ceil() as usize).clamp(1, count) - 1];
        let late = self.quote_errors.iter().filter(|error| **error > LATE_S).count();
        Some(QuoteReading {
            samples: count as u32,
            p50_s: percentile(0.5),
            p95_s: percentile(0.95),
            bias_s: self.quote_errors.iter().sum::<f64>() / count as f64,
            late_share: late as f64 / count as f64,
        })
    }
}

/// Of what was ordered last.
fn first_quote(events: &[Arc<Event>]) -> Option<SimTime> {
    let mut quoted = None;
    for event in events {
        match &event.happening {
            Happening::Delivery(_, DeliveryEvent::Rescheduled { .. }) => quoted = None,
            Happening::Delivery(
                _,
                DeliveryEvent::Assigned { etas, .. } | DeliveryEvent::HeadedToPickup { etas },
            ) => quoted = quoted.or(Some(etas.delivery)),
            _ => {}
        }
    }
    quoted
}

/// When a delivery was completed, and by how many seconds that missed its first quote.
fn completion(record: &DeliveryRecord) -> Option<(SimTime, f64)> {
    let last = record.events.last()?;
    let Happening::Delivery(_, DeliveryEvent::Completed { .. }) = &last.happening else {
        return None;
    };
    let quoted = first_quote(&record.events)?;
    Some((last.at, last.at.as_secs() - quoted.as_secs()))
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
            pulse.note(SimTime::from_secs(f64::from(second)), error_s);
        }
        let quotes = pulse.quotes().expect("there were deliveries");
        assert_eq!((quotes.samples, quotes.bias_s), (1_000, 29.5));
        assert_eq!((quotes.p50_s, quotes.p95_s), (29.0, 74.0));
        assert_eq!(quotes.late_share, 0.19, "81 to 99 seconds of each hundred");
        let per_minute = |at| pulse.completed_per_minute(SimTime::from_secs(at));
        assert_eq!(per_minute(1_999.0), 60.0);
        assert_eq!(per_minute(2_149.0), 30.0);
        assert_eq!(per_minute(2_400.0), 0.0);
        assert!(pulse.completed.len() <= 301);
    }
}
