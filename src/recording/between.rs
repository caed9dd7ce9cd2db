//! What is known of a moment between two frames, and what is undone from one back to the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::event::{DroneEvent, Happening};
use crate::sim::ids::DroneId;
use crate::sim::sky::Grounded;
use crate::sim::world::World;
use crate::view::frame::DroneRow;

use super::changes::Changes;

/// Between two frames it is known who is no longer in the air, and where those are to whose
/// deliveries something happened.
pub(super) fn overlay(rows: &mut Vec<DroneRow>, changes: &Changes) {
    let landed: BTreeSet<DroneId> = (changes.grounded.iter())
        .filter(|(_, grounded)| grounded.is_some())
        .map(|(drone, _)| *drone)
        .collect();
    let carriers: BTreeMap<DroneId, &DroneRow> =
        changes.carriers.iter().map(|row| (row.drone, row)).collect();
    rows.retain(|row| !landed.contains(&row.drone) && !carriers.contains_key(&row.drone));
    rows.extend(carriers.into_values());
}

/// What is to be done to who stands where, so that it is as it was.
#[derive(Default)]
pub(super) struct Undone {
    pub grounded: BTreeMap<DroneId, Option<Grounded>>,
    /// No longer lost.
    pub found: Vec<DroneId>,
}

impl Undone {
    /// `rows`: those of the first frame after it.
    pub fn undo(&mut self, changes: &Changes, rows: &[DroneRow], world: &World) {
        for event in changes.events.iter().rev() {
            match event.happening {
                Happening::Drone(drone, DroneEvent::Landed { .. }) => {
                    self.grounded.insert(drone, None);
                }
                Happening::Drone(drone, DroneEvent::Lost { .. }) => self.found.push(drone),
                Happening::Drone(drone, DroneEvent::TakenOff { hub, .. }) => {
                    let row = rows.iter().find(|row| row.drone == drone);
                    let fleet = world.fleet_of(drone);
                    let capacity_wh = fleet.map_or(0.0, |fleet| world.model(fleet.model).battery.capacity_wh);
                    let grounded = Grounded {
                        hub,
                        energy_wh: row.map_or(1.0, |row| row.battery.into()) * capacity_wh,
                        charging_since: None,
                    };
                    self.grounded.insert(drone, Some(grounded));
                }
                _ => {}
            }
        }
    }
}
