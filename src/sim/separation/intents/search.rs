//! With which delay a flight meets nobody's intent, or the fewest.

use std::collections::BTreeMap;

use super::super::super::ids::DroneId;
use super::super::super::motion;
use super::super::super::time::{SimDuration, SimTime};
use super::super::body::Minima;
use super::super::terminals::Terminals;
use super::index::Index;
use super::piece::{Piece, Reach, Visit};

/// A take-off is put off by whole multiples of this, and by no more than the most.
pub const STEP: SimDuration = SimDuration(10_000_000);
pub const MOST_STEPS: u32 = 30;
/// Slower than this, m/s, delays say little about places.
const SLOW_MPS: f64 = 0.1;
/// Room for what single precision leaves out, metres.
const SPARE_M: f64 = 2.0;

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
}

impl Search<'_> {
    /// When fewest would be in the way of a flight that begins then, or in a step later.
    pub fn clearest(&mut self, pieces: &[Piece], earliest: SimTime) -> SimTime {
        let first = |piece: &Piece| piece.later(earliest.as_secs());
        let pieces: Vec<Piece> = pieces.iter().map(first).collect();
        let room = Reach::upright(self.minima);
        let visits = |(own, piece): (usize, &Piece)| {
            let visits = piece.visits(room).into_iter();
            visits.map(move |visit| Way { own, visit })
        };
        let ways: Vec<Way> = pieces.iter().enumerate().flat_map(visits).collect();
        let step = self
            .first_clear(&pieces, &ways)
            .unwrap_or_else(|| self.least_crowded(&pieces, &ways));
        earliest + SimDuration(STEP.0 * u64::from(step))
    }

    /// The first step with which nobody is in the way.
    fn first_clear(&mut self, pieces: &[Piece], ways: &[Way]) -> Option<u32> {
        self.tried.begin(self.index.end());
        // A bit for each step with which somebody is known to be.
        let mut taken = 0_u32;
        (0..=MOST_STEPS).find(|step| {
            let is_taken = |taken: u32| taken >> step & 1 == 1;
            let delay_s = delay_s(*step);
            !is_taken(taken)
                && !ways.iter().any(|way| {
                    self.index.near(way.visit.later(delay_s)).any(|(number, other)| {
                        if self.tried.is_new(number, way.own) {
                            taken |= steps_that_meet(&pieces[way.own], other, self.minima, self.terminals);
                        }
                        is_taken(taken)
                    })
                })
        })
    }

    /// The first step with which the fewest are in the way.
    fn least_crowded(&mut self, pieces: &[Piece], ways: &[Way]) -> u32 {
        self.tried.begin(self.index.end());
        // A bit for each step with which the other is in the way.
        let mut in_the_way: BTreeMap<DroneId, u32> = BTreeMap::new();
        for Way { own, visit } in ways {
            let all_steps = Visit {
                until_s: visit.until_s + delay_s(MOST_STEPS),
                ..*visit
            };
            for (number, other) in self.index.near(all_steps) {
                if self.tried.is_new(number, *own) {
                    let steps = steps_that_meet(&pieces[*own], other, self.minima, self.terminals);
                    if steps != 0 {
                        *in_the_way.entry(other.body.drone).or_default() |= steps;
                    }
                }
            }
        }
        let are_met = |step: &u32| {
            in_the_way
                .values()
                .filter(|steps| *steps >> step & 1 == 1)
                .count()
        };
        (0..=MOST_STEPS).min_by_key(are_met).unwrap_or(0)
    }
}

fn delay_s(step: u32) -> f64 {
    SimDuration(STEP.0 * u64::from(step)).as_secs()
}

/// The bits of those steps of delay with which the first meets the other.
fn steps_that_meet(first: &Piece, other: &Piece, minima: Minima, terminals: &Terminals) -> u32 {
    let (from_s, until_s) = delays_that_may_meet(first, other, minima);
    // Rounded away from each other: which of the two ends meet is for the geometry to say.
    let from = (from_s / STEP.as_secs()).clamp(0.0, f64::from(MOST_STEPS) + 1.0) as u32;
    let until = (until_s / STEP.as_secs()).clamp(-1.0, f64::from(MOST_STEPS)) + 1.0;
    let mut found = 0;
    for step in from..=MOST_STEPS.min(until as u32) {
        let later = first.later(delay_s(step));
        found |= u32::from(meet(&later, other, minima, terminals)) << step;
    }
    found
}

/// With no other delay, seconds, the two are in the air at once and come near each other: both as
/// the first flies, and across the line on which it flies past the other. Heights apart.
fn delays_that_may_meet(first: &Piece, other: &Piece, minima: Minima) -> (f64, f64) {
    let dot = |a: (f64, f64), b: (f64, f64)| a.0 * b.0 + a.1 * b.1;
    let cross = |a: (f64, f64), b: (f64, f64)| a.0 * b.1 - a.1 * b.0;
    let reach_m = f64::from(minima.horizontal_m) + SPARE_M;
    let own = first.velocity();
    let own_mps = dot(own, own).sqrt();
    let past = (own.0 - other.velocity().0, own.1 - other.velocity().1);
    let past_mps = dot(past, past).sqrt();
    // From the other to the first, if that had no delay, when the other begins.
    let since_s = other.begins_s - first.begins_s;
    let (x, y) = first.away_from(other);
    let apart = (x + own.0 * since_s, y + own.1 * since_s);

    let mut delays = (other.begins_s - first.ends_s(), other.ends_s() - first.begins_s);
    let mut narrow = |from_s: f64, until_s: f64| {
        delays = (
            motion::greater(delays.0, from_s),
            motion::lesser(delays.1, until_s),
        );
    };
    if own_mps > SLOW_MPS {
        let ahead_m = dot(own, apart) / own_mps;
        let gains_m = dot(own, past) / own_mps * f64::from(other.body.lasts_s);
        let low_m = ahead_m + motion::lesser(gains_m, 0.0) - reach_m;
        let high_m = ahead_m + motion::positive(gains_m) + reach_m;
        narrow(low_m / own_mps, high_m / own_mps);
    }
    // How fast a delay moves that line aside, times how fast it is flown.
    let aside = cross(past, own);
    if aside.abs() > past_mps * SLOW_MPS {
        let middle_s = cross(past, apart) / aside;
        let half_s = reach_m * past_mps / aside.abs();
        narrow(middle_s - half_s, middle_s + half_s);
    }
    delays
}

/// Outside of terminal volumes.
pub fn meet(one: &Piece, other: &Piece, minima: Minima, terminals: &Terminals) -> bool {
    let from_s = motion::greater(one.begins_s, other.begins_s);
    let until_s = motion::lesser(one.ends_s(), other.ends_s());
    if until_s < from_s {
        return false;
    }
    let lasts_s = (until_s - from_s) as f32;
    let (one, other) = (one.at(from_s, lasts_s), other.at(from_s, lasts_s));
    let Some((enters, leaves)) = one.too_close(&other, minima) else {
        return false;
    };
    if enters > lasts_s || leaves < 0.0 {
        return false;
    }
    let in_terminal = |in_s: f32| {
        let in_s = in_s.clamp(0.0, lasts_s);
        terminals.contain(one.after(in_s)) || terminals.contain(other.after(in_s))
    };
    !in_terminal(enters) || !in_terminal(leaves)
}
