//! Slices of a snapshot to come: written with what they overwrite, and put back.

use std::collections::BTreeMap;

use super::append::{END_ACTORS, PUT_ACTORS, PUT_RECORDS, by_key, put_states};
use super::history::END_RECORDS;
use super::link::{Link, Request};
use super::trouble::Trouble;
use super::{number, unsigned};
use crate::store::undo::{Overwritten, SliceId};
use crate::store::{Slice, StoreError};

pub(super) const PUT_UNDO: &str = "INSERT INTO undo (tick, number, rows) VALUES ($1, $2, $3)";
pub(super) const FORGET_UNDO: &str = "DELETE FROM undo WHERE tick <= $1";

/// The last slice that is in and whose snapshot is not.
pub(super) async fn last_slice(link: &mut Link) -> Result<Option<SliceId>, Trouble> {
    let sql = "SELECT tick, number FROM undo ORDER BY tick DESC, number DESC LIMIT 1";
    let rows = link.rows(sql, &[]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some((unsigned(row.try_get(0)?)?, unsigned(row.try_get(1)?)?)))
}

/// What is there now. Nobody else writes, so it is what the slice finds in its transaction.
pub(super) async fn overwritten_by(link: &mut Link, slice: &Slice) -> Result<Overwritten, Trouble> {
    let mut overwritten = Overwritten::default();
    if !slice.actors.is_empty() {
        let keys: Vec<&[u8]> = slice.actors.iter().map(|(key, _)| &key[..]).collect();
        let sql = "SELECT key, state FROM actor WHERE key = ANY($1::bytea[])";
        let kept = by_key(link.rows(sql, &[&keys]).await?)?;
        let actors = slice.actors.iter();
        overwritten.actors = actors
            .map(|(key, _)| (key.clone(), kept.get(key).cloned()))
            .collect();
    }
    if !slice.records.is_empty() {
        let ids = slice.records.iter().map(|(id, _)| &id.as_bytes()[..]);
        let ids: Vec<&[u8]> = ids.collect();
        let sql = "SELECT delivery_id, record FROM record WHERE delivery_id = ANY($1::bytea[])";
        let kept = by_key(link.rows(sql, &[&ids]).await?)?;
        let records = slice.records.iter();
        overwritten.records = records
            .map(|(id, _)| (*id, kept.get(&id.as_bytes()[..]).cloned()))
            .collect();
    }
    Ok(overwritten)
}

pub(super) fn put_slice<'a>(
    requests: &mut Vec<Request<'a>>,
    slice: &'a Slice,
    overwritten: &Overwritten,
) -> Result<(), StoreError> {
    let parameters = vec![
        Box::new(number(slice.tick)) as _,
        Box::new(number(slice.number)) as _,
        Box::new(overwritten.encode()?) as _,
    ];
    requests.push(Request::Prepared(PUT_UNDO, parameters));
    put_states(requests, &slice.actors, &slice.records);
    Ok(())
}

/// Makes the store of a server that ended between the slices of a snapshot the one of the
/// snapshot before.
pub(super) async fn put_back(link: &mut Link) -> Result<(), Trouble> {
    let Some((tick, last)) = last_slice(link).await? else {
        return Ok(());
    };
    tracing::info!(
        tick,
        slices = last + 1,
        "a snapshot was half written, the one before it is put back"
    );
    link.client().batch_execute("BEGIN").await?;
    while let Some(id) = last_slice(link).await? {
        put_slice_back(link, id).await?;
    }
    link.client().batch_execute("COMMIT").await?;
    Ok(())
}

async fn put_slice_back(link: &mut Link, id: SliceId) -> Result<(), Trouble> {
    let (tick, number) = (number(id.0), number(id.1));
    let sql = "DELETE FROM undo WHERE tick = $1 AND number = $2 RETURNING rows";
    let rows = link.rows(sql, &[&tick, &number]).await?;
    let bytes: &[u8] = rows.first().map_or(Ok(&[][..]), |row| row.try_get(0))?;
    let Overwritten { actors, records } = Overwritten::decode(id, bytes)?;
    let actors = Parted::of(actors.iter().map(|(key, state)| (&key[..], state.as_deref())));
    let records = records.iter();
    let records = Parted::of(records.map(|(id, record)| (&id.as_bytes()[..], record.as_deref())));
    for (parted, put, end) in [
        (&actors, PUT_ACTORS, END_ACTORS),
        (&records, PUT_RECORDS, END_RECORDS),
    ] {
        if !parted.absent.is_empty() {
            link.change(end, &[&parted.absent]).await?;
        }
        if !parted.keys.is_empty() {
            link.change(put, &[&parted.keys, &parted.states]).await?;
        }
    }
    Ok(())
}

/// Old states as columns: what was there, and what was not.
#[derive(Default)]
struct Parted<'a> {
    keys: Vec<&'a [u8]>,
    states: Vec<&'a [u8]>,
    absent: Vec<&'a [u8]>,
}

impl<'a> Parted<'a> {
    /// A state that is there twice, because a slice held its key twice, is so as the same.
    fn of(states: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Self {
        let mut parted = Parted::default();
        let states: BTreeMap<_, _> = states.collect();
        for (key, state) in states {
            match state {
                Some(state) => {
                    parted.keys.push(key);
                    parted.states.push(state);
                }
                None => parted.absent.push(key),
            }
        }
        parted
    }
}
