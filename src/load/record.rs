//! What was measured: a histogram for each operation, altogether, by stage, and of the
//! second under way.
//!
//! A request counts for the stage in which it was due, whenever it is answered. One that was
//! waited for in vain stands in the histogram with that time, since leaving it out would
//! flatter the percentiles; one that is refused, or cut off, is counted and has no place
//! among the times.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::timetable::Part;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// A request, until it was answered.
    Accept,
    /// A request, until its workflow was done.
    Schedule,
    /// A request, until a drone had the package.
    PickUp,
    /// A request, until its delivery was completed.
    Deliver,
    /// How much older, in simulated time, an event is than what some watcher had seen by then.
    Seen,
    /// A frame of positions, from the server to a watcher.
    Frame,
    /// How much older, in simulated time, a frame is than what some watcher had seen by then.
    FrameBehind,
}

impl Op {
    /// As they follow each other in a delivery's life.
    pub const ALL: [Op; 7] = [
        Op::Accept,
        Op::Schedule,
        Op::PickUp,
        Op::Deliver,
        Op::Seen,
        Op::Frame,
        Op::FrameBehind,
    ];

    /// Those that every summary has, whether or not there is anything of them.
    pub const ALWAYS: [Op; 4] = [Op::Accept, Op::Schedule, Op::Deliver, Op::Frame];

    pub fn as_str(self) -> &'static str {
        match self {
            Op::Accept => "accept",
            Op::Schedule => "schedule",
            Op::PickUp => "pickup",
            Op::Deliver => "deliver",
            Op::Seen => "seen",
            Op::Frame => "frame",
            Op::FrameBehind => "frameBehind",
        }
    }
}

/// Microseconds: a thousandth exact, up to a day.
const LONGEST_US: u64 = 24 * 3_600 * 1_000_000;
const DIGITS: u8 = 3;

/// One operation in one stretch of a test.
#[derive(Clone, Debug)]
pub struct Figures {
    times_us: Histogram<u32>,
    /// All that was tried, with whatever end.
    pub count: u64,
    pub errors: BTreeMap<String, u64>,
    pub late_starts: u64,
    /// Never begun, since none of the connections came free in time. They are among the errors.
    pub dropped: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            times_us: Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("the bounds are sound"),
            count: 0,
            errors: BTreeMap::new(),
            late_starts: 0,
            dropped: 0,
        }
    }
}

impl Figures {
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }

    pub fn error_share(&self) -> f64 {
        share(self.error_count(), self.count)
    }

    pub fn late_share(&self) -> f64 {
        share(self.late_starts, self.count)
    }

    /// `None` where nothing was timed.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let micros = (!self.times_us.is_empty()).then(|| self.times_us.value_at_quantile(share))?;
        Some(Duration::from_micros(micros))
    }

    pub fn max(&self) -> Option<Duration> {
        (!self.times_us.is_empty()).then(|| Duration::from_micros(self.times_us.max()))
    }

    pub fn histogram(&self) -> &Histogram<u32> {
        &self.times_us
    }

    fn time(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.times_us.saturating_record(micros);
    }

    fn add(&mut self, seen: &Seen<'_>) {
        self.count += 1;
        self.late_starts += u64::from(seen.is_late);
        match seen.end {
            End::Well(took) => self.time(took),
            End::Refused(kind) => self.fail(kind),
            End::GivenUp { kind, waited } => {
                self.time(waited);
                self.fail(kind);
            }
            End::Dropped { waited } => {
                self.time(waited);
                self.dropped += 1;
                self.fail("dropped");
            }
        }
    }

    fn fail(&mut self, kind: &str) {
        match self.errors.get_mut(kind) {
            Some(count) => *count += 1,
            None => drop(self.errors.insert(kind.to_owned(), 1)),
        }
    }

    pub fn merge(&mut self, other: &Figures) {
        let added = self.times_us.add(&other.times_us);
        debug_assert!(added.is_ok(), "both have the same bounds");
        self.count += other.count;
        self.late_starts += other.late_starts;
        self.dropped += other.dropped;
        for (kind, count) in &other.errors {
            *self.errors.entry(kind.clone()).or_default() += count;
        }
    }

    fn clear(&mut self) {
        self.times_us.reset();
        self.errors.clear();
        (self.count, self.late_starts, self.dropped) = (0, 0, 0);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// How something that was tried ended.
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    Well(Duration),
    /// Answered, and not as was wanted; or told that it came to nothing.
    Refused(&'a str),
    /// Without an answer for too long.
    GivenUp {
        kind: &'a str,
        waited: Duration,
    },
    /// Not even begun.
    Dropped {
        waited: Duration,
    },
}

#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    pub end: End<'a>,
    /// It began well after it was due.
    pub is_late: bool,
}

/// One operation's figures, as of when they were settled last.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub total: Figures,
    pub by_stage: Vec<Figures>,
    /// Of the second that was settled last, the warm-up included.
    pub now: Figures,
    /// The same without it.
    pub measured_now: Figures,
    /// What came since, by part: the warm-up, then the stages. Each measurement is put down
    /// once, here, and added up once a second.
    fresh: Vec<Figures>,
}

impl Record {
    fn settle(&mut self) {
        self.now.clear();
        self.measured_now.clear();
        for (part, fresh) in self
            .fresh
            .iter_mut()
            .enumerate()
            .filter(|(_, fresh)| fresh.count > 0)
        {
            self.now.merge(fresh);
            if let Some(stage) = part.checked_sub(1) {
                self.total.merge(fresh);
                self.measured_now.merge(fresh);
                self.by_stage[stage].merge(fresh);
            }
            fresh.clear();
        }
    }
}

/// Everything that is measured in a test.
#[derive(Clone, Debug)]
pub struct Recorder {
    records: [Record; Op::ALL.len()],
}

impl Recorder {
    pub fn new(stages: usize) -> Self {
        let record = || Record {
            by_stage: vec![Figures::default(); stages],
            fresh: vec![Figures::default(); stages + 1],
            ..Record::default()
        };
        Recorder {
            records: std::array::from_fn(|_| record()),
        }
    }

    pub fn of(&self, op: Op) -> &Record {
        &self.records[op as usize]
    }

    /// What belongs to the warm-up is seen in the second under way only.
    pub fn add(&mut self, op: Op, part: Part, seen: Seen<'_>) {
        self.records[op as usize].fresh[place(part)].add(&seen);
    }

    /// What came of this since it was settled, by part; it is then forgotten here.
    pub fn drain(&mut self, op: Op) -> Vec<(usize, Figures)> {
        let fresh = self.records[op as usize].fresh.iter_mut().enumerate();
        let fresh = fresh.filter(|(_, figures)| figures.count > 0);
        fresh
            .map(|(part, figures)| (part, std::mem::take(figures)))
            .collect()
    }

    /// Takes in what another recorder gave out.
    pub fn merge(&mut self, op: Op, part: usize, figures: &Figures) {
        self.records[op as usize].fresh[part].merge(figures);
    }

    pub fn well(&mut self, op: Op, part: Part, took: Duration) {
        let seen = Seen {
            end: End::Well(took),
            is_late: false,
        };
        self.add(op, part, seen);
    }

    /// A second is over, and its figures are taken down.
    pub fn settle(&mut self) {
        self.records.iter_mut().for_each(Record::settle);
    }
}

/// Among the parts of a test.
fn place(part: Part) -> usize {
    part.stage().map_or(0, |stage| stage + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_warm_up_is_not_measured_and_stages_are_told_apart() {
        let mut recorder = Recorder::new(2);
        recorder.well(Op::Accept, Part::WarmUp, 9 * SECOND);
        recorder.well(Op::Accept, Part::Stage(0), SECOND);
        recorder.well(Op::Accept, Part::Stage(1), 3 * SECOND);
        recorder.settle();
        let accept = recorder.of(Op::Accept);
        assert_eq!((accept.total.count, accept.now.count), (2, 3));
        assert_eq!(accept.by_stage[0].max(), accept.by_stage[0].quantile(0.5));
        let max_s = accept.total.max().expect("it was timed").as_secs_f64();
        assert!((max_s / 3.0 - 1.0).abs() < 1e-3, "{max_s}");
        assert_eq!(recorder.of(Op::Frame).total.quantile(0.99), None);
        recorder.settle();
        let accept = recorder.of(Op::Accept);
        assert_eq!((accept.total.count, accept.now.count), (2, 0));
    }

    #[test]
    fn who_waits_in_vain_counts_with_the_time_and_who_is_refused_does_not() {
        let mut figures = Figures::default();
        let ends = [
            End::Well(SECOND),
            End::Refused("503"),
            End::GivenUp {
                kind: "timeout",
                waited: 10 * SECOND,
            },
            End::Dropped { waited: 10 * SECOND },
        ];
        for end in ends {
            figures.add(&Seen { end, is_late: false });
        }
        assert_eq!((figures.count, figures.error_count(), figures.dropped), (4, 3, 1));
        assert_eq!(figures.histogram().len(), 3);
        assert_eq!(figures.error_share(), 0.75);
        assert!(figures.quantile(0.99).is_some_and(|p99| p99 > 9 * SECOND));
    }
}
