//! What only few drones have: kept beside the columns, and found where it is needed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::super::ids::{DroneId, ModelId};
use super::super::world::{Model, World};
use super::trouble::Episodes;
use super::{CHUNK_ROWS, Sky};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Few {
    pub(super) episodes: Episodes,
    pub(super) limping: Limping,
}

/// Drones in the air that lost a rotor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Limping(BTreeSet<DroneId>);

impl Limping {
    /// As the drone flies it.
    pub fn model_of<'w>(&self, world: &'w World, drone: DroneId, model: ModelId) -> Cow<'w, Model> {
        let model = world.model(model);
        match self.0.contains(&drone) {
            true => Cow::Owned(model.limping()),
            false => Cow::Borrowed(model),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// On the ground it is mended.
    pub(super) fn remove(&mut self, drone: DroneId) {
        self.0.remove(&drone);
    }
}

impl Sky {
    /// What a snapshot keeps beside the columns.
    pub fn few(&self) -> &Few {
        &self.few
    }

    pub fn with_few(self, few: Few) -> Self {
        Sky { few, ..self }
    }

    /// An airborne drone has lost a rotor: it is slower at once, and on all legs to come.
    pub fn limp(&mut self, world: &World, drone: DroneId) {
        let Some(&place) = self.places.get(drone.index()).filter(|_| self.is_airborne(drone)) else {
            return;
        };
        if self.few.limping.0.insert(drone) {
            let (chunk, i) = (
                &mut self.chunks[place as usize / CHUNK_ROWS],
                place as usize % CHUNK_ROWS,
            );
            let limping = world.model(chunk.flights[i].model).limping();
            let slowest = limping.cruise_airspeed_mps as f32;
            chunk.change_motion(i, |motion| motion.airspeed = motion.airspeed.min(slowest));
        }
    }
}
