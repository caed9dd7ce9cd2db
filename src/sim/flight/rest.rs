//! Plans from wherever a drone is in the air: what is left of a mission, the way home, and
//! waiting on the spot.

use super::super::air::Air;
use super::super::airspace::End;
use super::super::geo::Point;
use super::super::route::{Route, level_of_heading};
use super::super::world::Model;
use super::cruise::cruise;
use super::{
    AT_HUB_M, Infeasible, Leg, Load, Milestone, Mission, Path, Phase, Planner, Whereabouts, check_payload,
    grounded,
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
    let carried_kg = rest.pickup.map_or(rest.payload_kg, |_| 0.0);
    let mut place = planner.come_to_rest(from, Phase::Cruise, carried_kg, sink);
    if let Some(pickup) = rest.pickup {
        let loads_on_ground = place.height_m < ON_GROUND_M && place.at.distance(pickup) < AT_HUB_M;
        if loads_on_ground {
            planner.check_open(place.at, place.height_m, place.height_m)?;
        } else {
            planner.hop_from(place, pickup, hover_m, Load::EMPTY, sink)?;
            place = Whereabouts::at_rest(pickup, hover_m);
        }
        planner.handover(place.at, place.height_m, Load::EMPTY, Milestone::PickedUp, sink);
    }
    planner.hop_from(place, rest.dropoff, hover_m, out, sink)?;
    planner.handover(rest.dropoff, hover_m, out, Milestone::Delivered, sink);
    let door = Whereabouts::at_rest(rest.dropoff, hover_m);
    planner.hop_from(door, rest.home, 0.0, Load::HOMEWARD, sink)?;
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
    let waits = seconds > 0.0;
    let braking = if waits { phase } else { Phase::Return };
    let place = planner.come_to_rest(from, braking, payload_kg, sink);
    let place = match phase {
        Phase::Hold if waits => planner.leave_zone(place, homeward, sink),
        _ => place,
    };
    if waits {
        sink(hover_leg(model, place, seconds, phase, payload_kg));
    }
    planner.hop_from(place, home, 0.0, homeward, sink)?;
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
    let mut place = planner.come_to_rest(from, Phase::Return, payload_kg, sink);
    if seconds > 0.0 {
        place = planner.leave_zone(place, load, sink);
        sink(hover_leg(model, place, seconds, Phase::Hold, payload_kg));
    }
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
    /// spot. Who would change its level in a zone leaves that first.
    pub(super) fn hop_from(
        &self,
        from: Whereabouts,
        to: Point,
        to_m: f64,
        load: Load,
        sink: &mut impl FnMut(Leg),
    ) -> Result<(), Infeasible> {
        if from.at.distance(to) >= SAME_PLACE_M {
            let mut route = self.route(from, to, to_m)?;
            let mut place = from;
            if from.height_m > ON_GROUND_M && route.level_m != from.height_m {
                place = self.leave_zone(from, load, sink);
            }
            if place != from {
                route = self.route(place, to, to_m)?;
            }
            return self.hop(&route, place.height_m, to_m, load, sink);
        }
        match load.homeward {
            true => self.check_landing(from)?,
            false => self.check_open(to, from.height_m.min(to_m), from.height_m.max(to_m))?,
        }
        let end = load.homeward.then_some(Milestone::Landed);
        self.vertical(to, from.height_m, to_m, load, end, sink);
        Ok(())
    }

    fn route(&self, from: Whereabouts, to: Point, to_m: f64) -> Result<Route, Infeasible> {
        let end = |at, height_m| End { at, height_m };
        Ok(self.air.route(end(from.at, from.height_m), end(to, to_m))?)
    }

    /// Nobody lands in a zone who would have left it sooner.
    fn check_landing(&self, from: Whereabouts) -> Result<(), Infeasible> {
        let (at, height_m) = (from.at, from.height_m);
        let lands_s = height_m / self.model.descent_mps;
        let is_sooner = |out: Route| {
            let climb_s = (out.level_m - height_m).abs() / self.model.climb_mps;
            climb_s + out.length_m() / self.model.cruise_airspeed_mps < lands_s
        };
        let is_closed = self.air.is_closed_within(lands_s, at, 0.0, height_m);
        match is_closed && self.air.way_out(at, height_m).is_some_and(is_sooner) {
            true => Err(Infeasible::NoWay),
            false => Ok(()),
        }
    }

    fn check_open(&self, at: Point, low_m: f64, high_m: f64) -> Result<(), Infeasible> {
        match self.air.is_shut(at, low_m, high_m) {
            true => Err(Infeasible::NoWay),
            false => Ok(()),
        }
    }

    /// By the shortest way, from rest to rest; stays where it is in no zone, or the wind does not
    /// let it leave.
    fn leave_zone(&self, from: Whereabouts, load: Load, sink: &mut impl FnMut(Leg)) -> Whereabouts {
        let Some(route) = self.air.way_out(from.at, from.height_m) else {
            return from;
        };
        let mut legs = Vec::with_capacity(2);
        let draft = |path| Leg::new(path, load.phase(Phase::Cruise), load.payload_kg);
        let push = &mut |leg| legs.push(leg);
        self.vertical(from.at, from.height_m, route.level_m, load, None, push);
        if cruise(self.model, self.air, &route, route.level_m, draft, push).is_err() {
            return from;
        }
        legs.into_iter().for_each(sink);
        Whereabouts::at_rest(route.to, route.level_m)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::airspace::OPEN;
    use crate::sim::catalogue;
    use crate::sim::time::SimTime;
    use crate::sim::weather::Weather;

    static CALM: Weather = Weather::steady(0.0, 0.0, 1.225);

    fn calm() -> Air<'static> {
        Air::forecast(&CALM, &OPEN, 0, SimTime::START)
    }
    const HOME: Point = Point { x: 0.0, y: 0.0 };

    fn above(x: f64, y: f64, height_m: f64) -> Whereabouts {
        Whereabouts::at_rest(Point { x, y }, height_m)
    }

    fn milestones(mission: &Mission) -> Vec<Milestone> {
        mission
            .plan
            .legs()
            .iter()
            .filter_map(|leg| leg.milestone)
            .collect()
    }

    #[test]
    fn what_is_left_begins_where_the_drone_is_and_ends_at_home() {
        let model = catalogue::model("wing").unwrap();
        let from = above(700.0, 300.0, 62.0);
        let rest = Rest {
            pickup: Some(Point { x: 2_000.0, y: 0.0 }),
            dropoff: Point {
                x: 2_000.0,
                y: 1_500.0,
            },
            home: HOME,
            payload_kg: 0.5,
        };
        let whole = plan_rest(&model, &calm(), from, &rest).unwrap();
        assert_eq!(whole.plan.start(), (from.at, from.height_m));
        assert_eq!(whole.plan.end(), HOME);
        let all = [
            Milestone::PickedUp,
            Milestone::Delivered,
            Milestone::OverHub,
            Milestone::Landed,
        ];
        assert_eq!(milestones(&whole), all);
        let aboard = Rest { pickup: None, ..rest };
        let half = plan_rest(&model, &calm(), from, &aboard).unwrap();
        assert_eq!(milestones(&half), all[1..]);
        assert!(half.delivery_s < whole.delivery_s && half.energy_wh < whole.energy_wh);
    }

    #[test]
    fn who_is_at_home_only_comes_down() {
        let model = catalogue::model("wing").unwrap();
        for height_m in [0.0, 40.0] {
            let mission = plan_home(&model, &calm(), above(0.4, 0.0, height_m), HOME, 0.0).unwrap();
            assert_eq!(milestones(&mission), [Milestone::Landed]);
            assert_eq!((mission.plan.legs().len(), mission.plan.end()), (1, HOME));
        }
    }

    #[test]
    fn a_package_that_is_loaded_at_the_hub_can_be_replaced_by_another_errand() {
        let model = catalogue::model("wing").unwrap();
        let rest = Rest {
            pickup: Some(HOME),
            dropoff: Point { x: 900.0, y: 0.0 },
            home: HOME,
            payload_kg: 0.5,
        };
        let mission = plan_rest(&model, &calm(), above(0.0, 0.0, 0.0), &rest).unwrap();
        assert!(mission.plan.legs()[0].on_ground(), "it is loaded where it stands");
        let elsewhere = Rest {
            pickup: Some(Point { x: 400.0, y: 0.0 }),
            ..rest
        };
        let mission = plan_rest(&model, &calm(), above(0.0, 0.0, 0.0), &elsewhere).unwrap();
        assert!(!mission.plan.legs()[0].on_ground());
    }

    #[test]
    fn waiting_at_the_door_and_coming_back_loaded_costs_what_it_says() {
        let model = catalogue::model("wing").unwrap();
        let door = Point { x: 3_000.0, y: 0.0 };
        let costs = |seconds| waiting_costs_wh(&model, &calm(), door, HOME, 1.0, seconds).unwrap();
        assert!(costs(0.0) > 0.0, "a loaded way home takes more");
        let hover_w = (costs(120.0) - costs(60.0)) * 60.0;
        assert!(hover_w > 50.0 && hover_w < 5_000.0, "{hover_w}");
    }
}
