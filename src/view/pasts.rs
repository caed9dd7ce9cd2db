//! Other moments than the one that is shown to all: for who wants to look at one by themselves.
//! Whoever has a recording opens them.

use std::sync::Arc;

use crate::sim::time::SimTime;

use super::View;
use super::commands::{Answer, PaceChange};

/// Opens shows of what was recorded.
pub trait Pasts: Send + Sync {
    /// A show at this moment, for one who looks, with a clock of its own that goes as the change
    /// says.
    fn open(&self, at: SimTime, change: PaceChange) -> Answer<'_, Arc<dyn Show>, NoShow>;
}

/// A moment that one looks at, and goes on from. It ends when it is dropped.
pub trait Show: Send + Sync {
    fn view(&self) -> &Arc<View>;

    /// Goes elsewhere, or on in another way; answers once that is in force.
    fn change(&self, change: PaceChange) -> Answer<'_, (), NoShow>;

    /// It has come to where the world is now: nothing is left to see here that all do not see.
    fn is_over(&self) -> bool;
}

/// Why somebody does not see another moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShow {
    #[error(
        "nothing of this world is recorded, so there is no other moment to go to; an operator may start a \
         recording (PUT /api/recording), as `skyhaul serve --record` does"
    )]
    NotRecorded,
    /// Of what is recorded.
    #[error("that moment is not recorded")]
    Outside { from: SimTime, to: SimTime },
    #[error(
        "{most} sessions look at moments of their own, and there is no room for another; come again later"
    )]
    Full { most: usize },
    #[error("the recording cannot be read at the moment; come again later")]
    Unreadable,
}

/// Where nothing is recorded.
pub struct NoPasts;

impl Pasts for NoPasts {
    fn open(&self, _: SimTime, _: PaceChange) -> Answer<'_, Arc<dyn Show>, NoShow> {
        Box::pin(async { Err(NoShow::NotRecorded) })
    }
}
