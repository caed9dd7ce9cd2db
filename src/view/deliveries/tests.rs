//! Deliveries on their way out of memory: what is kept, counted and listed while they go.

use std::sync::Arc;

use super::*;
use crate::sim::event::Etas;
use crate::sim::geo::LatLon;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Owner, Package, Stop};
use crate::sim::time::Tick;
use crate::sim::workflow::FailureReason;
use proptest::prelude::*;

pub(super) fn order_of(account: &str) -> Order {
    let stop = Stop {
        location: LatLon {
            lat: 37.7,
            lon: -122.4,
        },
        altitude_m: 0.0,
    };
    Order {
        owner: Owner::account(account),
        pickup: stop,
        dropoff: stop,
        package: Package {
            id: format!("package of {account}"),
            size: ContainerSize::Small,
            weight_kg: 0.5,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    }
}

fn id(number: usize) -> DeliveryId {
    DeliveryId::new(number as u64, [0; 10])
}

/// A delivery's next event, at this second.
fn happens(deliveries: &Deliveries, number: usize, second: u64, kind: DeliveryEvent) {
    let seq = deliveries.get(id(number)).map_or(0, |handle| handle.look().seq());
    let event = Event {
        at: SimTime(second * 1_000_000),
        seq: seq + 1,
        happening: Happening::Delivery(id(number), kind),
    };
    deliveries.apply(id(number), &Arc::new(event), None);
}

/// What may happen to one delivery, step by step, with the drone of its own number.
fn step(deliveries: &Deliveries, number: usize, step: usize, second: u64) {
    let drone = DroneId(number as u32);
    let etas = Etas {
        pickup: SimTime(second),
        delivery: SimTime(second + 9),
    };
    match step {
        0 => {
            let order = Arc::new(order_of(&format!("owner-{}", number % 3)));
            happens(deliveries, number, second, DeliveryEvent::Accepted { order });
        }
        1 => deliveries.took_off(id(number), drone),
        2 => happens(
            deliveries,
            number,
            second,
            DeliveryEvent::Assigned { drone, etas },
        ),
        3 if number.is_multiple_of(4) => {
            let reason = FailureReason::DroneLost;
            happens(deliveries, number, second, DeliveryEvent::Failed { reason });
        }
        3 => {
            let location = LatLon {
                lat: 37.8,
                lon: -122.4,
            };
            happens(deliveries, number, second, DeliveryEvent::Completed { location });
        }
        4 => {
            let flight = Flight {
                drone,
                ended: SimTime(second * 1_000_000),
                energy_wh: 12.5,
                distance_m: 900.0,
                airborne_s: 60.0,
            };
            deliveries.came_down(id(number), drone, Some(flight));
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn each_delivery_is_in_memory_or_kept_and_counted_once(
        // Which delivery goes on; where it is none of them, a snapshot is taken, or becomes durable.
        moves in proptest::collection::vec(0_usize..16, 0..200),
        recent in 0_usize..4,
    ) {
        const ALL: usize = 14;
        let deliveries = Deliveries::default();
        deliveries.leaving.lock().recent_most = recent;
        let mut steps = [0; ALL];
        let mut kept = std::collections::BTreeMap::new();
        let (mut totals, mut taken) = (Vec::new(), Vec::new());
        let mut going_on = std::collections::BTreeMap::new();
        let mut unsaved = std::collections::BTreeSet::new();
        let mut tick: Tick = 0;
        for (second, number) in moves.into_iter().enumerate() {
            match number {
                ALL => {
                    let (changed, settled) = deliveries.take();
                    tick += 1;
                    totals = deliveries.depart(tick, &settled);
                    for handle in &settled {
                        let record = handle.look();
                        prop_assert!(record.is_settled());
                        going_on.remove(&record.id);
                        prop_assert!(kept.insert(record.id, record.to_bytes()).is_none(), "kept once");
                    }
                    going_on.extend(changed.iter().map(|handle| (handle.look().id, handle.look().to_bytes())));
                    unsaved.clear();
                    taken.push(tick);
                }
                15 => {
                    if let Some(tick) = taken.pop() {
                        taken.clear();
                        deliveries.arrived(tick);
                    }
                }
                number => {
                    step(&deliveries, number, steps[number], second as u64);
                    if steps[number] < 5 {
                        unsaved.insert(number);
                    }
                    steps[number] += 1;
                }
            }
            for number in (0..ALL).filter(|number| steps[*number] > 0) {
                let here = deliveries.known(id(number));
                prop_assert!(here.is_some() || kept.contains_key(&id(number)), "{number}");
                if let (Some(here), Some(kept)) = (here, kept.get(&id(number))) {
                    prop_assert_eq!(&here.look().to_bytes(), kept, "both show the same");
                }
            }
            let counts = deliveries.counts();
            let accepted = steps.iter().filter(|steps| **steps > 0).count() as u64;
            let ended = |failed: bool| {
                let ended = (0..ALL).filter(|number| steps[*number] > 3 && number.is_multiple_of(4) == failed);
                ended.count() as u64
            };
            prop_assert_eq!((counts.accepted, counts.completed, counts.failed), (accepted, ended(false), ended(true)));
            prop_assert_eq!(counts.accepted, counts.waiting + counts.under_way + counts.completed + counts.failed);
        }
        // Once all that settled is durable, only the last few of it are left here.
        let (changed, settled) = deliveries.take();
        deliveries.depart(tick + 1, &settled);
        deliveries.arrived(tick + 1);
        drop(changed);
        let goes_on = steps.iter().filter(|steps| (1..5).contains(*steps)).count();
        prop_assert!(deliveries.in_memory() <= goes_on + recent);
        prop_assert_eq!(deliveries.records.len(), deliveries.in_memory());
        // What a snapshot had is what a restart begins from.
        if unsaved.is_empty() && tick > 0 {
            let read = |bytes: &Vec<u8>| DeliveryRecord::from_bytes(bytes).unwrap();
            let again = Deliveries::restore(Kept {
                records: going_on.values().map(read).collect(),
                recent: kept.values().map(read).collect(),
                totals,
            });
            prop_assert_eq!(again.counts(), deliveries.counts());
        }
    }
}

#[test]
fn a_record_comes_back_from_its_bytes_and_from_those_of_older_stores() {
    let deliveries = Deliveries::default();
    for number in 0..5 {
        step(&deliveries, 1, number, 7 * number as u64);
    }
    let record = deliveries.get(id(1)).unwrap().look().clone();
    let again = DeliveryRecord::from_bytes(&record.to_bytes()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{record:?}"));
    assert_eq!(
        (again.energy_wh(), again.ended),
        (Some(12.5), Some(SimTime(21_000_000)))
    );

    let old = postcard::to_stdvec(&record.events).unwrap();
    let old = DeliveryRecord::from_bytes(&old).unwrap();
    assert_eq!(old.events, record.events);
    assert!(old.is_settled() && old.flights.is_empty());
    let half_way = postcard::to_stdvec(&record.events[..2]).unwrap();
    assert_eq!(DeliveryRecord::from_bytes(&half_way).unwrap().aloft, [DroneId(1)]);
    for wrong in [&[][..], &[0], &[0, 2, 0], &[0, 1, 0, 0, 0, 0]] {
        assert!(DeliveryRecord::from_bytes(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn whoever_follows_a_delivery_sees_its_end_though_it_has_left() {
    let deliveries = Deliveries::default();
    deliveries.leaving.lock().recent_most = 0;
    step(&deliveries, 1, 0, 1);
    let handle = deliveries.get(id(1)).unwrap();
    for number in 1..5 {
        step(&deliveries, 1, number, 2);
    }
    let (_, settled) = deliveries.take();
    deliveries.depart(3, &settled);
    assert!(
        deliveries.get(id(1)).is_some(),
        "nobody knows yet whether it is durable"
    );
    deliveries.arrived(3);
    assert!(deliveries.known(id(1)).is_none());
    let found = deliveries.get(id(1)).expect("as long as somebody follows it");
    assert!(Arc::ptr_eq(&found.0, &handle.0));
    assert!(Arc::ptr_eq(
        &deliveries.recall(handle.look().clone()).0,
        &handle.0
    ));
    assert!(matches!(handle.events_after(0, 9), EventsAfter::Next(events) if events.len() == 3));
    assert_eq!(handle.look().stage, Stage::Completed);
    let index = deliveries.index.read();
    assert_eq!(
        (index.len(), index.newest_of_package("package of owner-1", None)),
        (0, None)
    );
    let record = handle.look().clone();
    drop((handle, found, settled));
    assert!(deliveries.get(id(1)).is_none());
    // Who comes and goes leaves nothing behind for long.
    for number in 0..10_000 {
        let past = DeliveryRecord {
            id: id(number),
            ..record.clone()
        };
        assert_eq!(deliveries.recall(past).look().id, id(number));
    }
    assert!(deliveries.recalled.len() < 2_000);
}
