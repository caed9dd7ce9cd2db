//! Zones in ways that were not planned round them: new ones, and those beside a turn.
//!
//! Who only passes by is left alone: ways round zones bend on fly-by arcs, which cut some of the
//! margin, and another way would cost more than what is missing of it.

use super::super::geo::Point;
use super::super::motion::lesser;
use super::super::time::SimTime;
use super::outline::TOLERANCE_M;
use super::{Airspace, MARGIN_M, NoFly, Reckoning};

/// Who comes no nearer than this goes on as planned, metres.
const NEAR_M: f64 = 0.5 * MARGIN_M;

/// Zones that are new to those in the air.
#[derive(Clone, Debug)]
pub struct Come<'a> {
    zones: Vec<&'a NoFly>,
}

impl Airspace {
    /// Those of these numbers, and those that begin to count, or begin, after the one moment and
    /// until the other.
    pub fn come(&self, laid: &[usize], after: SimTime, until: SimTime) -> Come<'_> {
        let is_due = |at: SimTime| after < at && at <= until;
        let is_new = |(number, zone): &(usize, &NoFly)| {
            laid.contains(number) || is_due(zone.counts_from()) || is_due(zone.from)
        };
        let zones = self.zones.iter().enumerate().filter(is_new);
        Come {
            zones: zones.map(|(_, zone)| zone).collect(),
        }
    }

    /// Whether straight lines from place to place keep off the zones as far as the first place
    /// does, at most half of the margin.
    pub fn keeps_off(&self, now: Reckoning, places: &[Point], (low_m, high_m): (f64, f64)) -> bool {
        let counting = self.zones.iter();
        let mut counting = counting.filter(|zone| zone.counts(now) && zone.meets(low_m, high_m));
        counting.all(|zone| {
            let is_near = |line: &[Point]| zone.is_near(line[0], line[1], NEAR_M);
            if !places.windows(2).any(is_near) {
                return true;
            }
            let least_m = lesser(zone.outline.distance(places[0]), NEAR_M) - TOLERANCE_M;
            places.windows(2).all(|line| {
                let off_m = zone.outline.distance_to_line(line[0], line[1]);
                !zone.outline.holds(line[0]) && off_m > 0.0 && off_m >= least_m
            })
        })
    }
}

impl<'a> Come<'a> {
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// Those that a straight line may come too near to.
    pub fn near(&self, from: Point, to: Point) -> impl Iterator<Item = &'a NoFly> + '_ {
        let zones = self.zones.iter().copied();
        zones.filter(move |zone| zone.is_near(from, to, NEAR_M))
    }
}

impl NoFly {
    /// Whether who flies straight from there to there between these moments and heights comes into
    /// it, or nearer to it than its ends are.
    pub fn closes(
        &self,
        (begins, ends): (SimTime, SimTime),
        (from, to): (Point, Point),
        (low_m, high_m): (f64, f64),
    ) -> bool {
        self.is_in_force(begins, ends) && self.meets(low_m, high_m) && !self.lets_by(from, to)
    }

    /// The same whenever and how high.
    pub fn lets_by(&self, from: Point, to: Point) -> bool {
        match from == to {
            true => !self.outline.holds(to),
            false => self.outline.lets_pass(from, to, NEAR_M),
        }
    }
}
