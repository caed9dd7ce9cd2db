//! The ground's side of the drones: who is parked where, who carries what.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::drone::DroneStatus;
use crate::sim::energy;
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::frame::DroneRow;
use super::paging::{self, AT_ONCE, Look};
use super::reading::{DroneReading, Page};
use super::{Now, View};

pub(super) struct Drones {
    /// By drone; `None` is in the air, or lost when no frame has it.
    grounded: Vec<Option<Grounded>>,
    /// How many stand at each hub.
    grounded_at: Vec<u32>,
    /// Where the lost ones came down.
    lost: BTreeMap<DroneId, LatLon>,
    carrying: BTreeMap<DroneId, DeliveryId>,
    seqs: BTreeMap<DroneId, u32>,
}

/// Which drones a list shows.
#[derive(Clone, Debug, Default)]
pub struct DroneFilter {
    /// These and no others.
    pub only: Option<BTreeSet<DroneId>>,
    pub hub: Option<HubId>,
    pub status: Option<DroneStatus>,
    pub bounds: Option<BoundingBox>,
}

impl DroneFilter {
    /// In order. Of a large fleet somebody may see a few, few fly, and fewer are lost: those
    /// are walked, not the fleet.
    fn candidates<'a>(&'a self, now: &'a Now, first: DroneId) -> Box<dyn Iterator<Item = DroneId> + 'a> {
        use DroneStatus as S;
        match (&self.only, self.status) {
            (Some(only), _) => Box::new(only.range(first..).copied()),
            (None, Some(S::Lost)) => Box::new(now.drones.lost.range(first..).map(|(&drone, _)| drone)),
            (None, None | Some(S::Parked | S::Charging)) => {
                Box::new((first.0..now.drones.len() as u32).map(DroneId))
            }
            (None, Some(_)) => Box::new(now.frame.drones_from(first)),
        }
    }

    fn admits(&self, drone: &DroneReading) -> bool {
        self.hub.is_none_or(|hub| hub == drone.hub)
            && self.status.is_none_or(|status| status == drone.status)
            && self.bounds.is_none_or(|bounds| bounds.contains(drone.location))
    }
}

impl Drones {
    pub(super) fn new(
        grounded: Vec<Option<Grounded>>,
        hubs: usize,
        lost: Vec<(DroneId, LatLon)>,
        seqs: Vec<(DroneId, u32)>,
    ) -> Self {
        let mut grounded_at = vec![0; hubs];
        for grounded in grounded.iter().flatten() {
            grounded_at[grounded.hub.index()] += 1;
        }
        Drones {
            grounded,
            grounded_at,
            lost: lost.into_iter().collect(),
            carrying: BTreeMap::new(),
            seqs: seqs.into_iter().collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.grounded.len()
    }

    pub(super) fn set_grounded(&mut self, drone: DroneId, grounded: Option<Grounded>) {
        let before = std::mem::replace(&mut self.grounded[drone.index()], grounded);
        if let Some(before) = before {
            self.grounded_at[before.hub.index()] -= 1;
        }
        if let Some(now) = grounded {
            self.grounded_at[now.hub.index()] += 1;
        }
    }

    pub(super) fn carries(&mut self, drone: DroneId, delivery: Option<DeliveryId>) {
        match delivery {
            Some(delivery) => self.carrying.insert(drone, delivery),
            None => self.carrying.remove(&drone),
        };
    }

    pub(super) fn carried_by(&self, drone: DroneId) -> Option<DeliveryId> {
        self.carrying.get(&drone).copied()
    }

    pub(super) fn set_seq(&mut self, drone: DroneId, seq: u32) {
        self.seqs.insert(drone, seq);
    }

    pub(super) fn seq(&self, drone: DroneId) -> u32 {
        self.seqs.get(&drone).copied().unwrap_or(0)
    }

    pub(super) fn grounded_at(&self, hub: HubId) -> u32 {
        self.grounded_at[hub.index()]
    }

    pub(super) fn set_lost(&mut self, drone: DroneId, at: LatLon) {
        self.lost.insert(drone, at);
    }

    pub(super) fn lost_count(&self) -> u32 {
        self.lost.len() as u32
    }
}

impl View {
    /// `None` for a drone that this world does not have.
    pub fn drone(&self, id: DroneId) -> Option<DroneReading> {
        let now = self.now_in_order();
        read_drone(&self.world, &now, id)
    }

    /// The delivery that a drone is on.
    pub fn carried_by(&self, drone: DroneId) -> Option<DeliveryId> {
        self.now.read().drones.carrying.get(&drone).copied()
    }

    /// All drones that are on a delivery, and which.
    pub fn carried(&self) -> Vec<(DroneId, DeliveryId)> {
        let now = self.now.read();
        let pairs = now.drones.carrying.iter();
        pairs.map(|(&drone, &delivery)| (drone, delivery)).collect()
    }

    /// Drones in order of their numbers, from the first after `after` on.
    pub fn drones(
        &self,
        filter: &DroneFilter,
        after: Option<DroneId>,
        limit: usize,
    ) -> Page<DroneReading, DroneId> {
        let id_of = |drone: &DroneReading| drone.id;
        paging::page(after, limit, id_of, |from, wanted| {
            let now = self.now_in_order();
            let first = DroneId(from.map_or(0, |id| id.0.saturating_add(1)));
            let candidates = filter.candidates(&now, first);
            Look::among(candidates, wanted, AT_ONCE, |id| {
                read_drone(&self.world, &now, id).filter(|drone| filter.admits(drone))
            })
        })
    }
}

fn read_drone(world: &World, now: &Now, id: DroneId) -> Option<DroneReading> {
    let fleet = world.fleet_of(id)?;
    let battery = world.model(fleet.model).battery;
    let mut reading = DroneReading {
        id,
        model: fleet.model,
        hub: fleet.hub,
        status: DroneStatus::Lost,
        location: world.hub(fleet.hub).location,
        height_m: 0.0,
        heading_deg: 0.0,
        ground_speed_mps: 0.0,
        vertical_speed_mps: 0.0,
        battery: 0.0,
        delivery: now.drones.carried_by(id),
        payload_kg: 0.0,
        seq: now.drones.seq(id),
    };
    if let Some(grounded) = now.drones.grounded[id.index()] {
        reading.location = world.hub(grounded.hub).location;
        reading.status = status_on_ground(&grounded);
        reading.battery = energy_at(&grounded, &battery, now.at) / battery.capacity_wh;
    } else if let Some(row) = now.frame.row_of(id) {
        fill_airborne(&mut reading, row);
    } else if let Some(at) = now.drones.lost.get(&id) {
        reading.location = *at;
    }
    Some(reading)
}

fn status_on_ground(grounded: &Grounded) -> DroneStatus {
    match grounded.charging_since {
        Some(_) => DroneStatus::Charging,
        None => DroneStatus::Parked,
    }
}

fn energy_at(grounded: &Grounded, battery: &crate::sim::world::Battery, at: SimTime) -> f64 {
    match grounded.charging_since {
        Some(since) => energy::energy_after(battery, grounded.energy_wh, at.since(since).as_secs()),
        None => grounded.energy_wh,
    }
}

fn fill_airborne(reading: &mut DroneReading, row: &DroneRow) {
    reading.status = row.status;
    reading.location = row.at;
    reading.height_m = row.height_m.into();
    reading.heading_deg = row.heading_deg.into();
    reading.ground_speed_mps = row.ground_speed_mps.into();
    reading.vertical_speed_mps = row.vertical_speed_mps.into();
    reading.battery = row.battery.into();
    reading.payload_kg = row.payload_kg.into();
}
