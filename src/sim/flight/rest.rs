//! Plans from wherever a drone is in the air: what is left of a mission, the way home, and
//! waiting on the spot.

use super::super::air::Air;
use super::super::airspace::End;
use super::super::geo::Point;
use super::super::motion::lesser;
use super::super::route::{Route, level_of_heading};
use super::super::world::Model;
use super::{
    AT_HUB_M, Infeasible, Leg, Load, Milestone, Mission, Path, Phase, Planner, Whereabouts, check_payload,
    grounded, leaving_s,
};

/// Closer than this there is nothing to fly to.
const SAME_PLACE_M: f64 = 1.0;
/// Lower than this a drone stands.
const ON_GROUND_M: f64 = 0.5;

/// What a drone in the air still has to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// `None` once the package is on board.
    pub pickup: Option<Point>,
    pub dropoff: Point,
    pub home: Point,
    pub payload_kg: f64,
    /// Seconds that are left of the hand-over that it is in the middle of.
    pub handover_left_s: Option<f64>,
}

impl Rest {
    /// Of a hand-over at this place by one who is there: what it has spent on it is spent.
    fn handover_s(&self, model: &Model, from: Whereabouts, at: Point) -> f64 {
        let there_m = match from.height_m < ON_GROUND_M {
            true => AT_HUB_M,
            false => SAME_PLACE_M,
        };
        let left_s = self.handover_left_s.filter(|_| from.at.distance(at) < there_m);
        left_s.map_or(model.handover_s, |left_s| lesser(left_s, model.handover_s))
    }
}

/// # Errors
/// What the type cannot do, whatever its battery.
pub fn plan_rest(
    model: &Model,
    air: &Air<'_>,
    from: Whereabouts,
    rest: &Rest,
) -> Result<Mission, Infeasible> {
    check_payload(model, rest.payload_kg)?;
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(16);
    let sink = &mut |leg| legs.push(leg);
    let hover_m = model.handover_height_m;
    let out = Load {
        payload_kg: rest.payload_kg,
        homeward: false,
    };
    let mut place = from;
    if let Some(pickup) = rest.pickup {
        let loads_on_ground = place.height_m < ON_GROUND_M && place.at.distance(pickup) < AT_HUB_M;
        if loads_on_ground {
            place = planner.come_to_rest(from, Phase::Cruise, 0.0, sink);
            planner.check_open(place.at, place.height_m, place.height_m)?;
        } else {
            let shop = End {
                at: pickup,
                height_m: hover_m,
            };
            let way = planner.fly_to(place, shop, Load::EMPTY)?;
            way.into_iter().for_each(&mut *sink);
            place = Whereabouts::at_rest(pickup, hover_m);
        }
        let seconds = rest.handover_s(model, from, pickup);
        planner.handover(
            (place.at, place.height_m),
            seconds,
            Load::EMPTY,
            Milestone::PickedUp,
            sink,
        );
    }
    let door = End {
        at: rest.dropoff,
        height_m: hover_m,
    };
    let way = planner.fly_to(place, door, out)?;
    way.into_iter().for_each(&mut *sink);
    let seconds = match rest.pickup {
        Some(_) => model.handover_s,
        None => rest.handover_s(model, from, rest.dropoff),
    };
    planner.handover((rest.dropoff, hover_m), seconds, out, Milestone::Delivered, sink);
    let door = Whereabouts::at_rest(rest.dropoff, hover_m);
    planner.hop_from(door, grounded(rest.home), Load::HOMEWARD, sink)?;
    Ok(planner.mission(legs))
}

/// Home with what it carries.
///
/// # Errors
/// What the type cannot do, whatever its battery.
pub fn plan_home(
    model: &Model,
    air: &Air<'_>,
    from: Whereabouts,
    home: Point,
    payload_kg: f64,
) -> Result<Mission, Infeasible> {
    plan_wait(model, air, from, 0.0, Phase::Hold, home, payload_kg)
}

/// So many seconds on the spot, then home with what it carries. Who is in a zone leaves it to
/// hold.
///
/// # Errors
/// What the type cannot do, whatever its battery.
pub fn plan_wait(
    model: &Model,
    air: &Air<'_>,
    from: Whereabouts,
    seconds: f64,
    phase: Phase,
    home: Point,
    payload_kg: f64,
) -> Result<Mission, Infeasible> {
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(8);
    let sink = &mut |leg| legs.push(leg);
    let homeward = Load {
        payload_kg,
        homeward: true,
    };
    if seconds <= 0.0 {
        let way = planner.fly_to(from, grounded(home), homeward)?;
        return Ok(planner.mission(way));
    }
    let place = match phase {
        Phase::Hold => planner.rest_outside(from, phase, homeward, sink),
        _ => planner.come_to_rest(from, phase, payload_kg, sink),
    };
    sink(hover_leg(model, place, seconds, phase, payload_kg));
    planner.hop_from(place, grounded(home), homeward, sink)?;
    Ok(planner.mission(legs))
}

/// So long on the spot.
pub(super) fn hover_leg(
    model: &Model,
    from: Whereabouts,
    seconds: f64,
    phase: Phase,
    payload_kg: f64,
) -> Leg {
    let path = Path::Hold {
        at: from.at,
        height_m: from.height_m,
        seconds,
    };
    let leg = Leg {
        entry_mps: 1.0,
        target_mps: 1.0,
        exit_mps: 1.0,
        ..Leg::new(path, phase, payload_kg)
    };
    leg.timed(model)
}

/// So many seconds where it comes to rest, or off the zone that lies there, and straight down
/// from there. Who comes down at once does so wherever it is.
pub fn plan_landing(
    model: &Model,
    air: &Air<'_>,
    from: Whereabouts,
    seconds: f64,
    payload_kg: f64,
) -> Mission {
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(3);
    let sink = &mut |leg| legs.push(leg);
    let load = Load {
        payload_kg,
        homeward: true,
    };
    let mut place = from;
    if seconds > 0.0 {
        place = planner.rest_outside(from, Phase::Return, load, sink);
        sink(hover_leg(model, place, seconds, Phase::Hold, payload_kg));
    }
    let place = planner.come_to_rest(place, Phase::Return, payload_kg, sink);
    let end = Some(Milestone::Landed);
    planner.vertical(place.at, place.height_m, 0.0, load, end, sink);
    planner.mission(legs)
}

/// Home from a place in the air at rest, at the cruise height of the way home: cruise,
/// descend, land.
pub fn plan_return(model: &Model, air: &Air<'_>, from: Point, home: Point) -> Result<Mission, Infeasible> {
    let height_m = level_of_heading(from, home);
    let route = air.route(End { at: from, height_m }, grounded(home))?;
    plan_return_along(model, air, &route, height_m)
}

/// Home from any height, at rest: up or down to the route's level first.
pub fn plan_return_along(
    model: &Model,
    air: &Air<'_>,
    route: &Route,
    height_m: f64,
) -> Result<Mission, Infeasible> {
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(3);
    planner.hop(route, height_m, 0.0, Load::HOMEWARD, &mut |leg| legs.push(leg))?;
    Ok(planner.mission(legs))
}

/// How much more it takes to wait so long at the door and bring the package back, than to go
/// home without it, watt-hours.
///
/// # Errors
/// What the type cannot do, whatever its battery.
pub fn waiting_costs_wh(
    model: &Model,
    air: &Air<'_>,
    door: Point,
    home: Point,
    payload_kg: f64,
    seconds: f64,
) -> Result<f64, Infeasible> {
    let from = Whereabouts::at_rest(door, model.handover_height_m);
    let waited = plan_wait(model, air, from, seconds, Phase::Handover, home, payload_kg)?;
    let empty = plan_home(model, air, from, home, 0.0)?;
    Ok((waited.energy_wh - empty.energy_wh).max(0.0))
}

impl Planner<'_> {
    /// As [`Planner::hop`] from any height, at rest; where it is there already, up or down on the
    /// spot. Who would change its level in a zone leaves that first, and so does who is sooner over
    /// or under it than beside it.
    pub(super) fn hop_from(
        &self,
        from: Whereabouts,
        to: End,
        load: Load,
        sink: &mut impl FnMut(Leg),
    ) -> Result<(), Infeasible> {
        if from.at.distance(to.at) >= SAME_PLACE_M {
            let mut route = self.route(from, to)?;
            let mut place = from;
            let leaves_first = || {
                let out = self.air.way_out(from.at, from.height_m);
                out.is_some_and(|out| out.level_m != from.height_m || route.level_m != from.height_m)
            };
            if from.height_m > ON_GROUND_M && leaves_first() {
                place = self.leave_zone(from, load, sink);
            }
            if place != from {
                route = self.route(place, to)?;
            }
            return self.hop(&route, place.height_m, to.height_m, load, sink);
        }
        let (low_m, high_m) = (from.height_m.min(to.height_m), from.height_m.max(to.height_m));
        match load.homeward {
            true => self.check_landing(from)?,
            false => self.check_open(to.at, low_m, high_m)?,
        }
        let end = load.homeward.then_some(Milestone::Landed);
        self.vertical(to.at, from.height_m, to.height_m, load, end, sink);
        Ok(())
    }

    pub(super) fn route(&self, from: Whereabouts, to: End) -> Result<Route, Infeasible> {
        Ok(self.air.route(from.end(), to)?)
    }

    /// Nobody comes down into a zone, nor lands in one who would have left it sooner.
    fn check_landing(&self, from: Whereabouts) -> Result<(), Infeasible> {
        let (at, height_m) = (from.at, from.height_m);
        let mut lands_s = 0.0;
        let sink = &mut |leg: Leg| lands_s += leg.duration_s;
        self.vertical(at, height_m, 0.0, Load::HOMEWARD, None, sink);
        if !self.air.is_closed_within(lands_s, at, 0.0, height_m) {
            return Ok(());
        }
        let is_inside = self.air.is_shut(at, height_m, height_m);
        let is_sooner = |leaving_s| leaving_s < lands_s;
        match is_inside && !leaving_s(self.model, self.air, from).is_some_and(is_sooner) {
            true => Ok(()),
            false => Err(Infeasible::NoWay),
        }
    }

    fn check_open(&self, at: Point, low_m: f64, high_m: f64) -> Result<(), Infeasible> {
        match self.air.is_shut(at, low_m, high_m) {
            true => Err(Infeasible::NoWay),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
