//! Deliveries that have ended: their rows, the questions that indexes answer, and a
//! connection of its own for whoever asks while the writer writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::line::Line;
use super::link::{Link, Request};
use super::trouble::Trouble;
use super::{TO_ANSWER, at_most, delivery_id, number, unsigned};
use crate::sim::calendar::{Day, Month};
use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::SimTime;
use crate::store::{Found, HistoryQuery, HistoryReader, HistoryRow, MovedDay, Snapshot, StoreError, SumRow};

const COLUMNS: &str = "delivery_id, owner, ended, stage, package, record, accepted";
const SUMS: &str = "SELECT owner, month, completed, weight_kg, flights, flown_m, airborne_s FROM sums";

pub(super) const PUT_HISTORY: &str = "INSERT INTO history
     (delivery_id, owner, ended, stage, package, record, accepted)
     SELECT * FROM unnest($1::bytea[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bytea[],
         $7::bigint[])
     ON CONFLICT (delivery_id) DO UPDATE SET owner = excluded.owner, ended = excluded.ended,
         stage = excluded.stage, package = excluded.package, record = excluded.record,
         accepted = excluded.accepted";
pub(super) const END_RECORDS: &str = "DELETE FROM record WHERE delivery_id = ANY($1::bytea[])";
pub(super) const PUT_SUMS: &str = "INSERT INTO sums
     (owner, month, completed, weight_kg, flights, flown_m, airborne_s)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::double precision[],
         $5::bigint[], $6::double precision[], $7::double precision[])
     ON CONFLICT (owner, month) DO UPDATE SET completed = excluded.completed,
         weight_kg = excluded.weight_kg, flights = excluded.flights, flown_m = excluded.flown_m,
         airborne_s = excluded.airborne_s";

/// Rows a request, whose records are some hundred bytes each.
const ROWS_A_REQUEST: usize = 4_096;

/// Another connection to the same database, without the lock.
pub(super) struct PostgresReader {
    pub line: Arc<Line>,
    /// `None` until the first question, and from when it is lost to the next.
    pub link: Option<Link>,
}

impl HistoryReader for PostgresReader {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        let ask = |link: Option<Link>| {
            let mut link = match link.filter(|link| !link.is_closed()) {
                Some(link) => link,
                None => self.line.reading_link()?,
            };
            let found = self.line.wait(TO_ANSWER, answer(&mut link, query))?;
            Ok((link, found))
        };
        let (link, found) = ask(self.link.take()).map_err(|trouble: Trouble| self.line.told(trouble))?;
        self.link = Some(link);
        Ok(found)
    }
}

/// The stages that a row may have.
fn ends() -> impl Iterator<Item = Stage> {
    Stage::ALL.into_iter().filter(|stage| stage.is_terminal())
}

pub(super) async fn answer(link: &mut Link, query: &HistoryQuery) -> Result<Found, Trouble> {
    // No text of a database's holds one, and it would part with whoever asked for it.
    if names_in(query)
        .into_iter()
        .flatten()
        .any(|name| name.contains('\0'))
    {
        return Ok(Found::default());
    }
    let rows = match query {
        HistoryQuery::Delivery(id) => {
            let id = &id.as_bytes()[..];
            let rows = select(link, "delivery_id = $1", "", &[&id]).await?;
            let moved = match rows.is_empty() {
                true => day(link, "SELECT day FROM moved WHERE delivery_id = $1", &id).await?,
                false => None,
            };
            return Ok(Found { rows, moved });
        }
        HistoryQuery::Day(asked) => {
            let moved = day(link, "SELECT day FROM moved_day WHERE day = $1", &asked.0).await?;
            return Ok(Found {
                rows: Vec::new(),
                moved,
            });
        }
        HistoryQuery::ById {
            owner,
            stage,
            after,
            limit,
        } => by_id(link, owner.as_deref(), *stage, *after, *limit).await?,
        HistoryQuery::ByEnd {
            owner,
            from,
            until,
            after,
            limit,
        } => by_end(link, owner.as_deref(), (*from, *until), *after, *limit).await?,
        HistoryQuery::Newest { limit } => {
            let newest = "ORDER BY ended DESC, delivery_id DESC LIMIT $1";
            select(link, "true", newest, &[&at_most(*limit)]).await?
        }
        HistoryQuery::Package { id, owner } => {
            let newest = "ORDER BY accepted DESC, delivery_id DESC LIMIT 1";
            match owner {
                None => select(link, "package = $1", newest, &[id]).await?,
                Some(owner) => select(link, "package = $1 AND owner = $2", newest, &[id, owner]).await?,
            }
        }
    };
    Ok(Found { rows, moved: None })
}

/// What a client calls an account and a package, where the question is about one.
fn names_in(query: &HistoryQuery) -> [Option<&str>; 2] {
    match query {
        HistoryQuery::ById { owner, .. } | HistoryQuery::ByEnd { owner, .. } => [owner.as_deref(), None],
        HistoryQuery::Package { id, owner } => [owner.as_deref(), Some(id)],
        HistoryQuery::Delivery(_) | HistoryQuery::Day(_) | HistoryQuery::Newest { .. } => [None, None],
    }
}

async fn by_id(
    link: &mut Link,
    owner: Option<&str>,
    stage: Option<Stage>,
    after: Option<DeliveryId>,
    limit: usize,
) -> Result<Vec<HistoryRow>, Trouble> {
    let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
    let most = at_most(limit);
    let page = "ORDER BY delivery_id LIMIT $2";
    let Some(owner) = owner else {
        return match stage.map(Stage::as_str) {
            None => select(link, "delivery_id > $1", page, &[&after, &most]).await,
            Some(stage) => {
                let filter = "stage = $3 AND delivery_id > $1";
                select(link, filter, page, &[&after, &most, &stage]).await
            }
        };
    };
    // The index has an account's deliveries by stage: each of them in order of ids.
    let mut rows = Vec::new();
    for stage in ends().filter(|end| stage.is_none_or(|stage| stage == *end)) {
        let filter = "owner = $3 AND stage = $4 AND delivery_id > $1";
        let stage = stage.as_str();
        rows.extend(select(link, filter, page, &[&after, &most, &owner, &stage]).await?);
    }
    rows.sort_unstable_by_key(|row| row.id);
    rows.truncate(limit);
    Ok(rows)
}

async fn by_end(
    link: &mut Link,
    owner: Option<&str>,
    (from, until): (SimTime, SimTime),
    after: Option<(SimTime, DeliveryId)>,
    limit: usize,
) -> Result<Vec<HistoryRow>, Trouble> {
    // What comes after nothing of this moment comes from its first on.
    let start = after.filter(|(ended, _)| *ended >= from);
    let ended = number(start.map_or(from, |(ended, _)| ended).0);
    let id = start.as_ref().map_or(&[][..], |(_, id)| id.as_bytes());
    let (until, most) = (number(until.0), at_most(limit));
    let page = "ORDER BY ended, delivery_id LIMIT $4";
    match owner {
        None => {
            let filter = "(ended, delivery_id) > ($1, $2) AND ended < $3";
            select(link, filter, page, &[&ended, &id, &until, &most]).await
        }
        Some(owner) => {
            let filter = "owner = $5 AND (ended, delivery_id) > ($1, $2) AND ended < $3";
            select(link, filter, page, &[&ended, &id, &until, &most, &owner]).await
        }
    }
}

async fn select(
    link: &mut Link,
    filter: &str,
    page: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Vec<HistoryRow>, Trouble> {
    let sql = format!("SELECT {COLUMNS} FROM history WHERE {filter} {page}");
    link.rows(&sql, parameters).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<HistoryRow, Trouble> {
    let name: &str = row.try_get(3)?;
    let stage = Stage::ALL.into_iter().find(|stage| stage.as_str() == name);
    Ok(HistoryRow {
        id: delivery_id(row.try_get(0)?)?,
        owner: row.try_get(1)?,
        ended: SimTime(unsigned(row.try_get(2)?)?),
        stage: stage.ok_or_else(|| StoreError::Corrupt {
            what: format!("no stage is called {name}"),
        })?,
        package: row.try_get(4)?,
        record: row.try_get(5)?,
        accepted: SimTime(unsigned(row.try_get(6)?)?),
    })
}

async fn day(link: &mut Link, sql: &str, of: &(dyn ToSql + Sync)) -> Result<Option<Day>, Trouble> {
    let rows = link.rows(sql, &[of]).await?;
    Ok(rows.first().map(|row| row.try_get(0)).transpose()?.map(Day))
}

/// Removes some of a day's rows, and notes where they went: one statement, all or nothing.
pub(super) async fn move_out(link: &mut Link, moved: &MovedDay, limit: usize) -> Result<usize, Trouble> {
    let sql = "WITH known AS (INSERT INTO moved_day (day) VALUES ($4) ON CONFLICT DO NOTHING),
        gone AS (DELETE FROM history WHERE delivery_id IN
            (SELECT delivery_id FROM history WHERE ended >= $1 AND ended < $2
             ORDER BY ended, delivery_id LIMIT $3)
            RETURNING delivery_id)
        INSERT INTO moved (delivery_id, day) SELECT delivery_id, $4 FROM gone
        ON CONFLICT (delivery_id) DO UPDATE SET day = excluded.day";
    let (from, until) = (number(moved.from.0), number(moved.until.0));
    link.change(sql, &[&from, &until, &at_most(limit), &moved.day.0])
        .await
}

/// What a snapshot brings: rows that are there already are the same.
pub(super) fn put<'a>(requests: &mut Vec<Request<'a>>, snapshot: &'a Snapshot) {
    put_rows(requests, &snapshot.history);
    let ended: Vec<&[u8]> = snapshot.ended().map(|id| &id.as_bytes()[..]).collect();
    for some in ended.chunks(ROWS_A_REQUEST) {
        requests.push(Request::Prepared(END_RECORDS, vec![Box::new(some.to_vec())]));
    }
    put_sums(requests, &snapshot.sums);
}

pub(super) fn put_rows<'a>(requests: &mut Vec<Request<'a>>, rows: &'a [HistoryRow]) {
    // Of several rows of one delivery the last stands.
    let rows: BTreeMap<DeliveryId, &HistoryRow> = rows.iter().map(|row| (row.id, row)).collect();
    let rows: Vec<&HistoryRow> = rows.into_values().collect();
    for some in rows.chunks(ROWS_A_REQUEST) {
        let column =
            |of: fn(&HistoryRow) -> &str| -> Vec<&'a str> { some.iter().map(|row| of(row)).collect() };
        let ids: Vec<&[u8]> = some.iter().map(|row| &row.id.as_bytes()[..]).collect();
        let ended: Vec<i64> = some.iter().map(|row| number(row.ended.0)).collect();
        let records: Vec<&[u8]> = some.iter().map(|row| &row.record[..]).collect();
        let accepted: Vec<i64> = some.iter().map(|row| number(row.accepted.0)).collect();
        let parameters = vec![
            Box::new(ids) as _,
            Box::new(column(|row| &row.owner)) as _,
            Box::new(ended) as _,
            Box::new(column(|row| row.stage.as_str())) as _,
            Box::new(column(|row| &row.package)) as _,
            Box::new(records) as _,
            Box::new(accepted) as _,
        ];
        requests.push(Request::Prepared(PUT_HISTORY, parameters));
    }
}

fn put_sums<'a>(requests: &mut Vec<Request<'a>>, sums: &'a [SumRow]) {
    let sums: BTreeMap<(&str, Month), &Sums> = sums
        .iter()
        .map(|row| ((&row.owner[..], row.month), &row.sums))
        .collect();
    let sums: Vec<_> = sums.into_iter().collect();
    for some in sums.chunks(ROWS_A_REQUEST) {
        let counts =
            |of: fn(&Sums) -> u64| -> Vec<i64> { some.iter().map(|(_, sums)| number(of(sums))).collect() };
        let amounts = |of: fn(&Sums) -> f64| -> Vec<f64> { some.iter().map(|(_, sums)| of(sums)).collect() };
        let owners: Vec<&str> = some.iter().map(|((owner, _), _)| *owner).collect();
        let months: Vec<i32> = some.iter().map(|((_, month), _)| month.number()).collect();
        let parameters = vec![
            Box::new(owners) as _,
            Box::new(months) as _,
            Box::new(counts(|sums| sums.completed)) as _,
            Box::new(amounts(|sums| sums.weight_kg)) as _,
            Box::new(counts(|sums| sums.flights)) as _,
            Box::new(amounts(|sums| sums.flown_m)) as _,
            Box::new(amounts(|sums| sums.airborne_s)) as _,
        ];
        requests.push(Request::Prepared(PUT_SUMS, parameters));
    }
}

/// Whether all that the snapshot brings is there.
pub(super) async fn has(link: &mut Link, snapshot: &Snapshot) -> Result<bool, Trouble> {
    for row in &snapshot.history {
        let found = answer(link, &HistoryQuery::Delivery(row.id)).await?;
        if found.rows.first() != Some(row) {
            return Ok(false);
        }
    }
    let sql = format!("{SUMS} WHERE owner = $1 AND month = $2");
    for row in &snapshot.sums {
        let found = link.rows(&sql, &[&row.owner, &row.month.number()]).await?;
        if found.first().map(read_sums).transpose()?.as_ref() != Some(row) {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) async fn sums(
    link: &mut Link,
    after: Option<(&str, Month)>,
    limit: usize,
) -> Result<Vec<SumRow>, Trouble> {
    // No account's name is empty.
    let (owner, month) = after.map_or(("", i32::MIN), |(owner, month)| (owner, month.number()));
    let sql = format!("{SUMS} WHERE (owner, month) > ($1, $2) ORDER BY owner, month LIMIT $3");
    let rows = link.rows(&sql, &[&owner, &month, &at_most(limit)]).await?;
    rows.iter().map(read_sums).collect()
}

fn read_sums(row: &Row) -> Result<SumRow, Trouble> {
    Ok(SumRow {
        owner: row.try_get(0)?,
        month: Month::from_number(row.try_get(1)?),
        sums: Sums {
            completed: unsigned(row.try_get(2)?)?,
            weight_kg: row.try_get(3)?,
            flights: unsigned(row.try_get(4)?)?,
            flown_m: row.try_get(5)?,
            airborne_s: row.try_get(6)?,
        },
    })
}
