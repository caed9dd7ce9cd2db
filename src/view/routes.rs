//! Planned routes of drones in the air: where a drone is going and when it expects to be
//! where, as planned at take-off or at its last change of plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::flight::{FlightPlan, Mark, Stretch};
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
    /// `None` for a drone that is not in the air.
    pub fn route(&self, drone: DroneId) -> Option<RouteReading> {
        let now = self.now.read();
        let route = now.routes.0.get(&drone)?;
        Some(RouteReading {
            drone,
            delivery: now.drones.carried_by(drone),
            route: Arc::clone(route),
        })
    }
}
