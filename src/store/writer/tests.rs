//! The writer against a store that fails: every answer is true, and nothing is lost or doubled.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::task::JoinHandle;

use super::{BATCHES_WAITING, Refused, SPARED_FOR, TICKS_AHEAD, Writer};
use crate::sim::command::Command;
use crate::store::faulty::{Faults, FaultyStore, Moment};
use crate::store::places::{Database, Folder, Place, in_each_place};
use crate::store::testing::{batch, command, delivery, history_row, tick};
use crate::store::{HistoryQuery, IngestBatch, Snapshot, StoreError, TickRow};

in_each_place!(
    async what_is_acknowledged_is_in_the_store,
    what_waits_shares_one_flush_and_what_is_too_much_is_refused,
    a_stall_refuses_commands_holds_the_engine_back_and_loses_no_tick,
    a_lost_acknowledgement_is_found_out_before_anybody_is_answered,
    a_stall_with_nothing_to_retry_ends_when_writing_works_again,
    a_store_that_hangs_counts_as_stalled_until_it_answers,
    commands_do_not_wait_for_all_of_a_long_history,
    a_long_history_spares_commands_for_a_time_only,
    commands_are_durable_before_a_large_snapshot_is,
    whatever_fails_between_slices_a_large_snapshot_is_whole,
    a_snapshot_whose_slices_never_ended_never_was,
    a_final_error_answers_everybody_and_ends_the_writer,
    closing_flushes_what_waits_and_cuts_a_stall_short,
);

fn full() -> StoreError {
    StoreError::DiskFull {
        cause: "on purpose".to_owned(),
    }
}

fn start(place: &impl Place) -> (Writer, Faults) {
    start_sparing(place, SPARED_FOR)
}

fn start_sparing(place: &impl Place, spared_for: Duration) -> (Writer, Faults) {
    let faults = Faults::default();
    let store = Box::new(FaultyStore::new(place.open(), faults.clone()));
    (Writer::start_sparing(store, spared_for).unwrap(), faults)
}

async fn stalled(writer: &Writer, wanted: bool) {
    writer
        .watch_stalled()
        .wait_for(|stalled| *stalled == wanted)
        .await
        .unwrap();
}

/// The last command and the last tick that the place holds, after a restart.
fn ends(place: &impl Place) -> (u64, u64) {
    let mut store = place.open();
    (store.last_command_seq().unwrap(), store.last_tick().unwrap())
}

async fn what_is_acknowledged_is_in_the_store(place: impl Place) {
    let (writer, _) = start(&place);
    writer.append_commands(batch(1, 4)).await.unwrap();
    let snapshot = Snapshot {
        tick: 1,
        engine: vec![1],
        ..Snapshot::default()
    };
    writer
        .commit_tick(tick(1, 4), Some(snapshot))
        .await
        .await
        .unwrap();
    assert_eq!(
        writer.delivery_of_key("key-3".to_owned()).await,
        Ok(Some(delivery(3)))
    );
    assert_eq!(writer.delivery_of_key("key-9".to_owned()).await, Ok(None));
    assert_eq!((writer.gauges().flushes(), writer.gauges().rows()), (2, 2));

    let late = writer.clone();
    writer.close().unwrap();
    assert_eq!(late.append_commands(batch(5, 1)).await, Err(Refused::Unavailable));
    assert_eq!(
        late.commit_tick(tick(2, 4), None).await.await,
        Err(StoreError::Closed)
    );
    assert_eq!(ends(&place), (4, 1));
}

/// Spawned calls run on the test's own thread, so they are made once this one yields.
fn spawn_batch(writer: &Writer, batch: IngestBatch) -> JoinHandle<Result<(), Refused>> {
    let writer = writer.clone();
    tokio::spawn(async move { writer.append_commands(batch).await })
}

async fn what_waits_shares_one_flush_and_what_is_too_much_is_refused(place: impl Place) {
    let (writer, faults) = start(&place);
    let held = faults.hold_appends();
    let mut calls = vec![spawn_batch(&writer, batch(1, 1))];
    while !faults.is_append_held() {
        tokio::task::yield_now().await;
    }
    let waiting = BATCHES_WAITING as u64;
    calls.extend((2..2 + waiting).map(|number| spawn_batch(&writer, batch(number, 1))));
    for _ in 0..waiting {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        writer.queues()[0],
        ("store_commands", BATCHES_WAITING, BATCHES_WAITING)
    );
    assert_eq!(
        writer.append_commands(batch(2 + waiting, 1)).await,
        Err(Refused::Busy)
    );

    drop(held);
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(writer.gauges().flushes(), 2);
    assert_eq!(writer.append_commands(batch(2 + waiting, 1)).await, Ok(()));
    writer.close().unwrap();
    assert_eq!(ends(&place), (2 + waiting, 0));
}

async fn a_stall_refuses_commands_holds_the_engine_back_and_loses_no_tick(place: impl Place) {
    let (writer, faults) = start(&place);
    writer.append_commands(batch(1, 2)).await.unwrap();
    faults.fail_writes(Some(full()));
    let mut pending = vec![writer.commit_tick(tick(1, 2), None).await];
    stalled(&writer, true).await;
    assert!(writer.gauges().is_stalled());
    assert_eq!(
        writer.append_commands(batch(3, 1)).await,
        Err(Refused::Unavailable)
    );
    assert_eq!(
        writer.delivery_of_key("key-3".to_owned()).await,
        Err(Refused::Unavailable)
    );

    let ahead = TICKS_AHEAD as u64;
    for number in 2..=ahead {
        // Two snapshots among them must not end up in one flush.
        let snapshot = (number % 20 == 0).then(|| Snapshot {
            tick: number,
            engine: vec![1],
            ..Snapshot::default()
        });
        pending.push(writer.commit_tick(tick(number, 2), snapshot).await);
    }
    assert_eq!(writer.queues()[1], ("store_ticks", TICKS_AHEAD, TICKS_AHEAD));
    let mut one_too_many = Box::pin(writer.commit_tick(tick(ahead + 1, 2), None));
    assert!((&mut one_too_many).now_or_never().is_none());

    faults.fail_writes(None);
    for tick in pending {
        assert_eq!(tick.await, Ok(()));
    }
    assert_eq!(one_too_many.await.await, Ok(()));
    stalled(&writer, false).await;
    assert_eq!(writer.append_commands(batch(3, 1)).await, Ok(()));
    writer.close().unwrap();
    assert_eq!(ends(&place), (3, ahead + 1));
    let mut store = place.open();
    assert_eq!(
        store.latest_snapshot().unwrap().map(|snapshot| snapshot.tick),
        Some(60)
    );
}

async fn a_store_that_hangs_counts_as_stalled_until_it_answers(place: impl Place) {
    let (writer, faults) = start(&place);
    let at_once = Duration::ZERO;
    writer.stall_if_flushing_for(at_once);
    assert!(!writer.gauges().is_stalled(), "nothing is under way");
    let held = faults.hold_appends();
    let hangs = spawn_batch(&writer, batch(1, 1));
    while !faults.is_append_held() {
        tokio::task::yield_now().await;
    }
    let waits = spawn_batch(&writer, batch(2, 1));
    tokio::task::yield_now().await;
    writer.stall_if_flushing_for(Duration::MAX);
    assert!(!writer.gauges().is_stalled(), "it is not overdue");
    writer.stall_if_flushing_for(at_once);
    stalled(&writer, true).await;
    assert_eq!(
        waits.await.unwrap(),
        Err(Refused::Unavailable),
        "none of it was tried"
    );
    assert_eq!(
        writer.append_commands(batch(2, 1)).await,
        Err(Refused::Unavailable)
    );

    drop(held);
    assert_eq!(hangs.await.unwrap(), Ok(()), "it was only late");
    stalled(&writer, false).await;
    assert_eq!(writer.append_commands(batch(2, 1)).await, Ok(()));
    writer.close().unwrap();
    assert_eq!(ends(&place), (2, 0));
}

async fn a_lost_acknowledgement_is_found_out_before_anybody_is_answered(place: impl Place) {
    let (writer, faults) = start(&place);
    faults.fail_append(1, Moment::AfterCommit, full());
    assert_eq!(writer.append_commands(batch(1, 2)).await, Ok(()));
    stalled(&writer, false).await;

    faults.fail_append(1, Moment::BeforeCommit, full());
    assert_eq!(
        writer.append_commands(batch(3, 2)).await,
        Err(Refused::Unavailable)
    );
    stalled(&writer, false).await;
    assert_eq!(
        writer.append_commands(batch(5, 1)).await,
        Err(Refused::OutOfSequence { expected: 3 }),
        "the refused batch must leave no hole"
    );

    // While its fate cannot be read the batch is neither refused nor dropped.
    faults.fail_reads(Some(full()));
    faults.fail_append(1, Moment::BeforeCommit, full());
    assert_eq!(writer.append_commands(batch(3, 1)).await, Ok(()));
    writer.close().unwrap();
    assert_eq!(ends(&place), (3, 0));
}

async fn a_stall_with_nothing_to_retry_ends_when_writing_works_again(place: impl Place) {
    let (writer, faults) = start(&place);
    faults.fail_writes(Some(full()));
    assert_eq!(
        writer.append_commands(batch(1, 1)).await,
        Err(Refused::Unavailable)
    );
    stalled(&writer, true).await;
    faults.fail_writes(None);
    stalled(&writer, false).await;
    assert_eq!(writer.append_commands(batch(1, 1)).await, Ok(()));
}

/// Commits a tick whose snapshot has 1,300 rows of history, with so many ticks behind it, and a
/// command that comes while the first rows are written; answers how many flushes it took.
async fn flushes_of_a_long_history(place: &impl Place, ticks_behind: u64, spared_for: Duration) -> u64 {
    const ROWS: u64 = 1_300;
    let (writer, faults) = start_sparing(place, spared_for);
    let held = faults.hold_appends();
    let snapshot = Snapshot {
        tick: 1,
        engine: vec![1],
        records: vec![(delivery(7), vec![1])],
        history: (1..=ROWS).map(|number| history_row(number, number)).collect(),
        ..Snapshot::default()
    };
    let mut ticks = vec![writer.commit_tick(tick(1, 0), Some(snapshot)).await];
    for behind in 0..ticks_behind {
        ticks.push(writer.commit_tick(tick(2 + behind, 0), None).await);
    }
    while !faults.is_append_held() {
        tokio::task::yield_now().await;
    }
    let beside = spawn_batch(&writer, batch(1, 1));
    tokio::task::yield_now().await;
    drop(held);
    assert_eq!(beside.await.unwrap(), Ok(()));
    for tick in ticks {
        assert_eq!(tick.await, Ok(()));
    }
    let flushes = writer.gauges().flushes();
    writer.close().unwrap();
    let mut store = place.open();
    let newest = HistoryQuery::Newest { limit: 2_000 };
    assert_eq!(store.history(&newest).unwrap().rows.len() as u64, ROWS);
    assert_eq!(store.records(None, 10), Ok(Vec::new()));
    drop(store);
    assert_eq!(ends(place), (1, 1 + ticks_behind));
    flushes
}

async fn commands_do_not_wait_for_all_of_a_long_history(place: impl Place) {
    // 512 rows; 64 beside the command, and seven times while another may come; the 276 that
    // are left; the snapshot; the tick after.
    let flushes = flushes_of_a_long_history(&place, 1, Duration::MAX).await;
    assert_eq!(flushes, 1 + 8 + 1 + 2);
}

/// A clock that waits for the rows makes no more ticks, so what waits behind them tells nothing.
async fn a_long_history_spares_commands_for_a_time_only(place: impl Place) {
    // 512 rows; 512 beside the command; the 276 that are left; the snapshot.
    let flushes = flushes_of_a_long_history(&place, 0, Duration::ZERO).await;
    assert_eq!(flushes, 3 + 1);
}

/// 1,500 rows: 700 actors, 600 records, and 200 deliveries that ended, the first of them among
/// those that have records.
fn large_snapshot(tick: u64, byte: u8) -> Snapshot {
    let ended = (1..=200).map(|number| history_row(number + 1_000 * (tick - 1), tick));
    Snapshot {
        tick,
        engine: vec![1],
        actors: (0..700_u32)
            .map(|number| (number.to_be_bytes().to_vec(), Some(vec![byte; 20])))
            .collect(),
        records: (101..=700).map(|number| (delivery(number), vec![byte])).collect(),
        history: ended.collect(),
        ..Snapshot::default()
    }
}

/// Which bytes actors and records have, and how many of each there are.
fn states(place: &impl Place) -> [(usize, Vec<u8>); 2] {
    let mut store = place.open();
    let snapshot = store.latest_snapshot().unwrap().unwrap_or_default();
    let actors = (snapshot.actors.into_iter()).map(|(_, state)| state.unwrap()[0]);
    let records = store.records(None, 2_000).unwrap().into_iter();
    let records = records.map(|(_, record)| record[0]);
    [actors.collect::<Vec<u8>>(), records.collect()].map(|bytes| {
        let count = bytes.len();
        (
            count,
            bytes.into_iter().collect::<BTreeSet<u8>>().into_iter().collect(),
        )
    })
}

async fn commands_are_durable_before_a_large_snapshot_is(place: impl Place) {
    let (writer, faults) = start_sparing(&place, Duration::MAX);
    let held = faults.hold_appends();
    let mut snapshot = writer.commit_tick(tick(1, 0), Some(large_snapshot(1, 7))).await;
    while !faults.is_append_held() {
        tokio::task::yield_now().await;
    }
    // Each with the slice after the one that is being written when it comes.
    for number in 1..=3 {
        let beside = spawn_batch(&writer, batch(number, 1));
        tokio::task::yield_now().await;
        held.let_through(2);
        assert_eq!(beside.await.unwrap(), Ok(()));
        assert!((&mut snapshot).now_or_never().is_none(), "most of it waits");
    }
    drop(held);
    assert_eq!(snapshot.await, Ok(()));
    writer.close().unwrap();
    assert_eq!(ends(&place), (3, 1));
    assert_eq!(states(&place), [(700, vec![7]), (500, vec![7])]);
}

async fn whatever_fails_between_slices_a_large_snapshot_is_whole(place: impl Place) {
    let (writer, faults) = start_sparing(&place, Duration::ZERO);
    for (nth, moment) in [
        (1, Moment::AfterCommit),
        (3, Moment::BeforeCommit),
        (5, Moment::AfterCommit),
        (7, Moment::AfterCommit),
    ] {
        faults.fail_append(nth, moment, full());
    }
    for number in 1..=2 {
        let snapshot = large_snapshot(number, number as u8);
        let committed = writer.commit_tick(tick(number, 0), Some(snapshot)).await;
        assert_eq!(committed.await, Ok(()));
    }
    writer.close().unwrap();
    assert_eq!(ends(&place), (0, 2));
    assert_eq!(states(&place), [(700, vec![2]), (600, vec![2])]);
}

async fn a_snapshot_whose_slices_never_ended_never_was(place: impl Place) {
    let (writer, faults) = start(&place);
    let first = Snapshot {
        history: Vec::new(),
        ..large_snapshot(1, 1)
    };
    let committed = writer.commit_tick(tick(1, 0), Some(first)).await;
    assert_eq!(committed.await, Ok(()));
    let corrupt = StoreError::Corrupt {
        what: "on purpose".to_owned(),
    };
    faults.fail_append(3, Moment::AfterCommit, corrupt.clone());
    let committed = writer.commit_tick(tick(2, 0), Some(large_snapshot(2, 2))).await;
    assert_eq!(committed.await, Err(corrupt));
    drop(writer);
    assert_eq!(ends(&place), (0, 1));
    assert_eq!(states(&place), [(700, vec![1]), (600, vec![1])]);
}

async fn a_final_error_answers_everybody_and_ends_the_writer(place: impl Place) {
    let (writer, faults) = start(&place);
    let corrupt = StoreError::Corrupt {
        what: "on purpose".to_owned(),
    };
    faults.fail_append(1, Moment::BeforeCommit, corrupt.clone());
    let held = faults.hold_appends();
    let first = writer.commit_tick(tick(1, 0), None).await;
    while !faults.is_append_held() {
        tokio::task::yield_now().await;
    }
    let queued_tick = writer.commit_tick(tick(2, 0), None).await;
    let queued_batch = spawn_batch(&writer, batch(1, 1));
    tokio::task::yield_now().await;
    drop(held);
    assert_eq!(first.await, Err(corrupt.clone()));
    assert_eq!(queued_tick.await, Err(corrupt.clone()));
    assert_eq!(queued_batch.await.unwrap(), Err(Refused::Unavailable));
    assert_eq!(
        writer.commit_tick(tick(3, 0), None).await.await,
        Err(corrupt.clone())
    );
    assert_eq!(writer.close(), Err(corrupt));
}

async fn closing_flushes_what_waits_and_cuts_a_stall_short(place: impl Place) {
    let (writer, faults) = start(&place);
    let held = faults.hold_appends();
    let pending = [
        writer.commit_tick(tick(1, 0), None).await,
        writer
            .commit_tick(
                tick(2, 0),
                Some(Snapshot {
                    tick: 2,
                    engine: vec![1],
                    ..Snapshot::default()
                }),
            )
            .await,
        writer.commit_tick(tick(3, 0), None).await,
    ];
    drop(held);
    drop(writer);
    for tick in pending {
        assert_eq!(tick.await, Ok(()));
    }
    assert_eq!(ends(&place), (0, 3));

    let (writer, faults) = start(&place);
    faults.fail_writes(Some(full()));
    let pending = writer.commit_tick(tick(4, 0), None).await;
    stalled(&writer, true).await;
    assert_eq!(writer.close(), Err(full()));
    assert_eq!(pending.await, Err(full()));
    assert_eq!(ends(&place), (0, 3));
}

/// A client that keeps to the rules: one batch at a time, numbered again after a refusal.
/// Each try has other content, so that a refused batch that was kept would show.
async fn send_until_taken(writer: &Writer, next_seq: u64, tries: &mut u64) -> Command {
    loop {
        *tries += 1;
        let content = command(*tries);
        let result = writer
            .append_commands(IngestBatch {
                first_seq: next_seq,
                commands: vec![content.clone()],
            })
            .await;
        match result {
            Ok(()) => return content,
            Err(Refused::Unavailable) => stalled(writer, false).await,
            Err(other) => panic!("{other}"),
        }
    }
}

async fn run_against(place: impl Place, faults_at: &[(u64, bool)], steps: &[u64]) {
    let (writer, faults) = start(&place);
    for (nth, after_commit) in faults_at {
        let moment = if *after_commit {
            Moment::AfterCommit
        } else {
            Moment::BeforeCommit
        };
        faults.fail_append(*nth, moment, full());
    }
    let (mut acknowledged, mut ticks, mut pending, mut tries) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for ticks_meanwhile in steps {
        for _ in 0..*ticks_meanwhile {
            let row = tick(ticks.len() as u64 + 1, acknowledged.len() as u64);
            ticks.push(row.clone());
            pending.push(writer.commit_tick(row, None).await);
        }
        let taken = send_until_taken(&writer, acknowledged.len() as u64 + 1, &mut tries).await;
        acknowledged.push(taken);
    }
    for tick in pending {
        assert_eq!(tick.await, Ok(()));
    }
    writer.close().unwrap();

    let mut store = place.open();
    let kept: Vec<Command> = store
        .commands_from(1, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|(_, command)| command)
        .collect();
    assert_eq!(kept, acknowledged);
    let ticks: Vec<TickRow> = ticks.iter().map(TickRow::as_kept).collect();
    assert_eq!(store.ticks_after(0, 10_000).unwrap(), ticks);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn exactly_the_acknowledged_is_kept_whatever_fails(
        faults_at in prop::collection::vec((1_u64..40, any::<bool>()), 0..8),
        steps in prop::collection::vec(0_u64..5, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run_against(Folder::new(), &faults_at, &steps));
    }

    #[test]
    fn exactly_the_acknowledged_is_kept_in_a_database_too(
        faults_at in prop::collection::vec((1_u64..40, any::<bool>()), 0..4),
        steps in prop::collection::vec(0_u64..5, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run_against(Database::new(), &faults_at, &steps));
    }
}
