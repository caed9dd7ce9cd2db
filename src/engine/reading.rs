//! What may be read of an engine between two ticks.

use std::sync::Arc;

use crate::sim::separation::Separation;
use crate::sim::sky::Sky;
use crate::sim::time::Tick;
use crate::sim::world::World;

use super::digest::Digest;
use super::{Engine, cast};

impl Engine {
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    pub fn tick_number(&self) -> Tick {
        self.tick
    }

    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The journal's number of the last outside command that is in the world.
    pub fn admitted_through(&self) -> u64 {
        self.admitted_through
    }

    /// The number of the last event that happened.
    pub fn events_through(&self) -> u64 {
        self.events_through
    }

    pub fn demand(&self) -> bool {
        self.demand
    }

    pub fn sky(&self) -> &Sky {
        &self.sky
    }

    pub fn separation(&self) -> &Separation {
        &self.separation
    }

    pub fn census(&self) -> cast::Census {
        self.cast.census()
    }

    pub fn alarms(&self) -> usize {
        self.wakes.len()
    }
}
