//! Who holds what, across all actors: nothing may be held for what is over, and nothing twice.
//!
//! For tests and for whoever suspects a leak. It asks every actor for its state, so it is not for
//! each tick.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;

use crate::actors::Address;
use crate::actors::drone::Drone;
use crate::actors::fleet::Fleet;
use crate::actors::packages::Packages;
use crate::actors::scheduler::Scheduler;
use crate::actors::supervisor::Supervisor;
use crate::actors::transport::Transport;
use crate::sim::drone::DroneState;
use crate::sim::ids::{DeliveryId, DroneId};

use super::{Engine, Halted};

/// What is held, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Audit {
    /// Requests that are not over: with the scheduler, under way, or dead letters.
    pub workflows: BTreeSet<DeliveryId>,
    pub under_way: BTreeSet<DeliveryId>,
    pub dead_letters: BTreeSet<DeliveryId>,
    pub packages: BTreeSet<DeliveryId>,
    pub vans: BTreeSet<DeliveryId>,
    /// In words, one for each.
    pub wrong: Vec<String>,
}

impl Engine {
    /// # Errors
    /// An actor that is gone, or whose state cannot be read.
    pub async fn audit(&self) -> Result<Audit, Halted> {
        let scheduler: Scheduler = self.state(Address::Scheduler).await?;
        let fleet = self
            .state::<Fleet>(Address::Fleet)
            .await?
            .with_world(self.world(), self.world().time_of(self.tick_number()));
        let packages: Packages = self.state(Address::Packages).await?;
        let transport: Transport = self.state(Address::Transport).await?;
        let supervisor: Supervisor = self.state(Address::Supervisor).await?;
        let mut audit = Audit {
            workflows: scheduler.ids().collect(),
            under_way: self.cast.deliveries().collect(),
            dead_letters: supervisor.letters().map(|(id, _)| id).collect(),
            packages: packages.held().collect(),
            vans: transport.carried().collect(),
            wrong: Vec::new(),
        };
        audit.look_at_requests(&fleet);
        let mut drones = Vec::new();
        for index in 0..self.census().drones {
            drones.push(self.state::<Drone>(Address::Drone(DroneId(index as u32))).await?);
        }
        audit.look_at_drones(self, &fleet, &drones);
        Ok(audit)
    }

    async fn state<S: DeserializeOwned>(&self, who: Address) -> Result<S, Halted> {
        let saved = self.cast.save(who).ok_or_else(|| Halted::gone(who))?;
        let bytes = saved.await.map_err(|_| Halted::gone(who))?;
        Ok(postcard::from_bytes(&bytes)?)
    }
}

impl Audit {
    fn look_at_requests(&mut self, fleet: &Fleet) {
        let mut wrong = Vec::new();
        for id in self.workflows.intersection(&self.under_way) {
            wrong.push(format!("{id} has two owners"));
        }
        let holders = [("a package", &self.packages), ("a van", &self.vans)];
        for (what, ids) in holders {
            for id in ids.iter().filter(|id| !self.goes_on(**id)) {
                wrong.push(format!("{what} is held for {id}, which is over"));
            }
        }
        let waiting = |id: &DeliveryId| self.workflows.contains(id) || self.dead_letters.contains(id);
        let not_begun = fleet.kept().filter(|(_, _, has_begun)| !has_begun);
        for id in fleet.queued().chain(not_begun.map(|(id, _, _)| id)) {
            if !waiting(&id) {
                wrong.push(format!("the fleet waits for {id}, which is over or under way"));
            }
        }
        for (id, drone, _) in fleet.kept().filter(|(_, _, has_begun)| *has_begun) {
            if !self.under_way.contains(&id) {
                wrong.push(format!("{drone} is to leave for {id}, which is not under way"));
            }
        }
        self.wrong.extend(wrong);
    }

    fn look_at_drones(&mut self, engine: &Engine, fleet: &Fleet, drones: &[Drone]) {
        let mut places: BTreeMap<DroneId, u32> = BTreeMap::new();
        for drone in fleet.docked().chain(fleet.kept().map(|(_, drone, _)| drone)) {
            *places.entry(drone).or_default() += 1;
        }
        for drone in drones {
            let (id, is_docked) = (drone.id, drone.state == DroneState::Docked);
            let (docks, expected) = (places.remove(&id).unwrap_or(0), u32::from(is_docked));
            if docks != expected {
                let state = drone.state;
                self.wrong
                    .push(format!("{id}, which is {state:?}, is docked {docks} times"));
            }
            let is_kept = || fleet.kept().any(|(_, kept, _)| kept == id);
            if is_docked && engine.world().is_withdrawn(id) && !is_kept() {
                self.wrong.push(format!("{id} is withdrawn, and still docked"));
            }
            if drone.state == DroneState::Withdrawn && engine.sky().grounded(id).is_some() {
                self.wrong
                    .push(format!("{id} is out of the world, and stands in it"));
            }
            if let Some(delivery) = drone.state.task().map(|task| task.delivery)
                && !self.under_way.contains(&delivery)
            {
                self.wrong
                    .push(format!("{id} flies for {delivery}, which is over"));
            }
        }
        for (hub, drone) in fleet.approaching() {
            if !engine.sky().is_airborne(drone) {
                self.wrong.push(format!(
                    "{drone} has, or waits for, a pad of {hub:?}, and is not in the air"
                ));
            }
        }
        for (hub, landings, taken, pads) in fleet.landings() {
            if landings != taken || taken > pads {
                self.wrong
                    .push(format!("{hub:?}: {landings} come down to {taken} of {pads} pads"));
            }
        }
        for (hub, in_use, plugged) in fleet.chargers() {
            let of_hub = engine.world().hub(hub).chargers;
            if in_use != plugged || in_use > of_hub {
                self.wrong.push(format!(
                    "{hub:?} has {in_use} of {of_hub} chargers in use, by {plugged} drones"
                ));
            }
        }
    }

    fn goes_on(&self, id: DeliveryId) -> bool {
        [&self.workflows, &self.under_way, &self.dead_letters]
            .iter()
            .any(|ids| ids.contains(&id))
    }

    /// Whether nothing is held for anybody.
    pub fn is_idle(&self) -> bool {
        let held = [
            &self.workflows,
            &self.under_way,
            &self.dead_letters,
            &self.packages,
            &self.vans,
        ];
        held.iter().all(|ids| ids.is_empty())
    }
}
