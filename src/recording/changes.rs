//! What a tick changed besides positions, as the `journal` channel has it: all that the read
//! side must hear to go on from one tick to the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::Objection;
use crate::sim::event::{DeliveryEvent, Event, Happening};
use crate::sim::ids::DroneId;
use crate::sim::roster::RosterWrite;
use crate::sim::sky::Grounded;
use crate::sim::weather::Shift;
use crate::sim::world::World;
use crate::view::frame::DroneRow;
use crate::view::routes::PlannedRoute;
use crate::view::{Publication, View};

/// Postcard has no names: a change of fields is a new [`super::layout::FORMAT`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    pub events: Vec<Arc<Event>>,
    /// The drones that have these events' deliveries, as far as they are in the air: events
    /// happen between recorded frames, and history tells where.
    pub carriers: Vec<DroneRow>,
    pub grounded: Vec<(DroneId, Option<Grounded>)>,
    pub lost_with: Vec<(DroneId, f64)>,
    pub healths: Vec<(DroneId, f64)>,
    pub routes: Vec<(DroneId, PlannedRoute)>,
    /// All changes of the world so far, where this tick made one.
    pub world: Option<WorldChanges>,
}

/// What operators made of the scenario's world, from its beginning on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WorldChanges {
    pub roster: Vec<RosterWrite>,
    pub shifts: Vec<Shift>,
}

impl WorldChanges {
    pub fn of(world: &World) -> Self {
        WorldChanges {
            roster: world.roster.writes().to_vec(),
            shifts: world.weather.shifts.clone(),
        }
    }

    /// # Errors
    /// Changes that are not of this scenario.
    pub fn made_of(&self, scenario: &World) -> Result<Arc<World>, Objection> {
        let mut world = scenario.clone().with_changes(self.roster.clone())?;
        world.weather.shifts.clone_from(&self.shifts);
        Ok(Arc::new(world))
    }
}

impl Changes {
    /// Before the view has heard of it. `world` is the one of the tick before.
    pub fn of(publication: &Publication, world: &Arc<World>, view: &View) -> Self {
        let is_other = !Arc::ptr_eq(world, &publication.world);
        Changes {
            events: publication.events.clone(),
            carriers: carriers(publication, view),
            grounded: publication.grounded.clone(),
            lost_with: publication.lost_with.clone(),
            healths: publication.healths.clone(),
            routes: publication.routes.clone(),
            world: is_other.then(|| WorldChanges::of(&publication.world)),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

fn carriers(publication: &Publication, view: &View) -> Vec<DroneRow> {
    let drone_of = |event: &Arc<Event>| match &event.happening {
        Happening::Delivery(_, DeliveryEvent::Assigned { drone, .. }) => Some(*drone),
        Happening::Delivery(id, _) => view.with_delivery(*id, |record| record.drone())?,
        _ => None,
    };
    let wanted: BTreeSet<DroneId> = publication.events.iter().filter_map(drone_of).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let rows = publication.airborne.iter();
    rows.filter(|row| wanted.contains(&row.drone)).copied().collect()
}
