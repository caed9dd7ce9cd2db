//! The tables, the format they are of, and how an older one becomes the newest.
//!
//! They lie in the schema that the connection's search path names first. A table of their own
//! says that they are a store's, and of which format.

use tokio_postgres::Client;

use super::trouble::Trouble;
use super::{number, unsigned};
use crate::store::{Epoch, Identity, StoreError};

/// Each makes the tables of one format out of those of the one before; a new store goes
/// through all of them, so that no step goes unused.
const STEPS: [&str; 5] = [FORMAT_1, FORMAT_2, FORMAT_3, FORMAT_4, FORMAT_5];

/// The format that this program writes.
pub(in crate::store) const FORMAT: i64 = STEPS.len() as i64;

/// Says that the tables beside it are a store's.
const MARK: &str = "skyhaul_store";

/// All tables of all formats.
const TABLES: [&str; 14] = [
    MARK,
    "world",
    "ingest",
    "idempotency",
    "tick",
    "snapshot",
    "actor",
    "record",
    "history",
    "moved",
    "moved_day",
    "sums",
    "outbox",
    "undo",
];

/// Bytes are kept as they are: they are packed already, and squeezing them costs more than
/// the room is worth.
const FORMAT_1: &str = "
CREATE TABLE skyhaul_store (
    id     integer PRIMARY KEY CHECK (id = 0),
    format bigint NOT NULL
);
INSERT INTO skyhaul_store VALUES (0, 0);
CREATE TABLE world (
    id            integer PRIMARY KEY CHECK (id = 0),
    scenario_hash bytea NOT NULL,
    seed          bytea NOT NULL,
    epoch         bigint NOT NULL,
    -- Ticks up to this one belong to earlier epochs.
    epoch_after   bigint NOT NULL DEFAULT 0,
    probes        bigint NOT NULL DEFAULT 0,
    -- How many servers have opened it.
    openings      bigint NOT NULL DEFAULT 0
);
CREATE TABLE ingest (
    first_seq bigint PRIMARY KEY,
    last_seq  bigint NOT NULL,
    commands  bytea NOT NULL
);
CREATE TABLE idempotency (
    key         text PRIMARY KEY,
    delivery_id bytea NOT NULL
);
CREATE TABLE tick (
    tick             bigint PRIMARY KEY,
    admitted_through bigint NOT NULL,
    first_event      bigint NOT NULL,
    event_count      bigint NOT NULL,
    digest           bytea NOT NULL,
    events           bytea NOT NULL
);
CREATE INDEX tick_without_events ON tick (tick) WHERE event_count = 0;
CREATE TABLE snapshot (
    id             integer PRIMARY KEY CHECK (id = 0),
    tick           bigint NOT NULL,
    events_through bigint NOT NULL,
    -- The ticks from this one on are all kept.
    whole_from     bigint NOT NULL,
    engine         bytea NOT NULL
);
CREATE TABLE actor (
    key   bytea PRIMARY KEY,
    state bytea NOT NULL
);
CREATE TABLE record (
    delivery_id bytea PRIMARY KEY,
    record      bytea NOT NULL
);
ALTER TABLE ingest ALTER COLUMN commands SET STORAGE EXTERNAL;
ALTER TABLE tick ALTER COLUMN events SET STORAGE EXTERNAL;
ALTER TABLE snapshot ALTER COLUMN engine SET STORAGE EXTERNAL;
ALTER TABLE actor ALTER COLUMN state SET STORAGE EXTERNAL;
ALTER TABLE record ALTER COLUMN record SET STORAGE EXTERNAL;
";

/// Ended deliveries, and the age of keys. Names are in the order of their bytes, whatever the
/// database's language.
const FORMAT_2: &str = "
ALTER TABLE snapshot ADD COLUMN totals bytea NOT NULL DEFAULT '';
-- By the wall clock, milliseconds since 1970.
ALTER TABLE idempotency ADD COLUMN kept_since bigint NOT NULL
    DEFAULT (extract(epoch FROM now()) * 1000)::bigint;
ALTER TABLE idempotency ALTER COLUMN kept_since DROP DEFAULT;
CREATE INDEX idempotency_by_age ON idempotency (kept_since);
CREATE TABLE history (
    delivery_id bytea PRIMARY KEY,
    owner       text COLLATE \"C\" NOT NULL,
    ended       bigint NOT NULL,
    stage       text COLLATE \"C\" NOT NULL,
    package     text COLLATE \"C\" NOT NULL,
    record      bytea NOT NULL
);
CREATE INDEX history_by_owner ON history (owner, stage, delivery_id);
CREATE INDEX history_by_stage ON history (stage, delivery_id);
CREATE INDEX history_by_end ON history (ended, delivery_id);
CREATE INDEX history_by_owner_and_end ON history (owner, ended, delivery_id);
CREATE INDEX history_by_package ON history (package, delivery_id);
-- Rows that were moved out to a file, and to which day's.
CREATE TABLE moved (
    delivery_id bytea PRIMARY KEY,
    day         integer NOT NULL
);
-- Days, since 1970, whose file is complete.
CREATE TABLE moved_day (
    day integer PRIMARY KEY
);
CREATE TABLE sums (
    owner      text COLLATE \"C\" NOT NULL,
    -- Since the year 0.
    month      integer NOT NULL,
    completed  bigint NOT NULL,
    weight_kg  double precision NOT NULL,
    flights    bigint NOT NULL,
    flown_m    double precision NOT NULL,
    airborne_s double precision NOT NULL,
    PRIMARY KEY (owner, month)
);
";

/// What is to be told to people.
const FORMAT_3: &str = "
CREATE TABLE outbox (
    number bigint PRIMARY KEY,
    notice bytea NOT NULL
);
-- The last number that was given in the outbox.
ALTER TABLE world ADD COLUMN posted bigint NOT NULL DEFAULT 0;
";

/// When each delivery was accepted, by which the newest of a package is known, of anybody's and of
/// an account's own.
const FORMAT_4: &str = "
ALTER TABLE history ADD COLUMN accepted bigint NOT NULL DEFAULT 0;
DROP INDEX history_by_package;
CREATE INDEX history_by_package ON history (package, accepted, delivery_id);
CREATE INDEX history_by_owner_and_package ON history (owner, package, accepted, delivery_id);
";

/// What the slices of a snapshot to come have overwritten; so that no program that would not put
/// it back opens a store between two slices.
const FORMAT_5: &str = "
CREATE TABLE undo (
    -- The tick of the snapshot to come.
    tick   bigint NOT NULL,
    number bigint NOT NULL,
    rows   bytea NOT NULL,
    PRIMARY KEY (tick, number)
);
ALTER TABLE undo ALTER COLUMN rows SET STORAGE EXTERNAL;
";

/// Whose world it is, and who opened it last.
pub(super) struct Held {
    pub identity: Identity,
    pub epoch: Epoch,
    pub openings: i64,
}

/// The format of the store that is there, where there is one.
///
/// # Errors
/// `NotAStore` where tables of these names are there that are no store's.
pub(super) async fn read_format(client: &Client, place: &str) -> Result<Option<i64>, Trouble> {
    let names: Vec<&str> = TABLES.to_vec();
    let rows = client
        .query(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename = ANY($1)",
            &[&names],
        )
        .await?;
    let mut there = rows.iter().map(|row| row.get::<_, String>(0));
    if there.any(|name| name == MARK) {
        let row = client.query_one("SELECT format FROM skyhaul_store", &[]).await?;
        return Ok(Some(row.try_get(0)?));
    }
    if rows.is_empty() {
        return Ok(None);
    }
    Err(StoreError::NotAStore {
        place: place.to_owned(),
    }
    .into())
}

/// An empty world's tables, in the place of whatever store was there.
pub(super) async fn create(client: &Client, identity: &Identity, epoch: Epoch) -> Result<(), Trouble> {
    let dropping = format!("DROP TABLE IF EXISTS {}", TABLES.join(", "));
    client.batch_execute("BEGIN").await?;
    client.batch_execute(&dropping).await?;
    take_steps(client, 0).await?;
    client
        .execute(
            "INSERT INTO world (id, scenario_hash, seed, epoch) VALUES (0, $1, $2, $3)",
            &[
                &&identity.scenario_hash[..],
                &&identity.seed.to_be_bytes()[..],
                &number(epoch.0),
            ],
        )
        .await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}

/// In one transaction, so that a store is of one format or of the other.
pub(super) async fn migrate(client: &Client, found: i64) -> Result<(), Trouble> {
    if found == FORMAT {
        return Ok(());
    }
    tracing::info!(
        from = found,
        to = FORMAT,
        "the store is brought to the newest format"
    );
    client.batch_execute("BEGIN").await?;
    take_steps(client, found).await?;
    client.batch_execute("COMMIT").await?;
    Ok(())
}

async fn take_steps(client: &Client, from: i64) -> Result<(), Trouble> {
    let taken = usize::try_from(from).unwrap_or_default();
    for step in STEPS.iter().skip(taken) {
        client.batch_execute(step).await?;
    }
    client
        .execute("UPDATE skyhaul_store SET format = $1", &[&FORMAT])
        .await?;
    Ok(())
}

pub(super) async fn read_world(client: &Client) -> Result<Held, Trouble> {
    let row = client
        .query_one("SELECT scenario_hash, seed, epoch, openings FROM world", &[])
        .await?;
    let (hash, seed): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
    let malformed = |_| StoreError::Corrupt {
        what: "the world's identity".to_owned(),
    };
    Ok(Held {
        identity: Identity {
            scenario_hash: hash.try_into().map_err(malformed)?,
            seed: u64::from_be_bytes(seed.try_into().map_err(malformed)?),
        },
        epoch: Epoch(unsigned(row.try_get(2)?)?),
        openings: row.try_get(3)?,
    })
}

/// The first byte of the snapshot's state, where there is a snapshot; 0 where it is empty.
/// Every format of the store keeps it in this column.
pub(super) async fn read_snapshot_format(client: &Client) -> Result<Option<u8>, Trouble> {
    let row = client
        .query_opt("SELECT substring(engine FROM 1 FOR 1) FROM snapshot", &[])
        .await?;
    let Some(row) = row else { return Ok(None) };
    let first: &[u8] = row.try_get(0)?;
    Ok(Some(first.first().copied().unwrap_or(0)))
}

/// Counts this opening; answers with its number, by which a server knows after a lost
/// connection whether another has been here.
pub(super) async fn count_opening(client: &Client) -> Result<i64, Trouble> {
    let row = client
        .query_one("UPDATE world SET openings = openings + 1 RETURNING openings", &[])
        .await?;
    Ok(row.try_get(0)?)
}
