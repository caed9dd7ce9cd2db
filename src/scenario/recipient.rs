//! `[recipient]`: how those who receive confirm, where an order requires their word.

use super::fields::{Fields, defaults_of};
use super::kinds::Number;
use super::times::{ANY_DURATION, Duration, SECOND};
use crate::sim::time::SimDuration;
use crate::sim::world::Recipient;

/// What `[recipient]` means where it is left out: each of its keys' default.
pub(super) fn default() -> Recipient {
    defaults_of(recipient)
}

pub(super) fn recipient(f: &mut Fields<'_>) -> Recipient {
    Recipient {
        confirm_after: f
            .or(
                "confirm_after",
                "how long after the door is reached the receiver confirms: from half of it to one and a half",
                ANY_DURATION,
                "\"20s\"",
            )
            .value,
        never: f
            .or(
                "never",
                "share of receivers who never do",
                Number(0.0..=1.0),
                "0.0",
            )
            .value,
        patience: f
            .or(
                "patience",
                "how long a drone waits at the door",
                Duration(SimDuration(SECOND)..=SimDuration(600 * SECOND)),
                "\"60s\"",
            )
            .value,
        redeliver_after: f
            .or(
                "redeliver_after",
                "how long after it was brought back a package sets out once more",
                ANY_DURATION,
                "\"10m\"",
            )
            .value,
    }
}
