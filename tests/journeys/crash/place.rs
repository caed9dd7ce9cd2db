//! Where a world that is killed keeps its truth: the same story runs once in each place.

use std::path::{Path, PathBuf};

use skyhaul::store::faulty::{self, Tear};

use super::journal::Journal;
use crate::support::postgres;

pub enum Place {
    Folder(PathBuf),
    /// By its URL, in the tests' own PostgreSQL.
    Database(PathBuf),
}

impl Place {
    pub fn database() -> Self {
        Place::Database(postgres::shared().database().into())
    }

    /// What to say after `--data`.
    pub fn data(&self) -> &Path {
        match self {
            Place::Folder(data) | Place::Database(data) => data,
        }
    }

    /// What to open of it, in a copy of its folder where it is one; a database itself.
    pub fn copied_to(&self, folder: &Path) -> String {
        let data = match self {
            Place::Folder(data) => {
                faulty::copy_as_after_crash(data, folder, &Tear::None).unwrap();
                folder
            }
            Place::Database(url) => url,
        };
        data.to_str().expect("it is text").to_owned()
    }

    /// What a server that was killed left behind, as it is found without the program.
    pub fn journal(&self) -> Journal {
        match self {
            Place::Folder(data) => Journal::of(data, &Tear::None),
            Place::Database(url) => {
                let url = url.to_str().expect("a URL is text");
                // The session of a server that was killed ends with what it was in the middle of.
                until_left_alone(url);
                Journal::in_database(postgres::shared(), url)
            }
        }
    }
}

/// Waits until nobody is connected to the database of this URL.
fn until_left_alone(url: &str) {
    let others = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()
                    AND backend_type = 'client backend'";
    let alone = (0..1_000).any(|_| postgres::shared().ask(url, others) == "0");
    assert!(alone, "somebody stays connected");
}
