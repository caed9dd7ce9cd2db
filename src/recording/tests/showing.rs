//! What a recording shows is what there was, from whichever side a moment is reached.

use std::sync::Arc;

use crate::recording::file::Chunk;
use crate::recording::layout::Topic;
use crate::recording::projector::Projector;
use crate::recording::{Recording, timeline};
use crate::sim::time::SimTime;
use crate::view::timeline::Timeline;
use crate::view::{DeliveryFilter, DeliveryRecord, DroneFilter, View};
use crate::wire::stream::positions::Row;

use super::{Run, record, shown};

fn at(seconds: u64) -> SimTime {
    SimTime(seconds * 1_000_000)
}

fn open(run: &Run, seconds: u64) -> Projector {
    Projector::open(Recording::open(&run.path).unwrap(), at(seconds), 7, None).unwrap()
}

fn rows(view: &View) -> Vec<Row> {
    let mut rows: Vec<Row> = view.frame().rows().iter().map(shown).collect();
    rows.sort_by_key(|row| row.drone);
    rows
}

/// Those that go on: what ended before the moment that was gone to is not listed.
fn going_on(view: &View) -> Vec<(String, u32)> {
    let all = view.deliveries(&DeliveryFilter::default(), None, 10_000).items;
    let go_on = all.iter().filter(|record| record.ended.is_none());
    go_on
        .map(|record: &DeliveryRecord| (record.id.to_string(), record.seq()))
        .collect()
}

fn assert_shows(run: &Run, view: &View, tick: usize) {
    assert_eq!(view.clock().tick, tick as u64);
    assert_eq!(rows(view), run.seen[tick - 1].0, "tick {tick}");
    assert_eq!(view.clock().digest, run.digests[tick - 1], "tick {tick}");
    assert_eq!(view.events_so_far().2, run.seen[tick - 1].1, "tick {tick}");
}

#[test]
fn played_through_it_shows_every_tick_as_it_was() {
    let run = record(1.0);
    let mut projector = open(&run, 0);
    for tick in 1..=300 {
        projector.forward().unwrap();
        assert_shows(&run, projector.view(), tick);
    }
    assert_eq!(projector.next_at().unwrap(), None);
}

#[test]
fn a_moment_that_is_gone_to_is_the_one_that_is_played_to() {
    let run = record(1.0);
    let mut played = open(&run, 0);
    for tick in 1..=250 {
        played.forward().unwrap();
        if tick % 50 == 0 {
            let gone_to = open(&run, tick as u64);
            assert_shows(&run, gone_to.view(), tick);
            assert_eq!(going_on(gone_to.view()), going_on(played.view()), "tick {tick}");
            let gauges = |view: &View| {
                let fleet = view.fleet();
                let samples = fleet.quotes.map(|quotes| quotes.samples);
                (fleet.completed_per_minute, samples)
            };
            assert_eq!(gauges(gone_to.view()), gauges(played.view()), "tick {tick}");
            let drones = |view: &View| view.drones(&DroneFilter::default(), None, 100).items;
            assert_eq!(drones(gone_to.view()).len(), 12);
            for (one, other) in drones(gone_to.view()).iter().zip(drones(played.view())) {
                assert_eq!(
                    (one.status, one.delivery, one.seq),
                    (other.status, other.delivery, other.seq)
                );
            }
        }
    }
    // And from there on, as ever.
    played.seek(at(100)).unwrap();
    assert_shows(&run, played.view(), 100);
    assert_eq!(played.view().clock().epoch, 9);
    for tick in 101..=300 {
        played.forward().unwrap();
        assert_shows(&run, played.view(), tick);
    }
}

#[test]
fn backwards_it_shows_every_frame_again() {
    let run = record(1.0);
    let mut projector = open(&run, 300);
    for tick in (1..300).rev() {
        assert!(projector.back().unwrap());
        assert_eq!(projector.view().clock().tick, tick as u64);
        assert_eq!(rows(projector.view()), run.seen[tick - 1].0, "tick {tick}");
        let standing = projector.view().standing();
        let all = standing.at_hubs.iter().map(Vec::len).sum::<usize>() + standing.elsewhere.len();
        assert_eq!(all, 12, "everybody is somewhere at tick {tick}");
    }
    assert!(projector.back().unwrap(), "the moment before the first tick");
    assert!(!projector.back().unwrap());
}

#[test]
fn a_count_that_cannot_be_read_leaves_the_way_back_as_it_was() {
    let run = record(1.0);
    let mut projector = open(&run, 300);
    while projector.view().clock().tick > 255 {
        assert!(projector.back().unwrap());
    }
    // All behind the whole state before it is out of reach for once.
    let recording = Recording::open(&run.path).unwrap();
    let began = |chunk: &&Chunk| recording.origin.at(chunk.from_ns) <= at(255);
    let mut states = recording.chunks().iter().filter(began);
    let state = states.rfind(|chunk| chunk.topics.contains(&Topic::Keyframes));
    let state = state.unwrap();
    let whole = std::fs::read(&run.path).unwrap();
    std::fs::write(&run.path, &whole[..(state.offset + state.length) as usize]).unwrap();
    assert!(projector.recount().is_err());
    std::fs::write(&run.path, whole).unwrap();
    for tick in (1..255).rev() {
        assert!(projector.back().unwrap());
        assert_eq!(projector.view().clock().tick, tick as u64, "every frame is shown");
        assert_eq!(rows(projector.view()), run.seen[tick - 1].0, "tick {tick}");
    }
    projector.recount().unwrap();
}

#[test]
fn frames_apart_are_gone_to_and_passed() {
    let run = record(0.1);
    let mut projector = open(&run, 150);
    assert_eq!(rows(projector.view()), run.seen[149].0);
    while projector.next_at().unwrap().is_some() {
        projector.forward().unwrap();
        // What happens between frames is told with the next.
        let tick = projector.view().clock().tick;
        assert_eq!(tick % 10, 0);
        assert_shows(&run, projector.view(), tick as usize);
    }
    assert_shows(&run, projector.view(), 300);
}

#[test]
fn its_timeline_counts_every_delivery_that_was_completed() {
    let run = record(1.0);
    let recording = Recording::open(&run.path).unwrap();
    let timeline = Arc::new(Timeline::new(SimTime::START, recording.end()));
    timeline::read(&recording, &Arc::downgrade(&timeline)).unwrap();
    let completed = open(&run, 300).view().fleet().deliveries.completed;
    assert!(completed > 0);
    assert_eq!(timeline.glance(1, SimTime::START).completed, [completed]);
    assert_eq!(
        timeline.glance(300, SimTime::START).completed.iter().sum::<u64>(),
        completed
    );
}
