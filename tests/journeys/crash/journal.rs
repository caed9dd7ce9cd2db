//! The journal as it lies on the disk, read without the program.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;
use skyhaul::engine::digest::{GENESIS, hex};
use skyhaul::sim::time::Tick;
use skyhaul::store::faulty::{self, Tear};
use skyhaul::store::sqlite::DATABASE;

use crate::support::postgres::Cluster;

/// The digest after each tick that is kept.
pub struct Journal(BTreeMap<Tick, String>);

impl Journal {
    /// Reads a copy, so that the files stay as the crash left them.
    pub fn of(data: &Path, tear: &Tear) -> Self {
        let copy = tempfile::TempDir::new().unwrap();
        faulty::copy_as_after_crash(data, copy.path(), tear).unwrap();
        let database = Connection::open(copy.path().join(DATABASE)).unwrap();
        let mut ticks = database.prepare("SELECT tick, digest FROM tick").unwrap();
        let rows = ticks.query_map([], |row| Ok((row.get(0)?, hex(&row.get(1)?))));
        let digests = rows.unwrap().collect::<Result<_, _>>().unwrap();
        Self::with(digests)
    }

    /// That of a store in a database.
    pub fn in_database(cluster: &Cluster, url: &str) -> Self {
        let ticks = cluster.ask(url, "SELECT tick, encode(digest, 'hex') FROM tick");
        let rows = ticks.lines().map(|row| {
            let (tick, digest) = row.split_once('|').unwrap();
            (tick.parse().unwrap(), digest.to_owned())
        });
        Self::with(rows.collect())
    }

    fn with(mut digests: BTreeMap<Tick, String>) -> Self {
        if digests.is_empty() {
            // Killed before its first tick.
            digests.insert(0, hex(&GENESIS));
        }
        Journal(digests)
    }

    pub fn last_tick(&self) -> Tick {
        self.0.last_key_value().map_or(0, |(tick, _)| *tick)
    }

    pub fn digest_at(&self, tick: Tick) -> Option<&String> {
        self.0.get(&tick)
    }

    /// What was shown is what is kept.
    pub fn check_digests(&self, seen: &BTreeMap<Tick, String>) {
        for (tick, digest) in seen {
            if let Some(kept) = self.0.get(tick) {
                assert_eq!(kept, digest, "tick {tick}");
            }
        }
    }
}
