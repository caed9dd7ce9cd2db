//! Drones, hubs and no-fly zones that operators add and withdraw while the world runs.
//!
//! A world is never changed while anybody looks at it: a changed copy takes its place between two
//! ticks. It is the scenario's world and the list of all changes so far, which is kept with each
//! snapshot. Numbers of drones and hubs never move, and are not given twice: what is added comes
//! at the end, what is withdrawn keeps its number and is passed over.

use std::collections::{BTreeMap, BTreeSet};

use geo::{Coord, Polygon};
use serde::{Deserialize, Serialize};

use super::airspace::Airspace;
use super::catalogue;
use super::command::{Decision, Objection};
use super::fleet_index::FleetIndex;
use super::geo::LatLon;
use super::ids::{DroneId, HubId, ModelId};
use super::places::normal_name;
use super::time::SimTime;
use super::world::{Fleet, HeightReference, Hub, World, Zone};

/// Drones that one write may add.
pub const DRONES_AT_ONCE: u32 = 1_000;
/// Drones that a world may have been given, withdrawn ones among them.
pub const DRONES_MOST: u32 = 10_000_000;
/// Additions that a world takes; each is kept with every snapshot.
pub const ADDITIONS_MOST: usize = 10_000;
/// As in a scenario.
pub const PADS_MOST: u32 = 10_000;
pub const CHARGERS_MOST: u32 = 1_000_000;
/// No-fly zones of a world, and corners of one: ways round them are worked out over all corners.
pub const ZONES_MOST: usize = 200;
pub const CORNERS_MOST: usize = 200;

/// What an operator wants, and the client's `Idempotency-Key`, so that a repeat gets the first
/// answer and changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RosterWrite {
    pub change: Change,
    pub idempotency_key: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// Drones of a type of this world or of the catalogue, with full batteries.
    AddDrones {
        hub: HubId,
        model: String,
        count: u32,
    },
    AddHub {
        key: String,
        name: String,
        location: LatLon,
        pads: u32,
        chargers: u32,
    },
    WithdrawDrone(DroneId),
    WithdrawHub {
        hub: HubId,
        /// And whatever drones belong to it.
        with_drones: bool,
    },
    AddZone(ZoneWrite),
    /// By name.
    RemoveZone(String),
}

/// A no-fly zone as an operator lays it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZoneWrite {
    pub name: String,
    /// In order, closed or not.
    pub corners: Vec<LatLon>,
    pub floor_m: f64,
    pub ceiling_m: f64,
    pub above_sea: bool,
    pub from: SimTime,
    pub until: SimTime,
}

impl ZoneWrite {
    fn zone(&self) -> Zone {
        let corner = |at: &LatLon| Coord { x: at.lon, y: at.lat };
        Zone {
            name: self.name.clone(),
            polygon: Polygon::new(self.corners.iter().map(corner).collect(), Vec::new()),
            floor_m: self.floor_m,
            ceiling_m: self.ceiling_m,
            reference: match self.above_sea {
                true => HeightReference::Amsl,
                false => HeightReference::Agl,
            },
            from: self.from,
            until: self.until,
        }
    }
}

/// What operators made of a scenario's drones and hubs.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// In order.
    writes: Vec<RosterWrite>,
    fleets_added: usize,
    hubs_added: usize,
    zones_added: usize,
    drones_withdrawn: BTreeSet<DroneId>,
    hubs_withdrawn: BTreeSet<HubId>,
    /// By idempotency key: which of the writes it came with, and what was answered.
    answers: BTreeMap<String, (usize, Decision)>,
}

impl Roster {
    pub fn writes(&self) -> &[RosterWrite] {
        &self.writes
    }

    pub(super) fn fleets_of_scenario(&self, world: &World) -> usize {
        world.fleets.len() - self.fleets_added
    }

    pub(super) fn drones_withdrawn(&self) -> impl Iterator<Item = DroneId> + '_ {
        self.drones_withdrawn.iter().copied()
    }

    pub fn is_hub_withdrawn(&self, hub: HubId) -> bool {
        self.hubs_withdrawn.contains(&hub)
    }

    /// What was answered to the first write of this key; `None` where this is the first.
    fn answered(&self, write: &RosterWrite) -> Option<Result<Decision, Objection>> {
        let (number, decision) = self.answers.get(write.idempotency_key.as_ref()?)?;
        let first = &self.writes[*number].change;
        let is_same = *first == write.change;
        Some(is_same.then(|| decision.clone()).ok_or(Objection::KeyReused))
    }
}

/// What is to be done about a write.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// It was done before, or there is nothing to do.
    Stands(Decision),
    /// [`World::change`] may follow.
    ToDo,
}

impl World {
    /// The scenario's own hubs, of which its customers know.
    pub fn hubs_of_scenario(&self) -> &[Hub] {
        &self.hubs[..self.hubs.len() - self.roster.hubs_added]
    }

    /// Whether it is to leave the world: at once where it stands, else when it is down.
    pub fn is_withdrawn(&self, drone: DroneId) -> bool {
        let is_of_withdrawn_hub = || {
            let fleet = self.fleet_of(drone);
            fleet.is_some_and(|fleet| self.roster.is_hub_withdrawn(fleet.hub))
        };
        self.roster.drones_withdrawn.contains(&drone)
            || !self.roster.hubs_withdrawn.is_empty() && is_of_withdrawn_hub()
    }

    /// All that ever belonged to a hub, in order.
    pub fn drones_of(&self, hub: HubId) -> impl Iterator<Item = DroneId> + '_ {
        let ends = self.fleets.iter().scan(0, |end, fleet| {
            *end += fleet.count;
            Some((fleet, *end))
        });
        let own = ends.filter(move |(fleet, _)| fleet.hub == hub);
        own.flat_map(|(fleet, end)| (end - fleet.count..end).map(DroneId))
    }

    /// How many ever belonged to a hub.
    pub fn drone_count_of(&self, hub: HubId) -> u32 {
        let own = self.fleets.iter().filter(|fleet| fleet.hub == hub);
        own.map(|fleet| fleet.count).sum()
    }

    /// A hub by the key that people know it by.
    pub fn hub_of_key(&self, key: &str) -> Option<HubId> {
        let index = self.hubs.iter().position(|hub| hub.key == key)?;
        u16::try_from(index).ok().map(HubId)
    }

    /// # Errors
    /// Why the write cannot be.
    pub fn judge(&self, write: &RosterWrite) -> Result<Verdict, Objection> {
        if let Some(answered) = self.roster.answered(write) {
            return answered.map(Verdict::Stands);
        }
        match &write.change {
            Change::AddDrones { hub, model, count } => {
                self.must_have_room()?;
                self.hub_in_service(*hub)?;
                if !self.knows_model(model) {
                    return Err(Objection::NoSuchModel);
                }
                let is_bounded = (1..=DRONES_AT_ONCE).contains(count);
                if !is_bounded || self.drone_count() + count > DRONES_MOST {
                    return Err(Objection::RosterFull);
                }
            }
            Change::AddHub {
                key, name, location, ..
            } => {
                self.must_have_room()?;
                let (key, name) = (normal_name(key), normal_name(name));
                let is_like = |hub: &Hub| normal_name(&hub.key) == key || normal_name(&hub.name) == name;
                if self.hubs.iter().any(is_like) {
                    return Err(Objection::HubExists);
                }
                if !self.area.bounds.contains(*location) {
                    return Err(Objection::OutsideArea);
                }
                if self.hubs.len() >= usize::from(u16::MAX) {
                    return Err(Objection::RosterFull);
                }
            }
            Change::WithdrawDrone(drone) => {
                self.fleet_of(*drone).ok_or(Objection::NoSuchDrone)?;
                if self.is_withdrawn(*drone) {
                    return Ok(Verdict::Stands(Decision::Done));
                }
            }
            Change::WithdrawHub { hub, with_drones } => {
                self.hubs.get(hub.index()).ok_or(Objection::NoSuchHub)?;
                if self.roster.is_hub_withdrawn(*hub) {
                    return Ok(Verdict::Stands(Decision::Done));
                }
                if !with_drones && self.drones_of(*hub).any(|drone| !self.is_withdrawn(drone)) {
                    return Err(Objection::HubHasDrones);
                }
            }
            Change::AddZone(zone) => {
                self.must_have_room()?;
                if self.zones.len() >= ZONES_MOST || zone.corners.len() > CORNERS_MOST {
                    return Err(Objection::RosterFull);
                }
                if self.zones.iter().any(|other| other.name == zone.name) {
                    return Err(Objection::ZoneExists);
                }
            }
            Change::RemoveZone(name) => {
                let known = self.zones.iter().any(|zone| zone.name == *name);
                known.then_some(()).ok_or(Objection::NoSuchZone)?;
            }
        }
        Ok(Verdict::ToDo)
    }

    /// Makes the change, which [`World::judge`] let pass, and answers what was decided.
    pub fn change(&mut self, write: RosterWrite) -> Decision {
        let decision = match &write.change {
            Change::AddDrones { hub, model, count } => {
                let first = DroneId(self.drone_count());
                let fleet = Fleet {
                    hub: *hub,
                    model: self.take_in_model(model),
                    count: *count,
                    aloft: 0.0,
                    cycles: (0.0, 0.0),
                };
                self.fleets.push(fleet);
                self.roster.fleets_added += 1;
                Decision::Drones { first, count: *count }
            }
            Change::AddHub {
                key,
                name,
                location,
                pads,
                chargers,
            } => {
                self.hubs.push(Hub {
                    key: key.clone(),
                    name: name.clone(),
                    location: *location,
                    at: self.area.point(*location),
                    pads: *pads,
                    chargers: *chargers,
                    turnaround: Hub::TURNAROUND,
                });
                self.roster.hubs_added += 1;
                Decision::Created
            }
            Change::WithdrawDrone(drone) => {
                self.roster.drones_withdrawn.insert(*drone);
                Decision::Done
            }
            Change::WithdrawHub { hub, .. } => {
                self.roster.hubs_withdrawn.insert(*hub);
                Decision::Done
            }
            Change::AddZone(zone) => {
                self.zones.push(zone.zone());
                self.airspace = Airspace::new(&self.zones, &self.area);
                self.roster.zones_added += 1;
                Decision::Created
            }
            Change::RemoveZone(name) => {
                self.zones.retain(|zone| zone.name != *name);
                self.airspace = Airspace::new(&self.zones, &self.area);
                Decision::Done
            }
        };
        self.fleet_index = FleetIndex::default();
        if let Some(key) = &write.idempotency_key {
            let answer = (self.roster.writes.len(), decision.clone());
            self.roster.answers.insert(key.clone(), answer);
        }
        self.roster.writes.push(write);
        decision
    }

    /// The scenario's world with all of these changes, as a snapshot keeps them.
    ///
    /// # Errors
    /// One that this world does not let pass.
    pub fn with_changes(mut self, writes: Vec<RosterWrite>) -> Result<Self, Objection> {
        for write in writes {
            if self.judge(&write)? == Verdict::ToDo {
                self.change(write);
            }
        }
        Ok(self)
    }

    /// Whether drones of this type can be added.
    pub fn knows_model(&self, key: &str) -> bool {
        self.model_of_key(key).is_some() || catalogue::model(key).is_some()
    }

    fn must_have_room(&self) -> Result<(), Objection> {
        match self.roster.fleets_added + self.roster.hubs_added + self.roster.zones_added < ADDITIONS_MOST {
            true => Ok(()),
            false => Err(Objection::RosterFull),
        }
    }

    fn hub_in_service(&self, hub: HubId) -> Result<(), Objection> {
        self.hubs.get(hub.index()).ok_or(Objection::NoSuchHub)?;
        match self.roster.is_hub_withdrawn(hub) {
            true => Err(Objection::HubWithdrawn),
            false => Ok(()),
        }
    }

    fn model_of_key(&self, key: &str) -> Option<ModelId> {
        let index = self.models.iter().position(|model| model.key == key)?;
        u16::try_from(index).ok().map(ModelId)
    }

    /// The type's number; one of the catalogue's that this world did not have is one of its own
    /// from now on.
    fn take_in_model(&mut self, key: &str) -> ModelId {
        self.model_of_key(key).unwrap_or_else(|| {
            self.models.extend(catalogue::model(key));
            ModelId((self.models.len() - 1) as u16)
        })
    }
}
