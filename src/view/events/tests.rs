//! The log against a plain list of everything that ever happened.

use proptest::prelude::*;

use super::*;
use crate::sim::event::{DroneEvent, HubEvent};

const SMALL: Window = Window {
    least: 8,
    most: 20,
    age: SimDuration(1_000),
};

/// Who, and how long after the event before.
type Step = (u8, u64);

fn event(seq: u32, at: u64, who: u8) -> Arc<Event> {
    let happening = match who {
        0..4 => Happening::Drone(DroneId(who.into()), DroneEvent::LowBattery),
        4..6 => Happening::Hub(
            HubId(u16::from(who) - 4),
            HubEvent::QueueChanged {
                charging: seq,
                queued: 0,
            },
        ),
        _ => Happening::Delivery(
            DeliveryId::new(1, [who; 10]),
            crate::sim::event::DeliveryEvent::Created,
        ),
    };
    Arc::new(Event {
        at: SimTime(at),
        seq,
        happening,
    })
}

/// All events of a story, numbered within their subjects.
fn story(steps: &[Step]) -> Vec<Arc<Event>> {
    let (mut seqs, mut at) = ([0; 8], 0);
    let mut events = Vec::new();
    for &(who, later) in steps {
        at += later;
        seqs[usize::from(who)] += 1;
        events.push(event(seqs[usize::from(who)], at, who));
    }
    events
}

fn told(log: &EventLog) -> (u64, Vec<Arc<Event>>) {
    (log.last, log.kept.iter().cloned().collect())
}

fn seqs(after: EventsAfter) -> Option<Vec<u64>> {
    match after {
        EventsAfter::Next(events) => Some(events.into_iter().map(|numbered| numbered.seq).collect()),
        EventsAfter::Gone => None,
    }
}

#[test]
fn a_cursor_reads_what_follows_in_portions_and_hears_when_it_was_overtaken() {
    let mut log = EventLog::after(0, SMALL);
    assert_eq!(seqs(log.all_after(0, 5)), Some(vec![]));
    assert_eq!(
        seqs(log.all_after(1, 5)),
        None,
        "nothing is ahead of the last event"
    );
    for event in story(&[(6, 0); 12]) {
        log.append(event);
    }
    assert_eq!(seqs(log.all_after(0, 5)), Some((1..=5).collect()));
    assert_eq!(seqs(log.all_after(5, 9)), Some((6..=12).collect()));
    assert_eq!(seqs(log.all_after(12, 5)), Some(vec![]));
    for event in story(&[(6, 0); 12]) {
        log.append(event);
    }
    // 24 events, of which 20 are kept.
    assert_eq!(seqs(log.all_after(3, 1)), None);
    assert_eq!(seqs(log.all_after(4, 2)), Some(vec![5, 6]));
    assert_eq!(seqs(log.all_after(u64::MAX, 2)), None);
}

#[test]
fn the_young_are_kept_up_to_the_bound_and_the_old_down_to_the_least() {
    let mut log = EventLog::after(0, SMALL);
    for event in story(&[(6, 10); 15]) {
        log.append(event);
    }
    assert_eq!(log.reading().kept, 15, "all younger than the window's age");
    log.append(event(16, 5_000, 6));
    assert_eq!(log.reading().kept, 8, "the rest is old by now");
    assert_eq!(log.oldest(), Some(SimTime(90)));
}

proptest! {
    #[test]
    fn every_index_holds_exactly_what_the_log_holds(
        steps in prop::collection::vec((0..8_u8, 0..200_u64), 0..120),
        cut in 0..120_usize,
        portion in 1..7_usize,
    ) {
        let all = story(&steps);
        // A restart somewhere in between changes nothing.
        let cut = cut.min(all.len());
        let mut log = EventLog::after(0, SMALL);
        for event in &all[..cut] {
            log.append(Arc::clone(event));
        }
        let (last, past) = told(&log);
        let mut log = EventLog::holding(last, past, SMALL);
        for event in &all[cut..] {
            log.append(Arc::clone(event));
        }
        let kept = log.reading().kept;
        prop_assert_eq!(log.last(), all.len() as u64);
        prop_assert!(kept <= SMALL.most && kept >= all.len().min(SMALL.least));
        let newest = &all[all.len() - kept..];
        prop_assert_eq!(&told(&log).1[..], newest);

        for who in 0..6_u8 {
            let is_its = |event: &&Arc<Event>| subject_of(event) == Some(who);
            let last = all.iter().filter(is_its).count() as u64;
            let held = newest.iter().filter(is_its).count() as u64;
            let read = |seq: u64, limit| match who {
                0..4 => log.of_drone_after(DroneId(who.into()), seq, last, limit),
                _ => log.of_hub_after(HubId(u16::from(who) - 4), seq, last, limit),
            };
            for seq in 0..last - held {
                prop_assert_eq!(read(seq, 1), EventsAfter::Gone);
            }
            let mut cursor = last - held;
            while cursor < last {
                let EventsAfter::Next(events) = read(cursor, portion) else {
                    panic!("{cursor} of {last} is kept");
                };
                prop_assert!(!events.is_empty() && events.len() <= portion);
                for numbered in events {
                    cursor += 1;
                    prop_assert_eq!(numbered.seq, cursor);
                    prop_assert_eq!(u64::from(numbered.event.seq), cursor);
                }
            }
            prop_assert_eq!(read(last, 9), EventsAfter::Next(Vec::new()));
        }
        let subjects = (0..6).filter(|who| newest.iter().any(|event| subject_of(event) == Some(*who)));
        prop_assert_eq!(log.reading().subjects, subjects.count());
    }
}

fn subject_of(event: &Event) -> Option<u8> {
    match event.happening {
        Happening::Drone(drone, _) => Some(drone.0 as u8),
        Happening::Hub(hub, _) => Some(hub.0 as u8 + 4),
        Happening::Delivery(..)
        | Happening::Supervisor(_)
        | Happening::Account(_)
        | Happening::Package(_) => None,
    }
}
