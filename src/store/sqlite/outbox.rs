//! Notices that wait for the courier.

use rusqlite::{Connection, params};

use crate::sim::notice::Notice;
use crate::store::{StoreError, rules};

pub(super) fn post(conn: &Connection, notices: &[Notice]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached("INSERT INTO outbox (notice) VALUES (?1)")?;
    for notice in notices {
        insert.execute([rules::encode_notice(notice)?])?;
    }
    Ok(())
}

pub(super) fn read(conn: &Connection, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, StoreError> {
    let mut select =
        conn.prepare_cached("SELECT number, notice FROM outbox WHERE number > ?1 ORDER BY number LIMIT ?2")?;
    let rows = select.query_map(params![after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let decoded = |row: Result<(u64, Vec<u8>), rusqlite::Error>| {
        let (number, bytes) = row?;
        Ok((number, rules::decode_notice(number, &bytes)?))
    };
    rows.map(decoded).collect()
}

/// SQLite remembers the last number of a table whose numbers are never given twice, whatever
/// was removed since.
pub(super) fn last(conn: &Connection) -> Result<u64, StoreError> {
    let last = conn
        .prepare_cached("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'outbox'")?
        .query_row([], |row| row.get(0))?;
    Ok(last)
}

pub(super) fn take_off(conn: &mut Connection, numbers: &[u64]) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    {
        let mut delete = tx.prepare_cached("DELETE FROM outbox WHERE number = ?1")?;
        for number in numbers {
            delete.execute([number])?;
        }
    }
    tx.commit()?;
    Ok(())
}
