//! What can go wrong with a database, sorted into what goes away by itself and what does not.

use tokio_postgres::error::SqlState;

use crate::store::StoreError;

/// Why something asked of the database failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Found by the store's own rules; the connection is as good as before.
    Refused(StoreError),
    /// The database's or the network's word: nobody knows what the session is in the middle of.
    Database(tokio_postgres::Error),
    /// No answer in time.
    Silent,
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Trouble::Database(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Refused(error)
    }
}

impl Trouble {
    /// Whether the database let us wait for a lock in vain.
    pub fn is_lock_timeout(&self) -> bool {
        matches!(self, Trouble::Database(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
    }

    /// In the store's words, about the database at `place`.
    pub fn told(self, place: &str) -> StoreError {
        match self {
            Trouble::Refused(error) => error,
            Trouble::Silent => StoreError::Unreachable {
                place: place.to_owned(),
                cause: "no answer in time".to_owned(),
            },
            Trouble::Database(error) => sorted(&error, place),
        }
    }
}

fn sorted(error: &tokio_postgres::Error, place: &str) -> StoreError {
    let cause = cause_of(error);
    let place = place.to_owned();
    let Some(code) = error.code() else {
        // Answers of another shape than the tables' are the only trouble without a code that is
        // not the connection's.
        let text = error.to_string();
        let misshapen = ["deserializing", "invalid column", "unexpected number"];
        return if misshapen.iter().any(|word| text.contains(word)) {
            StoreError::Corrupt { what: cause }
        } else {
            StoreError::Unreachable { place, cause }
        };
    };
    if *code == SqlState::DISK_FULL {
        return StoreError::DiskFull { cause };
    }
    if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return StoreError::Unwritable { place, cause };
    }
    match &code.code()[..2] {
        // Insufficient resources, such as connections; a deadlock or a serialisation failure.
        "40" | "53" | "55" => StoreError::Busy { cause },
        // Connection exceptions; authorisation; no such database; ended, starting up or
        // cancelled by an operator; a server that only reads, as after a failover.
        "08" | "28" | "3D" | "57" | "25" => StoreError::Unreachable { place, cause },
        // System errors outside PostgreSQL.
        "58" => StoreError::Io { cause },
        _ => StoreError::Corrupt {
            what: format!("{cause} (SQLSTATE {})", code.code()),
        },
    }
}

/// The database's message, or what is behind a failed connection.
fn cause_of(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(told), _) => told.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}
