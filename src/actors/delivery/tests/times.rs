//! When a delivery is expected, as its customer is told.

use super::*;
use crate::sim::world::World;

#[test]
fn a_pickup_that_is_over_keeps_its_time_when_the_drop_off_moves() {
    let mut bench = bench();
    bench.wait(70.0);
    let picked_up_at = bench.context.now;
    bench.tell(DeliveryMessage::PickedUp);
    let etas = Etas {
        pickup: SimTime::from_secs(99.0),
        delivery: SimTime::from_secs(150.0),
    };
    let etas = Etas {
        pickup: picked_up_at,
        ..etas
    };
    let effects = bench.tell(DeliveryMessage::EtaMoved(etas));
    assert_eq!(told(&effects), [DeliveryEvent::EtaChanged { etas }]);
}

#[test]
fn what_comes_to_the_same_is_not_told() {
    let mut bench = bench();
    let at = |pickup: f64, delivery: f64| Etas {
        pickup: SimTime::from_secs(pickup),
        delivery: SimTime::from_secs(delivery),
    };
    for (pickup, delivery, is_told) in [
        (60.0, 120.0, false),
        (60.0, 120.05, false),
        (57.0, 117.0, false),
        (60.0, 120.3, true),
        (60.0, 115.0, true),
    ] {
        bench.wait(1.0);
        let effects = bench.tell(DeliveryMessage::EtaMoved(at(pickup, delivery)));
        assert_eq!(told(&effects).len(), usize::from(is_told), "{pickup} {delivery}");
    }
    // There and back within a tick is nowhere.
    bench.wait(1.0);
    let there = bench.tell(DeliveryMessage::EtaMoved(at(70.0, 130.0)));
    let further = bench.tell(DeliveryMessage::EtaMoved(at(80.0, 150.0)));
    let back = bench.tell(DeliveryMessage::EtaMoved(at(70.0, 130.0)));
    assert_eq!([there, back].map(|effects| told(&effects).len()), [1, 0]);
    let [(_, Mail::Delivery(_, again))] = alarms(&further)[..] else {
        panic!("{further:?}")
    };
    bench.wait(0.1);
    assert_eq!(told(&bench.tell(again.clone())), []);
}

#[test]
fn nobody_is_told_a_time_that_is_over_nor_two_in_one_tick() {
    let mut bench = bench();
    bench.wait(70.0);
    let now = bench.context.now;
    let at = |seconds: f64| Etas {
        pickup: SimTime::from_secs(seconds),
        delivery: SimTime::from_secs(seconds),
    };
    let changed = |seconds: f64| vec![DeliveryEvent::EtaChanged { etas: at(seconds) }];
    let effects = bench.tell(DeliveryMessage::EtaMoved(at(60.0)));
    assert_eq!(told(&effects), changed(now.as_secs()), "not before now");
    let later = bench.tell(DeliveryMessage::EtaMoved(at(90.0)));
    let again = bench.tell(DeliveryMessage::EtaMoved(at(95.0)));
    assert_eq!((told(&later), told(&again)), (vec![], vec![]));
    let both = [later, again].concat();
    let [(due, Mail::Delivery(_, tell))] = alarms(&both)[..] else {
        panic!("one alarm for both")
    };
    assert_eq!(due, now);
    let tell = tell.clone();
    bench.wait(0.1);
    assert_eq!(
        told(&bench.tell(tell)),
        changed(95.0),
        "the newest, in the next tick"
    );
}

#[test]
fn who_waits_at_the_door_is_not_promised_for_the_past() {
    let mut bench = ordered(Bearer::Drone(DRONE), ConfirmationRequired::Picture);
    bench.context = Context {
        world: Arc::new(World {
            recipient: Recipient {
                never: 1.0,
                ..Default::default()
            },
            ..bench.context.world.as_ref().clone()
        }),
        ..bench.context
    };
    bench.wait(100.0);
    let arrived = bench.context.now;
    bench.tell(DeliveryMessage::PickedUp);
    let mut effects = bench.tell(DeliveryMessage::AtDoor);
    let mut by = Vec::new();
    loop {
        let nobody_yet = |(at, mail): (SimTime, &Mail)| match mail {
            Mail::Delivery(_, message @ DeliveryMessage::NobodyYet { .. }) => Some((at, message.clone())),
            _ => None,
        };
        let Some((at, message)) = alarms(&effects).into_iter().find_map(nobody_yet) else {
            break;
        };
        assert_eq!(at, bench.role.etas.delivery, "when what was told is over");
        by.push(at.since(arrived).as_secs());
        bench.context.now = at;
        effects = bench.tell(message);
    }
    assert_eq!(
        by,
        [20.0, 30.0, 60.0],
        "as most, as the slowest, and as long as anybody waits"
    );
}
