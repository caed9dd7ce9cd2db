//! When requests are due: a function of the stages and the seed alone, known before the
//! first of them is sent, so that no answer can move the next one.

use std::time::Duration;

use crate::scenario::{Arrivals, Load};
use crate::sim::random::{Purpose, Stream};

/// Which part of a test something belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    WarmUp,
    /// By its place among the scenario's stages.
    Stage(usize),
}

impl Part {
    pub fn stage(self) -> Option<usize> {
        match self {
            Part::WarmUp => None,
            Part::Stage(stage) => Some(stage),
        }
    }
}

/// A stretch in which the rate, or the number of users, moves in a straight line.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Segment {
    part: Part,
    begins_s: f64,
    lasts_s: f64,
    from: f64,
    to: f64,
}

impl Segment {
    /// How many come in it.
    fn count(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.lasts_s
    }

    /// When so many have come, from the segment's beginning on: the root of
    /// `from t + (to − from) t² / 2T = count`, in the form that loses no digits.
    fn when(&self, count: f64) -> f64 {
        let curve = (self.to - self.from) / (2.0 * self.lasts_s);
        let root = (self.from * self.from + 4.0 * curve * count).max(0.0).sqrt();
        let at = 2.0 * count / (self.from + root);
        if at.is_finite() { at.min(self.lasts_s) } else { 0.0 }
    }
}

/// The course of a test: warm-up and stages, one behind the other.
#[derive(Clone, Debug)]
pub struct Timetable {
    segments: Vec<Segment>,
    arrivals: Arrivals,
    seed: u64,
}

/// A request that is to begin at a time of the test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Due {
    pub at: Duration,
    pub part: Part,
}

impl Timetable {
    pub fn new(load: &Load, seed: u64) -> Self {
        let mut segments = Vec::with_capacity(load.stages.len() + 1);
        let mut begins_s = load.warmup.as_secs_f64();
        if let Some(first) = load.stages.first().filter(|_| begins_s > 0.0) {
            let at = if first.from > 0.0 {
                first.from
            } else {
                first.to / 10.0
            };
            segments.push(Segment {
                part: Part::WarmUp,
                begins_s: 0.0,
                lasts_s: begins_s,
                from: at,
                to: at,
            });
        }
        for (number, stage) in load.stages.iter().enumerate() {
            let lasts_s = stage.lasts.as_secs_f64();
            segments.push(Segment {
                part: Part::Stage(number),
                begins_s,
                lasts_s,
                from: stage.from,
                to: stage.to,
            });
            begins_s += lasts_s;
        }
        Timetable {
            segments,
            arrivals: load.arrivals,
            seed,
        }
    }

    /// All of it but the drain.
    pub fn lasts(&self) -> Duration {
        let end = self
            .segments
            .last()
            .map_or(0.0, |last| last.begins_s + last.lasts_s);
        Duration::from_secs_f64(end)
    }

    /// The part at this moment; the last one after the end.
    pub fn part_at(&self, at: Duration) -> Part {
        self.segment_at(at.as_secs_f64()).part
    }

    /// The rate, or the number of users, that is wanted at this moment; none after the end.
    pub fn wanted_at(&self, at: Duration) -> f64 {
        if at >= self.lasts() {
            return 0.0;
        }
        let at_s = at.as_secs_f64();
        let segment = self.segment_at(at_s);
        let share = (at_s - segment.begins_s) / segment.lasts_s;
        segment.from + (segment.to - segment.from) * share
    }

    fn segment_at(&self, at_s: f64) -> &Segment {
        let after = self.segments.partition_point(|segment| segment.begins_s <= at_s);
        &self.segments[after.saturating_sub(1)]
    }

    /// The requests of the whole test, in order.
    pub fn requests(&self) -> impl Iterator<Item = Due> + '_ {
        let mut chance = Stream::new(self.seed, 0, Purpose::Load);
        let spacing = self.arrivals;
        let mut next_gap = move || match spacing {
            Arrivals::Even => 1.0,
            Arrivals::Poisson => chance.exponential(),
        };
        // How many were due before a segment, and how many before the next request.
        let (mut before, mut so_far) = (
            0.0,
            if spacing == Arrivals::Even {
                0.0
            } else {
                next_gap()
            },
        );
        let mut segments = self.segments.iter();
        let mut segment = segments.next();
        std::iter::from_fn(move || {
            // Sums of rates are a hair off whole numbers.
            const HAIR: f64 = 1e-6;
            while segment.is_some_and(|segment| so_far + HAIR >= before + segment.count()) {
                before += segment.map_or(0.0, Segment::count);
                segment = segments.next();
            }
            let segment = segment?;
            let at_s = segment.begins_s + segment.when((so_far - before).max(0.0));
            so_far += next_gap();
            Some(Due {
                at: Duration::from_secs_f64(at_s),
                part: segment.part,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::testing::{load_of, stage};

    fn at_s(due: &[Due]) -> Vec<f64> {
        due.iter().map(|due| due.at.as_secs_f64()).collect()
    }

    #[test]
    fn a_steady_rate_is_spaced_evenly_and_a_step_goes_on_from_there() {
        let load = load_of(vec![stage(4.0, 4.0, 1.0), stage(2.0, 2.0, 1.0)]);
        let due: Vec<Due> = Timetable::new(&load, 1).requests().collect();
        assert_eq!(at_s(&due), [0.0, 0.25, 0.5, 0.75, 1.0, 1.5]);
        assert_eq!(due[3].part, Part::Stage(0));
        assert_eq!(due[4].part, Part::Stage(1));
    }

    /// Of a ramp from 0 to r over T, the nth comes at T √(2n / rT).
    #[test]
    fn a_ramp_is_as_dense_as_its_rate() {
        let load = load_of(vec![stage(0.0, 100.0, 10.0)]);
        let due: Vec<Due> = Timetable::new(&load, 1).requests().collect();
        assert_eq!(due.len(), 500);
        for (n, due) in due.iter().enumerate() {
            let theory = 10.0 * (2.0 * n as f64 / 1_000.0).sqrt();
            assert!((due.at.as_secs_f64() - theory).abs() < 1e-6, "{n}: {due:?}");
        }
        let falling = load_of(vec![stage(100.0, 0.0, 10.0)]);
        let due: Vec<Due> = Timetable::new(&falling, 1).requests().collect();
        assert_eq!(due.len(), 500);
        assert!(due.is_sorted_by(|a, b| a.at < b.at));
    }

    #[test]
    fn the_warm_up_goes_as_the_first_stage_begins_and_is_told_apart() {
        let mut load = load_of(vec![stage(10.0, 10.0, 1.0)]);
        load.warmup = Duration::from_secs(2);
        let timetable = Timetable::new(&load, 1);
        let due: Vec<Due> = timetable.requests().collect();
        let warm = due.iter().filter(|due| due.part == Part::WarmUp).count();
        assert_eq!((warm, due.len()), (20, 30));
        assert_eq!(timetable.part_at(Duration::from_secs(2)), Part::Stage(0));
        assert_eq!(timetable.lasts(), Duration::from_secs(3));
    }

    /// Gaps of a Poisson process are exponential: their deviation is their mean.
    #[test]
    fn poisson_arrivals_have_the_rate_and_the_spread_and_come_from_the_seed() {
        let mut load = load_of(vec![stage(1_000.0, 1_000.0, 20.0)]);
        load.arrivals = Arrivals::Poisson;
        let due = |seed| -> Vec<Due> { Timetable::new(&load, seed).requests().collect() };
        let first = due(1);
        assert_eq!(first, due(1));
        assert_ne!(first, due(2));
        assert!(
            (first.len() as f64 / 20_000.0 - 1.0).abs() < 0.03,
            "{}",
            first.len()
        );
        let gaps: Vec<f64> = first
            .windows(2)
            .map(|two| (two[1].at - two[0].at).as_secs_f64())
            .collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / gaps.len() as f64;
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.05, "{variance} {mean}");
    }

    #[test]
    fn stages_that_ask_for_nothing_are_a_rest() {
        let load = load_of(vec![
            stage(1.0, 1.0, 2.0),
            stage(0.0, 0.0, 5.0),
            stage(1.0, 1.0, 2.0),
        ]);
        let due: Vec<Due> = Timetable::new(&load, 1).requests().collect();
        assert_eq!(at_s(&due), [0.0, 1.0, 7.0, 8.0]);
    }

    #[test]
    fn how_much_is_wanted_follows_the_line() {
        let load = load_of(vec![stage(0.0, 40.0, 10.0), stage(40.0, 40.0, 5.0)]);
        let timetable = Timetable::new(&load, 1);
        let wanted = |s| timetable.wanted_at(Duration::from_secs_f64(s));
        assert_eq!(
            [wanted(0.0), wanted(5.0), wanted(12.0), wanted(15.0)],
            [0.0, 20.0, 40.0, 0.0]
        );
    }
}
