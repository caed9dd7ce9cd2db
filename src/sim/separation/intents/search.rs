//! With which delay a flight meets nobody's intent, or the fewest.

use super::super::super::ids::DroneId;
use super::super::super::time::{SimDuration, SimTime};
use super::super::body::Minima;
use super::super::terminals::Terminals;
use super::index::{Index, Seen};
use super::passing::{Own, meet};
use super::piece::{Piece, Reach, Visit};

/// A take-off is put off by whole multiples of this, and by no more than the most.
pub const STEP: SimDuration = SimDuration(10_000_000);
pub const MOST_STEPS: u32 = 30;
/// Room for what rounding leaves out, seconds.
const SPARE_S: f64 = 0.01;

/// What a flight is held against.
pub struct Search<'a> {
    pub index: &'a Index,
    pub terminals: &'a Terminals,
    pub minima: Minima,
    pub tried: &'a mut Tried,
}

/// Which others have been held against which of the flight's own pieces, with all delays: two
/// that fly side by side share many cells.
#[derive(Debug, Default)]
pub struct Tried {
    turn: u32,
    /// By the other's number: in which turn it was last held against anything, and a bit for
    /// each of the first pieces that it was held against.
    marks: Vec<(u32, u64)>,
}

impl Tried {
    fn begin(&mut self, numbers: usize) {
        self.turn = self.turn.wrapping_add(1);
        if self.turn == 0 {
            self.marks.clear();
            self.turn = 1;
        }
        if self.marks.len() < numbers {
            self.marks.resize(numbers, (0, 0));
        }
    }

    /// Whether this is the first time; always, for pieces that have no bit.
    fn is_new(&mut self, other: u32, own: usize) -> bool {
        let (turn, held) = &mut self.marks[other as usize];
        if *turn != self.turn {
            (*turn, *held) = (self.turn, 0);
        }
        let bit = if own < 64 { 1 << own } else { 0 };
        let is_new = *held & bit == 0;
        *held |= bit;
        is_new
    }
}

/// One of the flight's pieces in one of its cells, as it would be without delay.
struct Way {
    own: usize,
    visit: Visit,
    /// Who has been held against it, as far as that matters with this delay and all that follow.
    seen: Seen,
}

/// Who is in the way.
#[derive(Default)]
struct Met {
    /// A bit for each step with which somebody is known to be.
    taken: u32,
    /// The same bits by drone, some of them repeatedly.
    by: Vec<(DroneId, u32)>,
}

impl Met {
    fn is_taken(&self, step: u32) -> bool {
        self.taken >> step & 1 == 1
    }

    /// By how many drones each step is taken.
    fn crowds(mut self) -> [u32; MOST_STEPS as usize + 1] {
        self.by.sort_unstable_by_key(|(drone, _)| *drone);
        let mut crowds = [0; MOST_STEPS as usize + 1];
        for of_drone in self.by.chunk_by(|(one, _), (other, _)| one == other) {
            let taken = of_drone.iter().fold(0, |taken, (_, steps)| taken | steps);
            for (step, crowd) in crowds.iter_mut().enumerate() {
                *crowd += taken >> step & 1;
            }
        }
        crowds
    }
}

impl Search<'_> {
    /// When fewest would be in the way of a flight that begins then, or in a step later.
    pub fn clearest(&mut self, pieces: &[Piece], earliest: SimTime) -> SimTime {
        let first = |piece: &Piece| Own::of(piece.later(earliest.as_secs()));
        let all: Vec<Own> = pieces.iter().map(first).collect();
        let room = Reach::upright(self.minima);
        let ways = |(own, of): (usize, &Own)| {
            let visits = of.piece.visits(room).into_iter();
            visits.map(move |visit| Way {
                own,
                visit,
                seen: Seen::default(),
            })
        };
        let mut ways: Vec<Way> = all.iter().enumerate().flat_map(ways).collect();
        let looks = ways.iter_mut().map(|way| (&way.visit, &mut way.seen));
        self.index.begin(looks);
        self.tried.begin(self.index.end());
        let mut met = Met::default();
        let step = self
            .first_clear(&all, &mut ways, &mut met)
            .unwrap_or_else(|| self.least_crowded(&all, &ways, met));
        earliest + SimDuration(STEP.0 * u64::from(step))
    }

    /// The first step with which nobody is in the way.
    fn first_clear(&mut self, all: &[Own], ways: &mut [Way], met: &mut Met) -> Option<u32> {
        // Who is in the way somewhere is so there with the next step, often.
        let mut busy = 0;
        (0..=MOST_STEPS).find(|step| {
            let delay_s = delay_s(*step);
            let (before, rest) = ways.split_at_mut(busy);
            let taken = rest.iter_mut().chain(before).position(|way| {
                met.is_taken(*step) || self.is_taken(*step, way, delay_s, &all[way.own], met)
            });
            busy = taken.map_or(busy, |turn| (busy + turn) % ways.len());
            taken.is_none()
        })
    }

    fn is_taken(&mut self, step: u32, way: &mut Way, delay_s: f64, own: &Own, met: &mut Met) -> bool {
        let (index, number) = (self.index, way.own);
        index.any_near(&mut way.seen, &way.visit.later(delay_s), |other| {
            self.hold(own, number, other, met);
            met.is_taken(step)
        })
    }

    /// Holds this piece of its own against another, once.
    fn hold(&mut self, own: &Own, number: usize, other: u32, met: &mut Met) {
        if !self.tried.is_new(other, number) {
            return;
        }
        let other = self.index.piece(other);
        let steps = steps_that_meet(own, other, self.minima, self.terminals);
        if steps != 0 {
            met.taken |= steps;
            met.by.push((other.body.drone, steps));
        }
    }

    /// The first step with which the fewest are in the way.
    fn least_crowded(&mut self, all: &[Own], ways: &[Way], mut met: Met) -> u32 {
        let index = self.index;
        for way in ways {
            let visit = Visit {
                until_s: way.visit.until_s + delay_s(MOST_STEPS),
                ..way.visit
            };
            index.any_near(&mut Seen::default(), &visit, |other| {
                self.hold(&all[way.own], way.own, other, &mut met);
                false
            });
        }
        let crowds = met.crowds();
        (0..=MOST_STEPS)
            .min_by_key(|step| crowds[*step as usize])
            .unwrap_or(0)
    }
}

fn delay_s(step: u32) -> f64 {
    SimDuration(STEP.0 * u64::from(step)).as_secs()
}

/// The bits of those steps of delay with which the one meets the other.
fn steps_that_meet(own: &Own, other: &Piece, minima: Minima, terminals: &Terminals) -> u32 {
    let all = (-SPARE_S, delay_s(MOST_STEPS) + SPARE_S);
    let Some((from_s, until_s)) = own.delays_that_may_meet(other, minima, all) else {
        return 0;
    };
    // What is not negative is cut off as `floor` would, without a call.
    let step = |delay_s: f64| (delay_s / STEP.as_secs()) as u32;
    let (first, last) = (step(from_s + STEP.as_secs() - SPARE_S), step(until_s + SPARE_S));
    let mut found = 0;
    for step in first..=last.min(MOST_STEPS) {
        let later = own.piece.later(delay_s(step));
        found |= u32::from(meet(&later, other, minima, terminals)) << step;
    }
    found
}
