//! What the supervisor watches over.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::breaker::BreakerState;
use crate::sim::workflow::Step;

/// A request that came to nothing, and for which the owner of a step still holds something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    pub delivery_id: String,
    /// The step that could not be undone.
    pub step: Step,
    /// RFC 3339, simulated.
    pub since: String,
    /// How often it was given up.
    pub times: u32,
}

/// What became of another try.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Retried {
    pub delivery_id: String,
    /// Whether nothing is held for it any more. Where not, it is tried again with back-off, and
    /// comes back to the list where that fails, too.
    pub resolved: bool,
    /// The tick in which it was tried.
    pub tick: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Breaker {
    /// What it leaves alone while it is open.
    #[schema(example = "carrier")]
    pub name: String,
    pub state: BreakerState,
}

/// How often actors of a kind panicked over a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Panics {
    pub actor: String,
    pub count: u64,
}

/// Who is left alone, and who stumbled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Supervision {
    pub breakers: Vec<Breaker>,
    pub dead_letters: u64,
    pub panics: Vec<Panics>,
}
