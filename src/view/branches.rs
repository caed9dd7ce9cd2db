//! What if: branches of the recording that is played, and how it compares to what is shown beside
//! it; whoever plays it answers.

use crate::sim::time::{SimTime, Tick};
pub use crate::wire::api::forks::{Compared, Measure};

use super::commands::Answer;

#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub number: u32,
    /// What comes after it is executed anew.
    pub at: SimTime,
    /// Other values in the scenario from then on, by their keys.
    pub set: Vec<(String, String)>,
    /// The name of its file.
    pub file: String,
    pub stage: Stage,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Which share of it is done.
    Running(f64),
    Done,
    Failed(String),
    Cancelled,
}

/// The recording that is shown beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    pub file: String,
    pub from: SimTime,
    pub to: SimTime,
}

/// Two recordings held against each other, in the time that both have.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub from: SimTime,
    pub to: SimTime,
    /// The first recorded moment in which they are not the same world; `None` where they never part.
    pub parts_at: Option<(SimTime, Tick)>,
    pub recordings: [Compared; 2],
    pub measures: Vec<Measure>,
}

/// Why no branch is begun, or none called off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBranch {
    #[error("another branch is under way; wait for it, or call it off")]
    Busy,
    /// Where it would have to lie.
    #[error("{file} cannot be written beside the recording: {why}")]
    NotWritable { file: String, why: String },
    /// The values make no scenario.
    #[error("{0}")]
    NoScenario(String),
    #[error("the recording cannot be read: {0}")]
    Unread(String),
    #[error("it has ended")]
    Ended,
    #[error("no branch has this number")]
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoComparison {
    #[error("nothing is shown beside this recording")]
    Alone,
    #[error("{0}")]
    Unread(String),
}

pub trait Branches: Send + Sync {
    /// In the order in which they were begun.
    fn all(&self) -> Vec<Branch>;

    fn beside(&self) -> Option<Beside>;

    /// # Errors
    /// Words about which keys may change, where this one does not.
    fn check(&self, key: &str) -> Result<(), String>;

    /// One at a time. What it has come to, [`Branches::all`] tells; when it is done it is shown
    /// beside.
    ///
    /// # Errors
    /// See [`NoBranch`].
    fn begin(&self, at: SimTime, set: Vec<(String, String)>) -> Result<Branch, NoBranch>;

    /// Calls it off; its file is removed.
    ///
    /// # Errors
    /// [`NoBranch::Unknown`] and [`NoBranch::Ended`].
    fn cancel(&self, number: u32) -> Result<(), NoBranch>;

    /// Of what is played and what is shown beside.
    fn comparison(&self) -> Answer<'_, Comparison, NoComparison>;
}
