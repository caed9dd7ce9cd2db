//! Who waits on the ground for a zone to end, or for weather that somebody has met.

use std::sync::Arc;

use super::*;
use crate::actors::fleet::tests::quoted;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::command::Decision;
use crate::sim::dispatch::is_servable;
use crate::sim::event::{Happening, HubEvent};
use crate::sim::geo::Point;
use crate::sim::roster::{Change, RosterWrite, ZoneWrite};
use crate::sim::weather::{Breach, Conditions};
use crate::sim::world::World;

const HUB: HubId = HubId(0);

fn bench() -> Bench<Fleet> {
    Bench::new(world(3, 3), |world| Fleet::new(world, &[]))
}

/// Lays a zone over the hub until then.
fn lay(bench: &mut Bench<Fleet>, until: SimTime) {
    lay_between(bench, SimTime::START, until);
}

fn lay_between(bench: &mut Bench<Fleet>, from: SimTime, until: SimTime) {
    let mut world = World::clone(&bench.context.world);
    let (frame, hub) = (world.area.frame, world.hub(HUB).at);
    let corner = |(x, y)| {
        frame.to_latlon(Point {
            x: hub.x + x,
            y: hub.y + y,
        })
    };
    let corners = [(-300.0, -300.0), (300.0, -300.0), (300.0, 300.0), (-300.0, 300.0)];
    let zone = ZoneWrite {
        name: "Fire".into(),
        corners: corners.map(corner).to_vec(),
        floor_m: 0.0,
        ceiling_m: 150.0,
        above_sea: false,
        from,
        until,
    };
    let write = RosterWrite {
        change: Change::AddZone(zone),
        idempotency_key: None,
    };
    assert_eq!(world.change(write), Decision::Created);
    bench.context.world = Arc::new(world);
}

fn promise(bench: &mut Bench<Fleet>, number: u64) -> Etas {
    let order = Arc::new(order(&bench.context.world));
    quoted(&bench.hears(FleetMessage::Assign {
        id: id(number),
        order,
    }))
}

fn leaves(effects: &[Effect]) -> bool {
    let is_mission = |mail: &&Mail| matches!(mail, Mail::Drone(_, DroneMessage::Mission { .. }));
    sent(effects).iter().any(is_mission)
}

fn turned_back(effects: &[Effect], number: u64) -> bool {
    sent(effects).contains(&&Mail::Delivery(id(number), DeliveryMessage::TurnedBack))
}

fn moved(effects: &[Effect]) -> Vec<Etas> {
    let etas = |mail: &Mail| match mail {
        Mail::Delivery(_, DeliveryMessage::EtaMoved(etas)) => Some(*etas),
        _ => None,
    };
    sent(effects).into_iter().filter_map(etas).collect()
}

fn of_hub(effects: &[Effect]) -> Vec<HubEvent> {
    let event = |(_, happening): (u32, &Happening)| match happening {
        Happening::Hub(_, event) => Some(event.clone()),
        _ => None,
    };
    let told = events(effects).into_iter().filter_map(event);
    told.filter(|event| !matches!(event, HubEvent::QueuesChanged(_)))
        .collect()
}

#[test]
fn a_zone_over_the_hub_that_ends_in_time_is_waited_out() {
    let mut bench = bench();
    let told = promise(&mut bench, 1);
    let ends = SimTime::from_secs(60.0);
    lay(&mut bench, ends);
    bench.wait(1.0);
    assert!(!turned_back(&bench.hears(FleetMessage::AirChanged), 1));
    let effects = bench.hears(FleetMessage::Depart { id: id(1), told });
    assert!(!leaves(&effects));
    let later_s = moved(&effects)[0].pickup.since(told.pickup).as_secs();
    assert!((59.0..61.0).contains(&later_s), "{later_s}");
    let order = order(&bench.context.world);
    assert!(
        is_servable(&bench.context.world, bench.context.now, &order),
        "later"
    );
    bench.context.now = ends;
    let effects = bench.hears(FleetMessage::AirChanged);
    assert!(leaves(&effects) && moved(&effects).is_empty(), "as it was told");
}

#[test]
fn before_an_announced_zone_begins_whoever_is_home_by_then_flies() {
    let mut bench = bench();
    let told = promise(&mut bench, 1);
    let kept = &bench.role.kept[&id(1)];
    let lands_s = kept.takes(Milestone::Landed).as_secs();
    let hours = |hours: f64| SimTime::from_secs(3_600.0 * hours);
    lay_between(&mut bench, SimTime::from_secs(lands_s + 120.0), hours(3.0));
    bench.wait(1.0);
    bench.hears(FleetMessage::AirChanged);
    let second = promise(&mut bench, 2);
    assert_eq!(
        second.pickup,
        told.pickup + bench.context.now.since(SimTime::START)
    );
    assert!(leaves(&bench.hears(FleetMessage::Depart { id: id(1), told })));
    // Two minutes later it would not be.
    bench.wait(130.0);
    let told = second;
    let effects = bench.hears(FleetMessage::Depart { id: id(2), told });
    assert!(
        !leaves(&effects) && turned_back(&effects, 2),
        "nobody waits for three hours"
    );
    let order = order(&bench.context.world);
    assert!(!is_servable(&bench.context.world, bench.context.now, &order));
    assert!(is_servable(&bench.context.world, SimTime::START, &order));
}

#[test]
fn a_zone_that_lasts_longer_than_requests_wait_sends_them_elsewhere() {
    let mut bench = bench();
    let told = promise(&mut bench, 1);
    bench.wait(1.0);
    let longer = bench.context.world.dispatch.max_wait;
    let ends = bench.context.now + longer + SimDuration::from_secs(1.0);
    lay(&mut bench, ends);
    bench.hears(FleetMessage::AirChanged);
    assert!(turned_back(
        &bench.hears(FleetMessage::Depart { id: id(1), told }),
        1
    ));
    let order = order(&bench.context.world);
    assert!(!is_servable(&bench.context.world, bench.context.now, &order));
}

#[test]
fn what_a_drone_met_in_the_air_keeps_its_type_until_stations_look_again() {
    let mut bench = bench();
    let [first, second] = [1, 2].map(|number| promise(&mut bench, number));
    bench.wait(7.0);
    let (at, met) = (
        bench.context.world.hub(HUB).at,
        Conditions {
            rain_mmph: 60.0,
            ..Conditions::default()
        },
    );
    let effects = bench.hears(FleetMessage::MetWeather { at, met });
    let (model, breach) = (bench.context.world.pairs().get(0).model, Breach::Rain);
    assert_eq!(of_hub(&effects), [HubEvent::GroundStopped { model, breach }]);
    assert!(
        of_hub(&bench.hears(FleetMessage::MetWeather { at, met })).is_empty(),
        "told once"
    );
    let effects = bench.hears(FleetMessage::Depart {
        id: id(1),
        told: first,
    });
    assert!(!leaves(&effects));
    let looked = SimTime::from_secs(30.0);
    let left = moved(&effects)[0].pickup.since(first.pickup);
    assert_eq!(
        left,
        looked.since(SimTime::START),
        "as soon as stations have looked"
    );
    // Another air says nothing of what was met.
    bench.wait(3.0);
    assert!(of_hub(&bench.hears(FleetMessage::AirChanged)).is_empty());
    assert!(!leaves(&bench.hears(FleetMessage::Depart {
        id: id(2),
        told: second
    })));
    let saved = postcard::to_stdvec(&bench.role).unwrap();
    let restored: Fleet = postcard::from_bytes(&saved).unwrap();
    bench.role = restored.with_world(&bench.context.world, bench.context.now);

    bench.context.now = looked;
    let effects = bench.hears(FleetMessage::Looked);
    assert_eq!(of_hub(&effects), [HubEvent::GroundStopLifted { model }]);
    assert!(leaves(&effects));
}

#[test]
fn however_many_are_kept_when_a_zone_is_laid_a_tick_plans_for_so_many_and_none_leaves_before() {
    const MANY: u64 = 300;
    let mut world = world(MANY as u32, 1);
    world.hubs[0].pads = 1;
    let mut bench = Bench::new(world, |world| Fleet::new(world, &[]));
    for number in 0..MANY {
        let told = promise(&mut bench, number);
        bench.hears(FleetMessage::Depart { id: id(number), told });
    }
    bench.wait(60.0);
    lay(&mut bench, SimTime::NEVER);
    let sent_back = |effects: &[Effect]| {
        let is_sent_back = |mail: &&Mail| matches!(mail, Mail::Delivery(_, DeliveryMessage::TurnedBack));
        sent(effects).into_iter().filter(is_sent_back).count()
    };
    let mut effects = bench.hears(FleetMessage::AirChanged);
    let mut in_ticks = Vec::new();
    loop {
        assert!(!leaves(&effects));
        in_ticks.push(sent_back(&effects));
        bench.wait(0.1);
        bench.hears(FleetMessage::PadFree { hub: HUB });
        let more = alarms(&effects).into_iter().find_map(|(_, mail)| match mail {
            Mail::Fleet(more @ FleetMessage::PlanMore { .. }) => Some(more.clone()),
            _ => None,
        });
        let Some(more) = more else { break };
        effects = bench.hears(more);
    }
    assert!(
        in_ticks.iter().all(|count| *count <= PLANNED_AT_ONCE),
        "{in_ticks:?}"
    );
    assert!(bench.role.kept.is_empty(), "{}", bench.role.kept.len());
}
