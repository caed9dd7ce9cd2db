//! Stores of older formats, brought to the newest in one transaction: a store is of one
//! format or of the other, whenever the power goes.

use rusqlite::{Connection, TransactionBehavior, params};

use super::schema;
use crate::store::StoreError;
use crate::store::rules::wall_ms;

/// # Errors
/// `Corrupt` where a row does not hold what its format says, and the retryable ones.
pub(super) fn to_newest(conn: &mut Connection, found: i64) -> Result<(), StoreError> {
    if found == schema::FORMAT {
        return Ok(());
    }
    tracing::info!(
        from = found,
        to = schema::FORMAT,
        "the store is brought to the newest format"
    );
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if found < 2 {
        number_events(&tx)?;
    }
    if found < 3 {
        make_room_for_history(&tx)?;
        tx.execute_batch(schema::OUTBOX)?;
    }
    if found < 4 {
        tx.execute_batch(schema::NEWEST)?;
    }
    if found < 5 {
        tx.execute_batch(schema::UNDO)?;
    }
    tx.pragma_update(None, "user_version", schema::FORMAT)?;
    tx.commit()?;
    Ok(())
}

/// Format 2 numbers events through all ticks. What came before the oldest tick that is kept
/// was never numbered and cannot be asked for, so the oldest event kept becomes number 1.
fn number_events(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "ALTER TABLE world ADD COLUMN epoch_after INTEGER NOT NULL DEFAULT 0;
         ALTER TABLE tick RENAME TO tick_1;
         CREATE TABLE tick (
             tick             INTEGER PRIMARY KEY,
             admitted_through INTEGER NOT NULL,
             first_event      INTEGER NOT NULL,
             event_count      INTEGER NOT NULL,
             digest           BLOB NOT NULL,
             events           BLOB NOT NULL
         );
         CREATE INDEX tick_without_events ON tick (tick) WHERE event_count = 0;",
    )?;
    let mut first_event: u64 = 1;
    {
        let mut insert = conn.prepare(
            "INSERT INTO tick SELECT tick, admitted_through, ?2, ?3, digest, events FROM tick_1 WHERE tick = ?1",
        )?;
        let mut ticks = conn.prepare("SELECT tick, events FROM tick_1 ORDER BY tick")?;
        let mut rows = ticks.query([])?;
        while let Some(row) = rows.next()? {
            let (tick, events): (u64, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let count = length_of_list(tick, &events)?;
            insert.execute(params![tick, first_event, count])?;
            first_event += u64::from(count);
        }
    }
    conn.execute_batch(
        "DROP TABLE tick_1;
         ALTER TABLE snapshot RENAME TO snapshot_1;
         CREATE TABLE snapshot (
             id             INTEGER PRIMARY KEY CHECK (id = 0),
             tick           INTEGER NOT NULL,
             events_through INTEGER NOT NULL,
             whole_from     INTEGER NOT NULL,
             engine         BLOB NOT NULL
         );
         INSERT INTO snapshot
             SELECT id, snapshot_1.tick,
                    coalesce((SELECT first_event + event_count - 1 FROM tick
                              WHERE tick.tick <= snapshot_1.tick ORDER BY tick.tick DESC LIMIT 1), 0),
                    coalesce((SELECT min(tick) FROM tick), 0), engine
             FROM snapshot_1;
         DROP TABLE snapshot_1;",
    )?;
    Ok(())
}

/// Format 3 keeps apart what has ended. What an older store has of that stands among the
/// records, and goes over with the next snapshot. Idempotency keys get an age: they are as if
/// they had come now.
fn make_room_for_history(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(schema::HISTORY)?;
    conn.execute_batch(
        "ALTER TABLE snapshot ADD COLUMN totals BLOB NOT NULL DEFAULT x'';
         ALTER TABLE idempotency ADD COLUMN kept_since INTEGER NOT NULL DEFAULT 0;
         CREATE INDEX idempotency_by_age ON idempotency (kept_since);",
    )?;
    conn.execute("UPDATE idempotency SET kept_since = ?1", [wall_ms()])?;
    Ok(())
}

/// Events are a list in postcard, which begins with how many there are.
fn length_of_list(tick: u64, events: &[u8]) -> Result<u32, StoreError> {
    postcard::take_from_bytes(events)
        .map(|(count, _)| count)
        .map_err(|cause| StoreError::Corrupt {
            what: format!("the events of tick {tick}: {cause}"),
        })
}

#[cfg(test)]
mod tests {
    use super::super::{history, open};
    use crate::sim::delivery::Stage;
    use crate::sim::ids::DeliveryId;
    use crate::sim::time::SimTime;
    use crate::store::sqlite::DATABASE;
    use crate::store::testing::{Model, WORLD};
    use crate::store::{Epoch, HistoryQuery, HistoryReader, HistoryRow, Store};
    use rusqlite::{Connection, params};
    use tempfile::TempDir;

    /// The tables of format 1, word for word.
    const FORMAT_1: &str = "
CREATE TABLE world (
    id            INTEGER PRIMARY KEY CHECK (id = 0),
    scenario_hash BLOB NOT NULL,
    seed          BLOB NOT NULL,
    epoch         INTEGER NOT NULL,
    probes        INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE ingest (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, commands BLOB NOT NULL);
CREATE TABLE idempotency (key TEXT PRIMARY KEY, delivery_id BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tick (
    tick             INTEGER PRIMARY KEY,
    admitted_through INTEGER NOT NULL,
    events           BLOB NOT NULL,
    digest           BLOB NOT NULL
);
CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 0), tick INTEGER NOT NULL, engine BLOB NOT NULL);
CREATE TABLE actor (key BLOB PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE record (delivery_id BLOB PRIMARY KEY, record BLOB NOT NULL);
";

    #[test]
    fn the_events_of_a_store_of_format_1_get_their_numbers() {
        let dir = TempDir::new().unwrap();
        let old = Connection::open(dir.path().join(DATABASE)).unwrap();
        old.pragma_update(None, "application_id", super::schema::APPLICATION_ID)
            .unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute_batch(FORMAT_1).unwrap();
        old.execute(
            "INSERT INTO world (id, scenario_hash, seed, epoch) VALUES (0, ?1, ?2, 3)",
            params![WORLD.scenario_hash, WORLD.seed.to_be_bytes()],
        )
        .unwrap();
        // 200 events, none, two, one: lists of so many units are nothing but their lengths.
        for (tick, count) in [(600, 200), (601, 0), (602, 2), (603, 1)] {
            let events = postcard::to_stdvec(&vec![(); count]).unwrap();
            old.execute(
                "INSERT INTO tick VALUES (?1, 0, ?2, ?3)",
                params![tick, events, [tick as u8; 32]],
            )
            .unwrap();
        }
        old.execute("INSERT INTO snapshot VALUES (0, 602, ?1)", [vec![1_u8, 2]])
            .unwrap();
        drop(old);

        for _ in ["migrated", "opened again"] {
            let mut store = open(dir.path(), &WORLD, false).unwrap();
            assert_eq!(store.epoch(), Epoch(3));
            let numbers = |store: &mut dyn Store| -> Vec<_> {
                let rows = store.event_rows(0, 1_000, 10).unwrap().into_iter();
                rows.map(|row| (row.tick, row.first_event, row.event_count, row.digest[0]))
                    .collect()
            };
            assert_eq!(
                numbers(&mut store),
                [(600, 1, 200, 88), (602, 201, 2, 90), (603, 203, 1, 91)]
            );
            let snapshot = store.latest_snapshot().unwrap().unwrap();
            assert_eq!(
                (snapshot.tick, snapshot.events_through, &snapshot.engine[..]),
                (602, 202, &[1, 2][..])
            );
            assert_eq!(store.ticks_after(602, 9).unwrap()[0].first_event, 203);
            assert_eq!(store.ticks_after(599, 9).unwrap().len(), 4);
            assert!(store.ticks_after(598, 9).is_err());
        }
    }

    #[test]
    fn a_store_of_format_4_takes_slices() {
        let dir = TempDir::new().unwrap();
        let mut model = Model::default();
        let mut store = open(dir.path(), &WORLD, false).unwrap();
        let flush = model.next_flush(&[3], 4, true);
        store.append(&flush).unwrap();
        model.apply(&flush);
        drop(store);
        let old = Connection::open(dir.path().join(DATABASE)).unwrap();
        old.execute_batch("DROP TABLE undo; PRAGMA user_version = 4;")
            .unwrap();
        drop(old);

        for _ in ["migrated", "opened again"] {
            let mut store = open(dir.path(), &WORLD, false).unwrap();
            model.check(&mut store);
            for part in model.next_flush(&[], 2, true).in_slices(1) {
                store.append(&part).unwrap();
                model.apply(&part);
            }
            model.check(&mut store);
        }
    }

    /// What formats 4 and 5 added, undone.
    const BACK_TO_FORMAT_3: &str = "
DROP TABLE undo;
DROP INDEX history_by_package;
DROP INDEX history_by_owner_and_package;
ALTER TABLE history DROP COLUMN accepted;
CREATE INDEX history_by_package ON history (package, delivery_id);
PRAGMA user_version = 3;
";

    #[test]
    fn what_ended_in_a_store_of_format_3_is_older_than_all_that_comes() {
        let dir = TempDir::new().unwrap();
        drop(open(dir.path(), &WORLD, false).unwrap());
        let old = Connection::open(dir.path().join(DATABASE)).unwrap();
        old.execute_batch(BACK_TO_FORMAT_3).unwrap();
        for (number, owner) in [(1_u8, "shop"), (2, "baker")] {
            old.execute(
                "INSERT INTO history (delivery_id, owner, ended, stage, package, record)
                 VALUES (?1, ?2, 7, 'Completed', 'box', x'00')",
                params![[number; 16], owner],
            )
            .unwrap();
        }
        drop(old);

        let mut store = open(dir.path(), &WORLD, false).unwrap();
        let newest = |store: &mut dyn HistoryReader| {
            [None, Some("shop"), Some("baker")].map(|owner| {
                let query = HistoryQuery::Package {
                    id: "box".to_owned(),
                    owner: owner.map(str::to_owned),
                };
                let rows = store.history(&query).unwrap().rows;
                rows.first().map(|row| row.id.as_bytes()[0])
            })
        };
        assert_eq!(newest(&mut store), [Some(2), Some(1), Some(2)]);
        let row = HistoryRow {
            id: DeliveryId::from_bytes([0; 16]),
            owner: "shop".to_owned(),
            accepted: SimTime(1),
            ended: SimTime(8),
            stage: Stage::Completed,
            package: "box".to_owned(),
            record: Vec::new(),
        };
        history::put_rows(&store.conn, &[row]).unwrap();
        assert_eq!(newest(&mut store), [Some(0), Some(0), Some(2)]);
    }
}
