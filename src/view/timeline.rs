//! A recording at a glance: how many deliveries were completed when, and what went wrong. It can
//! be looked at while it is still being gathered.

use parking_lot::RwLock;

use crate::sim::time::SimTime;

/// Stretches of equal length in which completed deliveries are counted.
const BINS: usize = 8_640;
/// Of one that grows, at first: a second a bin.
const FIRST_SPAN_US: u64 = BINS as u64 * 1_000_000;
/// Of each kind.
const MARKS_MOST: usize = 600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    Fault,
    /// Of separation.
    Loss,
    Failure,
}

impl MarkKind {
    const ALL: [MarkKind; 3] = [MarkKind::Fault, MarkKind::Loss, MarkKind::Failure];
}

/// Whom a mark is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    Drone(String),
    Delivery(String),
    Hub(String),
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub at: SimTime,
    pub kind: MarkKind,
    /// The fault, or the reason, as events name it.
    pub what: String,
    pub of: Marked,
    /// The other drone of a loss of separation.
    pub with: Option<String>,
}

/// What somebody sees of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    pub to: SimTime,
    /// Deliveries completed in each of as many stretches as were asked for.
    pub completed: Vec<u64>,
    /// In order.
    pub marks: Vec<Mark>,
    /// Those that there was no room for.
    pub unmarked: u64,
    /// Up to where it has been gathered; `None` once that is all.
    pub gathered: Option<SimTime>,
}

pub struct Timeline {
    /// `None` of one that goes on.
    to: Option<SimTime>,
    gathered: RwLock<Gathered>,
}

struct Gathered {
    from: SimTime,
    completed: Vec<u32>,
    /// Of all bins together.
    span_us: u64,
    marks: [Thinned; 3],
    until: SimTime,
    is_whole: bool,
}

/// As many as there is room for, evenly: of one kind that comes often every second one goes, then
/// every second of those that are left, and so on.
#[derive(Clone, Default)]
struct Thinned {
    marks: Vec<Mark>,
    seen: u64,
    halvings: u32,
}

impl Thinned {
    fn add(&mut self, mark: Mark) {
        let is_kept = self.seen.is_multiple_of(1 << self.halvings);
        self.seen += 1;
        if !is_kept {
            return;
        }
        if self.marks.len() == MARKS_MOST {
            let mut number = 0;
            self.marks.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            self.halvings += 1;
        }
        self.marks.push(mark);
    }
}

impl Timeline {
    /// From one moment to a later one; nothing is gathered yet.
    pub fn new(from: SimTime, to: SimTime) -> Self {
        Self::of(from, Some(to), to.since(from).0)
    }

    /// From one moment on, for as long as it goes on; nothing is gathered yet.
    pub fn growing(from: SimTime) -> Self {
        Self::of(from, None, FIRST_SPAN_US)
    }

    fn of(from: SimTime, to: Option<SimTime>, span_us: u64) -> Self {
        Timeline {
            to,
            gathered: RwLock::new(Gathered {
                from,
                completed: vec![0; BINS],
                span_us: span_us.max(1),
                marks: Default::default(),
                until: from,
                is_whole: false,
            }),
        }
    }

    pub fn from(&self) -> SimTime {
        self.gathered.read().from
    }

    /// The first moment that can be seen, where that is known only now; nothing is gathered yet.
    pub fn begin(&self, from: SimTime) {
        self.gathered.write().from = from;
    }

    /// `None` of one that goes on.
    pub fn to(&self) -> Option<SimTime> {
        self.to
    }

    /// What happened next, up to this moment.
    pub fn gather(
        &self,
        until: SimTime,
        completed: impl IntoIterator<Item = SimTime>,
        marks: impl IntoIterator<Item = Mark>,
    ) {
        let mut gathered = self.gathered.write();
        if self.to.is_none() {
            let since = until.since(gathered.from);
            gathered.reach(since.0);
        }
        for at in completed {
            if let Some(bin) = self.bin_of(at, &gathered) {
                gathered.completed[bin] += 1;
            }
        }
        for mark in marks {
            if self.bin_of(mark.at, &gathered).is_some() {
                gathered.marks[mark.kind as usize].add(mark);
            }
        }
        gathered.until = until;
    }

    /// That was all.
    pub fn finish(&self) {
        self.gathered.write().is_whole = true;
    }

    /// With so many stretches, at least one, up to its end or to this moment.
    pub fn glance(&self, stretches: usize, now: SimTime) -> Glance {
        let gathered = self.gathered.read();
        let stretches = stretches.clamp(1, BINS);
        let mut completed = vec![0; stretches];
        let to = self.to.unwrap_or(now.max(gathered.until));
        let shown_us = u128::from(to.since(gathered.from).0.max(1));
        for (bin, count) in gathered
            .completed
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let begins = bin as u128 * u128::from(gathered.span_us) * stretches as u128;
            let stretch = (begins / (shown_us * BINS as u128)) as usize;
            completed[stretch.min(stretches - 1)] += u64::from(*count);
        }
        let kinds = MarkKind::ALL.map(|kind| &gathered.marks[kind as usize]);
        let mut marks: Vec<Mark> = kinds.iter().flat_map(|kind| kind.marks.iter().cloned()).collect();
        marks.sort_by_key(|mark| mark.at);
        let seen: u64 = kinds.iter().map(|kind| kind.seen).sum();
        Glance {
            to,
            unmarked: seen - marks.len() as u64,
            completed,
            marks,
            gathered: (!gathered.is_whole).then_some(gathered.until),
        }
    }

    /// `None` outside of it.
    fn bin_of(&self, at: SimTime, gathered: &Gathered) -> Option<usize> {
        let is_within = self.to.is_none_or(|to| at <= to);
        let since = at.0.checked_sub(gathered.from.0).filter(|_| is_within)?;
        Some(((u128::from(since) * BINS as u128 / u128::from(gathered.span_us)) as usize).min(BINS - 1))
    }
}

impl Gathered {
    /// Bins become twice as long, and again, until all of this fits into them.
    fn reach(&mut self, until_us: u64) {
        while until_us > self.span_us {
            for bin in 0..BINS / 2 {
                self.completed[bin] = self.completed[2 * bin] + self.completed[2 * bin + 1];
            }
            self.completed[BINS / 2..].fill(0);
            self.span_us *= 2;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime(seconds * 1_000_000)
    }

    fn mark(seconds: u64, kind: MarkKind) -> Mark {
        Mark {
            at: at(seconds),
            kind,
            what: "rotor_out".to_owned(),
            of: Marked::Drone("d-1".to_owned()),
            with: None,
        }
    }

    #[test]
    fn deliveries_are_counted_in_as_many_stretches_as_are_asked_for() {
        let timeline = Timeline::new(at(100), at(200));
        let completed = [100, 124, 125, 149, 150, 200].map(at);
        timeline.gather(at(200), completed.into_iter().chain([at(99), at(201)]), []);
        let counted = |stretches| timeline.glance(stretches, at(0)).completed;
        assert_eq!(counted(4), [2, 2, 1, 1]);
        assert_eq!(counted(2), [4, 2]);
        assert_eq!(counted(1), [6]);
    }

    #[test]
    fn it_says_how_far_it_is_until_it_is_whole() {
        let timeline = Timeline::new(at(0), at(60));
        timeline.gather(at(20), [], [mark(10, MarkKind::Fault)]);
        assert_eq!(timeline.glance(1, at(0)).gathered, Some(at(20)));
        timeline.gather(at(60), [], []);
        timeline.finish();
        let glance = timeline.glance(1, at(0));
        assert_eq!((glance.gathered, glance.marks.len()), (None, 1));
    }

    #[test]
    fn one_that_grows_shows_all_of_itself_and_loses_nothing() {
        let timeline = Timeline::growing(at(1_000));
        let mut expected = 0;
        for hour in 1..=40 {
            let until = 1_000 + hour * 3_600;
            timeline.gather(at(until), [at(until - 3_600), at(until - 1)], []);
            expected += 2;
            let glance = timeline.glance(hour as usize, at(until));
            assert_eq!((glance.to, glance.gathered), (at(until), Some(at(until))));
            assert_eq!(glance.completed.iter().sum::<u64>(), expected);
        }
        assert!(
            timeline
                .glance(40, at(0))
                .completed
                .iter()
                .all(|count| *count > 0)
        );
    }

    #[test]
    fn what_comes_too_often_is_thinned_out_evenly_and_leaves_room_for_the_rest() {
        let timeline = Timeline::new(at(0), at(10_000));
        let often = (0..10_000).map(|second| mark(second, MarkKind::Loss));
        timeline.gather(at(10_000), [], often.chain([mark(5_000, MarkKind::Failure)]));
        let glance = timeline.glance(1, at(0));
        let losses: Vec<u64> = (glance.marks.iter())
            .filter(|mark| mark.kind == MarkKind::Loss)
            .map(|mark| mark.at.0 / 1_000_000)
            .collect();
        assert!(
            (MARKS_MOST / 2..=MARKS_MOST).contains(&losses.len()),
            "{}",
            losses.len()
        );
        let gaps: Vec<u64> = losses.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| *gap == gaps[0]), "{gaps:?}");
        assert_eq!(glance.marks.len() as u64 + glance.unmarked, 10_001);
        assert!(glance.marks.iter().any(|mark| mark.kind == MarkKind::Failure));
    }
}
