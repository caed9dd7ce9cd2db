//! What can go wrong with a store: one line of cause, one of remedy, and whether waiting helps.

use super::{Identity, SNAPSHOT_FORMATS};
use crate::sim::time::Tick;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the store in {place} is in use by another server{}", holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default())]
    Locked {
        /// A folder, or a database without its password; so it is in all of these.
        place: String,
        holder: Option<String>,
    },
    #[error("the store in {place} holds another world: {held}, not {asked}")]
    OtherWorld {
        place: String,
        held: Identity,
        asked: Identity,
    },
    #[error("the store in {place} has format {found}, this program knows up to {known}")]
    NewerFormat { place: String, found: i64, known: i64 },
    #[error(
        "the store in {place} keeps its world in format {found}, this program reads {:?}",
        SNAPSHOT_FORMATS
    )]
    OtherSnapshot { place: String, found: u8 },
    #[error("{place} is not a skyhaul store")]
    NotAStore { place: String },
    #[error("there is no store in {place}")]
    NoStore { place: String },
    #[error("cannot write to {place}: {cause}")]
    Unwritable { place: String, cause: String },
    #[error("no store can be at {place}: {cause}")]
    BadLocation { place: String, cause: String },
    #[error("the database {place} cannot be reached: {cause}")]
    Unreachable { place: String, cause: String },
    /// While this server's connection was lost, another one opened the store.
    #[error("another server has gone on with the world in {place}")]
    TakenOver { place: String },
    #[error("the store is corrupt: {what}")]
    Corrupt { what: String },
    /// A mistake of the caller: the rows do not continue those already kept.
    #[error("{what} does not follow what the store holds")]
    OutOfOrder { what: String },
    #[error("asked for {what} from {asked} on, which is no longer kept")]
    Pruned { what: &'static str, asked: u64 },
    #[error("the disk is full: {cause}")]
    DiskFull { cause: String },
    #[error("reading or writing the store failed: {cause}")]
    Io { cause: String },
    #[error("the store is busy: {cause}")]
    Busy { cause: String },
    #[error("the store is closed")]
    Closed,
    #[error("the store's writer panicked")]
    Panicked,
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing the program or its
    /// arguments; every other error is final.
    pub fn is_retryable(&self) -> bool {
        match self {
            StoreError::DiskFull { .. }
            | StoreError::Io { .. }
            | StoreError::Busy { .. }
            | StoreError::Unreachable { .. } => true,
            StoreError::Locked { .. }
            | StoreError::OtherWorld { .. }
            | StoreError::NewerFormat { .. }
            | StoreError::OtherSnapshot { .. }
            | StoreError::NotAStore { .. }
            | StoreError::NoStore { .. }
            | StoreError::Unwritable { .. }
            | StoreError::BadLocation { .. }
            | StoreError::TakenOver { .. }
            | StoreError::Corrupt { .. }
            | StoreError::OutOfOrder { .. }
            | StoreError::Pruned { .. }
            | StoreError::Closed
            | StoreError::Panicked => false,
        }
    }

    /// What the user can do about it, where there is something.
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            StoreError::Locked { .. } => Some("stop that server, or name another place with --data"),
            StoreError::OtherWorld { .. } => {
                Some("start over with --fresh (discards that world), or name another place with --data")
            }
            StoreError::NewerFormat { .. } => {
                Some("use the newer program, start over with --fresh, or name another place with --data")
            }
            StoreError::OtherSnapshot { .. } => Some(
                "use the program that made it, start over with --fresh (discards that world), \
                 or name another place with --data",
            ),
            StoreError::NotAStore { .. } => Some(
                "name another place with --data; what is there was left as it is: --fresh replaces only stores",
            ),
            StoreError::NoStore { .. } => Some("name the server's own folder with --data"),
            StoreError::Unwritable { .. } => {
                Some("give this user the right to write there, or name another place with --data")
            }
            StoreError::BadLocation { .. } => Some(
                "give --data a folder, :memory:, or postgres://USER@HOST:PORT/DATABASE with the password in PGPASSWORD",
            ),
            StoreError::Unreachable { .. } => Some(
                "see whether PostgreSQL runs there, whether that database is made (createdb), \
                 and whether user and password (PGPASSWORD) are right",
            ),
            StoreError::TakenOver { .. } => Some("let one server alone use this store"),
            StoreError::Corrupt { .. } => Some("restore a copy of the store, or start over with --fresh"),
            StoreError::DiskFull { .. } => Some("free space on the disk of the store"),
            StoreError::Io { .. } => Some("check the disk of the store"),
            StoreError::Busy { .. } => Some("end the other program that holds the database"),
            StoreError::OutOfOrder { .. }
            | StoreError::Pruned { .. }
            | StoreError::Closed
            | StoreError::Panicked => None,
        }
    }

    pub(super) fn tick_out_of_order(tick: Tick) -> Self {
        StoreError::OutOfOrder {
            what: format!("tick {tick}"),
        }
    }
}
