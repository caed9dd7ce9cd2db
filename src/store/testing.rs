//! Rows for this room's tests, and a model of what a store must hold after a flush.

mod history;
mod slices;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Flush, HistoryRow, Identity, IngestBatch, SNAPSHOT_FORMATS, Slice, Snapshot, Store, StoreError, SumRow,
    TickRow,
};
use crate::sim::calendar::Month;
use crate::sim::command::Command;
use crate::sim::geo::LatLon;
use crate::sim::ids::DeliveryId;
use crate::sim::notice::{Addressee, Moment, Notice};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::sums::Sums;
use crate::sim::time::{SimTime, Tick};
use history::sum_row;
pub(super) use history::{check_moving_out, history_row};

pub(super) const WORLD: Identity = Identity {
    scenario_hash: [7; 32],
    seed: u64::MAX,
};

/// A model's snapshots ask that the events of this many ticks before them are kept.
const KEPT_TICKS: u64 = 12;

pub(super) fn delivery(number: u64) -> DeliveryId {
    DeliveryId::new(number, [3; 10])
}

/// Every third command has a key of its own, every seventh the same one.
pub(super) fn key(number: u64) -> Option<String> {
    match number {
        n if n.is_multiple_of(7) => Some("shared".to_owned()),
        n if n.is_multiple_of(3) => Some(format!("key-{n}")),
        _ => None,
    }
}

pub(super) fn command(number: u64) -> Command {
    let stop = Stop {
        location: LatLon {
            lat: 37.0 + number as f64 * 1e-4,
            lon: -122.0,
        },
        altitude_m: 5.0,
    };
    let package = Package {
        id: format!("package-{number}"),
        size: ContainerSize::Small,
        weight_kg: 0.5,
        tag: number.is_multiple_of(2).then(|| "lunch".to_owned()),
    };
    let order = Order {
        owner: Owner::account("owner"),
        pickup: stop,
        dropoff: stop,
        package,
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime(number),
    };
    Command::RequestDelivery {
        id: delivery(number),
        order: std::sync::Arc::new(order),
        idempotency_key: key(number),
    }
}

pub(super) fn batch(first_seq: u64, count: u64) -> IngestBatch {
    IngestBatch {
        first_seq,
        commands: (first_seq..first_seq + count).map(command).collect(),
    }
}

pub(super) fn tick(tick: u64, admitted_through: u64) -> TickRow {
    TickRow {
        tick,
        admitted_through,
        first_event: event_count(tick - 1) + 1,
        event_count: (event_count(tick) - event_count(tick - 1)) as u32,
        events: vec![tick as u8; (tick * 37 % 300) as usize],
        digest: [tick as u8; 32],
        notices: notices(tick),
    }
}

/// Two with every fourth tick, none with the others.
fn notices(tick: u64) -> Vec<Notice> {
    let notice = |number| Notice {
        delivery: delivery(tick),
        to: Addressee::Email(format!("{number}@example.com")),
        moment: Moment::Completed,
        at: SimTime(tick),
    };
    match tick.is_multiple_of(4) {
        true => (1..=2).map(notice).collect(),
        false => Vec::new(),
    }
}

/// Events up to and including this tick: one in two ticks out of three, none in the third.
pub(super) fn event_count(tick: u64) -> u64 {
    tick - tick / 3
}

pub(super) fn commands_only(batch: IngestBatch) -> Flush {
    Flush {
        ingest: vec![batch],
        ..Flush::default()
    }
}

/// All that was ever made durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub last_seq: u64,
    pub ticks: Vec<TickRow>,
    pub snapshots: Vec<(u64, Vec<u8>)>,
    actors: BTreeMap<Vec<u8>, Vec<u8>>,
    records: BTreeMap<DeliveryId, Vec<u8>>,
    history: BTreeMap<DeliveryId, HistoryRow>,
    totals: Vec<u8>,
    sums: BTreeMap<(String, Month), Sums>,
    /// All notices ever, by their numbers from 1.
    notices: Vec<Notice>,
    taken_off: BTreeSet<u64>,
    /// Those that are in and whose snapshot is not.
    slices: Vec<Slice>,
}

impl Model {
    pub fn last_tick(&self) -> u64 {
        self.ticks.len() as u64
    }

    pub fn admitted_through(&self, tick: u64) -> u64 {
        if tick == 0 {
            0
        } else {
            self.ticks[tick as usize - 1].admitted_through
        }
    }

    /// A flush that continues this model.
    pub fn next_flush(&self, batch_sizes: &[u64], ticks: u64, with_snapshot: bool) -> Flush {
        let mut flush = Flush::default();
        let mut next_seq = self.last_seq + 1;
        for &size in batch_sizes {
            flush.ingest.push(batch(next_seq, size));
            next_seq += size;
        }
        let first = self.last_tick() + 1;
        let admitted_before = self.admitted_through(self.last_tick());
        for (step, number) in (first..first + ticks).enumerate() {
            let admitted = (admitted_before + 2 * step as u64).min(next_seq - 1);
            flush.ticks.push(tick(number, admitted));
        }
        let at = self.last_tick() + ticks;
        let is_new = self.snapshots.last().is_none_or(|(tick, _)| *tick < at);
        flush.snapshot = (with_snapshot && is_new).then(|| {
            let byte = at as u8;
            let alive = (vec![b'a', byte % 5], Some(vec![byte; 40]));
            let gone = (vec![b'a', (byte + 1) % 5], None);
            let record = (delivery(at % 4), vec![byte; 9]);
            // Who was among the records before, and who was never seen.
            let ended = vec![history_row((at + 1) % 4, at), history_row(at + 100, at)];
            Snapshot {
                tick: at,
                events_through: event_count(at),
                keep_events_from: at.saturating_sub(KEPT_TICKS),
                engine: [&SNAPSHOT_FORMATS[SNAPSHOT_FORMATS.len() - 1..], &[byte; 63][..]].concat(),
                actors: vec![alive, gone],
                totals: vec![byte, 7],
                records: vec![record],
                history: ended,
                gone_ahead: Vec::new(),
                sums: vec![sum_row(at)],
            }
        });
        flush
    }

    pub fn apply(&mut self, flush: &Flush) {
        self.last_seq += flush
            .ingest
            .iter()
            .map(|batch| batch.commands.len() as u64)
            .sum::<u64>();
        for row in &flush.ticks {
            self.notices.extend(row.notices.iter().cloned());
            self.ticks.push(row.as_kept());
        }
        if let Some(slice) = &flush.slice {
            self.apply_slice(slice);
        }
        let Some(snapshot) = &flush.snapshot else { return };
        self.settle_slices();
        self.snapshots.push((snapshot.tick, snapshot.engine.clone()));
        self.put_states(&snapshot.actors, &snapshot.records);
        for row in &snapshot.history {
            self.records.remove(&row.id);
            self.history.insert(row.id, row.clone());
        }
        for SumRow { owner, month, sums } in &snapshot.sums {
            self.sums.insert((owner.clone(), *month), *sums);
        }
        self.totals = snapshot.totals.clone();
    }

    fn put_states(&mut self, actors: &[(Vec<u8>, Option<Vec<u8>>)], records: &[(DeliveryId, Vec<u8>)]) {
        for (key, state) in actors {
            match state {
                Some(state) => self.actors.insert(key.clone(), state.clone()),
                None => self.actors.remove(key),
            };
        }
        self.records.extend(records.iter().cloned());
    }

    /// Panics where the store holds anything else than this model. While slices are in it does:
    /// what of actors and records reads as new then, nobody may rely on.
    pub fn check(&self, store: &mut dyn Store) {
        assert_eq!(store.last_command_seq(), Ok(self.last_seq));
        assert_eq!(store.last_tick(), Ok(self.last_tick()));
        let snapshot = self.snapshots.last().map(|(tick, engine)| Snapshot {
            tick: *tick,
            events_through: event_count(*tick),
            keep_events_from: 0,
            engine: engine.clone(),
            actors: self
                .actors
                .iter()
                .map(|(key, state)| (key.clone(), Some(state.clone())))
                .collect(),
            totals: self.totals.clone(),
            ..Snapshot::default()
        });
        assert_eq!(store.latest_snapshot(), Ok(snapshot));
        self.check_journal(store);
        self.check_keys_and_records(store);
        self.check_sums(store);
        self.check_outbox(store);
        self.check_history(store);
        if let Some(mut reader) = store.reader().unwrap() {
            self.check_history(reader.as_mut());
        }
    }

    /// Lets the courier be done with every third.
    pub fn take_some_off(&mut self, store: &mut dyn Store) {
        let some: Vec<u64> = (1..=self.notices.len() as u64).step_by(3).collect();
        store.take_off_outbox(&some).unwrap();
        self.taken_off.extend(some);
    }

    fn check_outbox(&self, store: &mut dyn Store) {
        assert_eq!(store.last_posted(), Ok(self.notices.len() as u64));
        let numbered = (1..).zip(self.notices.iter().cloned());
        let waiting: Vec<_> = numbered
            .filter(|(number, _)| !self.taken_off.contains(number))
            .collect();
        assert_eq!(store.outbox(0, 2).unwrap(), waiting[..waiting.len().min(2)]);
        assert_eq!(store.outbox(0, usize::MAX >> 1), Ok(waiting.clone()));
        if let [(first, _), rest @ ..] = &waiting[..] {
            assert_eq!(store.outbox(*first, usize::MAX >> 1).unwrap(), rest);
        }
    }

    fn check_journal(&self, store: &mut dyn Store) {
        let previous = self.snapshots.iter().rev().nth(1).map_or(0, |(tick, _)| *tick);
        let kept = self.ticks[previous as usize..].to_vec();
        assert_eq!(store.ticks_after(previous, 2).unwrap(), kept[..kept.len().min(2)]);
        assert_eq!(store.ticks_after(previous, usize::MAX >> 1), Ok(kept));
        let window = match self.snapshots.last() {
            Some((newest, _)) if previous > 0 => newest.saturating_sub(KEPT_TICKS).min(previous)..,
            _ => 0..,
        };
        let with_events = self.ticks.iter().filter(|row| row.event_count > 0);
        let in_window: Vec<_> = with_events
            .filter(|row| window.contains(&row.tick))
            .cloned()
            .collect();
        assert_eq!(
            store.event_rows(0, Tick::MAX >> 1, usize::MAX >> 1),
            Ok(in_window.clone())
        );
        if let [first, second, third, ..] = &in_window[..] {
            let found = store.event_rows(first.tick, third.tick - 1, 9);
            assert_eq!(found, Ok(vec![second.clone()]));
            assert_eq!(store.event_rows(0, third.tick, 1), Ok(vec![first.clone()]));
        }
        if previous > 1 {
            let gone = store.ticks_after(previous - 2, 1);
            assert!(matches!(gone, Err(StoreError::Pruned { .. })), "{gone:?}");
        }
        let from = self.admitted_through(previous) + 1;
        let commands: Vec<_> = (from..=self.last_seq)
            .map(|number| (number, command(number)))
            .collect();
        assert_eq!(store.commands_from(from, usize::MAX).unwrap(), commands);
        assert_eq!(
            store.commands_from(from, 3).unwrap(),
            commands[..commands.len().min(3)]
        );
    }

    fn check_keys_and_records(&self, store: &mut dyn Store) {
        for number in 1..=self.last_seq {
            let Some(key) = key(number) else { continue };
            let first = if key == "shared" { 7 } else { number };
            assert_eq!(store.delivery_of_key(&key), Ok(Some(delivery(first))), "{key}");
        }
        assert_eq!(
            store.delivery_of_key(&format!("key-{}", (self.last_seq / 3 + 1) * 3)),
            Ok(None)
        );
        let mut found = Vec::new();
        loop {
            let page = store.records(found.last().map(|(id, _)| *id), 2).unwrap();
            if page.is_empty() {
                break;
            }
            found.extend(page);
        }
        assert_eq!(found, self.records.clone().into_iter().collect::<Vec<_>>());
    }
}
