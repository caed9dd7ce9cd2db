//! Flight plans: a mission as legs with times and energies, known before take-off.
//!
//! A plan is pure geometry and timing. The sky flies it; whether a battery can do it is
//! the dispatcher's to compare. The wind is the one that is forecast ([`Air`]).

mod burn;
mod cruise;
mod in_time;
mod leaving;
mod leg;
mod manoeuvre;
mod outline;
mod pads;
mod path;
mod rest;
#[cfg(test)]
mod tests;
mod turning;
mod whereabouts;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::cruise::{cruise, lowered};
pub use self::in_time::plan_in_time;
pub use self::leaving::leaving_s;
pub use self::leg::Leg;
use self::manoeuvre::change_level;
pub use self::manoeuvre::{Course, Manoeuvre, Onward, plan_manoeuvre};
pub use self::outline::{Corner, Mark, Stretch};
pub use self::pads::{STACK_PLACES, plan_hold_beside, stack_place};
pub use self::path::Path;
pub use self::rest::{
    Rest, plan_home, plan_landing, plan_rest, plan_return, plan_return_along, plan_wait, waiting_costs_wh,
};
pub use self::whereabouts::{AT_REST_MPS, Velocity, Whereabouts};
use super::air::Air;
use super::airspace::{Closed, End};
use super::geo::Point;
use super::route::Route;
use super::world::Model;

/// What a drone does on a leg; people see it as [`super::drone::DroneStatus`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    Climb,
    /// On the way to pick-up or drop-off.
    Cruise,
    Descend,
    /// Taking up or lowering a package, in hover (or on the ground).
    Handover,
    /// Any leg after drop-off: climbing, cruising, descending home.
    Return,
    /// Waiting in the air for something else than a package.
    Hold,
}

/// What the end of a leg means to the drone's actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Milestone {
    /// The package is on board.
    PickedUp,
    /// The package is at its drop-off.
    Delivered,
    /// Down at a hub; the flight is over.
    Landed,
    /// Over the hub, before the last descent: who would land asks for a pad here.
    OverHub,
}

/// The legs of a whole flight, from a take-off to a landing; never empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlightPlan {
    legs: Arc<[Leg]>,
}

/// A plan with what a planner must know of it.
#[derive(Clone, Debug)]
pub struct Mission {
    pub plan: FlightPlan,
    /// Seconds after the start.
    pub pickup_s: f64,
    pub delivery_s: f64,
    pub landing_s: f64,
    /// Whole flight, out, drop and home.
    pub energy_wh: f64,
    /// Over the ground.
    pub distance_m: f64,
}

/// Where a delivery flight goes: from a hub, to the pick-up, to the drop-off, home.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Errand {
    pub hub: Point,
    pub pickup: Point,
    pub dropoff: Point,
    pub home: Point,
    pub payload_kg: f64,
}

/// A delivery flight with its routes laid.
#[derive(Clone, Debug, PartialEq)]
pub struct Itinerary {
    /// `None` where the goods are at the hub: they are loaded on the ground.
    pub to_pickup: Option<Route>,
    pub to_dropoff: Route,
    pub home: Route,
    pub payload_kg: f64,
}

/// Why no plan exists, whatever the battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Infeasible {
    #[error("the payload is heavier than the type carries")]
    TooHeavy,
    #[error("the wind is too strong for the type on one of the legs")]
    TooWindy,
    #[error("no-fly zones leave no way")]
    NoWay,
}

/// A pick-up this close to the hub is the hub itself.
pub const AT_HUB_M: f64 = 30.0;

impl From<Closed> for Infeasible {
    fn from(_: Closed) -> Self {
        Infeasible::NoWay
    }
}

impl Errand {
    fn is_at_hub(&self) -> bool {
        self.hub.distance(self.pickup) < AT_HUB_M
    }

    /// `None` where the goods are at the hub.
    fn way_to_pickup(&self, model: &Model, air: &Air<'_>) -> Result<Option<Route>, Infeasible> {
        if self.is_at_hub() {
            return Ok(None);
        }
        let hover = |at| End {
            at,
            height_m: model.handover_height_m,
        };
        Ok(Some(air.route(grounded(self.hub), hover(self.pickup))?))
    }
}

fn grounded(at: Point) -> End {
    End { at, height_m: 0.0 }
}

impl Itinerary {
    /// By the shortest ways that are open.
    ///
    /// # Errors
    /// Where one of them has none.
    pub fn of(model: &Model, air: &Air<'_>, errand: &Errand) -> Result<Self, Infeasible> {
        let hover = |at| End {
            at,
            height_m: model.handover_height_m,
        };
        let loaded = match errand.is_at_hub() {
            true => grounded(errand.hub),
            false => hover(errand.pickup),
        };
        Ok(Itinerary {
            to_pickup: errand.way_to_pickup(model, air)?,
            to_dropoff: air.route(loaded, hover(errand.dropoff))?,
            home: air.route(hover(errand.dropoff), grounded(errand.home))?,
            payload_kg: errand.payload_kg,
        })
    }
}

/// Seconds from the start until the package is on board: what dispatch compares.
/// Equal to [`Mission::pickup_s`] of the same errand.
pub fn time_to_pickup(model: &Model, air: &Air<'_>, errand: &Errand) -> Result<f64, Infeasible> {
    check_payload(model, errand.payload_kg)?;
    let mut seconds = 0.0;
    let planner = Planner { model, air };
    let route = errand.way_to_pickup(model, air)?;
    planner.reach_pickup(route.as_ref(), errand.hub, &mut |leg| seconds += leg.duration_s)?;
    Ok(seconds)
}

/// The whole mission. Whether a battery can do it is the caller's to compare.
pub fn plan_delivery(model: &Model, air: &Air<'_>, errand: &Errand) -> Result<Mission, Infeasible> {
    check_payload(model, errand.payload_kg)?;
    plan_along(model, air, &Itinerary::of(model, air, errand)?)
}

/// The whole mission along routes with any number of way-points.
pub fn plan_along(model: &Model, air: &Air<'_>, itinerary: &Itinerary) -> Result<Mission, Infeasible> {
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(16);
    planner.whole_mission(itinerary, &mut |leg| legs.push(leg))?;
    Ok(planner.mission(legs))
}

/// What the mission of [`plan_delivery`] takes, bit for bit, without its plan.
pub fn delivery_costs_wh(model: &Model, air: &Air<'_>, errand: &Errand) -> Result<f64, Infeasible> {
    check_payload(model, errand.payload_kg)?;
    let mut energy_wh = 0.0;
    let sink = &mut |leg: Leg| energy_wh += leg.energy_wh(model, air);
    let itinerary = Itinerary::of(model, air, errand)?;
    Planner { model, air }.whole_mission(&itinerary, sink)?;
    Ok(energy_wh)
}

impl FlightPlan {
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// Where the flight begins, and its height above ground.
    pub fn start(&self) -> (Point, f64) {
        self.legs[0].path.start()
    }

    pub fn end(&self) -> Point {
        self.legs[self.legs.len() - 1].end().0
    }

    /// Seconds from the end of the first `done` legs to a milestone; `None` where it is
    /// behind, or not part of the plan.
    pub fn time_to(&self, milestone: Milestone, done: usize) -> Option<f64> {
        let ahead = self.legs.get(done..)?;
        let last = ahead.iter().position(|leg| leg.milestone == Some(milestone))?;
        Some(ahead[..=last].iter().map(|leg| leg.duration_s).sum())
    }
}

fn check_payload(model: &Model, payload_kg: f64) -> Result<(), Infeasible> {
    if payload_kg > model.max_payload_kg {
        return Err(Infeasible::TooHeavy);
    }
    Ok(())
}

/// What the drone carries, and whether its delivery is done.
#[derive(Clone, Copy)]
struct Load {
    payload_kg: f64,
    homeward: bool,
}

impl Load {
    const EMPTY: Load = Load {
        payload_kg: 0.0,
        homeward: false,
    };
    const HOMEWARD: Load = Load {
        payload_kg: 0.0,
        homeward: true,
    };

    fn phase(self, outward: Phase) -> Phase {
        if self.homeward { Phase::Return } else { outward }
    }
}

#[derive(Clone, Copy)]
struct Planner<'a> {
    model: &'a Model,
    air: &'a Air<'a>,
}

impl Planner<'_> {
    fn whole_mission(&self, itinerary: &Itinerary, sink: &mut impl FnMut(Leg)) -> Result<(), Infeasible> {
        check_payload(self.model, itinerary.payload_kg)?;
        let to_dropoff = &itinerary.to_dropoff;
        self.reach_pickup(itinerary.to_pickup.as_ref(), to_dropoff.from, sink)?;
        let handover_m = self.model.handover_height_m;
        let pickup_height_m = itinerary.to_pickup.as_ref().map_or(0.0, |_| handover_m);
        let out = Load {
            payload_kg: itinerary.payload_kg,
            homeward: false,
        };
        self.hop(to_dropoff, pickup_height_m, handover_m, out, sink)?;
        let (at, seconds) = ((to_dropoff.to, handover_m), self.model.handover_s);
        self.handover(at, seconds, out, Milestone::Delivered, sink);
        self.hop(&itinerary.home, handover_m, 0.0, Load::HOMEWARD, sink)
    }

    /// Without a route the goods are where the drone stands.
    fn reach_pickup(
        &self,
        route: Option<&Route>,
        hub: Point,
        sink: &mut impl FnMut(Leg),
    ) -> Result<(), Infeasible> {
        let at = match route {
            Some(route) => {
                self.hop(route, 0.0, self.model.handover_height_m, Load::EMPTY, sink)?;
                (route.to, self.model.handover_height_m)
            }
            None => (hub, 0.0),
        };
        self.handover(at, self.model.handover_s, Load::EMPTY, Milestone::PickedUp, sink);
        Ok(())
    }

    /// Up to the route's level, or to a lower one where the wind is too strong there, along it, and
    /// down; a homeward hop ends in a landing.
    fn hop(
        &self,
        route: &Route,
        from_m: f64,
        to_m: f64,
        load: Load,
        sink: &mut impl FnMut(Leg),
    ) -> Result<(), Infeasible> {
        let lower = lowered(self.model, self.air, route);
        let route = lower.as_ref().unwrap_or(route);
        let level_m = route.level_m;
        self.vertical(route.from, from_m, level_m, load, None, sink);
        let draft = |path| Leg::new(path, load.phase(Phase::Cruise), load.payload_kg);
        cruise(self.model, self.air, route, level_m, draft, sink)?;
        let end = load.homeward.then_some(Milestone::Landed);
        self.vertical(route.to, level_m, to_m, load, end, sink);
        Ok(())
    }

    fn vertical(
        &self,
        at: Point,
        from_m: f64,
        to_m: f64,
        load: Load,
        milestone: Option<Milestone>,
        sink: &mut impl FnMut(Leg),
    ) {
        let (phase, target_mps) = if to_m >= from_m {
            (Phase::Climb, self.model.climb_mps)
        } else {
            (Phase::Descend, self.model.descent_mps)
        };
        let path = Path::Vertical { at, from_m, to_m };
        if path.length() == 0.0 && milestone.is_none() {
            return;
        }
        let leg = Leg {
            target_mps,
            milestone,
            ..Leg::new(path, load.phase(phase), load.payload_kg)
        };
        sink(leg.timed(self.model));
    }

    fn handover(
        &self,
        (at, height_m): (Point, f64),
        seconds: f64,
        load: Load,
        milestone: Milestone,
        sink: &mut impl FnMut(Leg),
    ) {
        let path = Path::Hold {
            at,
            height_m,
            seconds,
        };
        let leg = Leg {
            entry_mps: 1.0,
            target_mps: 1.0,
            exit_mps: 1.0,
            milestone: Some(milestone),
            ..Leg::new(path, Phase::Handover, load.payload_kg)
        };
        sink(leg.timed(self.model));
    }

    fn mission(&self, mut legs: Vec<Leg>) -> Mission {
        if let [.., before, last] = &mut legs[..]
            && last.milestone == Some(Milestone::Landed)
            && before.path.ground_length() > 0.0
        {
            before.milestone = Some(Milestone::OverHub);
        }
        let energy_wh = legs.iter().map(|leg| leg.energy_wh(self.model, self.air)).sum();
        let distance_m = legs.iter().map(|leg| leg.path.ground_length()).sum();
        let plan = FlightPlan { legs: legs.into() };
        let at = |milestone| plan.time_to(milestone, 0).unwrap_or(0.0);
        Mission {
            pickup_s: at(Milestone::PickedUp),
            delivery_s: at(Milestone::Delivered),
            landing_s: at(Milestone::Landed),
            energy_wh,
            distance_m,
            plan,
        }
    }
}
