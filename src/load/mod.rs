//! The capacity test: what a server can take, seen from outside.
//!
//! It knows the public interface only, as its users do. A test is a [`Plan`]: [`timetable`]
//! says when requests are due and [`orders`] what they ask for, in the target's own words
//! ([`phrase`]); [`drive`] sends them over connections ([`exchange`], to a [`target`]);
//! [`follow`] hears what becomes of them ([`deliveries`]), or [`asking`] asks; [`watchers`] look
//! on. What they see goes into [`record`], is held against
//! objectives ([`slo`]) by [`monitor`] every second, and ends as a [`summary`]. All of it is
//! one thread's work, whose own effort [`generator`] watches, unless a [`crew`] sends for it. A [`report`] shows it to people;
//! [`scaling`] says what several levels of load have in common.
//!
//! - Requests begin when they are due, whatever answers do; their times count from then.
//! - What cannot be measured is said to be absent, never taken for good.

mod alarm;
mod asking;
mod begin;
mod compare;
mod conduct;
mod crew;
mod deliveries;
mod drive;
mod exchange;
mod follow;
mod generator;
mod head;
mod ledger;
mod limit;
mod monitor;
mod orders;
mod phrase;
mod preflight;
mod probe;
mod record;
mod report;
mod request;
mod samples;
mod scaling;
mod scan;
mod slo;
mod socket;
mod stand;
mod summary;
mod target;
#[cfg(test)]
mod target_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timetable;
mod watchers;

use std::path::PathBuf;
use std::sync::Arc;

use crate::scenario::{Load, Test};
use crate::sim::world::World;

pub use asking::AskedSummary;
pub use compare::{Figure, compare};
pub use conduct::{conduct, run};
pub use generator::Effort;
pub use limit::{Fitted, Interval, Limit, Step, find};
pub use monitor::{Progress, Second, Stopped};
pub use probe::Inside;
pub use record::{Figures, Op};
pub use report::{Machine, escaped, html};
pub use samples::{How, Sample, Samples};
pub use scaling::{Estimate, Fit, Law, Level, NoFit};
pub use slo::Verdict;
pub use summary::{OpSummary, Outcome, StageSummary, Summary};
pub use target::{Dial, Target, Tcp};
pub use timetable::Part;
pub use watchers::WatcherSummary;

/// A test as it is to be.
#[derive(Clone, Debug)]
pub struct Plan {
    pub world: Arc<World>,
    pub load: Load,
    pub test: Test,
    pub target: Target,
    /// Only that requests are accepted is looked at: nothing else of the target is asked for.
    pub accept_only: bool,
    /// The stages are no more than where the search for its limit begins.
    pub finds_limit: bool,
    /// Threads that send; a single one follows and watches too.
    pub workers: usize,
    /// Where every single request is told of.
    pub samples: Option<Samples>,
}

/// Why a test cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("the target {target} {why}")]
    Target { target: String, why: String },
    #[error("{target} cannot be reached: {why}")]
    Unreachable { target: String, why: String },
    #[error("{target} lets nobody in with {shown}: it answers {status}")]
    NotLetIn {
        target: String,
        shown: &'static str,
        status: u16,
    },
    #[error("{target} answers, and is no skyhaul server: {why}")]
    NotSkyhaul { target: String, why: String },
    #[error("{target} is of another version: {said}")]
    Version { target: String, said: String },
    #[error("the account {id} cannot be made at {target}: {why}")]
    Account { target: String, id: String, why: String },
    #[error("{} says nothing of load: there is no [load] with stages", file.display())]
    NoStages { file: PathBuf },
    #[error("the test needs {wanted} open files, and the system allows {allowed}")]
    TooFewFiles { wanted: u64, allowed: u64 },
    #[error("the test needs {wanted} local ports for one address, and the system has {there}")]
    TooFewPorts { wanted: u64, there: u64 },
    #[error("the limit is searched by rates, and these stages begin with none")]
    NoRates,
    #[error("the generator cannot start: {0}")]
    Start(std::io::Error),
}

impl Trouble {
    /// What would help.
    pub fn remedy(&self) -> &'static str {
        match self {
            Trouble::Target { .. } => "give --target as http://HOST:PORT",
            Trouble::Unreachable { .. } => "start it, or correct --target",
            Trouble::NotLetIn { .. } => {
                "give --token what `skyhaul token --role operator` prints for that server"
            }
            Trouble::NotSkyhaul { .. } => "correct --target, or drive it with --accept-only",
            Trouble::Version { .. } => "use the `skyhaul load` that came with it",
            Trouble::Account { .. } => "give --token an operator's token, or leave `accounts` out",
            Trouble::NoStages { .. } => "add [load] with stages = [{ rate = \"200/s\", for = \"30s\" }]",
            Trouble::TooFewFiles { .. } => "raise `ulimit -Hn`, or ask for fewer sessions or connections",
            Trouble::TooFewPorts { .. } => {
                "widen net.ipv4.ip_local_port_range, or ask for fewer sessions or connections"
            }
            Trouble::NoRates => {
                "let the first stage ask for a rate, as in { rate = \"200/s\", for = \"30s\" }"
            }
            Trouble::Start(_) => "see whether the machine has room for it",
        }
    }

    /// Whether the one who asked for the test can put it right by asking otherwise.
    pub fn is_bad_input(&self) -> bool {
        matches!(
            self,
            Trouble::Target { .. } | Trouble::NoStages { .. } | Trouble::NoRates
        )
    }
}
