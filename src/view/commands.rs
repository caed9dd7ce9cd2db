//! What the outside may ask of the world; whoever runs the world answers.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::sim::command::{Command, Decision, Objection};
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimTime, Tick};

use super::reading::Speed;

pub type Answer<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// Writes from outside. Object-safe; what nobody takes is refused, as a recording refuses it.
pub trait Commands: Send + Sync {
    /// Whether the world can be changed at all: where it cannot, nobody reads what is wanted.
    fn can_change(&self) -> Result<(), Refusal> {
        Err(Refusal::Recorded)
    }

    /// Answers once the request is durable.
    fn request_delivery(
        &self,
        _order: Order,
        _idempotency_key: Option<String>,
    ) -> Answer<'_, Accepted, Refusal> {
        recorded()
    }

    /// The same for a delivery whose id the client chose: asked twice there is one.
    fn put_delivery(&self, _id: DeliveryId, _order: Order) -> Answer<'_, Accepted, Refusal> {
        recorded()
    }

    /// Any other write; answers once the tick that decided about it is published. A decision
    /// against it is [`Refusal::Objected`].
    fn write(&self, _command: Command) -> Answer<'_, Written, Refusal> {
        recorded()
    }

    /// Pace control; takes effect at the next tick boundary, and answers then.
    fn control(&self, _change: PaceChange) -> Answer<'_, (), Refusal> {
        recorded()
    }

    /// Advances a paused world; answers when the last tick is committed.
    fn step(&self, _ticks: u64) -> Answer<'_, Tick, Refusal> {
        recorded()
    }
}

fn recorded<'a, T: Send + 'a>() -> Answer<'a, T, Refusal> {
    Box::pin(async { Err(Refusal::Recorded) })
}

/// What was cannot be made otherwise, and its clock is somebody else's.
pub struct NothingChanges;

impl Commands for NothingChanges {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub id: DeliveryId,
    /// The idempotency key, or the id, was seen before; this is the first answer again.
    pub repeated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub tick: Tick,
    pub decision: Decision,
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
    /// From the end to the beginning and on, or not: in playback only.
    pub is_loop: Option<bool>,
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
    #[error("the simulation is paused, so nothing can happen; resume it and ask again")]
    Paused,
    #[error("too many requests to the clock wait for their answers")]
    Busy { retry_after: Duration },
    /// It was taken, and whoever it concerned decided against it.
    #[error(transparent)]
    Objected(Objection),
    #[error("a live world cannot go to another moment, or begin again at its end; only a recording can")]
    Live,
    #[error("this is a recording: nothing in it can be changed")]
    Recorded,
    #[error(
        "what is shown beside has no clock and no branches of its own: ask /api/simulation and /api/forks"
    )]
    Beside,
    #[error("a live world does not run backwards; only a recording does")]
    Backwards,
    #[error("tick {asked} has passed; the simulation is at tick {now}")]
    TickPassed { asked: Tick, now: Tick },
}
