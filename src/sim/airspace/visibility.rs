//! Which corners see one another, and the shortest paths over them.

use std::sync::OnceLock;

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use super::super::geo::Point;
use super::MARGIN_M;
use super::outline::{Outline, TOLERANCE_M};

/// Zones of one moment and level, with the corners that ways round them bend at.
#[derive(Clone, Debug)]
pub(super) struct Visibility {
    zones: Vec<Outline>,
    /// The zones' boxes, by index.
    boxes: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
    bends: Vec<Point>,
    /// For each bend those it sees, with distances; made when a way first needs one.
    seen: OnceLock<Vec<Vec<(usize, f64)>>>,
}

impl Visibility {
    pub fn new(zones: Vec<Outline>) -> Self {
        let boxed = |(index, zone): (usize, &Outline)| {
            let (least, most) = zone.bounds();
            GeomWithData::new(Rectangle::from_corners(least, most), index)
        };
        let boxes = RTree::bulk_load(zones.iter().enumerate().map(boxed).collect());
        let mut ways = Visibility {
            zones,
            boxes,
            bends: Vec::new(),
            seen: OnceLock::new(),
        };
        let all: Vec<Point> = ways.zones.iter().flat_map(Outline::bends).collect();
        // A bend too near to another zone, or in it, is no place to be.
        ways.bends = all.into_iter().filter(|bend| ways.is_clear(*bend)).collect();
        ways
    }

    fn is_clear(&self, at: Point) -> bool {
        self.near(at, at)
            .all(|zone| !zone.holds(at) && zone.distance(at) >= MARGIN_M - TOLERANCE_M)
    }

    /// Whether the straight line keeps off all zones as far as its ends do, at most the margin.
    pub fn sees(&self, from: Point, to: Point) -> bool {
        self.near(from, to).all(|zone| zone.lets_pass(from, to, MARGIN_M))
    }

    fn near(&self, from: Point, to: Point) -> impl Iterator<Item = &Outline> + '_ {
        let least = [from.x.min(to.x) - MARGIN_M, from.y.min(to.y) - MARGIN_M];
        let most = [from.x.max(to.x) + MARGIN_M, from.y.max(to.y) + MARGIN_M];
        let found = self
            .boxes
            .locate_in_envelope_intersecting(&AABB::from_corners(least, most));
        found.map(|entry| &self.zones[entry.data])
    }

    /// The nearest place off all zones, straight out of those that hold `at`.
    pub fn way_out(&self, at: Point) -> Option<Point> {
        let holding = self.zones.iter().filter(|zone| zone.holds(at));
        let exits = holding.flat_map(|zone| zone.exits(at));
        let clear = exits.filter(|exit| self.is_clear_but_for_rounding(*exit));
        clear.min_by(|a, b| at.distance(*a).total_cmp(&at.distance(*b)))
    }

    fn is_clear_but_for_rounding(&self, at: Point) -> bool {
        self.near(at, at)
            .all(|zone| !zone.holds(at) && zone.distance(at) >= 0.99 * MARGIN_M)
    }

    /// The bends of the shortest way; none where `from` sees `to`. `None` without a way.
    pub fn between(&self, from: Point, to: Point) -> Option<Vec<Point>> {
        if self.sees(from, to) {
            return Some(Vec::new());
        }
        let n = self.bends.len();
        let last_m: Vec<Option<f64>> = (self.bends.iter())
            .map(|bend| self.sees(*bend, to).then(|| bend.distance(to)))
            .collect();
        let mut best_m: Vec<f64> = (self.bends.iter())
            .map(|bend| match self.sees(from, *bend) {
                true => from.distance(*bend),
                false => f64::INFINITY,
            })
            .collect();
        let mut before = vec![None; n];
        let mut settled = vec![false; n];
        let mut end: (f64, Option<usize>) = (f64::INFINITY, None);
        // Dijkstra without a heap: bends are few, and the lowest index wins a tie.
        loop {
            let open = (0..n).filter(|i| !settled[*i] && best_m[*i] < end.0);
            let Some(next) = open.min_by(|a, b| best_m[*a].total_cmp(&best_m[*b])) else {
                break;
            };
            settled[next] = true;
            if let Some(last_m) = last_m[next]
                && best_m[next] + last_m < end.0
            {
                end = (best_m[next] + last_m, Some(next));
            }
            for &(other, distance_m) in &self.seen()[next] {
                if best_m[next] + distance_m < best_m[other] {
                    best_m[other] = best_m[next] + distance_m;
                    before[other] = Some(next);
                }
            }
        }
        let mut at = end.1?;
        let mut way = vec![self.bends[at]];
        while let Some(earlier) = before[at] {
            way.push(self.bends[earlier]);
            at = earlier;
        }
        way.reverse();
        Some(way)
    }

    fn seen(&self) -> &[Vec<(usize, f64)>] {
        self.seen.get_or_init(|| {
            let seen_from = |(i, bend): (usize, &Point)| {
                let others = self.bends.iter().enumerate().filter(|(j, _)| *j != i);
                let visible = others.filter(|(_, other)| self.sees(*bend, **other));
                visible.map(|(j, other)| (j, bend.distance(*other))).collect()
            };
            self.bends.iter().enumerate().map(seen_from).collect()
        })
    }
}
