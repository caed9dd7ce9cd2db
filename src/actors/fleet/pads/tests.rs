//! Pads on a bench: who comes down, who holds, who waits on the ground.

use std::sync::Arc;

use super::*;
use crate::actors::Effect;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::event::{Happening, HubEvent, HubQueues};
use crate::sim::flight::Milestone;

const HUB: HubId = HubId(0);

/// With so many pads, and drones from 0 on in the air.
fn bench(pads: u32, aloft: u32) -> Bench<Fleet> {
    let mut world = world(20, 20);
    world.hubs[0].pads = pads;
    let aloft: Vec<DroneId> = (0..aloft).map(DroneId).collect();
    Bench::new(world, |world| Fleet::new(world, &aloft))
}

impl Bench<Fleet> {
    fn comes(&mut self, drone: u32, endurance_s: f64) -> Vec<Effect> {
        self.tell(FleetMessage::Approach {
            drone: DroneId(drone),
            hub: HUB,
            endurance_s,
            descent_s: 18.0,
        })
    }

    fn lands(&mut self, drone: u32) -> Vec<Effect> {
        self.tell(FleetMessage::Docked {
            drone: DroneId(drone),
            hub: HUB,
            energy_wh: 100.0,
        })
    }

    /// At the time of the next alarm of the pads.
    fn until(&mut self, due: SimTime) -> Vec<Effect> {
        self.context.now = due;
        self.tell(FleetMessage::PadFree { hub: HUB })
    }

    fn queues(&self) -> PadQueues {
        self.role.pads.queues(HUB)
    }
}

fn held(effects: &[Effect]) -> Vec<u8> {
    let place = |mail: &Mail| match mail {
        Mail::Drone(_, DroneMessage::AwaitPad { place, .. }) => Some(*place),
        _ => None,
    };
    sent(effects).into_iter().filter_map(place).collect()
}

fn called(effects: &[Effect]) -> Vec<u32> {
    let drone = |mail: &Mail| match mail {
        Mail::Drone(drone, DroneMessage::ComeDown) => Some(drone.0),
        _ => None,
    };
    sent(effects).into_iter().filter_map(drone).collect()
}

fn due(effects: &[Effect]) -> SimTime {
    let of_pads = |mail: &Mail| matches!(mail, Mail::Fleet(FleetMessage::PadFree { .. }));
    let first = alarms(effects).into_iter().find(|(_, mail)| of_pads(mail));
    first.expect("an alarm for a pad").0
}

#[test]
fn who_finds_no_pad_holds_and_comes_down_when_the_one_before_is_moved_off() {
    let mut bench = bench(1, 3);
    assert!(bench.comes(0, 600.0).is_empty(), "the pad is free");
    assert!(bench.comes(0, 600.0).is_empty(), "and it is its own");
    let effects = bench.comes(1, 600.0);
    assert_eq!(held(&effects), [0]);
    let told = HubQueues {
        holding: 1,
        ..HubQueues::default()
    };
    assert_eq!(
        events(&effects),
        [(1, &Happening::Hub(HUB, HubEvent::QueuesChanged(told)))]
    );
    let due = due(&effects);
    bench.wait(18.5);
    bench.lands(0);
    let moved_off = bench.context.now + bench.context.world.hubs[0].turnaround;
    assert!(due >= moved_off, "a pad is taken until the drone is off it");
    assert_eq!(called(&bench.until(due)), [1]);
    assert_eq!(bench.queues(), PadQueues::default());
    bench.wait(40.0);
    bench.lands(1);
    assert_eq!(bench.queues().beside, 0);
}

#[test]
fn the_emptiest_battery_comes_down_first() {
    let mut bench = bench(1, 4);
    bench.comes(0, 600.0);
    let first = due(&bench.comes(1, 500.0));
    let second = due(&bench.comes(2, 90.0));
    assert!(first < second);
    bench.lands(0);
    assert_eq!(called(&bench.until(first)), [2], "though it asked later");
    bench.wait(38.0);
    bench.lands(2);
    assert_eq!(called(&bench.until(second)), [1]);
}

#[test]
fn who_cannot_wait_or_finds_the_stack_full_comes_down_beside_and_is_counted() {
    let mut bench = bench(1, 20);
    bench.comes(0, 600.0);
    assert!(held(&bench.comes(1, 20.0)).is_empty(), "no battery to hold with");
    bench.lands(1);
    assert_eq!(bench.queues().beside, 1);
    for drone in 2..14 {
        assert_eq!(held(&bench.comes(drone, 900.0)), [drone as u8 - 2]);
    }
    assert!(held(&bench.comes(14, 900.0)).is_empty(), "the stack is full");
    bench.lands(14);
    assert_eq!((bench.queues().beside, bench.queues().holding), (2, 12));
    // Its time is over, and it is over the hub again.
    assert!(held(&bench.comes(5, 0.0)).is_empty());
    bench.lands(5);
    assert_eq!((bench.queues().beside, bench.queues().holding), (3, 11));
}

#[test]
fn a_take_off_waits_for_a_pad_on_the_ground_and_its_quote_says_so() {
    let mut bench = bench(1, 1);
    let order = Arc::new(order(&bench.context.world));
    let assign = |number| FleetMessage::Assign {
        id: id(number),
        order: Arc::clone(&order),
    };
    let etas = |effects: &[Effect]| match sent(effects).first() {
        Some(Mail::Scheduler(crate::actors::scheduler::SchedulerMessage::Assigned { etas, .. })) => *etas,
        other => panic!("{other:?}"),
    };
    let free = etas(&bench.tell(assign(1)));
    bench.comes(0, 600.0);
    let quoted = etas(&bench.tell(assign(2)));
    let effects = bench.tell(FleetMessage::Depart { id: id(2) });
    let plan = match sent(&effects)[..] {
        [Mail::Drone(_, DroneMessage::Mission { plan, .. })] => plan,
        ref other => panic!("{other:?}"),
    };
    assert!(plan.legs()[0].on_ground());
    let delivered =
        bench.context.now + SimDuration::from_secs(plan.time_to(Milestone::Delivered, 0).unwrap());
    assert_eq!(quoted.delivery, delivered);
    let waited = quoted.delivery.since(free.delivery).as_secs();
    assert!(
        (50.0 - 0.1..51.0).contains(&waited),
        "descent and turn-around: {waited}"
    );
    assert_eq!(bench.queues().departing, 1);
    bench.until(due(&effects));
    assert_eq!(bench.queues().departing, 0);
}

#[test]
fn who_falls_leaves_its_pad_and_its_place_in_the_stack() {
    let mut bench = bench(1, 3);
    bench.comes(0, 600.0);
    let due = due(&bench.comes(1, 600.0));
    for drone in [0, 1].map(DroneId) {
        bench.tell(FleetMessage::Strayed { drone });
    }
    assert_eq!(bench.role.approaching().count(), 0);
    assert!(called(&bench.until(due)).is_empty());
    bench.wait(75.0);
    assert!(bench.comes(2, 600.0).is_empty(), "the pad is free again");
}
