//! Deliveries that have ended: their rows, the questions that indexes answer, and a
//! connection of its own for whoever asks while the writer writes.

use std::path::Path;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::SqliteStore;
use super::open::{BUSY_TIMEOUT, STATEMENTS_CACHED};
use crate::sim::calendar::{Day, Month};
use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::SimTime;
use crate::store::{Found, HistoryQuery, HistoryReader, HistoryRow, MovedDay, Snapshot, StoreError, SumRow};

const COLUMNS: &str = "delivery_id, owner, ended, stage, package, record, accepted";

/// The stages that a row may have.
fn ends() -> impl Iterator<Item = Stage> {
    Stage::ALL.into_iter().filter(|stage| stage.is_terminal())
}

/// Another connection to the same database.
pub(super) struct SqliteReader {
    conn: Connection,
}

impl SqliteReader {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        Ok(SqliteReader { conn })
    }
}

impl HistoryReader for SqliteReader {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        answer(&self.conn, query)
    }
}

impl HistoryReader for SqliteStore {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        answer(&self.conn, query)
    }
}

fn answer(conn: &Connection, query: &HistoryQuery) -> Result<Found, StoreError> {
    let rows = match query {
        HistoryQuery::Delivery(id) => {
            let rows = select(conn, "delivery_id = ?1", "", params![id.as_bytes()])?;
            let moved = match rows.is_empty() {
                true => moved_to(conn, *id)?,
                false => None,
            };
            return Ok(Found { rows, moved });
        }
        HistoryQuery::Day(day) => {
            let known = conn
                .prepare_cached("SELECT day FROM moved_day WHERE day = ?1")?
                .query_row([day.0], |row| row.get(0))
                .optional()?;
            return Ok(Found {
                rows: Vec::new(),
                moved: known.map(Day),
            });
        }
        HistoryQuery::ById {
            owner,
            stage,
            after,
            limit,
        } => by_id(conn, owner.as_deref(), *stage, *after, *limit)?,
        HistoryQuery::ByEnd {
            owner,
            from,
            until,
            after,
            limit,
        } => by_end(conn, owner.as_deref(), (*from, *until), *after, *limit)?,
        HistoryQuery::Newest { limit } => select(
            conn,
            "true",
            "ORDER BY ended DESC, delivery_id DESC LIMIT ?1",
            params![limit],
        )?,
        HistoryQuery::Package { id, owner } => {
            let newest = "ORDER BY accepted DESC, delivery_id DESC LIMIT 1";
            match owner {
                None => select(conn, "package = ?1", newest, params![id])?,
                Some(owner) => select(conn, "package = ?1 AND owner = ?2", newest, params![id, owner])?,
            }
        }
    };
    Ok(Found { rows, moved: None })
}

fn by_id(
    conn: &Connection,
    owner: Option<&str>,
    stage: Option<Stage>,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<HistoryRow>, StoreError> {
    let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let page = "ORDER BY delivery_id LIMIT ?2";
    let Some(owner) = owner else {
        return match stage {
            None => select(conn, "delivery_id > ?1", page, params![after, limit]),
            Some(stage) => {
                let filter = "stage = ?3 AND delivery_id > ?1";
                select(conn, filter, page, params![after, limit, stage.as_str()])
            }
        };
    };
    // The index has an account's deliveries by stage: each of them in order of ids.
    let mut rows = Vec::new();
    for stage in ends().filter(|end| stage.is_none_or(|stage| stage == *end)) {
        let filter = "owner = ?3 AND stage = ?4 AND delivery_id > ?1";
        let found = select(conn, filter, page, params![after, limit, owner, stage.as_str()])?;
        rows.extend(found);
    }
    rows.sort_unstable_by_key(|row| row.id);
    rows.truncate(limit);
    Ok(rows)
}

fn by_end(
    conn: &Connection,
    owner: Option<&str>,
    (from, until): (SimTime, SimTime),
    after: Option<(SimTime, DeliveryId)>,
    limit: usize,
) -> Result<Vec<HistoryRow>, StoreError> {
    // What comes after nothing of this moment comes from its first on.
    let start = after.filter(|(ended, _)| *ended >= from);
    let ended = clipped(start.map_or(from, |(ended, _)| ended));
    let id = start.as_ref().map_or(&[][..], |(_, id)| id.as_bytes());
    let until = clipped(until);
    let page = "ORDER BY ended, delivery_id LIMIT ?4";
    match owner {
        None => {
            let filter = "(ended, delivery_id) > (?1, ?2) AND ended < ?3";
            select(conn, filter, page, params![ended, id, until, limit])
        }
        Some(owner) => {
            let filter = "owner = ?5 AND (ended, delivery_id) > (?1, ?2) AND ended < ?3";
            select(conn, filter, page, params![ended, id, until, limit, owner])
        }
    }
}

/// Times are kept as SQLite's integers, which have a sign.
fn clipped(at: SimTime) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn select(
    conn: &Connection,
    filter: &str,
    page: &str,
    params: &[&dyn ToSql],
) -> Result<Vec<HistoryRow>, StoreError> {
    let rows = conn
        .prepare_cached(&format!("SELECT {COLUMNS} FROM history WHERE {filter} {page}"))?
        .query_map(params, read)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

fn read(row: &Row<'_>) -> rusqlite::Result<HistoryRow> {
    Ok(HistoryRow {
        id: DeliveryId::from_bytes(row.get(0)?),
        owner: row.get(1)?,
        ended: SimTime(row.get(2)?),
        stage: stage_of(row, 3)?,
        package: row.get(4)?,
        record: row.get(5)?,
        accepted: SimTime(row.get(6)?),
    })
}

fn stage_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Stage> {
    let name = row.get_ref(column)?.as_str()?;
    let found = Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
    found.ok_or_else(|| {
        let what = format!("no stage is called {name}");
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
    })
}

fn moved_to(conn: &Connection, id: DeliveryId) -> Result<Option<Day>, StoreError> {
    let day = conn
        .prepare_cached("SELECT day FROM moved WHERE delivery_id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(day.map(Day))
}

/// Removes some of a day's rows, and notes where they went.
pub(super) fn move_out(conn: &Connection, moved: &MovedDay, limit: usize) -> Result<usize, StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO moved_day (day) VALUES (?1)")?
        .execute([moved.day.0])?;
    let ids: Vec<[u8; 16]> = conn
        .prepare_cached(
            "SELECT delivery_id FROM history WHERE ended >= ?1 AND ended < ?2
             ORDER BY ended, delivery_id LIMIT ?3",
        )?
        .query_map(params![clipped(moved.from), clipped(moved.until), limit], |row| {
            row.get(0)
        })?
        .collect::<Result<_, _>>()?;
    let mut note = conn.prepare_cached("INSERT OR REPLACE INTO moved (delivery_id, day) VALUES (?1, ?2)")?;
    let mut remove = conn.prepare_cached("DELETE FROM history WHERE delivery_id = ?1")?;
    for id in &ids {
        note.execute(params![id, moved.day.0])?;
        remove.execute([id])?;
    }
    Ok(ids.len())
}

/// Rows that are there already are the same.
pub(super) fn put_rows(conn: &Connection, rows: &[HistoryRow]) -> Result<(), StoreError> {
    let mut put = conn.prepare_cached(
        "INSERT OR REPLACE INTO history (delivery_id, owner, ended, stage, package, record, accepted)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for row in rows {
        put.execute(params![
            row.id.as_bytes(),
            row.owner,
            row.ended.0,
            row.stage.as_str(),
            row.package,
            row.record,
            row.accepted.0
        ])?;
    }
    Ok(())
}

/// What a snapshot brings.
pub(super) fn put(conn: &Connection, snapshot: &Snapshot) -> Result<(), StoreError> {
    put_rows(conn, &snapshot.history)?;
    let mut ended = conn.prepare_cached("DELETE FROM record WHERE delivery_id = ?1")?;
    for id in snapshot.ended() {
        ended.execute([id.as_bytes()])?;
    }
    let mut sum = conn.prepare_cached(
        "INSERT OR REPLACE INTO sums (owner, month, completed, weight_kg, flights, flown_m, airborne_s)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for SumRow { owner, month, sums } in &snapshot.sums {
        sum.execute(params![
            owner,
            month.number(),
            sums.completed,
            sums.weight_kg,
            sums.flights,
            sums.flown_m,
            sums.airborne_s
        ])?;
    }
    Ok(())
}

/// Whether all that the snapshot brings is there.
pub(super) fn has(conn: &Connection, snapshot: &Snapshot) -> Result<bool, StoreError> {
    for row in &snapshot.history {
        if answer(conn, &HistoryQuery::Delivery(row.id))?.rows.first() != Some(row) {
            return Ok(false);
        }
    }
    let mut stored = conn.prepare_cached(&format!("{SUMS} WHERE owner = ?1 AND month = ?2"))?;
    for row in &snapshot.sums {
        let found = stored
            .query_row(params![row.owner, row.month.number()], read_sums)
            .optional()?;
        if found.as_ref() != Some(row) {
            return Ok(false);
        }
    }
    Ok(true)
}

const SUMS: &str = "SELECT owner, month, completed, weight_kg, flights, flown_m, airborne_s FROM sums";

pub(super) fn sums(
    conn: &Connection,
    after: Option<(&str, Month)>,
    limit: usize,
) -> Result<Vec<SumRow>, StoreError> {
    // No account's name is empty.
    let (owner, month) = after.map_or(("", i32::MIN), |(owner, month)| (owner, month.number()));
    let page = "WHERE (owner, month) > (?1, ?2) ORDER BY owner, month LIMIT ?3";
    let rows = conn
        .prepare_cached(&format!("{SUMS} {page}"))?
        .query_map(params![owner, month, limit], read_sums)?
        .collect::<Result<_, _>>()?;
    Ok(rows)
}

fn read_sums(row: &Row<'_>) -> rusqlite::Result<SumRow> {
    Ok(SumRow {
        owner: row.get(0)?,
        month: Month::from_number(row.get(1)?),
        sums: Sums {
            completed: row.get(2)?,
            weight_kg: row.get(3)?,
            flights: row.get(4)?,
            flown_m: row.get(5)?,
            airborne_s: row.get(6)?,
        },
    })
}
