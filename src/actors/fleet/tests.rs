//! The fleet on a bench: requests in, missions and alarms out.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Effects, Fleet, FleetMessage};
use crate::actors::drone::DroneMessage;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::actors::{Effect, Mail};
use crate::sim::command::ReplyTo;
use crate::sim::event::{Etas, Happening, HubEvent, HubQueues};
use crate::sim::geo::LatLon;
use crate::sim::ids::{DroneId, HubId};
use crate::sim::order::Order;
use crate::sim::separation::Strategic;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::weather::{self, Field, Grid, Weather};
use crate::sim::workflow::Step;
use crate::sim::world::{self, Hub, PolicyKind};

mod claims;
mod memo;
mod saved;

const HUB: HubId = HubId(0);

fn bench(drones: u32, chargers: u32) -> Bench<Fleet> {
    Bench::new(world(drones, chargers), |world| Fleet::new(world, &[]))
}

impl Bench<Fleet> {
    /// What comes of one message in a tick.
    pub(super) fn hears(&mut self, message: FleetMessage) -> Vec<Effect> {
        self.hears_all([message])
    }

    /// What comes of the messages of one round, and of what the fleet tells itself in the next.
    pub(super) fn hears_all(&mut self, messages: impl IntoIterator<Item = FleetMessage>) -> Vec<Effect> {
        let mut others = Vec::new();
        let mut messages: VecDeque<FleetMessage> = messages.into_iter().collect();
        while let Some(message) = messages.pop_front() {
            for effect in self.tell(message) {
                match effect {
                    Effect::Send(Mail::Fleet(own)) => messages.push_back(own),
                    other => others.push(other),
                }
            }
        }
        others
    }

    fn assign(&mut self, number: u64, expedited: bool) -> Vec<Effect> {
        let mut order = order(&self.context.world);
        order.expedited = expedited;
        let order = Arc::new(order);
        self.hears(FleetMessage::Assign {
            id: id(number),
            order,
        })
    }

    fn round(&mut self, seconds: f64) -> Vec<Effect> {
        self.wait(seconds - self.context.now.as_secs());
        let due = self.context.now;
        self.hears(FleetMessage::Round { due })
    }

    fn dock(&mut self, drone: u32, energy_wh: f64) -> Vec<Effect> {
        self.hears(FleetMessage::Docked {
            drone: DroneId(drone),
            hub: HUB,
            energy_wh,
        })
    }

    fn capacity_wh(&self) -> f64 {
        self.context
            .world
            .models
            .iter()
            .find(|model| model.key == "wing")
            .unwrap()
            .battery
            .capacity_wh
    }
}

/// What the only request that was given a drone is told.
pub(super) fn quoted(effects: &[Effect]) -> Etas {
    let etas = |mail: &&Mail| match mail {
        Mail::Scheduler(SchedulerMessage::Assigned { etas, .. }) => Some(*etas),
        _ => None,
    };
    sent(effects).iter().find_map(etas).expect("a drone was found")
}

/// Who is kept for which delivery.
fn missions(effects: &[Effect]) -> Vec<(u32, u64)> {
    let numbers = |mail: &Mail| match mail {
        Mail::Scheduler(SchedulerMessage::Assigned { id: of, drone, .. }) => {
            Some((drone.0, (0..10).find(|number| id(*number) == *of).unwrap()))
        }
        _ => None,
    };
    sent(effects).into_iter().filter_map(numbers).collect()
}

#[test]
fn asked_twice_it_keeps_one_drone_and_answers_the_same() {
    let mut bench = bench(1, 1);
    let first = bench.assign(1, false);
    assert_eq!(sent(&bench.assign(1, false)), sent(&first));
    let withdrawn = bench.tell(FleetMessage::Withdraw { id: id(1) });
    assert_eq!(sent(&withdrawn), sent(&first), "it is found already");
    let queued = bench.assign(2, false);
    assert_eq!(sent(&bench.assign(2, false)), sent(&queued));
}

#[test]
fn who_waits_in_a_gale_is_served_when_the_forecast_says_less() {
    let mut world = world(1, 1);
    let calmer = weather::Change {
        at: SimTime(weather::FORECAST_EVERY.0),
        values: vec![(3.0, 0.0)],
    };
    world.weather = Weather {
        mean: Field::new((40.0, 0.0), vec![calmer], Grid::WHOLE),
        ..world.weather
    };
    let mut bench = Bench::new(world, |world| Fleet::new(world, &[]));
    assert_eq!(missions(&bench.assign(1, false)), []);
    assert_eq!(missions(&bench.tell(FleetMessage::AirChanged)), [], "it blows on");
    bench.wait(600.0);
    assert_eq!(missions(&bench.tell(FleetMessage::AirChanged)), [(0, 1)]);
}

#[test]
fn a_kept_drone_leaves_when_its_delivery_begins_and_is_forgotten_then() {
    let mut bench = bench(2, 2);
    let told = quoted(&bench.assign(1, false));
    let depart = FleetMessage::Depart { id: id(1), told };
    let effects = bench.tell(depart.clone());
    assert!(
        matches!(sent(&effects)[..], [Mail::Drone(DroneId(1), DroneMessage::Mission { task, .. })] if task.delivery == id(1))
    );
    assert!(bench.tell(depart).is_empty(), "it leaves once");
    assert_eq!(
        missions(&bench.assign(1, false)),
        [(0, 1)],
        "asked again, another one goes"
    );
}

#[test]
fn an_undone_request_gives_its_drone_back_to_the_next_who_waits() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    bench.assign(2, false);
    let undo = |number| FleetMessage::Undo { id: id(number) };
    let undone = |number| {
        Mail::Scheduler(SchedulerMessage::Undone {
            id: id(number),
            step: Step::Drone,
        })
    };
    let effects = bench.tell(undo(1));
    assert_eq!(missions(&effects), [(0, 2)]);
    assert_eq!(sent(&effects).last(), Some(&&undone(1)));
    assert_eq!(
        sent(&bench.tell(undo(1))),
        [&undone(1)],
        "asked twice it changes nothing"
    );
    let effects = bench.tell(undo(2));
    assert_eq!(sent(&effects), [&undone(2)]);
    assert_eq!(missions(&bench.assign(3, false)), [(0, 3)]);
}

#[test]
fn a_free_drone_gets_the_mission_and_the_scheduler_its_quote() {
    let mut bench = bench(2, 2);
    let effects = bench.assign(1, false);
    assert_eq!(missions(&effects), [(1, 1)], "of two full ones, the last");
    let [
        Mail::Scheduler(SchedulerMessage::Assigned {
            id: assigned,
            drone,
            etas,
        }),
    ] = sent(&effects)[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!((*assigned, *drone), (id(1), DroneId(1)));
    assert!(etas.delivery > etas.pickup && etas.pickup > bench.context.now);
    assert_eq!(missions(&bench.assign(2, false)), [(0, 2)]);
}

#[test]
fn the_pair_with_the_earliest_pickup_flies_and_the_next_best_when_it_is_out() {
    let mut world = world(1, 1);
    let ferry_building = order(&world).pickup.location;
    for (key, lon) in [("beside", 0.002), ("beyond", -0.06)] {
        let location = LatLon {
            lon: ferry_building.lon + lon,
            ..ferry_building
        };
        let at = world.area.point(location);
        world.hubs.push(Hub {
            key: key.to_owned(),
            location,
            at,
            ..world.hubs[0].clone()
        });
        let hub = HubId(world.hubs.len() as u16 - 1);
        let fleet = world.fleets[0].clone();
        world.fleets.push(world::Fleet { hub, ..fleet });
    }
    let mut bench = Bench::new(world, |world| Fleet::new(world, &[]));
    let nearest_first = [(1, 1), (0, 2), (2, 3)];
    for (drone, number) in nearest_first {
        assert_eq!(missions(&bench.assign(number, false)), [(drone, number)]);
    }
}

#[test]
fn the_least_charged_drone_that_suffices_goes_first() {
    let mut bench = bench(3, 3);
    for number in 1..=3 {
        bench.assign(number, false);
    }
    let (low, half, full) = (20.0, bench.capacity_wh() * 0.8, bench.capacity_wh());
    for (drone, energy_wh) in [(0, low), (1, full), (2, half)] {
        bench.dock(drone, energy_wh);
    }
    assert_eq!(missions(&bench.assign(4, false)), [(2, 4)]);
    assert_eq!(missions(&bench.assign(5, false)), [(1, 5)]);
}

#[test]
fn worn_batteries_go_by_what_they_hold_and_those_too_worn_are_not_waited_for() {
    let mut bench = bench(3, 3);
    for number in 1..=3 {
        bench.assign(number, false);
    }
    for (drone, health) in [(0, 0.15), (1, 0.9)] {
        let drone = DroneId(drone);
        bench.tell(FleetMessage::Worn { drone, health });
    }
    let new_wh = bench.capacity_wh();
    for (drone, health) in [(0, 0.15), (1, 0.9), (2, 1.0)] {
        bench.dock(drone, health * new_wh);
    }
    let restored: Fleet = postcard::from_bytes(&postcard::to_stdvec(&bench.role).unwrap()).unwrap();
    let restored = restored.with_healths(bench.role.docks.healths.clone());
    let restored = restored.with_world(&bench.context.world, bench.context.now);
    assert_eq!(restored, bench.role, "what the sky knows is told again");
    assert_eq!(
        missions(&bench.assign(4, false)),
        [(1, 4)],
        "it has enough, and the least"
    );
    assert_eq!(missions(&bench.assign(5, false)), [(2, 5)]);
    let effects = bench.assign(6, false);
    assert_eq!(missions(&effects), []);
    assert!(
        alarms(&effects).is_empty(),
        "the one that is here never holds enough"
    );
    assert_eq!(missions(&bench.dock(1, 0.9 * new_wh)), [(1, 6)]);
}

#[test]
fn without_a_free_drone_requests_wait_up_to_the_backlog() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    for number in [2, 3] {
        let effects = bench.assign(number, false);
        assert_eq!(
            sent(&effects),
            [&Mail::Scheduler(SchedulerMessage::Queued { id: id(number) })]
        );
    }
    let effects = bench.assign(4, false);
    assert_eq!(
        sent(&effects),
        [&Mail::Scheduler(SchedulerMessage::NoRoom { id: id(4) })]
    );
}

#[test]
fn a_landed_drone_goes_to_the_expedited_first_and_withdrawn_requests_are_forgotten() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    bench.assign(2, false);
    bench.assign(3, true);
    let full = bench.capacity_wh();
    assert_eq!(missions(&bench.dock(0, full)), [(0, 3)]);
    let effects = bench.tell(FleetMessage::Withdraw { id: id(2) });
    assert_eq!(
        sent(&effects),
        [&Mail::Scheduler(SchedulerMessage::Withdrawn { id: id(2) })]
    );
    assert_eq!(
        bench.tell(FleetMessage::Withdraw { id: id(2) }),
        effects,
        "asked twice it answers the same"
    );
    assert_eq!(missions(&bench.dock(0, full)), []);
}

#[test]
fn a_drone_that_lands_empty_is_offered_as_soon_as_it_holds_enough() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    bench.assign(2, false);
    let reserve = bench.capacity_wh() * 0.2;
    let effects = bench.dock(0, reserve);
    assert_eq!(missions(&effects), []);
    let alarms = alarms(&effects);
    let [
        (full_at, Mail::Fleet(FleetMessage::Charged { .. })),
        (due, Mail::Fleet(offer)),
    ] = alarms[..]
    else {
        panic!("{alarms:?}");
    };
    assert!(
        due < full_at,
        "a delivery across town does not take a full battery"
    );
    let offer = offer.clone();
    bench.wait(due.as_secs() - 1.0);
    assert_eq!(
        missions(&bench.tell(FleetMessage::Offer {
            pair: 0,
            due: bench.context.now
        })),
        [],
        "too early"
    );
    bench.wait(1.0);
    let effects = bench.tell(offer);
    assert_eq!(missions(&effects), [(0, 2)]);
    assert!(
        effects.contains(&Effect::Charge(DroneId(0), false)),
        "it is unplugged first"
    );
}

#[test]
fn a_charger_that_comes_free_goes_to_the_next_in_the_queue() {
    let mut bench = bench(2, 1);
    bench.assign(1, false);
    bench.assign(2, false);
    let first = bench.dock(0, 10.0);
    assert!(first.contains(&Effect::Charge(DroneId(0), true)));
    let second = bench.dock(1, 10.0);
    assert!(
        !second.contains(&Effect::Charge(DroneId(1), true)),
        "there is one charger"
    );
    let queue = Happening::Hub(
        HUB,
        HubEvent::QueuesChanged(HubQueues {
            charging: 1,
            queued: 1,
            ..HubQueues::default()
        }),
    );
    assert_eq!(
        events(&second),
        [(2, &queue)],
        "numbered on from the first landing's event"
    );

    let (full_at, charged) = alarms(&first)[0];
    let charged = charged.clone();
    bench.wait(full_at.as_secs());
    let Mail::Fleet(charged) = charged else {
        panic!("{charged:?}")
    };
    let effects = bench.tell(charged.clone());
    assert!(effects.contains(&Effect::Charge(DroneId(0), false)));
    assert!(effects.contains(&Effect::Charge(DroneId(1), true)));
    assert!(bench.tell(charged).is_empty(), "an alarm rings once");
}

/// The fleet's message of the only alarm of this kind.
fn charged_alarm(effects: &[Effect]) -> (f64, FleetMessage) {
    let charged = |(at, mail): (SimTime, &Mail)| match mail {
        Mail::Fleet(message @ FleetMessage::Charged { .. }) => Some((at.as_secs(), message.clone())),
        _ => None,
    };
    alarms(effects)
        .into_iter()
        .find_map(charged)
        .expect("somebody was plugged in")
}

#[test]
fn chargers_are_given_in_the_order_of_landing() {
    let mut bench = bench(3, 1);
    for number in 1..=3 {
        bench.assign(number, false);
    }
    let (full_at, charged) = charged_alarm(&bench.dock(0, 10.0));
    bench.dock(1, 10.0);
    bench.dock(2, 10.0);
    bench.wait(full_at);
    let effects = bench.tell(charged);
    assert!(effects.contains(&Effect::Charge(DroneId(1), true)));
    assert!(!effects.contains(&Effect::Charge(DroneId(2), true)));
}

#[test]
fn the_alarm_of_an_earlier_stay_does_not_unplug_a_drone() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    let (_, earlier) = charged_alarm(&bench.dock(0, bench.capacity_wh() * 0.9));
    assert_eq!(missions(&bench.assign(2, false)), [(0, 2)]);
    bench.wait(60.0);
    bench.dock(0, 10.0);
    assert!(bench.tell(earlier).is_empty());
}

#[test]
fn a_saved_fleet_goes_on_as_if_nothing_had_happened() {
    let mut bench = bench(2, 1);
    for number in 1..=3 {
        bench.assign(number, false);
    }
    bench.dock(0, 10.0);
    let bytes = postcard::to_stdvec(&bench.role).unwrap();
    let restored: Fleet = postcard::from_bytes(&bytes).unwrap();
    let restored = restored.with_world(&bench.context.world, bench.context.now);
    assert_eq!(restored, bench.role);
    let mut twin = Bench {
        role: restored,
        context: bench.context.clone(),
    };
    let full = bench.capacity_wh();
    assert_eq!(bench.dock(1, full), twin.dock(1, full));
}

fn bench_with_rounds(drones: u32) -> Bench<Fleet> {
    let mut world = world(drones, drones);
    world.dispatch.policy = PolicyKind::Batch;
    Bench::new(world, |world| Fleet::new(world, &[]))
}

fn rounds_due(effects: &[Effect]) -> Vec<f64> {
    let due = |(at, mail): (SimTime, &Mail)| match mail {
        Mail::Fleet(FleetMessage::Round { due }) if *due == at => Some(at.as_secs()),
        _ => None,
    };
    alarms(effects).into_iter().filter_map(due).collect()
}

#[test]
fn in_rounds_nobody_flies_between_them_and_waiting_for_one_is_no_delay() {
    let mut bench = bench_with_rounds(1);
    bench.wait(7.0);
    let effects = bench.assign(1, false);
    assert_eq!((sent(&effects), rounds_due(&effects)), (vec![], vec![10.0]));
    assert!(bench.assign(2, true).is_empty(), "one alarm for all who wait");
    assert!(bench.round(9.0).is_empty(), "not yet");

    let effects = bench.round(10.0);
    assert_eq!(missions(&effects), [(0, 2)], "the expedited one");
    let queued = Mail::Scheduler(SchedulerMessage::Queued { id: id(1) });
    assert_eq!(sent(&effects).last(), Some(&&queued));
    assert_eq!(rounds_due(&effects), [15.0]);

    let effects = bench.round(15.0);
    assert_eq!(
        (sent(&effects), rounds_due(&effects)),
        (vec![], vec![20.0]),
        "it knows"
    );
    let full = bench.capacity_wh();
    assert_eq!(missions(&bench.dock(0, full)), []);
    let effects = bench.round(20.0);
    assert_eq!(missions(&effects), [(0, 1)]);
    assert!(rounds_due(&effects).is_empty(), "nobody waits");
    assert!(bench.round(25.0).is_empty());
}

#[test]
fn in_rounds_a_request_may_be_withdrawn_and_asked_for_again() {
    let mut bench = bench_with_rounds(1);
    bench.assign(1, false);
    let queued = Mail::Scheduler(SchedulerMessage::Queued { id: id(1) });
    assert_eq!(
        sent(&bench.assign(1, false)),
        [&queued],
        "asked twice it says what is"
    );
    bench.tell(FleetMessage::Withdraw { id: id(1) });
    assert!(bench.round(5.0).is_empty());
    assert_eq!(rounds_due(&bench.assign(2, false)), [10.0]);
    assert_eq!(missions(&bench.round(10.0)), [(0, 2)]);
}

#[test]
fn in_rounds_nobody_leaves_a_closed_hub() {
    let mut bench = bench_with_rounds(1);
    let reply_to = ReplyTo(1);
    let duration = SimDuration::from_secs(7.0);
    let closed = bench.tell(FleetMessage::Close {
        hub: HUB,
        duration,
        reply_to,
    });
    bench.assign(1, false);
    assert_eq!(missions(&bench.round(5.0)), []);
    bench.wait(2.0);
    let (due, _) = alarms(&closed)[0];
    bench.tell(FleetMessage::Open { hub: HUB, due });
    assert_eq!(missions(&bench.round(10.0)), [(0, 1)]);
}

#[test]
fn a_fleet_saved_between_rounds_goes_on_as_if_nothing_had_happened() {
    let mut bench = bench_with_rounds(1);
    for number in 1..=2 {
        bench.assign(number, number == 2);
    }
    let bytes = postcard::to_stdvec(&bench.role).unwrap();
    let restored: Fleet = postcard::from_bytes(&bytes).unwrap();
    let restored = restored.with_world(&bench.context.world, bench.context.now);
    assert_eq!(restored, bench.role);
    let mut twin = Bench {
        role: restored,
        context: bench.context.clone(),
    };
    assert_eq!(bench.round(5.0), twin.round(5.0));
}

#[test]
fn who_has_a_deadline_is_served_before_who_has_none() {
    let mut bench = bench(1, 1);
    bench.assign(1, false);
    bench.assign(2, false);
    let mut order = order(&bench.context.world);
    order.deadline = "2026-06-01T18:30:00Z".to_owned();
    let order = Arc::new(order);
    bench.tell(FleetMessage::Assign { id: id(3), order });
    let full = bench.capacity_wh();
    assert_eq!(missions(&bench.dock(0, full)), [(0, 3)]);
    assert_eq!(missions(&bench.dock(0, full)), [(0, 2)]);
}

#[test]
fn a_hub_that_is_withdrawn_lets_a_guest_charge_on() {
    let mut bench = bench(2, 3);
    bench.dock(0, 10.0);
    let mut effects = Effects::default();
    let (fleet, context) = (&mut bench.role, &bench.context);
    assert!(fleet.docks.lend(context, HUB));
    fleet.docks.empty(HUB, &mut effects);
    let of_hubs = |fleet: &Fleet| fleet.docks.chargers().next();
    assert_eq!(of_hubs(fleet), Some((HUB, 1, 0)), "in use, by nobody of its own");
    fleet.docks.take_back(context, HUB, &mut effects);
    assert_eq!(of_hubs(fleet), Some((HUB, 0, 0)));
}

#[test]
fn who_comes_down_elsewhere_is_in_nobodys_way_any_more() {
    let mut world = world(1, 1);
    world.separation.strategic = Strategic::GroundDelay;
    let mut bench = Bench::new(world, |world| Fleet::new(world, &[]));
    bench.assign(1, false);
    assert_eq!(bench.role.intents.count(), 1);
    bench.tell(FleetMessage::Strayed { drone: DroneId(0) });
    assert_eq!(bench.role.intents.count(), 0);
}
