//! The store in a PostgreSQL database, with the same promises as the one in a folder.
//!
//! One connection does everything, and holds a lock for as long as it lives: one server at a
//! time writes. When it is lost, the call in which that shows fails as one that can be tried
//! again, and the next one connects anew: with the lock in hand, and only if no other server
//! has been here meanwhile, it reads where the journal ends. So a commit whose acknowledgement
//! was lost is found, and the journal goes on.
//!
//! Calls block like those of any store, on whatever thread they are made, one of an
//! asynchronous runtime included; the connection itself lives on a thread of its own.

mod append;
mod history;
mod line;
mod link;
mod location;
mod open;
mod outbox;
mod schema;
mod trouble;
mod undo;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use super::rules::{self, Gathering};
use super::{
    Epoch, Flush, Found, HistoryQuery, HistoryReader, Identity, MovedDay, Snapshot, Store, StoreError,
    SumRow, TickRow,
};
use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::Notice;
use crate::sim::time::Tick;
use append::read_tick;
use history::PostgresReader;
use line::Line;
use link::Link;
use schema::Held;
use trouble::Trouble;

pub use location::without_password;
pub use open::open;
#[cfg(test)]
pub(super) use schema::FORMAT;

/// An answer that takes longer will not come: a disk that is as slow as that counts as gone.
const TO_ANSWER: Duration = Duration::from_secs(10);
/// The same for what moves much data.
const TO_MOVE_MUCH: Duration = Duration::from_secs(60);
const TO_SAY_GOODBYE: Duration = Duration::from_secs(1);

/// Batches read at once.
const BATCHES_A_PAGE: i64 = 256;

pub struct PostgresStore {
    line: Arc<Line>,
    /// `None` from when it is lost to the next call.
    link: Option<Link>,
    identity: Identity,
    epoch: Epoch,
    /// Which opening of the store this is.
    opening: i64,
}

impl PostgresStore {
    /// Does something over the connection, after it was made again where it is lost. After a
    /// trouble that leaves open what the session is in the middle of, it is given up.
    fn attempt<T>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Link) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let mut link = match self.link.take().filter(|link| !link.is_closed()) {
            Some(link) => link,
            None => self.come_back()?,
        };
        let result = self.line.wait(limit, work(&mut link));
        match &result {
            Ok(_) | Err(Trouble::Refused(_)) => self.link = Some(link),
            Err(Trouble::Database(_) | Trouble::Silent) => drop(link),
        }
        result.map_err(|trouble| self.line.told(trouble))
    }

    fn come_back(&self) -> Result<Link, StoreError> {
        let back = self.line.link().and_then(|mut link| {
            let held = self.line.wait(TO_ANSWER, async {
                let held = schema::read_world(link.client()).await?;
                link.get_ready().await?;
                Ok(held)
            })?;
            Ok((link, held))
        });
        let place = || self.line.location.words.clone();
        let (link, held) = back.map_err(|trouble| match self.line.told(trouble) {
            StoreError::Locked { holder, .. } => self.who_has_the_lock(holder),
            error => error,
        })?;
        if self.is_anothers(&held) {
            return Err(StoreError::TakenOver { place: place() });
        }
        Ok(link)
    }

    fn is_anothers(&self, held: &Held) -> bool {
        held.openings != self.opening || held.identity != self.identity
    }

    /// Another server, which then has counted its opening; or this server's own session, which
    /// the database has yet to miss.
    fn who_has_the_lock(&self, holder: Option<String>) -> StoreError {
        let held = self
            .line
            .reading_link()
            .and_then(|link| self.line.wait(TO_ANSWER, schema::read_world(link.client())));
        let place = self.line.location.words.clone();
        match held {
            Ok(held) if self.is_anothers(&held) => StoreError::TakenOver { place },
            _ => StoreError::Busy {
                cause: format!(
                    "{place} is locked by {}",
                    holder.as_deref().unwrap_or("another session")
                ),
            },
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        let Some(link) = self.link.take() else { return };
        let goodbye = async {
            link.close().await;
            Ok(())
        };
        if let Err(trouble) = self.line.wait(TO_SAY_GOODBYE, goodbye) {
            tracing::debug!(?trouble, "the database did not hear that this server is done");
        }
    }
}

impl HistoryReader for PostgresStore {
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError> {
        self.attempt(TO_ANSWER, async |link| history::answer(link, query).await)
    }
}

impl Store for PostgresStore {
    fn append(&mut self, flush: &Flush) -> Result<(), StoreError> {
        let limit = match &flush.snapshot {
            None => TO_ANSWER,
            Some(_) => TO_MOVE_MUCH,
        };
        self.attempt(limit, async |link| append::append(link, flush).await)
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        self.attempt(TO_ANSWER, async |link| {
            link.client()
                .execute("UPDATE world SET probes = probes + 1", &[])
                .await?;
            Ok(())
        })
    }

    fn identity(&self) -> Identity {
        self.identity
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<(), StoreError> {
        self.attempt(TO_ANSWER, async |link| {
            let parameters = (number(epoch.0), number(link.head.last_tick));
            link.client()
                .execute(
                    "UPDATE world SET epoch = $1, epoch_after = $2",
                    &[&parameters.0, &parameters.1],
                )
                .await?;
            Ok(())
        })?;
        self.epoch = epoch;
        Ok(())
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| {
            let sql = "SELECT tick, events_through, engine, totals FROM snapshot";
            let Some(row) = link.client().query_opt(sql, &[]).await? else {
                return Ok(None);
            };
            let actors = link
                .client()
                .query("SELECT key, state FROM actor ORDER BY key", &[])
                .await?;
            Ok(Some(Snapshot {
                tick: unsigned(row.try_get(0)?)?,
                events_through: unsigned(row.try_get(1)?)?,
                engine: row.try_get(2)?,
                actors: actors
                    .iter()
                    .map(|row| Ok((row.try_get(0)?, Some(row.try_get(1)?))))
                    .collect::<Result<_, Trouble>>()?,
                totals: row.try_get(3)?,
                ..Snapshot::default()
            }))
        })
    }

    fn ticks_after(&mut self, tick: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| {
            let whole_from = link.rows("SELECT whole_from FROM snapshot", &[]).await?;
            let whole_from = whole_from
                .first()
                .map(|row| Ok::<_, Trouble>(unsigned(row.try_get(0)?)?))
                .transpose()?
                .unwrap_or(0);
            if tick + 1 < whole_from {
                return Err(rules::hole("ticks", tick + 1, tick + 1).into());
            }
            let sql = "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick
                       WHERE tick > $1 ORDER BY tick LIMIT $2";
            let rows = link.rows(sql, &[&number(tick), &at_most(limit)]).await?;
            let rows = rows.iter().map(read_tick).collect::<Result<Vec<_>, _>>()?;
            rules::check_whole(tick, &rows)?;
            Ok(rows)
        })
    }

    fn event_rows(&mut self, after: Tick, until: Tick, limit: usize) -> Result<Vec<TickRow>, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| {
            let sql = "SELECT tick, admitted_through, first_event, event_count, digest, events FROM tick
                       WHERE tick > greatest($1, (SELECT epoch_after FROM world)) AND tick <= $2
                         AND event_count > 0
                       ORDER BY tick LIMIT $3";
            let rows = link
                .rows(sql, &[&number(after), &number(until), &at_most(limit)])
                .await?;
            rows.iter().map(read_tick).collect()
        })
    }

    fn commands_from(&mut self, seq: u64, limit: usize) -> Result<Vec<(u64, Command)>, StoreError> {
        let seq = seq.max(1);
        self.attempt(TO_MOVE_MUCH, async |link| {
            // Batches do not overlap: the one that holds `seq` is the last that starts at or
            // before it.
            let sql = "SELECT coalesce((SELECT max(first_seq) FROM ingest WHERE first_seq <= $1), 0)";
            let rows = link.rows(sql, &[&number(seq)]).await?;
            let mut from: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            let mut gathering = Gathering::new(seq, limit);
            while !gathering.is_full() {
                let sql = "SELECT first_seq, last_seq, commands FROM ingest
                           WHERE first_seq >= $1 ORDER BY first_seq LIMIT $2";
                let page = link.rows(sql, &[&from, &BATCHES_A_PAGE]).await?;
                let Some(last) = page.last() else { break };
                from = last.try_get::<_, i64>(1)? + 1;
                for row in &page {
                    gathering.add(unsigned(row.try_get(0)?)?, row.try_get(2)?)?;
                }
            }
            Ok(gathering.finish())
        })
    }

    fn last_command_seq(&mut self) -> Result<u64, StoreError> {
        self.attempt(TO_ANSWER, async |link| Ok(link.head.last_seq))
    }

    fn last_tick(&mut self) -> Result<Tick, StoreError> {
        self.attempt(TO_ANSWER, async |link| Ok(link.head.last_tick))
    }

    fn records(
        &mut self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<(DeliveryId, Vec<u8>)>, StoreError> {
        let after = after.as_ref().map_or(&[][..], |id| id.as_bytes());
        self.attempt(TO_MOVE_MUCH, async |link| {
            let sql = "SELECT delivery_id, record FROM record WHERE delivery_id > $1
                       ORDER BY delivery_id LIMIT $2";
            let rows = link.rows(sql, &[&after, &at_most(limit)]).await?;
            rows.iter()
                .map(|row| Ok((delivery_id(row.try_get(0)?)?, row.try_get(1)?)))
                .collect()
        })
    }

    fn sums(&mut self, after: Option<(&str, Month)>, limit: usize) -> Result<Vec<SumRow>, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| history::sums(link, after, limit).await)
    }

    fn reader(&mut self) -> Result<Option<Box<dyn HistoryReader>>, StoreError> {
        Ok(Some(Box::new(PostgresReader {
            line: Arc::clone(&self.line),
            link: None,
        })))
    }

    fn move_out(&mut self, day: &MovedDay, limit: usize) -> Result<usize, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| {
            history::move_out(link, day, limit).await
        })
    }

    fn forget_keys(&mut self, before_wall_ms: u64, limit: usize) -> Result<usize, StoreError> {
        self.attempt(TO_MOVE_MUCH, async |link| {
            let sql = "DELETE FROM idempotency WHERE key IN
                       (SELECT key FROM idempotency WHERE kept_since < $1 ORDER BY kept_since LIMIT $2)";
            link.change(sql, &[&number(before_wall_ms), &at_most(limit)])
                .await
        })
    }

    fn outbox(&mut self, after: u64, limit: usize) -> Result<Vec<(u64, Notice)>, StoreError> {
        self.attempt(TO_ANSWER, async |link| outbox::read(link, after, limit).await)
    }

    fn last_posted(&mut self) -> Result<u64, StoreError> {
        self.attempt(TO_ANSWER, async |link| Ok(link.posted))
    }

    fn take_off_outbox(&mut self, numbers: &[u64]) -> Result<(), StoreError> {
        self.attempt(TO_ANSWER, async |link| outbox::take_off(link, numbers).await)
    }

    fn delivery_of_key(&mut self, key: &str) -> Result<Option<DeliveryId>, StoreError> {
        self.attempt(TO_ANSWER, async |link| {
            let sql = "SELECT delivery_id FROM idempotency WHERE key = $1";
            let rows = link.rows(sql, &[&key]).await?;
            rows.first()
                .map(|row| Ok(delivery_id(row.try_get(0)?)?))
                .transpose()
        })
    }
}

/// Numbers are signed in a database; no world lives so long that one of its would not fit.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn unsigned(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt {
        what: format!("the number {value}"),
    })
}

fn delivery_id(bytes: &[u8]) -> Result<DeliveryId, StoreError> {
    bytes
        .try_into()
        .map(DeliveryId::from_bytes)
        .map_err(|_| StoreError::Corrupt {
            what: "a delivery's id".to_owned(),
        })
}
