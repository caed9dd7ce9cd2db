//! What flights have to do with a hub's pads: how long a take-off takes one up, and where drones
//! hold that wait for one in the air.

use std::f64::consts::TAU;

use super::super::air::Air;
use super::super::geo::Point;
use super::super::route::Route;
use super::super::world::Model;
use super::cruise::cruise;
use super::rest::hover_leg;
use super::{FlightPlan, Infeasible, Leg, Load, Mission, Path, Phase, Planner, Whereabouts, grounded};

/// Places to hold at around a hub; who would need one more comes down beside the pads.
pub const STACK_PLACES: u8 = 12;
/// From the hub: far enough that neighbours are more than 50 m apart, and inside the terminal
/// volume.
const STACK_RADIUS_M: f64 = 100.0;

impl FlightPlan {
    /// Seconds from the start until its pad is free for the next: loading on it, and the climb.
    pub fn on_pad_s(&self) -> f64 {
        let is_on_pad = |leg: &&Leg| leg.on_ground() || matches!(leg.path, Path::Vertical { .. });
        let first = self.legs.iter().take_while(is_on_pad);
        first.map(|leg| leg.duration_s).sum()
    }

    /// Seconds of the last descent.
    pub fn descent_s(&self) -> f64 {
        self.legs.last().map_or(0.0, |leg| leg.duration_s)
    }
}

/// Where in the air around a hub one holds that has this place.
pub fn stack_place(hub: Point, place: u8) -> Point {
    let (sin, cos) = libm::sincos(TAU * f64::from(place) / f64::from(STACK_PLACES));
    Point {
        x: hub.x + STACK_RADIUS_M * cos,
        y: hub.y + STACK_RADIUS_M * sin,
    }
}

/// To a place beside the hub at the height where it is, so many seconds there, and home.
///
/// # Errors
/// What the type cannot do, whatever its battery.
pub fn plan_hold_beside(
    model: &Model,
    air: &Air<'_>,
    from: Whereabouts,
    beside: Point,
    seconds: f64,
    home: Point,
    payload_kg: f64,
) -> Result<Mission, Infeasible> {
    let planner = Planner { model, air };
    let mut legs = Vec::with_capacity(6);
    let sink = &mut |leg| legs.push(leg);
    let from = planner.come_to_rest(from, Phase::Hold, payload_kg, sink);
    let there = Route {
        level_m: from.height_m,
        ..Route::direct(from.at, beside)
    };
    let draft = |path| Leg::new(path, Phase::Hold, payload_kg);
    cruise(model, air, &there, from.height_m, draft, sink)?;
    let place = Whereabouts::at_rest(beside, from.height_m);
    sink(hover_leg(model, place, seconds, Phase::Hold, payload_kg));
    let homeward = Load {
        payload_kg,
        homeward: true,
    };
    planner.hop_from(place, grounded(home), homeward, sink)?;
    // Until it is over the hub it has no pad.
    if let [waiting @ .., _] = &mut legs[..] {
        waiting.iter_mut().for_each(|leg| leg.phase = Phase::Hold);
    }
    Ok(planner.mission(legs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::airspace::OPEN;
    use crate::sim::catalogue;
    use crate::sim::flight::{Errand, Milestone, plan_delivery, plan_return};
    use crate::sim::time::SimTime;
    use crate::sim::weather::Weather;

    static CALM: Weather = Weather::steady(0.0, 0.0, 1.225);
    const HUB: Point = Point { x: 0.0, y: 0.0 };

    fn calm() -> Air<'static> {
        Air::forecast(&CALM, &OPEN, 0, SimTime::START)
    }

    fn errand(pickup_x: f64) -> Errand {
        Errand {
            hub: HUB,
            pickup: Point { x: pickup_x, y: 0.0 },
            dropoff: Point { x: 900.0, y: 900.0 },
            home: HUB,
            payload_kg: 0.5,
        }
    }

    #[test]
    fn a_take_off_takes_its_pad_up_for_the_climb_and_for_loading_on_it() {
        let model = catalogue::model("wing").unwrap();
        let elsewhere = plan_delivery(&model, &calm(), &errand(800.0)).unwrap().plan;
        assert_eq!(elsewhere.on_pad_s(), elsewhere.legs()[0].duration_s);
        let here = plan_delivery(&model, &calm(), &errand(0.0)).unwrap().plan;
        assert!(here.on_pad_s() > model.handover_s + 5.0);
    }

    #[test]
    fn who_holds_does_so_beside_the_hub_and_comes_over_it_again() {
        let model = catalogue::model("wing").unwrap();
        let return_home = plan_return(&model, &calm(), Point { x: 2_000.0, y: 0.0 }, HUB).unwrap();
        let legs = return_home.plan.legs();
        assert_eq!(legs[legs.len() - 2].milestone, Some(Milestone::OverHub));
        let over_hub = Whereabouts::at_rest(HUB, 70.0);
        for place in 0..STACK_PLACES {
            let beside = stack_place(HUB, place);
            let next = stack_place(HUB, (place + 1) % STACK_PLACES);
            assert!(beside.distance(next) > 50.0 && beside.distance(HUB) < 150.0);
            let plan = plan_hold_beside(&model, &calm(), over_hub, beside, 90.0, HUB, 0.0).unwrap();
            assert_eq!(plan.plan.start(), (HUB, 70.0));
            assert!(plan.landing_s > 90.0 && plan.plan.end() == HUB);
            let marks: Vec<_> = plan.plan.legs().iter().filter_map(|leg| leg.milestone).collect();
            assert_eq!(marks, [Milestone::OverHub, Milestone::Landed]);
        }
    }
}
