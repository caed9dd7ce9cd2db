//! Where a stopped world left off: its newest snapshot, and the journal since, executed
//! again and checked against the stored digests.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::ArbiterHandle;

use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::event::Event;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::store::{Flush, HistoryQuery, Snapshot, Store, TickRow};
use crate::view::{DeliveryRecord, RECENTLY_ENDED, Restored, View};

use super::digest::Digest;
use super::snapshot::Remembered;
use super::{Admission, Engine, Halted, digest, look, publication};

/// Journal rows, and records, that are read at once.
const PAGE: usize = 4_096;

/// How the journal, executed again, compares with what it says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    Same,
    Other,
}

pub struct Recovered {
    pub engine: Engine,
    pub view: Arc<View>,
    /// Durable commands that are not, by number.
    pub pending: Vec<(u64, Command)>,
}

/// # Errors
/// A store that cannot be read.
pub async fn recover(
    store: &mut dyn Store,
    world: Arc<World>,
    threads: usize,
    arbiters: Vec<ArbiterHandle>,
) -> Result<Recovered, Halted> {
    let mut snapshot = store.latest_snapshot()?;
    let totals = snapshot
        .as_mut()
        .map(|snapshot| std::mem::take(&mut snapshot.totals));
    let (engine, remembered) = start(world, threads, arbiters, snapshot)?;
    let restored = restored(&engine, remembered, store, totals.unwrap_or_default())?;
    let view = Arc::new(View::new(Arc::clone(engine.world()), restored));
    let mut recovered = Recovered {
        engine,
        view,
        pending: Vec::new(),
    };
    if recovered.repeat(store).await? == Past::Other {
        recovered.settle(store).await?;
    }
    recovered.find_pending(store)?;
    Ok(recovered)
}

fn start(
    world: Arc<World>,
    threads: usize,
    arbiters: Vec<ArbiterHandle>,
    snapshot: Option<Snapshot>,
) -> Result<(Engine, Remembered), Halted> {
    match snapshot {
        Some(snapshot) => Engine::restore(world, threads, arbiters, snapshot),
        None => {
            let remembered = Remembered {
                accounts: world.accounts.listed.clone(),
                ..Remembered::default()
            };
            Ok((Engine::genesis(world, threads, arbiters)?, remembered))
        }
    }
}

fn restored(
    engine: &Engine,
    remembered: Remembered,
    store: &mut dyn Store,
    totals: Vec<u8>,
) -> Result<Restored, Halted> {
    let world = engine.world();
    let records = records(store)?;
    let moment = look::Moment {
        world,
        sky: engine.sky(),
        tick: engine.tick_number(),
        digest: *engine.digest(),
        events_through: engine.events_through(),
    };
    Ok(Restored {
        epoch: store.epoch().0,
        past_events: past_events(engine, store)?,
        recent: recent(store, world.time_of(engine.tick_number()), &records)?,
        records,
        totals,
        sums: sums(store)?,
        ..look::restored(&moment, remembered)
    })
}

/// The events up to the engine's tick, as far back as the journal has them without a hole.
fn past_events(engine: &Engine, store: &mut dyn Store) -> Result<Vec<Arc<Event>>, Halted> {
    let mut past = Vec::new();
    let (mut after, mut through) = (0, 0);
    loop {
        let page = store.event_rows(after, engine.tick_number(), PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.tick;
        for row in &page {
            if row.first_event != through + 1 {
                past.clear();
            }
            through = row.events_through();
            let events: Vec<Event> = postcard::from_bytes(&row.events)?;
            past.extend(events.into_iter().map(Arc::new));
        }
    }
    // Rows that end elsewhere are of a past that is not this one.
    if through != engine.events_through() {
        past.clear();
    }
    Ok(past)
}

fn records(store: &mut dyn Store) -> Result<Vec<DeliveryRecord>, Halted> {
    let mut records = Vec::new();
    let mut after = None;
    loop {
        let page = store.records(after, PAGE)?;
        let Some((last, _)) = page.last() else {
            return Ok(records);
        };
        after = Some(*last);
        for (_, bytes) in &page {
            records.push(DeliveryRecord::from_bytes(bytes)?);
        }
    }
}

/// The last deliveries that ended, the oldest first: history is not read beyond them. The rows
/// of a snapshot that did not come to be are left out: these deliveries will end once more.
fn recent(
    store: &mut dyn Store,
    now: SimTime,
    records: &[DeliveryRecord],
) -> Result<Vec<DeliveryRecord>, Halted> {
    let newest = HistoryQuery::Newest {
        limit: RECENTLY_ENDED,
    };
    let go_on: BTreeSet<DeliveryId> = records.iter().map(|record| record.id).collect();
    let rows = store.history(&newest)?.rows.into_iter().rev();
    let rows = rows.filter(|row| row.ended <= now && !go_on.contains(&row.id));
    let read = rows.map(|row| DeliveryRecord::from_bytes(&row.record));
    Ok(read.collect::<Result<_, _>>()?)
}

fn sums(store: &mut dyn Store) -> Result<Vec<(String, Month, Sums)>, Halted> {
    let mut sums: Vec<(String, Month, Sums)> = Vec::new();
    loop {
        let after = sums.last().map(|(owner, month, _)| (owner.as_str(), *month));
        let page = store.sums(after, PAGE)?;
        if page.is_empty() {
            return Ok(sums);
        }
        sums.extend(page.into_iter().map(|row| (row.owner, row.month, row.sums)));
    }
}

impl Recovered {
    /// Whether the scenario's own customers order, once what is pending is admitted.
    pub fn demand(&self) -> bool {
        let last_said = self.pending.iter().rev().find_map(|(_, command)| match command {
            Command::SetDemand(on) => Some(*on),
            Command::RequestDelivery { .. }
            | Command::Inject(_)
            | Command::Delivery(..)
            | Command::RetryDeadLetter(_)
            | Command::Account(_)
            | Command::Package(_)
            | Command::ChangePackage(_)
            | Command::CarryByThirdParty(..)
            | Command::Roster(_) => None,
        });
        last_said.unwrap_or(self.engine.demand())
    }

    /// Executes every stored tick after the snapshot once more.
    async fn repeat(&mut self, store: &mut dyn Store) -> Result<Past, Halted> {
        let mut past = Past::Same;
        loop {
            let rows = store.ticks_after(self.engine.tick_number(), PAGE)?;
            if rows.is_empty() {
                return Ok(past);
            }
            for row in rows {
                let repeated = self.repeat_tick(store, &row).await?;
                if repeated != row.digest && past == Past::Same {
                    past = Past::Other;
                    self.diverge(store, &row)?;
                }
            }
        }
    }

    async fn repeat_tick(&mut self, store: &mut dyn Store, row: &TickRow) -> Result<Digest, Halted> {
        let admitted = self.engine.admitted_through();
        let count = row.admitted_through.saturating_sub(admitted) as usize;
        let commands = match count {
            0 => Vec::new(),
            _ => store.commands_from(admitted + 1, count)?,
        };
        let admission = Admission {
            through: row.admitted_through,
            commands: commands.into_iter().map(|(_, command)| command).collect(),
        };
        let outcome = self.engine.tick(admission).await?;
        let (repeated, publication) = publication::split(&self.engine, outcome);
        self.view.publish(publication);
        Ok(repeated.digest)
    }

    /// The stored past was made by another program: go on from what this one makes of it,
    /// loudly, and under a new epoch so that no listener takes one for the other.
    fn diverge(&mut self, store: &mut dyn Store, row: &TickRow) -> Result<(), Halted> {
        let epoch = store.epoch().next();
        store.set_epoch(epoch)?;
        self.view.set_epoch(epoch.0);
        tracing::error!(
            tick = row.tick,
            stored = digest::hex(&row.digest),
            repeated = digest::hex(self.engine.digest()),
            %epoch,
            "the journal, executed again, gives another digest; the world goes on under a new epoch"
        );
        Ok(())
    }

    /// Makes the new past the one that the next start begins from, so that the epoch changes
    /// once.
    async fn settle(&mut self, store: &mut dyn Store) -> Result<(), Halted> {
        let snapshot = self.engine.snapshot_with_records(&self.view).await?;
        let tick = snapshot.tick;
        store.append(&Flush {
            snapshot: Some(snapshot),
            ..Flush::default()
        })?;
        self.view.kept(tick);
        Ok(())
    }

    fn find_pending(&mut self, store: &mut dyn Store) -> Result<(), Halted> {
        let mut next = self.engine.admitted_through() + 1;
        while next <= store.last_command_seq()? {
            let page = store.commands_from(next, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            next = last + 1;
            self.pending.extend(page);
        }
        Ok(())
    }
}
