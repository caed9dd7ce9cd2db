//! Branches of a recording, and how two recordings compare.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a branch is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NewFork {
    /// RFC 3339, simulated: what comes after it is executed anew.
    #[schema(example = "2026-06-01T18:20:00.000Z")]
    pub at: String,
    /// Other values in the scenario from then on, by keys of `demand`, `dispatch`, `recipient`,
    /// `third_party`, `weather` and `workflow`; none, and it goes on as it did.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"demand.rate": "800/h"}))]
    pub set: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Forks {
    /// In the order in which they were begun.
    pub items: Vec<Fork>,
    /// The recording that is shown beside, under `/beside/`; null where there is none.
    #[schema(required)]
    pub beside: Option<Beside>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Beside {
    /// The name of its file.
    #[schema(example = "lunch.fork-1.mcap")]
    pub file: String,
    /// RFC 3339, simulated: a branch begins where it left what it is of.
    pub from: String,
    pub to: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Fork {
    pub id: u32,
    pub at: String,
    #[schema(example = json!({"demand.rate": "800/h"}))]
    pub set: BTreeMap<String, String>,
    /// The name of its file, which lies beside that of the recording.
    #[schema(example = "lunch.fork-1.mcap")]
    pub file: String,
    pub state: ForkState,
    /// From 0 to 1.
    pub progress: f64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForkState {
    Running,
    Done,
    Failed,
    Cancelled,
}

/// Two recordings held against each other, in the time that both have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// RFC 3339, simulated.
    pub from: String,
    pub to: String,
    /// The first recorded moment in which they are not the same world; null where they never part.
    #[schema(required)]
    pub parts_at: Option<String>,
    /// The one that is played, and the one beside it.
    #[schema(min_items = 2, max_items = 2)]
    pub recordings: Vec<Compared>,
    pub measures: Vec<Measure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Compared {
    pub file: String,
    pub seed: u64,
    pub policy: String,
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Measure {
    #[schema(example = "lateShare")]
    pub name: String,
    /// For people, with its unit.
    #[schema(example = "late, %")]
    pub title: String,
    /// What values are shown times of: 100 for shares that are shown as per cent.
    pub scale: f64,
    /// In the order of the recordings; null where there is nothing to tell it of.
    #[schema(min_items = 2, max_items = 2)]
    pub values: Vec<Option<f64>>,
    /// The second minus the first.
    #[schema(required)]
    pub difference: Option<f64>,
}
