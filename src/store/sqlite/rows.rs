//! Writing rows within a transaction: each continues what is there, or equals it.

use rusqlite::{Connection, OptionalExtension, params};

use super::history;
use super::outbox;
use super::undo;
use crate::sim::ids::DeliveryId;
use crate::sim::time::Tick;
use crate::store::rules::{self, Head, Standing, same, wall_ms};
use crate::store::undo::check_slices;
use crate::store::{IngestBatch, Snapshot, StoreError, TickRow};

const TICK_BY_NUMBER: &str =
    "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick WHERE tick = ?1";

/// Where the journal ends.
pub(super) fn read_head(conn: &Connection) -> Result<Head, StoreError> {
    let last_stored: u64 = conn
        .prepare_cached("SELECT last_seq FROM ingest ORDER BY first_seq DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let (last_tick, admitted_through): (u64, u64) = conn
        .prepare_cached("SELECT tick, admitted_through FROM tick ORDER BY tick DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
        .unwrap_or((0, 0));
    Ok(Head::new(last_stored, last_tick, admitted_through))
}

pub(super) fn put_batch(conn: &Connection, head: &mut Head, batch: &IngestBatch) -> Result<(), StoreError> {
    if batch.commands.is_empty() {
        return Ok(());
    }
    let (first, last) = (batch.first_seq, batch.next_seq() - 1);
    let bytes = rules::encode_batch(&batch.commands)?;
    if head.take_batch(batch)? == Standing::Repeated {
        let stored: Option<Vec<u8>> = conn
            .prepare_cached("SELECT commands FROM ingest WHERE first_seq = ?1")?
            .query_row([first], |row| row.get(0))
            .optional()?;
        return same(stored.as_deref() == Some(bytes.as_slice()), || {
            format!("commands {first} to {last}")
        });
    }
    conn.prepare_cached("INSERT INTO ingest (first_seq, last_seq, commands) VALUES (?1, ?2, ?3)")?
        .execute(params![first, last, bytes])?;
    let now = wall_ms();
    for (key, delivery) in rules::keys_of(batch) {
        conn.prepare_cached(
            "INSERT INTO idempotency (key, delivery_id, kept_since) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![key, delivery, now])?;
    }
    Ok(())
}

pub(super) fn put_tick(conn: &Connection, head: &mut Head, row: &TickRow) -> Result<(), StoreError> {
    if head.take_tick(row)? == Standing::Repeated {
        let stored = conn
            .prepare_cached(TICK_BY_NUMBER)?
            .query_row([row.tick], read_tick)
            .optional()?;
        return same(stored == Some(row.as_kept()), || format!("tick {}", row.tick));
    }
    insert_tick(conn, row)?;
    outbox::post(conn, &row.notices)
}

pub(super) fn insert_tick(conn: &Connection, row: &TickRow) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO tick (tick, admitted_through, first_event, event_count, digest, events)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        row.tick,
        row.admitted_through,
        row.first_event,
        row.event_count,
        row.digest,
        row.events
    ])?;
    Ok(())
}

/// A row of [`TICK_BY_NUMBER`] and its like.
pub(super) fn read_tick(row: &rusqlite::Row<'_>) -> rusqlite::Result<TickRow> {
    Ok(TickRow {
        notices: Vec::new(),
        tick: row.get(0)?,
        admitted_through: row.get(1)?,
        first_event: row.get(2)?,
        event_count: row.get(3)?,
        digest: row.get(4)?,
        events: row.get(5)?,
    })
}

pub(super) fn put_snapshot(conn: &Connection, head: &Head, snapshot: &Snapshot) -> Result<(), StoreError> {
    let previous: Option<u64> = conn
        .prepare_cached("SELECT tick FROM snapshot")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if head.take_snapshot(previous, snapshot)? == Standing::Repeated {
        return same(merged_already(conn, snapshot)?, || {
            format!("the snapshot at tick {}", snapshot.tick)
        });
    }
    check_slices(undo::last_slice(conn)?, snapshot)?;
    if let Some(tick) = previous {
        prune_before(conn, tick, snapshot.keep_events_from)?;
    }
    conn.prepare_cached(
        "INSERT OR REPLACE INTO snapshot (id, tick, events_through, whole_from, engine, totals)
         VALUES (0, ?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        snapshot.tick,
        snapshot.events_through,
        previous.unwrap_or(0),
        snapshot.engine,
        snapshot.totals
    ])?;
    put_actors(conn, &snapshot.actors)?;
    put_records(conn, &snapshot.records)?;
    history::put(conn, snapshot)?;
    undo::forget(conn, snapshot.tick)?;
    Ok(())
}

/// States by their keys; `None` for one that ended.
pub(super) fn put_actors(conn: &Connection, actors: &[(Vec<u8>, Option<Vec<u8>>)]) -> rusqlite::Result<()> {
    let mut put = conn.prepare_cached("INSERT OR REPLACE INTO actor (key, state) VALUES (?1, ?2)")?;
    let mut end = conn.prepare_cached("DELETE FROM actor WHERE key = ?1")?;
    for (key, state) in actors {
        match state {
            Some(state) => put.execute(params![key, state])?,
            None => end.execute([key])?,
        };
    }
    Ok(())
}

pub(super) fn put_records(conn: &Connection, records: &[(DeliveryId, Vec<u8>)]) -> rusqlite::Result<()> {
    let mut put =
        conn.prepare_cached("INSERT OR REPLACE INTO record (delivery_id, record) VALUES (?1, ?2)")?;
    for (id, record) in records {
        put.execute(params![id.as_bytes(), record])?;
    }
    Ok(())
}

fn merged_already(conn: &Connection, snapshot: &Snapshot) -> Result<bool, StoreError> {
    let (engine, totals): (Vec<u8>, Vec<u8>) = conn
        .prepare_cached("SELECT engine, totals FROM snapshot")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if engine != snapshot.engine || totals != snapshot.totals {
        return Ok(false);
    }
    let mut actor = conn.prepare_cached("SELECT state FROM actor WHERE key = ?1")?;
    for (key, state) in &snapshot.actors {
        let stored: Option<Vec<u8>> = actor.query_row([key], |row| row.get(0)).optional()?;
        if stored != *state {
            return Ok(false);
        }
    }
    let mut record = conn.prepare_cached("SELECT record FROM record WHERE delivery_id = ?1")?;
    for (id, bytes) in &snapshot.records {
        let stored: Option<Vec<u8>> = record.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
        if stored.as_ref() != Some(bytes) {
            return Ok(false);
        }
    }
    history::has(conn, snapshot)
}

/// Forgets what was before the snapshot at `tick`, but for the events that listeners may still
/// ask for.
fn prune_before(conn: &Connection, tick: Tick, keep_events_from: Tick) -> Result<(), StoreError> {
    conn.prepare_cached(
        "DELETE FROM ingest WHERE last_seq <= (SELECT admitted_through FROM tick WHERE tick = ?1)",
    )?
    .execute([tick])?;
    conn.prepare_cached("DELETE FROM tick WHERE tick < ?1")?
        .execute([tick.min(keep_events_from)])?;
    conn.prepare_cached("DELETE FROM tick WHERE tick < ?1 AND event_count = 0")?
        .execute([tick])?;
    Ok(())
}
