//! The ground's side of the drones: who is parked where, who carries what.

use std::collections::{BTreeMap, BTreeSet};

use crate::sim::ageing::Healths;
use crate::sim::drone::DroneStatus;
use crate::sim::energy;
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::sky::Grounded;
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::frame::DroneRow;
use super::ground::{Moves, Roll, Then};
use super::paging::{self, AT_ONCE, Look};
use super::reading::{DroneReading, Page};
use super::{Now, View};

pub(super) struct Drones {
    /// By drone; `None` is in the air, or lost when no frame has it.
    grounded: Vec<Option<Grounded>>,
    /// Who stands at each hub, in no order.
    standing: Vec<Vec<DroneId>>,
    /// By drone: where it stands among those of its hub.
    places: Vec<u32>,
    /// Where the lost ones came down, and what their batteries held, as shares of their capacity.
    pub(super) lost: BTreeMap<DroneId, (LatLon, f64)>,
    carrying: BTreeMap<DroneId, DeliveryId>,
    /// For which deliveries drones took off that are not on the ground again.
    pub(super) flying_for: BTreeMap<DroneId, DeliveryId>,
    seqs: BTreeMap<DroneId, u32>,
    /// Of the batteries.
    healths: Healths,
    pub(super) moves: Moves,
    /// Withdrawn, and out of the world: in the order in which they went, and where they were
    /// last. Listeners read on from where they were.
    gone: Vec<(DroneId, LatLon)>,
    is_gone: BTreeSet<DroneId>,
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
        healths: Healths,
    ) -> Self {
        let mut drones = Drones {
            places: vec![0; grounded.len()],
            standing: vec![Vec::new(); hubs],
            grounded,
            lost: lost.into_iter().map(|(drone, at)| (drone, (at, 0.0))).collect(),
            carrying: BTreeMap::new(),
            flying_for: BTreeMap::new(),
            seqs: seqs.into_iter().collect(),
            healths,
            moves: Moves::default(),
            gone: Vec::new(),
            is_gone: BTreeSet::new(),
        };
        for index in 0..drones.grounded.len() {
            if let Some(Grounded { hub, .. }) = drones.grounded[index] {
                drones.comes_to(hub, DroneId(index as u32));
            }
        }
        drones
    }

    pub(super) fn len(&self) -> usize {
        self.grounded.len()
    }

    /// Those that are in the world.
    pub(super) fn present(&self) -> u32 {
        (self.grounded.len() - self.gone.len()) as u32
    }

    pub(super) fn roll(&self) -> Roll {
        Roll {
            numbered: self.grounded.len() as u32,
            gone: self.gone.len(),
            moves: self.moves.count(),
        }
    }

    /// Who stands at each hub.
    pub(super) fn at_hubs(&self) -> &[Vec<DroneId>] {
        &self.standing
    }

    /// Out of the world by the time of this roll.
    fn was_gone(&self, drone: DroneId, roll: Roll) -> bool {
        let since = self.gone.get(roll.gone..).unwrap_or_default();
        self.is_gone.contains(&drone) && !since.iter().any(|(gone, _)| *gone == drone)
    }

    /// Makes room for all drones and hubs of the world.
    pub(super) fn grow(&mut self, world: &World) {
        let drones = world.drone_count() as usize;
        self.grounded.resize(drones, None);
        self.places.resize(drones, 0);
        self.standing.resize(world.hubs.len(), Vec::new());
    }

    /// Out of the world, from its hub or from where it came down.
    pub(super) fn goes(&mut self, world: &World, drone: DroneId) {
        self.set_grounded(drone, None);
        let home = || world.fleet_of(drone).map(|fleet| world.hub(fleet.hub).location);
        let was_at = self.lost.remove(&drone).map(|(at, _)| at).or_else(home);
        if let (Some(at), true) = (was_at, self.is_gone.insert(drone)) {
            self.gone.push((drone, at));
        }
    }

    pub(super) fn set_grounded(&mut self, drone: DroneId, grounded: Option<Grounded>) {
        let hub = |grounded: Option<Grounded>| grounded.map(|grounded| grounded.hub);
        let before = std::mem::replace(&mut self.grounded[drone.index()], grounded);
        self.moves.note(drone, before);
        if hub(before) == hub(grounded) {
            return;
        }
        if let Some(before) = hub(before) {
            self.leaves(before, drone);
        }
        if let Some(now) = hub(grounded) {
            self.comes_to(now, drone);
        }
    }

    fn comes_to(&mut self, hub: HubId, drone: DroneId) {
        let standing = &mut self.standing[hub.index()];
        self.places[drone.index()] = standing.len() as u32;
        standing.push(drone);
    }

    fn leaves(&mut self, hub: HubId, drone: DroneId) {
        let standing = &mut self.standing[hub.index()];
        let place = self.places[drone.index()];
        standing.swap_remove(place as usize);
        if let Some(moved) = standing.get(place as usize) {
            self.places[moved.index()] = place;
        }
    }

    pub(super) fn carries(&mut self, drone: DroneId, delivery: Option<DeliveryId>) {
        match delivery {
            Some(delivery) => self.carrying.insert(drone, delivery),
            None => self.carrying.remove(&drone),
        };
    }

    pub(super) fn flies_for(&mut self, drone: DroneId, delivery: DeliveryId) {
        self.flying_for.insert(drone, delivery);
    }

    /// The delivery that it flew for.
    pub(super) fn comes_down(&mut self, drone: DroneId) -> Option<DeliveryId> {
        self.flying_for.remove(&drone)
    }

    pub(super) fn carried_by(&self, drone: DroneId) -> Option<DeliveryId> {
        self.carrying.get(&drone).copied()
    }

    pub(super) fn set_seq(&mut self, drone: DroneId, seq: u32) {
        self.seqs.insert(drone, seq);
    }

    pub(super) fn set_health(&mut self, drone: DroneId, health: f64) {
        self.healths.set(drone, health);
    }

    pub(super) fn seq(&self, drone: DroneId) -> u32 {
        self.seqs.get(&drone).copied().unwrap_or(0)
    }

    /// `None` for who is in the air, or lost.
    pub(super) fn stands_at(&self, drone: DroneId) -> Option<HubId> {
        let grounded = self.grounded.get(drone.index()).copied().flatten();
        grounded.map(|grounded| grounded.hub)
    }

    pub(super) fn grounded_at(&self, hub: HubId) -> u32 {
        self.standing[hub.index()].len() as u32
    }

    pub(super) fn set_lost(&mut self, drone: DroneId, at: LatLon) {
        self.lost.insert(drone, (at, 0.0));
    }

    pub(super) fn set_lost_with(&mut self, drone: DroneId, battery: f64) {
        self.lost.entry(drone).and_modify(|(_, held)| *held = battery);
    }

    /// Where it came down; `None` where it is not lost.
    pub(super) fn lost_at(&self, drone: DroneId) -> Option<LatLon> {
        self.lost.get(&drone).map(|(at, _)| *at)
    }

    pub(super) fn lost_count(&self) -> u32 {
        self.lost.len() as u32
    }
}

impl View {
    /// Drones that went out of the world from the `from`th on, with where they were last.
    pub fn gone_from(&self, from: usize) -> Vec<(DroneId, LatLon)> {
        let now = self.now.read();
        now.drones.gone.get(from..).unwrap_or_default().to_vec()
    }

    /// `None` for a drone that this world does not have, or not any more.
    pub fn drone(&self, id: DroneId) -> Option<DroneReading> {
        let now = self.now_in_order();
        read_drone(&self.world(), &now, id, &Then::newest(&now))
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
            let then = Then::newest(&now);
            Look::among(candidates, wanted, AT_ONCE, |id| {
                read_drone(&self.world(), &now, id, &then).filter(|drone| filter.admits(drone))
            })
        })
    }
}

/// `None` for one that is not in the world, or not yet at this moment. In the air drones are where
/// the newest frame has them.
pub(super) fn read_drone(world: &World, now: &Now, id: DroneId, then: &Then) -> Option<DroneReading> {
    let on_ground = *now.drones.grounded.get(id.index())?;
    let on_ground = then.stood.get(&id).copied().unwrap_or(on_ground);
    if now.drones.was_gone(id, then.as_of.roll) {
        return None;
    }
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
        battery_health: now.drones.healths.of(id),
        delivery: now.drones.carried_by(id),
        payload_kg: 0.0,
        seq: now.drones.seq(id),
    };
    if let Some(grounded) = on_ground {
        reading.location = world.hub(grounded.hub).location;
        reading.status = status_on_ground(&grounded);
        let own = now.drones.healths.charged(&battery, id);
        reading.battery = energy_at(&grounded, &own, then.as_of.at) / battery.capacity_wh;
    } else if let Some(row) = now.frame.row_of(id) {
        fill_airborne(&mut reading, row);
    } else if let Some(lost) = now.drones.lost.get(&id) {
        (reading.location, reading.battery) = *lost;
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everybody_is_on_the_roll_of_the_hub_where_they_stand(
            begin in proptest::collection::vec(proptest::option::of(0..3_u16), 8),
            moves in proptest::collection::vec((0..8_u32, proptest::option::of(0..3_u16)), 0..40),
        ) {
            let at = |hub: Option<u16>| hub.map(|hub| Grounded {
                hub: HubId(hub),
                energy_wh: 100.0,
                charging_since: None,
            });
            let mut expected = begin.clone();
            let mut drones = Drones::new(begin.into_iter().map(at).collect(), 3, Vec::new(), Vec::new(), Healths::default());
            for (drone, hub) in moves {
                drones.set_grounded(DroneId(drone), at(hub));
                expected[drone as usize] = hub;
            }
            for hub in 0..3 {
                let mut standing = drones.standing[usize::from(hub)].clone();
                standing.sort_unstable();
                let here = (0..8).filter(|drone| expected[*drone as usize] == Some(hub));
                prop_assert_eq!(standing, here.map(DroneId).collect::<Vec<_>>());
                prop_assert_eq!(drones.grounded_at(HubId(hub)) as usize, drones.standing[usize::from(hub)].len());
            }
        }
    }
}
