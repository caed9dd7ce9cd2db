//! Outgoing mail and web hooks: what people asked to be told.
//!
//! An actor says what is to be told; the tick that decided it puts it into the store's outbox
//! in the same transaction. The [`courier`] takes it from there, tries until it is delivered
//! or hopeless, and only then takes it off: at least once, whatever is killed in between.
//! Nothing here touches the world.

mod courier;
mod hook;
mod mail;
mod settings;
mod telemetry;
#[cfg(test)]
mod tests;
mod words;

use crate::sim::notice::Notice;

pub use courier::Courier;
pub use settings::{Hook, Mail, Settings, SettingsError};
pub use telemetry::Telemetry;

/// A notice in the outbox, by its number there; numbers are never given twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub number: u64,
    pub notice: Notice,
}

/// Why a letter was not delivered; for the log, without addresses or secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Undelivered {
    /// It may go well another time.
    #[error("{0}")]
    ForNow(String),
    /// It will never be taken as it is.
    #[error("{0}")]
    ForGood(String),
}
