//! A delivery's stages: what a customer sees, and which stage may follow which.

use serde::{Deserialize, Serialize};

/// The reference's stages, with `Failed` added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    Created,
    Rescheduled,
    HeadedToPickup,
    HeadedToDropoff,
    Completed,
    Cancelled,
    Failed,
}

impl Stage {
    pub const ALL: [Stage; 7] = [
        Stage::Created,
        Stage::Rescheduled,
        Stage::HeadedToPickup,
        Stage::HeadedToDropoff,
        Stage::Completed,
        Stage::Cancelled,
        Stage::Failed,
    ];

    pub fn is_terminal(self) -> bool {
        matches!(self, Stage::Completed | Stage::Cancelled | Stage::Failed)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Created => "Created",
            Stage::Rescheduled => "Rescheduled",
            Stage::HeadedToPickup => "HeadedToPickup",
            Stage::HeadedToDropoff => "HeadedToDropoff",
            Stage::Completed => "Completed",
            Stage::Cancelled => "Cancelled",
            Stage::Failed => "Failed",
        }
    }
}
