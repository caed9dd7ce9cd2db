//! Whose rows are wanted: all, one drone's, or those of the drones that fly for one delivery.

use std::collections::BTreeSet;

use crate::recording::changes::Changes;
use crate::sim::event::{DeliveryEvent, DroneEvent, Happening};
use crate::sim::ids::{DeliveryId, DroneId};

use super::Filter;

pub(super) struct Who {
    drone: Option<DroneId>,
    delivery: Option<Flown>,
}

/// Who flies for a delivery, as its events tell.
struct Flown {
    delivery: DeliveryId,
    assigned: Option<DroneId>,
    flying: BTreeSet<DroneId>,
    was_there: bool,
}

impl Who {
    pub(super) fn of(filter: &Filter) -> Self {
        let flown = |delivery| Flown {
            delivery,
            assigned: None,
            flying: BTreeSet::new(),
            was_there: false,
        };
        Who {
            drone: filter.drone,
            delivery: filter.delivery.map(flown),
        }
    }

    pub(super) fn follows_events(&self) -> bool {
        self.delivery.is_some()
    }

    /// Whether anything happened to the delivery.
    pub(super) fn was_there(&self) -> bool {
        self.delivery.as_ref().is_some_and(|flown| flown.was_there)
    }

    /// # Errors
    /// Bytes that are no changes.
    pub(super) fn hear(&mut self, changes: &[u8]) -> Result<(), postcard::Error> {
        let changes: Changes = postcard::from_bytes(changes)?;
        if let Some(flown) = &mut self.delivery {
            for event in &changes.events {
                flown.hear(&event.happening);
            }
        }
        Ok(())
    }

    pub(super) fn is_wanted(&self, drone: DroneId) -> bool {
        let is_flown = |flown: &Flown| flown.flying.contains(&drone);
        self.drone.is_none_or(|wanted| wanted == drone) && self.delivery.as_ref().is_none_or(is_flown)
    }
}

impl Flown {
    fn hear(&mut self, happening: &Happening) {
        match happening {
            Happening::Delivery(id, event) if *id == self.delivery => {
                self.was_there = true;
                match event {
                    DeliveryEvent::Assigned { drone, .. } => self.assigned = Some(*drone),
                    DeliveryEvent::HeadedToPickup { .. } => self.flying.extend(self.assigned),
                    _ => {}
                }
            }
            Happening::Drone(drone, DroneEvent::TakenOff { delivery, .. })
                if *delivery == Some(self.delivery) =>
            {
                self.flying.insert(*drone);
            }
            Happening::Drone(drone, DroneEvent::Landed { .. } | DroneEvent::Lost { .. }) => {
                self.flying.remove(drone);
            }
            _ => {}
        }
    }
}
