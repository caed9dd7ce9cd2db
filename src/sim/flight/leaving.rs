//! Out of a zone that has come to lie over a drone: the quickest way, in flight where it flies, and
//! from rest where it does not.
//!
//! Who flies goes straight on, or turns to a side and goes straight on from there, or takes a slope
//! over the zone or under it, and does not slow down for that. Who would not have come to rest before
//! a zone begins flies so too: it is in there for as short as it can be.

use std::f64::consts::PI;

use super::super::air::Air;
use super::super::airspace::{End, MARGIN_M};
use super::super::geo::Point;
use super::super::motion::{self, Profile, greater, lesser, positive};
use super::super::route::LEVELS_M;
use super::super::weather::ground_speed;
use super::super::world::Model;
use super::cruise::cruise;
use super::leg::bend_radius_m;
use super::turning::{Bound, SIDES, takes_s};
use super::{AT_REST_MPS, Leg, Load, Path, Phase, Planner, Velocity, Whereabouts};

/// Courses that are tried lie so far apart.
const APART_RAD: f64 = PI / 12.0;
/// Half a turn of them to each side.
const COURSES: u32 = 12;
/// Of ways that lead out within so many seconds of the quickest the one that turns least is taken.
const HASTE_S: f64 = 1.0;
/// So many of those are tried to go on from.
const TRIES: usize = 4;
/// Nobody looks farther ahead for a way out, seconds.
const LONGEST_S: f64 = 600.0;
/// So far beyond a zone it is free to turn: ways round zones come no nearer than this, metres.
const BEYOND_M: f64 = 0.5 * MARGIN_M;
/// A straight way is looked at this often, metres, and where it leads out so often again.
const STRIDE_M: f64 = 40.0;
const HALVINGS: u32 = 3;
/// A turn or a slope is looked at this often, metres, and where it leads in or out too.
const STEP_M: f64 = 15.0;
/// Longer than braking takes: what a tick rounds off, metres.
const SPARE_M: f64 = 0.01;
/// Nobody changes level by less than this, metres.
const SAME_LEVEL_M: f64 = 1.0;

/// Out of the zones that lie around a drone in flight.
struct WayOut {
    /// A turn, or a slope, or nothing.
    legs: Vec<Leg>,
    /// From its end on it flies straight on, so far.
    from: Bound,
    straight_m: f64,
    /// What it spends in zones.
    inside_s: f64,
}

/// Until who is in a zone is out of it by the quickest way, seconds. `None` for who is in none, and
/// where no way leads out.
pub fn leaving_s(model: &Model, air: &Air<'_>, from: Whereabouts) -> Option<f64> {
    if !air.is_shut(from.at, from.height_m, from.height_m) {
        return None;
    }
    let planner = Planner { model, air };
    let rested_s = planner.leaving_from_rest_s(from);
    let ways = planner.ways_out(from, Load::HOMEWARD);
    let flown_s = ways.iter().map(|way| way.inside_s);
    rested_s.into_iter().chain(flown_s).reduce(lesser)
}

impl Planner<'_> {
    /// There by way of where it is soonest out of the zones that it is in, or cannot but come into;
    /// `None` where it is in none, or at rest, or no way leads there.
    pub(super) fn out_and_on(&self, from: Whereabouts, to: End, load: Load) -> Option<Vec<Leg>> {
        let ways = self.ways_out(from, load);
        let turned = ways.iter().take(TRIES).flat_map(|way| {
            // Where the way on begins with a bend close by, it is flown faster from farther off.
            [0.0, self.braking_m(way.from.speed_mps)].map(|more_m| {
                let (mut legs, after) = self.flown_out(way, way.straight_m + more_m, load)?;
                legs.extend(self.turned(after, to, load)?);
                Some(legs)
            })
        });
        let quickest = |one: &Vec<Leg>, other: &Vec<Leg>| takes_s(one).total_cmp(&takes_s(other));
        let turned = turned.flatten().min_by(quickest);
        turned.or_else(|| {
            let (mut legs, place) = ways.iter().find_map(|way| self.rested_out(way, load))?;
            let rested = self.hop_from(place, to, load, &mut |leg| legs.push(leg));
            rested.is_ok().then_some(legs)
        })
    }

    /// To a place off all zones at which it is at rest; where there is no way out it stays in one.
    pub(super) fn rest_outside(
        &self,
        from: Whereabouts,
        phase: Phase,
        load: Load,
        sink: &mut impl FnMut(Leg),
    ) -> Whereabouts {
        let ways = self.ways_out(from, load);
        if let Some((legs, place)) = ways.iter().find_map(|way| self.rested_out(way, load)) {
            legs.into_iter().for_each(sink);
            return place;
        }
        let place = self.come_to_rest(from, phase, load.payload_kg, sink);
        self.leave_zone(place, load, sink)
    }

    /// By the shortest way, from rest to rest; stays where it is in no zone, or the wind does not
    /// let it leave.
    pub(super) fn leave_zone(
        &self,
        from: Whereabouts,
        load: Load,
        sink: &mut impl FnMut(Leg),
    ) -> Whereabouts {
        let Some(route) = self.air.way_out(from.at, from.height_m) else {
            return from;
        };
        let mut legs = Vec::with_capacity(2);
        let push = &mut |leg| legs.push(leg);
        self.vertical(from.at, from.height_m, route.level_m, load, None, push);
        let draft = |path| load.cruises(path);
        if cruise(self.model, self.air, &route, route.level_m, draft, push).is_err() {
            return from;
        }
        legs.into_iter().for_each(sink);
        Whereabouts::at_rest(route.to, route.level_m)
    }

    /// As long as it takes who comes to rest first, which may be enough.
    fn leaving_from_rest_s(&self, from: Whereabouts) -> Option<f64> {
        let (model, air) = (self.model, self.air);
        let mut seconds = 0.0;
        let sink = &mut |leg: Leg| seconds += leg.duration_s;
        let place = self.come_to_rest(from, Phase::Return, 0.0, sink);
        if !air.is_shut(place.at, place.height_m, place.height_m) {
            return Some(seconds);
        }
        let out = air.way_out(place.at, place.height_m)?;
        self.vertical(place.at, place.height_m, out.level_m, Load::HOMEWARD, None, sink);
        let inside_m = positive(out.length_m() - MARGIN_M);
        let reached_mps = (2.0 * model.acceleration_mps2 * inside_m).sqrt();
        if inside_m > 0.0 {
            let wind = air.wind(place.at, out.level_m);
            let course = place.at.direction_to(out.to);
            let cruise_mps = ground_speed(model.cruise_airspeed_mps, wind, course)?;
            let fastest_mps = lesser(reached_mps, cruise_mps);
            let profile = Profile {
                target: fastest_mps,
                exit: fastest_mps,
                acceleration: model.acceleration_mps2,
            };
            seconds += motion::duration(0.0, inside_m, profile);
        }
        Some(seconds)
    }

    /// Those by which who flies spends the least time in the zones that it is in, or cannot but come
    /// into, the straightest first. None where it is sooner out from rest.
    fn ways_out(&self, from: Whereabouts, load: Load) -> Vec<WayOut> {
        let is_inside = self.is_shut(from.at, from.height_m);
        if !is_inside && !self.brakes_into_a_zone(from) {
            return Vec::new();
        }
        let Some((levelled, bound)) = self.levelled(from, load) else {
            return Vec::new();
        };
        let rested_s = is_inside.then(|| self.leaving_from_rest_s(from)).flatten();
        let mut least_s = rested_s.unwrap_or(LONGEST_S);
        let mut ways: Vec<WayOut> = Vec::new();
        let mut look_at = |turned: Option<(Vec<Leg>, Bound)>| {
            let Some((legs, after)) = turned else { return };
            let legs = levelled.iter().copied().chain(legs).collect();
            if let Some(way) = self.straight_out(legs, after, load, least_s + HASTE_S) {
                least_s = lesser(least_s, way.inside_s);
                ways.push(way);
            }
        };
        look_at(Some((Vec::new(), bound)));
        for to_m in LEVELS_M {
            if (to_m - bound.height_m).abs() > SAME_LEVEL_M && !self.is_shut(bound.at, to_m) {
                look_at(self.onto_level(bound, to_m, load));
            }
        }
        for course in 1..=COURSES {
            for side in SIDES {
                look_at(self.turned_by(side, f64::from(course) * APART_RAD, bound, load));
            }
        }
        ways.retain(|way| way.inside_s <= least_s + HASTE_S);
        ways
    }

    fn is_shut(&self, at: Point, height_m: f64) -> bool {
        self.air.is_shut(at, height_m, height_m)
    }

    fn brakes_into_a_zone(&self, from: Whereabouts) -> bool {
        let mut is_met = false;
        let sink = &mut |leg: Leg| is_met = self.spends_inside_s(&[leg]) > 0.0;
        self.come_to_rest(from, Phase::Cruise, 0.0, sink);
        is_met
    }

    /// Who climbs or sinks on a slope bends into the level first. `None` for who is slow, or low.
    fn levelled(&self, from: Whereabouts, load: Load) -> Option<(Vec<Leg>, Bound)> {
        if from.velocity.up_mps.abs() < AT_REST_MPS {
            return Some((Vec::new(), Bound::of(from)?));
        }
        let velocity = Velocity {
            up_mps: 0.0,
            ..from.velocity
        };
        let level = Bound::of(Whereabouts { velocity, ..from })?;
        let speed_mps = from.velocity.speed_mps();
        let pitch_rad = libm::asin(from.velocity.up_mps / speed_mps);
        let (east, north) = level.course;
        let path = Path::Bend {
            from: from.at,
            from_m: from.height_m,
            east,
            north,
            radius_m: bend_radius_m(self.model, speed_mps),
            pitch_rad,
            sweep_rad: -pitch_rad,
            airspeed_mps: self.model.cruise_airspeed_mps,
        };
        let bend = Leg {
            entry_mps: speed_mps,
            target_mps: speed_mps,
            exit_mps: speed_mps,
            ..load.cruises(path)
        };
        let (at, height_m) = bend.end();
        let after = Bound {
            at,
            height_m,
            speed_mps,
            ..level
        };
        (height_m >= LEVELS_M[0]).then(|| (vec![bend.timed(self.model)], after))
    }

    fn onto_level(&self, from: Bound, to_m: f64, load: Load) -> Option<(Vec<Leg>, Bound)> {
        let legs = self.change_level(from, f64::INFINITY, to_m, load)?;
        let last = legs.last()?;
        let (at, speed_mps) = (last.end().0, last.exit_mps);
        let after = Bound {
            at,
            height_m: to_m,
            speed_mps,
            ..from
        };
        Some((legs, after))
    }

    /// These legs, and straight on until it is out of all zones, with room to come to rest before the
    /// next; `None` where that keeps it in them for longer than this.
    fn straight_out(&self, legs: Vec<Leg>, from: Bound, load: Load, within_s: f64) -> Option<WayOut> {
        let led_s = self.spends_inside_s(&legs);
        if led_s > within_s {
            return None;
        }
        let fastest_mps = greater(self.straight(from, STRIDE_M, load)?.target_mps, from.speed_mps);
        let (clear_m, most_m) = (BEYOND_M + self.braking_m(fastest_mps), within_s * fastest_mps);
        let is_in = |along_m: f64| self.is_shut(from.ahead(along_m).at(along_m).0, from.height_m);
        let (mut along_m, mut in_m, mut out_m) = (0.0, f64::INFINITY, 0.0);
        while along_m <= out_m + clear_m {
            if is_in(along_m) {
                (in_m, out_m) = (lesser(in_m, along_m), along_m + STRIDE_M);
            }
            if out_m - lesser(in_m, out_m) > most_m + STRIDE_M {
                return None;
            }
            along_m += STRIDE_M;
        }
        out_m = crossed([positive(out_m - STRIDE_M), out_m], is_in);
        let straight_s = match out_m > in_m {
            true => self.straight(from, out_m - in_m, load)?.duration_s,
            false => 0.0,
        };
        Some(WayOut {
            legs,
            from,
            straight_m: out_m + BEYOND_M,
            inside_s: led_s + straight_s,
        })
    }

    /// Of who flies these legs: looked at step by step, and where one leads in or out so often again.
    fn spends_inside_s(&self, legs: &[Leg]) -> f64 {
        let inside_s = |leg: &Leg| {
            let length_m = leg.path.length();
            let parts = (length_m / STEP_M) as u32 + 1;
            let is_in = |share: f64| {
                let (at, height_m) = leg.path.at(share * length_m);
                self.is_shut(at, height_m)
            };
            let (mut inside, mut from, mut was_in) = (0.0, 0.0, is_in(0.0));
            for part in 1..=parts {
                let to = f64::from(part) / f64::from(parts);
                let is_in_then = is_in(to);
                inside += match (was_in, is_in_then) {
                    (true, true) => to - from,
                    (true, false) => crossed([from, to], is_in) - from,
                    (false, true) => to - crossed([to, from], is_in),
                    (false, false) => 0.0,
                };
                (from, was_in) = (to, is_in_then);
            }
            leg.duration_s * inside
        };
        legs.iter().map(inside_s).sum()
    }

    /// On its course, as fast as it comes to be; `None` where the wind is too strong for it.
    fn straight(&self, from: Bound, length_m: f64, load: Load) -> Option<Leg> {
        let wind = self.air.wind(from.at, from.height_m);
        let target_mps = ground_speed(self.model.cruise_airspeed_mps, wind, from.course)?;
        let entry_mps = lesser(from.speed_mps, target_mps);
        let square = entry_mps * entry_mps + 2.0 * self.model.acceleration_mps2 * length_m;
        let leg = Leg {
            entry_mps,
            target_mps,
            exit_mps: lesser(target_mps, square.sqrt()),
            ..load.cruises(from.ahead(length_m))
        };
        Some(leg.timed(self.model))
    }

    fn flown_out(&self, way: &WayOut, straight_m: f64, load: Load) -> Option<(Vec<Leg>, Bound)> {
        let straight = self.straight(way.from, straight_m, load)?;
        let after = Bound {
            at: straight.end().0,
            speed_mps: straight.exit_mps,
            ..way.from
        };
        let legs = way.legs.iter().copied().chain([straight]).collect();
        Some((legs, after))
    }

    /// It comes to rest a little beyond.
    fn rested_out(&self, way: &WayOut, load: Load) -> Option<(Vec<Leg>, Whereabouts)> {
        let braking_m = self.braking_m(self.straight(way.from, way.straight_m, load)?.exit_mps);
        let rests = Leg {
            exit_mps: 0.0,
            ..self.straight(way.from, way.straight_m + braking_m, load)?
        };
        let (at, height_m) = rests.end();
        let legs = way.legs.iter().copied().chain([rests.timed(self.model)]);
        Some((legs.collect(), Whereabouts::at_rest(at, height_m)))
    }

    fn braking_m(&self, from_mps: f64) -> f64 {
        from_mps * from_mps / (2.0 * self.model.acceleration_mps2) + SPARE_M
    }
}

/// Between a place in a zone and one outside of it, where the zone ends: a little outside.
fn crossed([mut inside, mut outside]: [f64; 2], is_in: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = 0.5 * (inside + outside);
        match is_in(middle) {
            true => inside = middle,
            false => outside = middle,
        }
    }
    outside
}
