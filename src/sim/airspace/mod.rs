//! No-fly zones as flights meet them, and the shortest ways round them.
//!
//! Zones are projected onto the area's plane and their heights counted from the ground. A
//! route keeps [`MARGIN_M`] from every zone that its level meets while it may be flown; an
//! end that lies nearer may be reached on the way that keeps as far off as that end is.
//! Shortest ways bend at corners only, so each zone gives its outward corners, moved off by
//! the margin, and a way is a shortest path over those that see one another.

mod come;
mod outline;
#[cfg(test)]
mod tests;
mod visibility;

use std::sync::OnceLock;

pub use self::come::Come;
use self::outline::Outline;
use self::visibility::Visibility;
use super::geo::{Area, Point};
use super::route::{LEVELS_M, Route, level_of_heading};
use super::time::{SimDuration, SimTime};
use super::world::{HeightReference, Zone};

/// How far off zones routes keep, metres.
pub const MARGIN_M: f64 = 60.0;

/// A zone counts from so long before it begins: a flight that sets out now is down by then.
pub const LOOK_AHEAD: SimDuration = SimDuration(45 * 60 * 1_000_000);

/// A metre up or down takes as long as so many along.
const CLIMB_COUNTS: f64 = 5.0;

/// All zones of a world.
#[derive(Clone, Debug, Default)]
pub struct Airspace {
    zones: Vec<NoFly>,
    /// When zones begin to count, begin and end, in order.
    changes: Vec<SimTime>,
    /// By period between changes, by level, of those in force and of the announced ones too; made
    /// when first asked for.
    ways: Vec<OnceLock<Visibility>>,
}

/// Without a zone.
#[cfg(test)]
pub(in crate::sim) static OPEN: Airspace = Airspace {
    zones: Vec::new(),
    changes: Vec::new(),
    ways: Vec::new(),
};

/// A zone on the local plane.
#[derive(Clone, Debug)]
pub struct NoFly {
    outline: Outline,
    /// (west, south), (east, north).
    bounds: ([f64; 2], [f64; 2]),
    /// Above ground.
    floor_m: f64,
    ceiling_m: f64,
    from: SimTime,
    until: SimTime,
}

/// The zones that a flight that sets out at a moment reckons with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reckoning {
    pub at: SimTime,
    /// Those too that begin within [`LOOK_AHEAD`].
    pub announced: bool,
}

impl From<SimTime> for Reckoning {
    fn from(at: SimTime) -> Self {
        Reckoning { at, announced: true }
    }
}

/// There is no way: an end is closed, or zones lie across everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// An end of a route: a place, and the height from or to which it is climbed there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    pub at: Point,
    pub height_m: f64,
}

impl NoFly {
    fn new(zone: &Zone, area: &Area) -> Self {
        let ground_m = match zone.reference {
            HeightReference::Agl => 0.0,
            HeightReference::Amsl => area.ground_m,
        };
        let outline = Outline::new(&zone.polygon, &area.frame);
        NoFly {
            bounds: outline.bounds(),
            outline,
            floor_m: zone.floor_m - ground_m,
            ceiling_m: zone.ceiling_m - ground_m,
            from: zone.from,
            until: zone.until,
        }
    }

    /// Whether a straight line may come nearer than this: no more than a look at its box.
    fn is_near(&self, from: Point, to: Point, metres: f64) -> bool {
        let ([west, south], [east, north]) = self.bounds;
        let is_within =
            |a: f64, b: f64, least: f64, most: f64| a.max(b) + metres >= least && a.min(b) - metres <= most;
        is_within(from.x, to.x, west, east) && is_within(from.y, to.y, south, north)
    }

    fn meets(&self, low_m: f64, high_m: f64) -> bool {
        self.floor_m <= high_m && low_m < self.ceiling_m
    }

    fn counts(&self, with: Reckoning) -> bool {
        let from = match with.announced {
            true => self.counts_from(),
            false => self.from,
        };
        from <= with.at && with.at < self.until
    }

    /// Whether it is at any time between these.
    fn is_in_force(&self, begins: SimTime, ends: SimTime) -> bool {
        self.from <= ends && begins < self.until
    }

    fn counts_from(&self) -> SimTime {
        SimTime(self.from.0.saturating_sub(LOOK_AHEAD.0))
    }
}

/// What may be on the way up or down to a level, over where a flight begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    /// No zone, but one that it is in already.
    Open,
    Any,
}

/// Who is between two levels is taken to be on the one that is nearer.
fn nearest_level(height_m: f64) -> usize {
    let away_m = |level: &usize| (LEVELS_M[*level] - height_m).abs();
    let nearest = (0..LEVELS_M.len()).min_by(|a, b| away_m(a).total_cmp(&away_m(b)));
    nearest.unwrap_or(0)
}

impl Airspace {
    pub fn new(zones: &[Zone], area: &Area) -> Self {
        let zones: Vec<NoFly> = zones.iter().map(|zone| NoFly::new(zone, area)).collect();
        let mut changes: Vec<SimTime> = zones
            .iter()
            .flat_map(|zone| [zone.counts_from(), zone.from, zone.until])
            .collect();
        changes.sort_unstable();
        changes.dedup();
        let periods = changes.len() + 1;
        Airspace {
            zones,
            changes,
            ways: (0..periods * LEVELS_M.len() * 2)
                .map(|_| OnceLock::new())
                .collect(),
        }
    }

    /// The shortest way that keeps off the zones, over or under those that leave room; on the
    /// level of its heading where others are no shorter.
    ///
    /// # Errors
    /// Where no level has a way.
    pub fn route(&self, now: impl Into<Reckoning>, from: End, to: End) -> Result<Route, Closed> {
        if self.zones.is_empty() {
            return Ok(Route::direct(from.at, to.at));
        }
        let now = now.into();
        // Who hangs over or under a zone that was laid meanwhile may have no level but through it.
        let shortest = [Column::Open, Column::Any]
            .into_iter()
            .find_map(|column| self.shortest(now, from, to, column));
        shortest.ok_or(Closed)
    }

    /// Of all levels that are reached so.
    fn shortest(&self, now: Reckoning, from: End, to: End, column: Column) -> Option<Route> {
        let usual_m = level_of_heading(from.at, to.at);
        let usual = self.route_at(now, from, to, usual_m, column);
        if usual.as_ref().is_some_and(|route| route.via.is_empty()) {
            return usual;
        }
        let others = LEVELS_M.into_iter().filter(|level_m| *level_m != usual_m);
        let others = others.filter_map(|level_m| self.route_at(now, from, to, level_m, column));
        usual
            .into_iter()
            .chain(others)
            .min_by(|a, b| a.length_m().total_cmp(&b.length_m()))
    }

    /// The same on the level at this height alone; `None` where there is none, or no zone at all.
    pub fn route_on(&self, now: Reckoning, from: End, to: End, height_m: f64) -> Option<Route> {
        let level_m = LEVELS_M[nearest_level(height_m)];
        let is_round_any = !self.zones.is_empty();
        is_round_any
            .then(|| self.route_at(now, from, to, level_m, Column::Any))
            .flatten()
    }

    fn route_at(&self, now: Reckoning, from: End, to: End, level_m: f64, column: Column) -> Option<Route> {
        let shut = |end: End| {
            let (low_m, high_m) = (end.height_m.min(level_m), end.height_m.max(level_m));
            self.is_shut(now, end.at, low_m, high_m)
        };
        if shut(to) {
            return None;
        }
        let ways = self.ways(now, level_m);
        // Who is in the air when a zone is laid over it leaves by the nearest side, or by the top
        // where the level is above it.
        let is_inside = || self.is_shut(now, from.at, from.height_m, from.height_m);
        let mut via = match shut(from) {
            true if from.height_m <= 0.0 => return None,
            true if column == Column::Open && !is_inside() => return None,
            true if self.is_shut(now, from.at, level_m, level_m) => vec![ways.way_out(from.at)?],
            _ => Vec::new(),
        };
        let outside = via.last().copied().unwrap_or(from.at);
        via.extend(ways.between(outside, to.at)?);
        Some(Route {
            from: from.at,
            via,
            to: to.at,
            level_m,
        })
    }

    /// The shortest way to a place and a height off the zones, for who is in one. `None` for who is
    /// in none.
    pub fn way_out(&self, now: impl Into<Reckoning>, at: Point, height_m: f64) -> Option<Route> {
        let now = now.into();
        if !self.is_shut(now, at, height_m, height_m) {
            return None;
        }
        let own = Some(height_m).filter(|height_m| *height_m >= LEVELS_M[0]);
        let out = |level_m| {
            let to = match self.is_shut(now, at, level_m, level_m) {
                true => self.ways(now, level_m).way_out(at)?,
                false => at,
            };
            let route = Route::direct(at, to);
            Some(Route { level_m, ..route })
        };
        let length_m = |route: &Route| route.length_m() + CLIMB_COUNTS * (route.level_m - height_m).abs();
        let ways = own.into_iter().chain(LEVELS_M).filter_map(out);
        ways.min_by(|a, b| length_m(a).total_cmp(&length_m(b)))
    }

    fn ways(&self, now: Reckoning, level_m: f64) -> &Visibility {
        let period = self.changes.partition_point(|change| *change <= now.at);
        let level = nearest_level(level_m);
        let level_m = LEVELS_M[level];
        let which = 2 * (period * LEVELS_M.len() + level) + usize::from(now.announced);
        self.ways[which].get_or_init(|| {
            let counts = |zone: &&NoFly| zone.counts(now) && zone.meets(level_m, level_m);
            Visibility::new(
                self.zones
                    .iter()
                    .filter(counts)
                    .map(|zone| zone.outline.clone())
                    .collect(),
            )
        })
    }

    /// Whether zones begin to count, begin or end after the one moment and until the other.
    pub fn changes_at(&self, after: SimTime, until: SimTime) -> bool {
        self.changes(after, until).next().is_some()
    }

    /// When the next zone begins.
    pub fn next_begins(&self, after: SimTime) -> Option<SimTime> {
        let ahead = self.zones.iter().map(|zone| zone.from);
        ahead.filter(|from| *from > after).min()
    }

    /// When they do, in order.
    pub fn changes(&self, after: SimTime, until: SimTime) -> impl Iterator<Item = SimTime> + '_ {
        let first = self.changes.partition_point(|change| *change <= after);
        let later = self.changes[first..].iter().copied();
        later.take_while(move |change| *change <= until)
    }

    /// Whether a zone lies over a place between these heights.
    pub fn is_shut(&self, now: impl Into<Reckoning>, at: Point, low_m: f64, high_m: f64) -> bool {
        let now = now.into();
        let mut met = self
            .zones
            .iter()
            .filter(|zone| zone.counts(now) && zone.meets(low_m, high_m));
        met.any(|zone| zone.is_near(at, at, 0.0) && zone.outline.holds(at))
    }

    /// Whether a straight line between these heights that is flown between these moments keeps as
    /// far off the zones that are in force then as a route must.
    pub fn lets_pass(
        &self,
        (begins, ends): (SimTime, SimTime),
        (from, to): (Point, Point),
        (low_m, high_m): (f64, f64),
    ) -> bool {
        let is_met = |zone: &&NoFly| {
            zone.is_in_force(begins, ends) && zone.meets(low_m, high_m) && zone.is_near(from, to, MARGIN_M)
        };
        let mut met = self.zones.iter().filter(is_met);
        match from == to {
            true => met.all(|zone| !zone.outline.holds(to)),
            false => met.all(|zone| zone.outline.lets_pass(from, to, MARGIN_M)),
        }
    }

    /// Whether a straight line at a height comes nearer to a zone that is in force within the
    /// look-ahead than a route may.
    pub fn is_open(&self, now: impl Into<Reckoning>, from: Point, to: Point, level_m: f64) -> bool {
        self.zones.is_empty() || self.ways(now.into(), level_m).sees(from, to)
    }
}
