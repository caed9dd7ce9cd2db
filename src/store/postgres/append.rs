//! From a flush to requests: all is checked against the journal's end, which this connection
//! alone moves, before anything is sent; then everything goes in one transaction, with one
//! way there and back for the most.

use std::collections::BTreeMap;

use tokio_postgres::Row;

use super::link::{Link, Request};
use super::trouble::Trouble;
use super::{history, number, outbox, undo, unsigned};
use crate::sim::ids::DeliveryId;
use crate::sim::time::Tick;
use crate::store::rules::{self, Standing, same, wall_ms};
use crate::store::undo::{check_slices, take_slice};
use crate::store::{Flush, IngestBatch, Snapshot, StoreError, TickRow};

const PUT_BATCHES: &str = "INSERT INTO ingest (first_seq, last_seq, commands)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])";
const PUT_KEYS: &str = "INSERT INTO idempotency (key, delivery_id, kept_since)
     SELECT key, delivery_id, $3 FROM unnest($1::text[], $2::bytea[]) AS new (key, delivery_id)
     ON CONFLICT DO NOTHING";
const PUT_TICKS: &str = "INSERT INTO tick (tick, admitted_through, first_event, event_count, digest, events)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[])";
const PRUNE_BATCHES: &str = "DELETE FROM ingest
     WHERE last_seq <= (SELECT admitted_through FROM tick WHERE tick = $1)";
const PRUNE_TICKS: &str = "DELETE FROM tick WHERE tick < $1";
const PRUNE_EMPTY_TICKS: &str = "DELETE FROM tick WHERE tick < $1 AND event_count = 0";
const PUT_SNAPSHOT: &str = "INSERT INTO snapshot (id, tick, events_through, whole_from, engine, totals)
     VALUES (0, $1, $2, $3, $4, $5)
     ON CONFLICT (id) DO UPDATE SET tick = excluded.tick, events_through = excluded.events_through,
         whole_from = excluded.whole_from, engine = excluded.engine,
         totals = excluded.totals";
pub(super) const PUT_ACTORS: &str =
    "INSERT INTO actor (key, state) SELECT * FROM unnest($1::bytea[], $2::bytea[])
     ON CONFLICT (key) DO UPDATE SET state = excluded.state";
pub(super) const END_ACTORS: &str = "DELETE FROM actor WHERE key = ANY($1::bytea[])";
pub(super) const PUT_RECORDS: &str =
    "INSERT INTO record (delivery_id, record) SELECT * FROM unnest($1::bytea[], $2::bytea[])
     ON CONFLICT (delivery_id) DO UPDATE SET record = excluded.record";

/// All that a flush may send.
pub(super) const STATEMENTS: [&str; 17] = [
    PUT_BATCHES,
    PUT_KEYS,
    PUT_TICKS,
    outbox::PUT_NOTICES,
    outbox::SET_POSTED,
    PRUNE_BATCHES,
    PRUNE_TICKS,
    PRUNE_EMPTY_TICKS,
    PUT_SNAPSHOT,
    PUT_ACTORS,
    END_ACTORS,
    PUT_RECORDS,
    undo::PUT_UNDO,
    undo::FORGET_UNDO,
    history::PUT_HISTORY,
    history::END_RECORDS,
    history::PUT_SUMS,
];

/// What one request may carry, bytes: PostgreSQL takes a message of up to a GiB.
const BYTES_A_REQUEST: usize = 4 << 20;
/// How many are on their way at once, so that a large snapshot is not in memory once more.
const REQUESTS_AT_ONCE: usize = 8;

/// Makes a flush durable; what is there already is compared.
pub(super) async fn append(link: &mut Link, flush: &Flush) -> Result<(), Trouble> {
    let mut head = link.head;
    let (mut batches, mut ticks) = (Vec::new(), Vec::new());
    for batch in flush.ingest.iter().filter(|batch| !batch.commands.is_empty()) {
        match head.take_batch(batch)? {
            Standing::New => batches.push(batch),
            Standing::Repeated => compare_batch(link, batch).await?,
        }
    }
    for row in &flush.ticks {
        match head.take_tick(row)? {
            Standing::New => ticks.push(row),
            Standing::Repeated => compare_tick(link, row).await?,
        }
    }
    let mut last_slice = link.slice;
    let mut slice = None;
    if let Some(asked) = &flush.slice
        && take_slice(link.snapshot, last_slice, asked)? == Standing::New
    {
        last_slice = Some((asked.tick, asked.number));
        slice = Some((asked, undo::overwritten_by(link, asked).await?));
    }
    let mut snapshot = flush.snapshot.as_ref();
    if let Some(asked) = snapshot
        && head.take_snapshot(link.snapshot, asked)? == Standing::Repeated
    {
        compare_snapshot(link, asked).await?;
        snapshot = None;
    }
    if let Some(snapshot) = snapshot {
        check_slices(last_slice, snapshot)?;
        last_slice = None;
    }

    let mut requests = Vec::new();
    put_batches(&mut requests, &batches)?;
    put_ticks(&mut requests, &ticks);
    let posted = outbox::put_notices(&mut requests, link.posted, &ticks)?;
    history::put_rows(&mut requests, &flush.ahead);
    if let Some((slice, overwritten)) = slice {
        undo::put_slice(&mut requests, slice, &overwritten)?;
    }
    if let Some(snapshot) = snapshot {
        put_snapshot(&mut requests, link.snapshot, snapshot);
    }
    if requests.is_empty() {
        return Ok(());
    }
    requests.insert(0, Request::Plain("BEGIN"));
    requests.push(Request::Plain("COMMIT"));
    for some in requests.chunks(REQUESTS_AT_ONCE) {
        link.send(some).await?;
    }
    link.head = head;
    link.posted = posted;
    link.slice = last_slice;
    link.snapshot = snapshot.map_or(link.snapshot, |snapshot| Some(snapshot.tick));
    Ok(())
}

fn put_batches<'a>(requests: &mut Vec<Request<'a>>, batches: &[&'a IngestBatch]) -> Result<(), StoreError> {
    if batches.is_empty() {
        return Ok(());
    }
    let (mut first, mut last, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    // The first of several commands with one key stands.
    let mut keys = BTreeMap::new();
    for batch in batches {
        first.push(number(batch.first_seq));
        last.push(number(batch.next_seq() - 1));
        commands.push(rules::encode_batch(&batch.commands)?);
        for (key, delivery) in rules::keys_of(batch) {
            keys.entry(key).or_insert(delivery);
        }
    }
    let parameters = vec![Box::new(first) as _, Box::new(last) as _, Box::new(commands) as _];
    requests.push(Request::Prepared(PUT_BATCHES, parameters));
    if !keys.is_empty() {
        let (keys, deliveries): (Vec<&str>, Vec<&[u8]>) = keys.into_iter().unzip();
        let parameters = vec![
            Box::new(keys) as _,
            Box::new(deliveries) as _,
            Box::new(number(wall_ms())) as _,
        ];
        requests.push(Request::Prepared(PUT_KEYS, parameters));
    }
    Ok(())
}

fn put_ticks<'a>(requests: &mut Vec<Request<'a>>, ticks: &[&'a TickRow]) {
    if ticks.is_empty() {
        return;
    }
    let numbers = |of: fn(&TickRow) -> u64| -> Vec<i64> { ticks.iter().map(|row| number(of(row))).collect() };
    let digests: Vec<&[u8]> = ticks.iter().map(|row| &row.digest[..]).collect();
    let events: Vec<&[u8]> = ticks.iter().map(|row| &row.events[..]).collect();
    let parameters = vec![
        Box::new(numbers(|row| row.tick)) as _,
        Box::new(numbers(|row| row.admitted_through)) as _,
        Box::new(numbers(|row| row.first_event)) as _,
        Box::new(numbers(|row| u64::from(row.event_count))) as _,
        Box::new(digests) as _,
        Box::new(events) as _,
    ];
    requests.push(Request::Prepared(PUT_TICKS, parameters));
}

fn put_snapshot<'a>(requests: &mut Vec<Request<'a>>, previous: Option<Tick>, snapshot: &'a Snapshot) {
    let mut ask = |sql, parameters| requests.push(Request::Prepared(sql, parameters));
    if let Some(previous) = previous {
        // What was before the previous one is forgotten, but for the events that listeners may
        // still ask for.
        let events_from = previous.min(snapshot.keep_events_from);
        ask(PRUNE_BATCHES, vec![Box::new(number(previous))]);
        ask(PRUNE_TICKS, vec![Box::new(number(events_from))]);
        ask(PRUNE_EMPTY_TICKS, vec![Box::new(number(previous))]);
    }
    let parameters = vec![
        Box::new(number(snapshot.tick)) as _,
        Box::new(number(snapshot.events_through)) as _,
        Box::new(number(previous.unwrap_or(0))) as _,
        Box::new(&snapshot.engine[..]) as _,
        Box::new(&snapshot.totals[..]) as _,
    ];
    ask(PUT_SNAPSHOT, parameters);
    ask(undo::FORGET_UNDO, vec![Box::new(number(snapshot.tick))]);
    put_states(requests, &snapshot.actors, &snapshot.records);
    history::put(requests, snapshot);
}

/// Actors as in [`Snapshot::actors`], and records.
pub(super) fn put_states<'a>(
    requests: &mut Vec<Request<'a>>,
    actors: &'a [(Vec<u8>, Option<Vec<u8>>)],
    records: &'a [(DeliveryId, Vec<u8>)],
) {
    let mut ask = |sql, parameters| requests.push(Request::Prepared(sql, parameters));
    // Of several states under one key the last stands.
    let actors: BTreeMap<&[u8], Option<&[u8]>> = actors
        .iter()
        .map(|(key, state)| (&key[..], state.as_deref()))
        .collect();
    let ended: Vec<&[u8]> = actors
        .iter()
        .filter_map(|(key, state)| state.is_none().then_some(*key))
        .collect();
    if !ended.is_empty() {
        ask(END_ACTORS, vec![Box::new(ended)]);
    }
    let alive = actors.into_iter().filter_map(|(key, state)| Some((key, state?)));
    for (keys, states) in in_portions(alive) {
        ask(PUT_ACTORS, vec![Box::new(keys), Box::new(states)]);
    }
    let records: BTreeMap<&[u8], &[u8]> = records
        .iter()
        .map(|(id, record)| (&id.as_bytes()[..], &record[..]))
        .collect();
    for (ids, records) in in_portions(records) {
        ask(PUT_RECORDS, vec![Box::new(ids), Box::new(records)]);
    }
}

type Columns<'a> = (Vec<&'a [u8]>, Vec<&'a [u8]>);

/// Pairs as columns, none of them much larger than a request may be.
fn in_portions<'a>(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Vec<Columns<'a>> {
    let mut portions: Vec<Columns<'a>> = Vec::new();
    let mut room = 0;
    for (key, value) in pairs {
        let size = key.len() + value.len();
        if portions.is_empty() || size > room {
            portions.push(Columns::default());
            room = BYTES_A_REQUEST;
        }
        room = room.saturating_sub(size);
        if let Some((keys, values)) = portions.last_mut() {
            keys.push(key);
            values.push(value);
        }
    }
    portions
}

async fn compare_batch(link: &mut Link, batch: &IngestBatch) -> Result<(), Trouble> {
    let sql = "SELECT commands FROM ingest WHERE first_seq = $1";
    let rows = link.rows(sql, &[&number(batch.first_seq)]).await?;
    let stored: Option<&[u8]> = rows.first().map(|row| row.try_get(0)).transpose()?;
    let bytes = rules::encode_batch(&batch.commands)?;
    same(stored == Some(&bytes[..]), || {
        format!("commands {} to {}", batch.first_seq, batch.next_seq() - 1)
    })?;
    Ok(())
}

async fn compare_tick(link: &mut Link, row: &TickRow) -> Result<(), Trouble> {
    let sql =
        "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick WHERE tick = $1";
    let rows = link.rows(sql, &[&number(row.tick)]).await?;
    let stored = rows.first().map(read_tick).transpose()?;
    same(stored == Some(row.as_kept()), || format!("tick {}", row.tick))?;
    Ok(())
}

/// A row of the columns in the order of [`TickRow`]'s, but for the digest before the events.
pub(super) fn read_tick(row: &Row) -> Result<TickRow, Trouble> {
    let tick = unsigned(row.try_get(0)?)?;
    let malformed = || StoreError::Corrupt {
        what: format!("tick {tick}"),
    };
    let digest: &[u8] = row.try_get(4)?;
    Ok(TickRow {
        tick,
        admitted_through: unsigned(row.try_get(1)?)?,
        first_event: unsigned(row.try_get(2)?)?,
        event_count: u32::try_from(row.try_get::<_, i64>(3)?).map_err(|_| malformed())?,
        digest: digest.try_into().map_err(|_| malformed())?,
        events: row.try_get(5)?,
        notices: Vec::new(),
    })
}

async fn compare_snapshot(link: &mut Link, snapshot: &Snapshot) -> Result<(), Trouble> {
    let kept = link.rows("SELECT engine, totals FROM snapshot", &[]).await?;
    let mut equal = match kept.first() {
        Some(row) => {
            let (engine, totals): (&[u8], &[u8]) = (row.try_get(0)?, row.try_get(1)?);
            engine == snapshot.engine && totals == snapshot.totals
        }
        None => false,
    };
    let keys: Vec<&[u8]> = snapshot.actors.iter().map(|(key, _)| &key[..]).collect();
    let sql = "SELECT key, state FROM actor WHERE key = ANY($1::bytea[])";
    let actors = by_key(link.rows(sql, &[&keys]).await?)?;
    equal &= snapshot
        .actors
        .iter()
        .all(|(key, state)| actors.get(key) == state.as_ref());
    let ids: Vec<&[u8]> = snapshot
        .records
        .iter()
        .map(|(id, _)| &id.as_bytes()[..])
        .collect();
    let sql = "SELECT delivery_id, record FROM record WHERE delivery_id = ANY($1::bytea[])";
    let records = by_key(link.rows(sql, &[&ids]).await?)?;
    equal &= snapshot
        .records
        .iter()
        .all(|(id, record)| records.get(&id.as_bytes()[..]) == Some(record));
    equal = equal && history::has(link, snapshot).await?;
    same(equal, || format!("the snapshot at tick {}", snapshot.tick))?;
    Ok(())
}

pub(super) fn by_key(rows: Vec<Row>) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Trouble> {
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect()
}
