//! Planned routes of drones in the air: where a drone is going and when it expects to be
//! where, as planned at take-off or at its last change of plan, and as its customer was told since.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::delivery::Bearer;
use crate::sim::event::Etas;
use crate::sim::flight::{FlightPlan, Mark, Milestone, Stretch};
use crate::sim::geo::{LatLon, LocalFrame};
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;

use super::View;
use super::reading::RouteReading;

/// From where the plan began to the landing, as straight lines between points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedRoute {
    pub points: Box<[RoutePoint]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutePoint {
    pub at: LatLon,
    pub height_m: f32,
    pub expected: SimTime,
    /// Of the line that leads here.
    pub stretch: Stretch,
    pub mark: Option<Mark>,
}

impl PlannedRoute {
    /// A plan that began, or would have begun had all of it gone as it does now, at this
    /// second.
    pub fn of(plan: &FlightPlan, begun_s: f64, frame: &LocalFrame) -> Self {
        let corners = plan.outline().into_iter();
        let points = corners.map(|corner| RoutePoint {
            at: frame.to_latlon(corner.at),
            height_m: corner.height_m as f32,
            expected: SimTime::from_secs(begun_s + corner.after_s),
            stretch: corner.stretch,
            mark: corner.mark,
        });
        PlannedRoute {
            points: points.collect(),
        }
    }

    /// With pick-up and drop-off at these times, and what is between and behind moved with them.
    #[must_use]
    pub fn told(&self, etas: Etas) -> Self {
        let planned = |milestone| {
            let mark = Some(Mark::Reached(milestone));
            let point = self.points.iter().find(|point| point.mark == mark);
            point.map(|point| point.expected.as_secs())
        };
        let begun = self.points.first().map(|point| point.expected.as_secs());
        let told = [
            (begun, begun),
            (planned(Milestone::PickedUp), Some(etas.pickup.as_secs())),
            (planned(Milestone::Delivered), Some(etas.delivery.as_secs())),
        ];
        let told: Vec<(f64, f64)> = told.into_iter().filter_map(|(from, to)| from.zip(to)).collect();
        let mut points = self.points.clone();
        for point in &mut points {
            point.expected = SimTime::from_secs(between(&told, point.expected.as_secs()));
        }
        PlannedRoute { points }
    }
}

/// Of times that are said to be others: linear between those, and moved as the last behind it.
fn between(told: &[(f64, f64)], at_s: f64) -> f64 {
    let next = told.iter().position(|(planned_s, _)| at_s <= *planned_s);
    match next {
        None => told
            .last()
            .map_or(at_s, |(planned_s, told_s)| at_s + told_s - planned_s),
        Some(0) => told[0].1,
        Some(next) => {
            let ((from_s, from_told_s), (to_s, to_told_s)) = (told[next - 1], told[next]);
            let share = (at_s - from_s) / (to_s - from_s);
            from_told_s + share * (to_told_s - from_told_s)
        }
    }
}

/// By drone; those on the ground have none.
#[derive(Default)]
pub(super) struct Routes(BTreeMap<DroneId, Arc<PlannedRoute>>);

impl Routes {
    pub(super) fn new(routes: Vec<(DroneId, PlannedRoute)>) -> Self {
        let shared = |(drone, route)| (drone, Arc::new(route));
        Routes(routes.into_iter().map(shared).collect())
    }

    pub(super) fn plan(&mut self, drone: DroneId, route: PlannedRoute) {
        self.0.insert(drone, Arc::new(route));
    }

    pub(super) fn ended(&mut self, drone: DroneId) {
        self.0.remove(&drone);
    }
}

impl View {
    /// `None` for a drone that is not in the air. Its times are those that its delivery's customer
    /// was told, or had on the way out of one who is on the way home from there.
    pub fn route(&self, drone: DroneId) -> Option<RouteReading> {
        let (route, delivery, flies_for) = {
            let now = self.now.read();
            let route = Arc::clone(now.routes.0.get(&drone)?);
            // Turned back to before it was planned: nobody kept the one that was flown then.
            if route.points.first().is_none_or(|point| point.expected > now.at) {
                return None;
            }
            let (carries, before) = (now.drones.carried_by(drone), now.drones.flying_for.get(&drone));
            (route, carries, carries.or(before.copied()))
        };
        let record = flies_for.and_then(|id| self.handle(id));
        let status = record.map(|record| self.status_of(&record));
        let own = status.filter(|status| status.bearer == Some(Bearer::Drone(drone)));
        let route = match own.and_then(|status| status.etas) {
            Some(etas) => Arc::new(route.told(etas)),
            None => route,
        };
        Some(RouteReading {
            drone,
            delivery,
            route,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_flown_at_the_times_that_the_customer_was_told() {
        let secs = SimTime::from_secs;
        let point = |(expected_s, mark): (f64, Option<Milestone>)| RoutePoint {
            at: LatLon {
                lat: 37.0,
                lon: -122.0,
            },
            height_m: 50.0,
            expected: secs(expected_s),
            stretch: Stretch::ToPickup,
            mark: mark.map(Mark::Reached),
        };
        let planned = [
            (100.0, None),
            (150.0, None),
            (200.0, Some(Milestone::PickedUp)),
            (250.0, None),
            (300.0, Some(Milestone::Delivered)),
            (400.0, Some(Milestone::Landed)),
        ];
        let route = PlannedRoute {
            points: planned.into_iter().map(point).collect(),
        };
        let told = route.told(Etas {
            pickup: secs(220.0),
            delivery: secs(310.0),
        });
        let times: Vec<f64> = told.points.iter().map(|point| point.expected.as_secs()).collect();
        assert_eq!(times, [100.0, 160.0, 220.0, 265.0, 310.0, 410.0]);
    }
}
