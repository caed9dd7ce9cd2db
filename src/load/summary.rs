//! What a test found, in the shape in which programs read it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::asking::AskedSummary;
use super::generator::Effort;
use super::limit::Limit;
use super::monitor::{Second, Stopped};
use super::record::{Figures, Op, Recorder};
use super::slo::{Verdict, millis};
use super::watchers::WatcherSummary;

/// A test that is over, with all that was measured.
#[derive(Debug)]
pub struct Outcome {
    pub summary: Summary,
    pub seconds: Vec<Second>,
    /// For histograms of one's own.
    pub recorder: Recorder,
    pub stopped: Option<Stopped>,
    /// What the test could not show, and why.
    pub warnings: Vec<String>,
}

/// What `--json` ends with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub scenario: String,
    pub target: String,
    pub seed: u64,
    /// By operation, without the warm-up.
    pub ops: BTreeMap<&'static str, OpSummary>,
    pub stages: Vec<StageSummary>,
    pub slo: Vec<Verdict>,
    pub deliveries: DeliverySummary,
    /// Null without an audience.
    pub watchers: Option<WatcherSummary>,
    pub generator: Effort,
    /// The generator did not keep up, and nothing here says anything about the target.
    pub void: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub void_reason: Option<String>,
    /// Why it ended before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The operations that could not be measured, and what else was not.
    pub warnings: Vec<String>,
    /// Of `--find-limit`.
    pub limit: Option<Limit>,
}

/// Times are null where nothing was timed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OpSummary {
    pub count: u64,
    pub errors: u64,
    pub late_starts: u64,
    pub dropped: u64,
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    #[serde(rename = "p999Ms")]
    pub p999_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub error_kinds: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StageSummary {
    pub name: String,
    pub seconds: f64,
    /// Requests a second, or users, at its beginning and at its end.
    pub from: f64,
    pub to: f64,
    /// Of the requests that were due in it, over its length.
    pub accepted_per_second: f64,
    pub ops: BTreeMap<&'static str, OpSummary>,
}

/// What became of everything that was accepted, warm-up included.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliverySummary {
    /// Nothing but `accepted` is known otherwise.
    pub followed: bool,
    pub accepted: u64,
    pub scheduled: u64,
    pub picked_up: u64,
    pub completed: u64,
    pub failed: u64,
    /// At the end of the drain the workflow was not done.
    pub unscheduled: u64,
    /// At the end of the drain they were under way.
    pub unfinished: u64,
    /// Of the follower itself: events that it never heard, or heard twice.
    pub events_missed: u64,
    pub events_repeated: u64,
    /// Times that its connection was lost, and that it could not go on where it was.
    pub resumed: u64,
    pub track_lost: u64,
    /// Where they were asked for one by one; absent where they were heard of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<AskedSummary>,
}

impl OpSummary {
    pub fn of(figures: &Figures) -> Self {
        let at = |share| figures.quantile(share).map(millis);
        let histogram = figures.histogram();
        OpSummary {
            count: figures.count,
            errors: figures.error_count(),
            late_starts: figures.late_starts,
            dropped: figures.dropped,
            mean_ms: (!histogram.is_empty()).then(|| histogram.mean() / 1e3),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p95_ms: at(0.95),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: figures.max().map(millis),
            error_kinds: figures.errors.clone(),
        }
    }
}

/// The contract's operations always; further ones where there is something of them.
pub(super) fn ops<'a>(figures: impl Fn(Op) -> &'a Figures) -> BTreeMap<&'static str, OpSummary> {
    let shown = |op: &Op| Op::ALWAYS.contains(op) || figures(*op).count > 0;
    let shown = Op::ALL.into_iter().filter(shown);
    shown
        .map(|op| (op.as_str(), OpSummary::of(figures(op))))
        .collect()
}
