//! The tables, and the marks by which a file is known as a store of a certain format.

use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{Epoch, Identity, StoreError};

/// `Skyh`, in the file's header: tells a store from any other SQLite database.
pub(super) const APPLICATION_ID: u32 = 0x536b_7968;

/// Raise it with every change of the tables, and migrate in [`super::open`].
pub(in crate::store) const FORMAT: i64 = 5;

/// What ended deliveries leave behind. Since format 3.
pub(super) const HISTORY: &str = "
CREATE TABLE history (
    delivery_id BLOB PRIMARY KEY,
    owner       TEXT NOT NULL,
    ended       INTEGER NOT NULL,
    stage       TEXT NOT NULL,
    package     TEXT NOT NULL,
    record      BLOB NOT NULL
);
CREATE INDEX history_by_owner ON history (owner, stage, delivery_id);
CREATE INDEX history_by_stage ON history (stage, delivery_id);
CREATE INDEX history_by_end ON history (ended, delivery_id);
CREATE INDEX history_by_owner_and_end ON history (owner, ended, delivery_id);
CREATE INDEX history_by_package ON history (package, delivery_id);
-- Rows that were moved out to a file, and to which day's.
CREATE TABLE moved (
    delivery_id BLOB PRIMARY KEY,
    day         INTEGER NOT NULL
) WITHOUT ROWID;
-- Days, since 1970, whose file is complete.
CREATE TABLE moved_day (
    day INTEGER PRIMARY KEY
);
CREATE TABLE sums (
    owner      TEXT NOT NULL,
    -- Since the year 0.
    month      INTEGER NOT NULL,
    completed  INTEGER NOT NULL,
    weight_kg  REAL NOT NULL,
    flights    INTEGER NOT NULL,
    flown_m    REAL NOT NULL,
    airborne_s REAL NOT NULL,
    PRIMARY KEY (owner, month)
) WITHOUT ROWID;
";

/// When each delivery was accepted, by which the newest of a package is known, of anybody's and of
/// an account's own. Since format 4.
pub(super) const NEWEST: &str = "
ALTER TABLE history ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
DROP INDEX history_by_package;
CREATE INDEX history_by_package ON history (package, accepted, delivery_id);
CREATE INDEX history_by_owner_and_package ON history (owner, package, accepted, delivery_id);
";

/// What is to be told to people. Since format 3.
pub(super) const OUTBOX: &str = "
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    notice BLOB NOT NULL
);
";

/// What the slices of a snapshot to come have overwritten. Since format 5, so that no program
/// that would not put it back opens a store between two slices.
pub(super) const UNDO: &str = "
CREATE TABLE undo (
    -- The tick of the snapshot to come.
    tick   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    rows   BLOB NOT NULL,
    PRIMARY KEY (tick, number)
);
";

const TABLES: &str = "
CREATE TABLE world (
    id            INTEGER PRIMARY KEY CHECK (id = 0),
    scenario_hash BLOB NOT NULL,
    seed          BLOB NOT NULL,
    epoch         INTEGER NOT NULL,
    probes        INTEGER NOT NULL DEFAULT 0,
    -- Ticks up to this one belong to earlier epochs.
    epoch_after   INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE ingest (
    first_seq INTEGER PRIMARY KEY,
    last_seq  INTEGER NOT NULL,
    commands  BLOB NOT NULL
);
CREATE TABLE idempotency (
    key         TEXT PRIMARY KEY,
    delivery_id BLOB NOT NULL,
    -- By the wall clock, milliseconds since 1970.
    kept_since  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (kept_since);
CREATE TABLE tick (
    tick             INTEGER PRIMARY KEY,
    admitted_through INTEGER NOT NULL,
    first_event      INTEGER NOT NULL,
    event_count      INTEGER NOT NULL,
    digest           BLOB NOT NULL,
    events           BLOB NOT NULL
);
CREATE INDEX tick_without_events ON tick (tick) WHERE event_count = 0;
CREATE TABLE snapshot (
    id             INTEGER PRIMARY KEY CHECK (id = 0),
    tick           INTEGER NOT NULL,
    events_through INTEGER NOT NULL,
    -- The ticks from this one on are all kept.
    whole_from     INTEGER NOT NULL,
    engine         BLOB NOT NULL,
    totals         BLOB NOT NULL DEFAULT x''
);
CREATE TABLE actor (
    key   BLOB PRIMARY KEY,
    state BLOB NOT NULL
);
CREATE TABLE record (
    delivery_id BLOB PRIMARY KEY,
    record      BLOB NOT NULL
);
";

/// Fills an empty database with the tables of an empty world.
pub(super) fn create(conn: &mut Connection, identity: &Identity, epoch: Epoch) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", FORMAT)?;
    tx.execute_batch(TABLES)?;
    tx.execute_batch(HISTORY)?;
    tx.execute_batch(OUTBOX)?;
    tx.execute_batch(NEWEST)?;
    tx.execute_batch(UNDO)?;
    tx.execute(
        "INSERT INTO world (id, scenario_hash, seed, epoch) VALUES (0, ?1, ?2, ?3)",
        params![identity.scenario_hash, identity.seed.to_be_bytes(), epoch.0],
    )?;
    tx.commit()?;
    Ok(())
}

pub(super) fn read_world(conn: &Connection) -> Result<(Identity, Epoch), StoreError> {
    Ok(
        conn.query_row("SELECT scenario_hash, seed, epoch FROM world", [], |row| {
            let identity = Identity {
                scenario_hash: row.get(0)?,
                seed: u64::from_be_bytes(row.get::<_, [u8; 8]>(1)?),
            };
            Ok((identity, Epoch(row.get(2)?)))
        })?,
    )
}

/// The first byte of the snapshot's state, where there is a snapshot; 0 where it is empty.
/// Every format of the store keeps it in this column.
pub(super) fn read_snapshot_format(conn: &Connection) -> Result<Option<u8>, StoreError> {
    let first: Option<Option<Vec<u8>>> = conn
        .query_row("SELECT substr(engine, 1, 1) FROM snapshot", [], |row| row.get(0))
        .optional()?;
    let byte = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| bytes.first().copied());
    Ok(first.map(|first| byte(first).unwrap_or(0)))
}

pub(super) fn read_format(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
