//! Pads on a bench: who comes down, who holds, who waits on the ground.

use std::sync::Arc;

use super::*;
use crate::actors::Effect;
use crate::actors::delivery::DeliveryMessage;
use crate::actors::fleet::FleetMessage;
use crate::actors::fleet::tests::quoted;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::command::ReplyTo;
use crate::sim::event::{Etas, Happening, HubEvent, HubQueues};
use crate::sim::order::Order;
use crate::sim::separation::Strategic;
use crate::sim::time::SimDuration;

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
        self.hears(FleetMessage::Approach {
            drone: DroneId(drone),
            hub: HUB,
            endurance_s,
            descent_s: 18.0,
        })
    }

    fn lands(&mut self, drone: u32) -> Vec<Effect> {
        self.hears(FleetMessage::Docked {
            drone: DroneId(drone),
            hub: HUB,
            energy_wh: 100.0,
        })
    }

    /// At the time of the next alarm of the pads.
    fn until(&mut self, due: SimTime) -> Vec<Effect> {
        self.context.now = due;
        self.hears(FleetMessage::PadFree { hub: HUB })
    }

    fn queues(&self) -> HubQueues {
        let told = self.role.hub_queues().find(|(hub, _)| *hub == HUB);
        HubQueues {
            charging: 0,
            queued: 0,
            ..told.unwrap().1
        }
    }

    fn order(&self) -> Arc<Order> {
        Arc::new(order(&self.context.world))
    }

    /// Answers what its customer was told.
    fn promises(&mut self, number: u64) -> Etas {
        let (id, order) = (id(number), self.order());
        quoted(&self.hears(FleetMessage::Assign { id, order }))
    }

    fn sets_out(&mut self, number: u64, told: Etas) -> Vec<Effect> {
        self.hears(FleetMessage::Depart { id: id(number), told })
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
    assert_eq!(bench.queues(), HubQueues::default());
    bench.wait(40.0);
    bench.lands(1);
    assert_eq!(bench.queues().beside_pads, 0);
}

#[test]
fn a_pad_that_was_promised_to_one_who_is_driven_off_is_the_next_ones() {
    let mut bench = bench(1, 4);
    bench.comes(0, 600.0);
    let first = due(&bench.comes(1, 500.0));
    bench.lands(0);
    assert_eq!(called(&bench.until(first)), [1]);
    bench.wait(1.0);
    assert_eq!(held(&bench.comes(2, 400.0)), [0], "the pad is promised");
    let drone = DroneId(1);
    assert_eq!(called(&bench.hears(FleetMessage::Strayed { drone })), [2]);
    bench.wait(1.0);
    assert!(!held(&bench.comes(1, 300.0)).is_empty(), "it asks anew");
}

#[test]
fn who_can_hold_the_shortest_comes_down_first() {
    let mut bench = bench(1, 4);
    bench.comes(0, 600.0);
    let first = due(&bench.comes(1, 500.0));
    bench.comes(2, 90.0);
    bench.lands(0);
    let effects = bench.until(first);
    assert_eq!(called(&effects), [2], "though it asked later");
    let second = due(&effects);
    assert!(first < second);
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
    assert_eq!(bench.queues().beside_pads, 1);
    for drone in 2..14 {
        assert_eq!(held(&bench.comes(drone, 900.0)), [drone as u8 - 2]);
    }
    assert!(held(&bench.comes(14, 900.0)).is_empty(), "the stack is full");
    bench.lands(14);
    assert_eq!((bench.queues().beside_pads, bench.queues().holding), (2, 12));
    // Its time is over, and it is over the hub again.
    assert!(held(&bench.comes(5, 0.0)).is_empty());
    bench.lands(5);
    assert_eq!((bench.queues().beside_pads, bench.queues().holding), (3, 11));
}

/// Who takes off.
fn leaving(effects: &[Effect]) -> Vec<u32> {
    let drone = |mail: &Mail| match mail {
        Mail::Drone(drone, DroneMessage::Mission { .. }) => Some(drone.0),
        _ => None,
    };
    sent(effects).into_iter().filter_map(drone).collect()
}

/// What customers hear anew.
fn moved(effects: &[Effect]) -> Vec<Etas> {
    let etas = |mail: &Mail| match mail {
        Mail::Delivery(_, DeliveryMessage::EtaMoved(etas)) => Some(*etas),
        _ => None,
    };
    sent(effects).into_iter().filter_map(etas).collect()
}

#[test]
fn a_take_off_waits_for_a_pad_on_the_ground_and_its_quote_says_so() {
    let mut bench = bench(1, 1);
    let free = bench.promises(1);
    bench.hears(FleetMessage::Undo { id: id(1) });
    bench.comes(0, 600.0);
    let told = bench.promises(2);
    let waited = told.delivery.since(free.delivery).as_secs();
    assert!(
        (50.0 - 0.1..51.0).contains(&waited),
        "descent and turn-around: {waited}"
    );
    let effects = bench.sets_out(2, told);
    assert_eq!((leaving(&effects), bench.queues().departing), (vec![], 1));
    let due = due(&effects);
    bench.wait(19.0);
    bench.lands(0);
    let effects = bench.until(due);
    assert_eq!((leaving(&effects).len(), bench.queues().departing), (1, 0));
    assert_eq!(moved(&effects), [], "it leaves when it was expected to");
}

#[test]
fn promises_of_one_moment_see_each_other_and_are_kept_one_after_the_other() {
    let mut bench = bench(1, 0);
    let told: Vec<Etas> = (1..=4).map(|number| bench.promises(number)).collect();
    let apart = |pair: &[Etas]| pair[1].pickup.since(pair[0].pickup).as_secs();
    let climb_s = apart(&told[..2]);
    assert!(climb_s > 5.0, "a pad is taken until its drone has climbed away");
    for pair in told.windows(2) {
        assert!((apart(pair) - climb_s).abs() < 1e-3);
    }
    // The second is as far first; the others wait their turns.
    assert_eq!(leaving(&bench.sets_out(2, told[1])).len(), 1);
    let mut alarm = None;
    for number in [3, 4, 1] {
        let effects = bench.sets_out(number, told[number as usize - 1]);
        assert!(leaving(&effects).is_empty());
        let at = |(at, mail): (SimTime, &Mail)| matches!(mail, Mail::Fleet(_)).then_some(at);
        alarm = alarm.or(alarms(&effects).into_iter().find_map(at));
    }
    assert_eq!(bench.queues().departing, 3);
    let effects = bench.until(alarm.unwrap());
    assert_eq!((leaving(&effects).len(), bench.queues().departing), (1, 2));
}

#[test]
fn who_is_called_off_on_the_ground_touches_no_pad_and_those_behind_it_come_sooner() {
    let mut bench = bench(1, 0);
    let told: Vec<Etas> = (1..=3).map(|number| bench.promises(number)).collect();
    for number in 1..=3 {
        bench.sets_out(number, told[number as usize - 1]);
    }
    let waiting: Vec<DroneId> = bench.role.kept().map(|(_, drone, _)| drone).collect();
    let effects = bench.hears(FleetMessage::Recall {
        drone: waiting[0],
        id: id(2),
        task: None,
    });
    let released = Mail::Delivery(id(2), DeliveryMessage::Released);
    assert!(sent(&effects).contains(&&released));
    assert!(bench.role.docked().any(|drone| drone == waiting[0]));
    let sooner = moved(&effects)[0];
    assert_eq!((sooner.delivery, bench.queues().departing), (told[1].delivery, 1));
    assert_eq!(bench.queues().beside_pads, 0);
    // It is not the fleet's to answer for who has left.
    let (drone, task) = (waiting[0], None);
    let effects = bench.hears(FleetMessage::Recall {
        drone,
        id: id(1),
        task,
    });
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Drone(_, DroneMessage::NotOnGround { .. })]
    ));
}

#[test]
fn a_closed_hub_keeps_those_who_wait_for_a_pad_too_and_says_until_when() {
    let mut bench = bench(1, 1);
    bench.comes(0, 600.0);
    let told = bench.promises(1);
    bench.sets_out(1, told);
    bench.wait(19.0);
    bench.lands(0);
    let (hub, duration, reply_to) = (HUB, SimDuration::from_secs(300.0), ReplyTo(1));
    let effects = bench.hears(FleetMessage::Close {
        hub,
        duration,
        reply_to,
    });
    let opens = bench.context.now + duration;
    let later = moved(&effects)[0];
    assert!(later.pickup > opens && later.pickup > told.pickup);
    bench.wait(60.0);
    assert!(leaving(&bench.hears(FleetMessage::PadFree { hub })).is_empty());
    bench.context.now = opens;
    let effects = bench.hears(FleetMessage::Open { hub, due: opens });
    assert_eq!((leaving(&effects).len(), moved(&effects)), (1, vec![]));
}

#[test]
fn a_nearer_look_at_the_line_leaves_the_farther_alarm_as_it_is() {
    let [first, nearer, farther] = [1.0, 20.0, 300.0].map(SimTime::from_secs);
    let mut pads = HubPads::new(1);
    assert!(pads.set_look(first, farther));
    assert!(pads.set_look(first, nearer));
    assert!(!pads.set_look(first, farther), "the nearer one comes before");
    assert!(!pads.set_look(nearer, farther), "it is set still");
    assert!(pads.set_look(farther, farther + SimDuration::from_secs(1.0)));
}

#[test]
fn where_a_hub_is_closed_for_long_those_who_wait_there_are_given_back() {
    let mut bench = bench(1, 1);
    bench.comes(0, 600.0);
    let told = bench.promises(1);
    bench.sets_out(1, told);
    let longer = SimDuration(bench.context.world.dispatch.max_wait.0 + 1);
    let (hub, duration, reply_to) = (HUB, longer, ReplyTo(1));
    let effects = bench.hears(FleetMessage::Close {
        hub,
        duration,
        reply_to,
    });
    let turned_back = Mail::Delivery(id(1), DeliveryMessage::TurnedBack);
    assert!(sent(&effects).contains(&&turned_back));
    assert_eq!((bench.role.kept().count(), bench.queues().departing), (0, 0));
}

#[test]
fn whose_hold_is_broken_off_keeps_its_turn() {
    let mut bench = bench(1, 3);
    bench.comes(0, 600.0);
    let due = due(&bench.comes(1, 500.0));
    assert_eq!(held(&bench.comes(2, 600.0)), [1]);
    bench.wait(10.0);
    // It made way for somebody, and is over the hub again.
    assert_eq!(held(&bench.comes(1, 490.0)), [0], "not down beside the pads");
    bench.lands(0);
    assert_eq!(called(&bench.until(due)), [1]);
    assert_eq!((bench.queues().beside_pads, bench.queues().holding), (0, 1));
}

#[test]
fn who_turns_back_in_the_climb_comes_down_where_it_took_off() {
    let mut bench = bench(1, 0);
    let told = bench.promises(1);
    let [drone] = leaving(&bench.sets_out(1, told))[..] else {
        panic!("the pad is free")
    };
    bench.wait(4.0);
    bench.lands(drone);
    assert_eq!(bench.queues().beside_pads, 0);
}

#[test]
fn who_falls_leaves_its_pad_and_its_place_in_the_stack() {
    let mut bench = bench(1, 3);
    bench.comes(0, 600.0);
    let due = due(&bench.comes(1, 600.0));
    for drone in [0, 1].map(DroneId) {
        bench.hears(FleetMessage::Strayed { drone });
    }
    assert_eq!(bench.role.approaching().count(), 0);
    assert!(called(&bench.until(due)).is_empty());
    bench.wait(75.0);
    assert!(bench.comes(2, 600.0).is_empty(), "the pad is free again");
}

/// When each of those who wait is expected, by its pick-up.
fn pickups(etas: &[Etas]) -> Vec<f64> {
    etas.iter().map(|etas| etas.pickup.as_secs()).collect()
}

#[test]
fn behind_a_closed_hub_each_is_told_its_own_turn_and_leaves_then() {
    let mut bench = bench(1, 0);
    let told: Vec<Etas> = (1..=8).map(|number| bench.promises(number)).collect();
    for number in 1..=8 {
        bench.sets_out(number, told[number as usize - 1]);
    }
    let apart_s = pickups(&told)[1] - pickups(&told)[0];
    let (hub, duration, reply_to) = (HUB, SimDuration::from_secs(300.0), ReplyTo(1));
    let opens = bench.context.now + duration;
    let closed = bench.hears(FleetMessage::Close {
        hub,
        duration,
        reply_to,
    });
    let later = pickups(&moved(&closed));
    assert_eq!(later.len(), 7, "one is on its way");
    let flown_s = pickups(&told)[0];
    for (place, pickup) in later.iter().enumerate() {
        let expected = opens.as_secs() + place as f64 * apart_s + flown_s;
        assert!(
            (pickup - expected).abs() < 1e-3,
            "{place}: {pickup}, not {expected}"
        );
    }
    bench.context.now = opens;
    let mut effects = bench.hears(FleetMessage::Open { hub, due: opens });
    for left in 1..=7 {
        let leaves = bench.context.now.as_secs();
        assert_eq!(
            (leaving(&effects).len(), moved(&effects)),
            (1, vec![]),
            "{left} at {leaves}"
        );
        assert!((leaves + flown_s - later[left - 1]).abs() < 1.0);
        if left < 7 {
            effects = bench.until(due(&effects));
        }
    }
}

#[test]
fn whoever_joins_the_line_of_a_hub_that_opens_soon_is_quoted_its_turn() {
    let mut bench = bench(1, 1);
    bench.comes(0, 600.0);
    let free = bench.promises(1);
    let (hub, duration, reply_to) = (HUB, SimDuration::from_secs(120.0), ReplyTo(1));
    bench.hears(FleetMessage::Close {
        hub,
        duration,
        reply_to,
    });
    let asked_again = FleetMessage::Withdraw { id: id(1) };
    let told = quoted(&bench.hears(asked_again));
    let later_s = told.pickup.since(free.pickup).as_secs();
    assert!(
        (60.0..75.0).contains(&later_s),
        "for the pad it waits anyway: {later_s}"
    );
}

#[test]
fn of_those_who_are_called_off_at_once_nobody_behind_them_hears_twice() {
    let mut bench = bench(1, 0);
    let told: Vec<Etas> = (1..=9).map(|number| bench.promises(number)).collect();
    for number in 1..=9 {
        bench.sets_out(number, told[number as usize - 1]);
    }
    let kept: Vec<_> = bench.role.kept().collect();
    let recalls = kept[..4].iter().map(|(id, drone, _)| FleetMessage::Recall {
        drone: *drone,
        id: *id,
        task: None,
    });
    let effects = bench.hears_all(recalls);
    let mut heard: Vec<_> = sent(&effects)
        .into_iter()
        .filter_map(|mail| match mail {
            Mail::Delivery(id, DeliveryMessage::EtaMoved(_)) => Some(*id),
            _ => None,
        })
        .collect();
    heard.sort_unstable();
    let behind: Vec<_> = kept[4..].iter().map(|(id, ..)| *id).collect();
    assert_eq!(heard, behind, "each once");
    assert_eq!(pickups(&moved(&effects)), pickups(&told[1..5]), "they move up");
}

#[test]
fn a_landing_leaves_the_pad_to_who_has_a_time_to_leave_at() {
    let leaves = |effects: &[Effect]| {
        let is_mission = |mail: &&Mail| matches!(mail, Mail::Drone(_, DroneMessage::Mission { .. }));
        sent(effects).iter().any(is_mission)
    };
    let comes_before = |endurance_s: f64| {
        let mut bench = bench(3, 4);
        Arc::make_mut(&mut bench.context.world).separation.strategic = Strategic::GroundDelay;
        let first = bench.promises(1);
        assert!(leaves(&bench.sets_out(1, first)));
        let second = bench.promises(2);
        assert!(!leaves(&bench.sets_out(2, second)), "the first one is in its way");
        let at = bench.context.now + second.pickup.since(first.pickup);
        let others = [1, 2].map(|drone| held(&bench.comes(drone, 600.0)).len());
        assert_eq!(others, [0, 0], "there is a third pad");
        bench.wait(at.as_secs() - bench.context.now.as_secs() - 1.0);
        let comes = bench.comes(0, endurance_s);
        let effects = bench.until(at);
        (held(&comes).len(), leaves(&effects))
    };
    let told = "it holds, and the second leaves when it was told to";
    assert_eq!(comes_before(600.0), (1, true), "{told}");
    assert_eq!(comes_before(40.0), (0, false), "it cannot hold for so long");
}
