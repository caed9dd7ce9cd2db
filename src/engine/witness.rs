//! Somebody who hears of all that a live world does, and of its states, beside the read side.
//!
//! A witness hears on the world's thread, so it hands on what it hears and does not wait.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::sim::command::Command;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::store::Snapshot;
use crate::view::frame::DroneRow;
use crate::view::{Publication, View};

/// What belongs to a tick, and not to the read side.
#[derive(Default)]
pub struct Told {
    pub admitted_through: u64,
    /// The number that its first event has, or would have.
    pub first_event: u64,
    /// Admitted in it, by their numbers; left out where nobody listens.
    pub commands: Vec<(u64, Command)>,
}

/// How the world stands after its last tick, for who leaves then.
pub struct Standing {
    pub at: SimTime,
    pub digest: [u8; 32],
    pub admitted_through: u64,
    /// The number that the next event will have.
    pub next_event: u64,
    pub world: Arc<World>,
    pub airborne: Vec<DroneRow>,
}

pub trait Witness: Send {
    /// A tick is durable. The read side does not show it yet.
    fn tick(&mut self, publication: &Publication, told: Told, view: &View);

    /// Whether the whole state is wanted now, or what changed of it since it was heard last.
    fn wants(&self, at: SimTime) -> Option<Wish>;

    /// The state after the last tick, as it was wished for; or a part that was taken for others.
    fn state(&mut self, snapshot: &Snapshot, at: SimTime, digest: [u8; 32]);

    /// What they want of the state when they leave.
    fn wants_last(&self) -> Option<Wish>;

    /// Nothing more is told: so the world stands, and this is its state as it was wished for.
    fn last(&mut self, snapshot: &Snapshot, standing: Standing, view: &View);
}

/// How much of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Whole,
    /// Since the last.
    Changes,
}

/// At most one at a time; whoever has a handle may put it there.
pub type Stand = Arc<Mutex<Option<Box<dyn Witness>>>>;
