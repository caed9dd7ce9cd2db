//! Slices of a snapshot to come: written with what they overwrite, and put back.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::rows::{put_actors, put_records};
use crate::sim::time::Tick;
use crate::store::rules::Standing;
use crate::store::undo::{Overwritten, SliceId, take_slice};
use crate::store::{Slice, StoreError};

/// The last slice that is in and whose snapshot is not.
pub(super) fn last_slice(conn: &Connection) -> Result<Option<SliceId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT tick, number FROM undo ORDER BY tick DESC, number DESC LIMIT 1")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

pub(super) fn put_slice(conn: &Connection, slice: &Slice) -> Result<(), StoreError> {
    let snapshot: Option<Tick> = conn
        .prepare_cached("SELECT tick FROM snapshot")?
        .query_row([], |row| row.get(0))
        .optional()?;
    if take_slice(snapshot, last_slice(conn)?, slice)? == Standing::Repeated {
        return Ok(());
    }
    let overwritten = overwritten_by(conn, slice)?.encode()?;
    conn.prepare_cached("INSERT INTO undo (tick, number, rows) VALUES (?1, ?2, ?3)")?
        .execute(params![slice.tick, slice.number, overwritten])?;
    put_actors(conn, &slice.actors)?;
    put_records(conn, &slice.records)?;
    Ok(())
}

fn overwritten_by(conn: &Connection, slice: &Slice) -> Result<Overwritten, StoreError> {
    let mut overwritten = Overwritten::default();
    let mut actor = conn.prepare_cached("SELECT state FROM actor WHERE key = ?1")?;
    for (key, _) in &slice.actors {
        let state = actor.query_row([key], |row| row.get(0)).optional()?;
        overwritten.actors.push((key.clone(), state));
    }
    let mut record = conn.prepare_cached("SELECT record FROM record WHERE delivery_id = ?1")?;
    for (id, _) in &slice.records {
        let bytes = record.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
        overwritten.records.push((*id, bytes));
    }
    Ok(overwritten)
}

/// The slices of the snapshot at this tick are no longer ahead of it.
pub(super) fn forget(conn: &Connection, tick: Tick) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM undo WHERE tick <= ?1")?
        .execute([tick])?;
    Ok(())
}

/// Makes the store of a server that ended between the slices of a snapshot, or a copy that was
/// made between them, the one of the snapshot before.
pub(super) fn put_back(conn: &mut Connection) -> Result<(), StoreError> {
    let Some((tick, number)) = last_slice(conn)? else {
        return Ok(());
    };
    tracing::info!(
        tick,
        slices = number + 1,
        "a snapshot was half written, the one before it is put back"
    );
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    {
        let mut undo = tx.prepare("SELECT tick, number, rows FROM undo ORDER BY tick DESC, number DESC")?;
        let mut slices = undo.query([])?;
        while let Some(row) = slices.next()? {
            let bytes = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
            let overwritten = Overwritten::decode((row.get(0)?, row.get(1)?), bytes)?;
            put_actors(&tx, &overwritten.actors)?;
            put_old_records(&tx, overwritten)?;
        }
    }
    tx.execute("DELETE FROM undo", [])?;
    tx.commit()?;
    Ok(())
}

fn put_old_records(conn: &Connection, overwritten: Overwritten) -> rusqlite::Result<()> {
    let mut end_record = conn.prepare_cached("DELETE FROM record WHERE delivery_id = ?1")?;
    let mut old = Vec::new();
    for (id, record) in overwritten.records {
        match record {
            Some(record) => old.push((id, record)),
            None => {
                end_record.execute([id.as_bytes()])?;
            }
        }
    }
    put_records(conn, &old)
}
