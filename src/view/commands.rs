//! What the outside may ask of the world; whoever runs the world answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::sim::fault::Fault;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimTime, Tick};

use super::reading::Speed;

pub type Answer<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Writes from outside. Object-safe, so that playback can refuse them all.
pub trait Commands: Send + Sync {
    /// Answers once the request is durable.
    fn request_delivery(
        &self,
        order: Order,
        idempotency_key: Option<String>,
    ) -> Answer<'_, Accepted, Refusal>;

    /// Breaks something; answers with the tick that did, once that is committed.
    fn inject(&self, fault: Fault) -> Answer<'_, Tick, Refusal>;

    /// Pace control; takes effect at the next tick boundary, and answers then.
    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal>;

    /// Advances a paused world; answers when the last tick is committed.
    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub id: DeliveryId,
    /// The idempotency key was seen before; this is the first answer again.
    pub repeated: bool,
}

/// Any of these; `None` leaves things as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PaceChange {
    /// `true` pauses, `false` resumes.
    pub paused: Option<bool>,
    pub speed: Option<Speed>,
    /// Pauses by itself once this tick is committed.
    pub pause_at_tick: Option<Tick>,
    /// Goes to another moment: in playback only.
    pub seek: Option<SimTime>,
}

/// Why a write changed nothing; it may be sent again where it says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the buffer of accepted requests is full")]
    Full { retry_after: Duration },
    #[error("the store does not take writes at the moment")]
    StoreGone { retry_after: Duration },
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error("the simulation is not paused, so it cannot be stepped")]
    NotPaused,
    #[error("the simulation is paused, so nothing can break; resume it and ask again")]
    Paused,
    #[error("too many requests to the clock wait for their answers")]
    Busy { retry_after: Duration },
    /// It was taken, and came too late to change anything.
    #[error(
        "the fault came too late: the drone was no longer in the air, or the hub is closed for longer already"
    )]
    NoEffect,
    #[error("a live world cannot go to another moment; only a recording can")]
    Live,
    #[error("tick {asked} has passed; the simulation is at tick {now}")]
    TickPassed { asked: Tick, now: Tick },
}
