//! A drone on a bench: messages in, plans, events and letters out.

use std::sync::Arc;

use super::*;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::event::Happening;
use crate::sim::flight::{Milestone, Velocity};
use crate::sim::geo::Point;
use crate::sim::roster::{Change, RosterWrite, ZoneWrite};
use crate::sim::sky::Fix;
use crate::sim::world::World;

mod landing;
mod yielding;
mod zones;

const ASKED: ReplyTo = ReplyTo(7);

fn flying(state: DroneState) -> Bench<Drone> {
    let drone = Drone {
        state,
        ..Drone::docked(DroneId(0))
    };
    Bench::new(world(1, 1), |_| drone)
}

fn task() -> Task {
    let world = world(1, 1);
    Task::of(&world, id(1), &order(&world))
}

fn to_be_confirmed() -> Task {
    Task {
        confirmed: true,
        ..task()
    }
}

fn down() -> DroneMessage {
    let at = LatLon {
        lat: 37.76,
        lon: -122.43,
    };
    DroneMessage::Down { at, log: log() }
}

fn to_fleet_of_loss() -> [Mail; 2] {
    let drone = DroneId(0);
    [FleetMessage::Strayed { drone }, FleetMessage::Leave { drone }].map(Mail::Fleet)
}

fn log() -> FlightLog {
    FlightLog {
        energy_wh: 50.0,
        distance_m: 900.0,
        airborne_s: 60.0,
    }
}

fn landed() -> DroneMessage {
    DroneMessage::Landed {
        hub: HubId(0),
        log: log(),
        energy_left_wh: 100.0,
    }
}

impl Bench<Drone> {
    /// A place 300 m from home, in the air, with so much in the battery.
    fn located(&mut self, purpose: Purpose, share: f64) -> Vec<Effect> {
        let hub = self.context.world.hub(HubId(0)).at;
        let at = Point {
            x: hub.x + 300.0,
            ..hub
        };
        self.located_at(at, purpose, share)
    }

    fn located_at(&mut self, at: Point, purpose: Purpose, share: f64) -> Vec<Effect> {
        let world = &self.context.world;
        let fleet = world.fleet_of(DroneId(0)).unwrap();
        let fix = Fix {
            at,
            height_m: 60.0,
            velocity: Velocity::NONE,
            energy_wh: world.model(fleet.model).battery.capacity_wh * share,
        };
        self.tell(DroneMessage::Located {
            fix: Some(fix),
            purpose,
        })
    }
}

fn to_delivery(message: DeliveryMessage) -> Mail {
    Mail::Delivery(id(1), message)
}

fn flown(effects: &[Effect]) -> Option<&FlightPlan> {
    effects.iter().find_map(|effect| match effect {
        Effect::Fly(_, plan) => Some(plan),
        _ => None,
    })
}

fn told(effects: &[Effect]) -> Vec<DroneEvent> {
    let of_drone = |(_, happening): (u32, &Happening)| match happening {
        Happening::Drone(_, event) => Some(event.clone()),
        _ => None,
    };
    events(effects).into_iter().filter_map(of_drone).collect()
}

fn asks(effects: &[Effect]) -> Option<Purpose> {
    effects.iter().find_map(|effect| match effect {
        Effect::Locate(_, purpose) => Some(purpose.clone()),
        _ => None,
    })
}

#[test]
fn a_drone_that_falls_is_lost_and_tells_its_delivery() {
    let task = task();
    for state in [
        DroneState::HeadedToPickup { task },
        DroneState::HeadedToDropoff { task },
        DroneState::AtDoor { task },
        DroneState::BringingBack { task },
    ] {
        let mut bench = flying(state);
        let effects = bench.tell(down());
        let [leaves_its_pad, is_lost] = to_fleet_of_loss();
        let told_of_it = to_delivery(DeliveryMessage::DroneLost);
        assert_eq!(sent(&effects), [&told_of_it, &leaves_its_pad, &is_lost]);
        assert!(matches!(told(&effects)[..], [DroneEvent::Lost { .. }]));
        assert!(matches!(bench.role.state, DroneState::Lost { .. }));
        assert!(bench.tell(down()).is_empty(), "it falls once");
    }
}

#[test]
fn a_drone_that_falls_on_its_way_home_tells_its_hub_and_its_listeners() {
    let mut bench = flying(DroneState::Returning);
    let effects = bench.tell(down());
    let [leaves_its_pad, is_lost] = to_fleet_of_loss();
    assert_eq!(sent(&effects), [&leaves_its_pad, &is_lost]);
    assert_eq!(events(&effects).len(), 1);
}

#[test]
fn a_fault_breaks_a_drone_in_the_air_and_none_on_the_ground() {
    let (fault, reply_to) = (FlightFault::RotorOut, ASKED);
    let message = DroneMessage::Fault { fault, reply_to };
    let refused = Decision::Refused(Objection::NoEffect);
    assert_eq!(
        flying(DroneState::Docked).tell(message.clone()),
        [Effect::Reply(reply_to, refused)]
    );
    let effects = flying(DroneState::Returning).tell(message);
    assert!(matches!(
        effects[..],
        [
            Effect::Emit(_),
            Effect::Send(Mail::Fleet(FleetMessage::OffPlan { .. })),
            Effect::Break(DroneId(0), FlightFault::RotorOut),
            Effect::Feel(DroneId(0), Trouble::Limping),
            Effect::Reply(ASKED, Decision::Done)
        ]
    ));
}

#[test]
fn who_is_released_before_the_pickup_turns_home_from_where_it_is() {
    let mut bench = flying(DroneState::HeadedToPickup { task: task() });
    let effects = bench.tell(DroneMessage::Release { delivery: id(1) });
    assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::Released)]);
    assert_eq!(told(&effects), [DroneEvent::Diverted]);
    assert_eq!(asks(&effects), Some(Purpose::Replan));
    let effects = bench.located(Purpose::Replan, 0.8);
    let plan = flown(&effects).expect("it flies");
    assert_eq!(plan.end(), bench.context.world.hub(HubId(0)).at);
    assert!(plan.legs().iter().all(|leg| leg.payload_kg == 0.0));
    let effects = bench.tell(landed());
    assert!(matches!(
        sent(&effects)[..],
        [Mail::Fleet(FleetMessage::Docked { .. })]
    ));
    assert_eq!(bench.role.state, DroneState::Docked);
}

#[test]
fn who_has_the_package_is_not_released() {
    let task = task();
    for state in [DroneState::HeadedToDropoff { task }, DroneState::Returning] {
        let mut bench = flying(state);
        for message in [
            DroneMessage::Release { delivery: id(1) },
            DroneMessage::Redirect { task: Box::new(task) },
        ] {
            let effects = bench.tell(message);
            assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::TooLate)]);
        }
        assert_eq!(bench.role.state, state);
    }
}

#[test]
fn for_who_has_not_left_the_fleet_answers_unless_it_holds_nothing_for_that_delivery() {
    let mut bench = flying(DroneState::Docked);
    let wishes: [Option<Box<Task>>; 2] = [None, Some(Box::new(task()))];
    for task in wishes {
        let message = match task.clone() {
            Some(task) => DroneMessage::Redirect { task },
            None => DroneMessage::Release { delivery: id(1) },
        };
        let (drone, id, delivery) = (DroneId(0), id(1), id(1));
        let asked = FleetMessage::Recall {
            drone,
            id,
            task: task.clone(),
        };
        assert_eq!(sent(&bench.tell(message)), [&Mail::Fleet(asked)]);
        let effects = bench.tell(DroneMessage::NotOnGround { delivery, task });
        assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::TooLate)]);
    }
    // It has left since it was asked.
    let mut bench = flying(DroneState::HeadedToPickup { task: task() });
    let (delivery, task) = (id(1), None);
    let effects = bench.tell(DroneMessage::NotOnGround { delivery, task });
    assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::Released)]);
}

#[test]
fn a_drone_goes_elsewhere_if_its_battery_allows_and_home_if_not() {
    let hub = world(1, 1).hub(HubId(0)).at;
    let elsewhere = Task {
        dropoff: Point {
            x: hub.x - 900.0,
            ..hub
        },
        ..task()
    };
    for (share, goes) in [(0.9, true), (0.22, false)] {
        let mut bench = flying(DroneState::HeadedToPickup { task: task() });
        let purpose = Purpose::Redirect(Box::new(elsewhere));
        let task = Box::new(elsewhere);
        let effects = bench.tell(DroneMessage::Redirect { task });
        assert_eq!(asks(&effects), Some(purpose.clone()));
        let effects = bench.located(purpose, share);
        if goes {
            assert_eq!(bench.role.state, DroneState::HeadedToPickup { task: elsewhere });
            assert!(flown(&effects).is_some());
            assert!(matches!(
                sent(&effects)[..],
                [
                    Mail::Fleet(FleetMessage::OffPlan { .. }),
                    Mail::Delivery(_, DeliveryMessage::Redirected(_))
                ]
            ));
        } else {
            assert_eq!(bench.role.state, DroneState::Returning);
            assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::Released)]);
            assert_eq!(asks(&effects), Some(Purpose::Replan));
        }
    }
}

#[test]
fn a_drone_waits_at_the_door_with_the_package_and_leaves_as_it_is_told() {
    let task = to_be_confirmed();
    for (message, state, payload_kg) in [
        (
            DroneMessage::Confirmed { delivery: id(1) },
            DroneState::Returning,
            0.0,
        ),
        (
            DroneMessage::BringBack { delivery: id(1) },
            DroneState::BringingBack { task },
            task.payload_kg,
        ),
    ] {
        let mut bench = flying(DroneState::HeadedToDropoff { task });
        let effects = bench.tell(DroneMessage::Delivered);
        assert_eq!(sent(&effects), [&to_delivery(DeliveryMessage::AtDoor)]);
        assert_eq!(asks(&effects), Some(Purpose::Replan));
        let effects = bench.located(Purpose::Replan, 0.7);
        let plan = flown(&effects).expect("it hovers");
        assert!(plan.legs()[0].path.is_hold() && plan.legs()[0].duration_s > 60.0);
        assert!(plan.legs().iter().all(|leg| leg.payload_kg == task.payload_kg));
        let effects = bench.tell(message);
        assert_eq!(bench.role.state, state);
        assert_eq!(asks(&effects), Some(Purpose::Replan));
        let effects = bench.located(Purpose::Replan, 0.7);
        let plan = flown(&effects).expect("it goes home");
        assert!(plan.legs().iter().all(|leg| leg.payload_kg == payload_kg));
        let effects = bench.tell(landed());
        let returned = to_delivery(DeliveryMessage::Returned { hub: HubId(0) });
        assert_eq!(sent(&effects).contains(&&returned), payload_kg > 0.0);
    }
}

#[test]
fn a_lost_link_lets_a_drone_hover_and_then_go_on() {
    let mut bench = flying(DroneState::HeadedToDropoff { task: task() });
    let duration = Some(SimDuration::from_secs(30.0));
    let reply_to = ASKED;
    let effects = bench.tell(DroneMessage::LoseLink { duration, reply_to });
    assert_eq!(
        told(&effects),
        [DroneEvent::Fault(FlightFault::LinkLost), DroneEvent::Holding]
    );
    let (due, alarm) = alarms(&effects)[0];
    let Mail::Drone(_, back) = alarm.clone() else {
        panic!("{alarm:?}")
    };
    let hold = asks(&effects).expect("it must know where");
    let effects = bench.located(hold, 0.9);
    let first = &flown(&effects).expect("it hovers").legs()[0];
    assert!(first.path.is_hold() && first.duration_s >= 30.0);
    let quoted = |effects: &[Effect]| match sent(effects)[..] {
        [Mail::Delivery(_, DeliveryMessage::EtaMoved(etas))] => etas.delivery,
        ref other => panic!("its delivery hears when to expect it, not {other:?}"),
    };
    let in_advance = quoted(&effects);
    bench.context.now = due;
    let effects = bench.tell(back);
    assert_eq!(asks(&effects), Some(Purpose::Replan));
    let effects = bench.located(Purpose::Replan, 0.9);
    assert!(flown(&effects).is_some());
    assert_eq!(quoted(&effects), in_advance, "nobody was told wrong");
    assert!(matches!(bench.role.state, DroneState::HeadedToDropoff { .. }));
}

#[test]
fn without_its_link_a_drone_flies_home_with_what_it_has() {
    let task = task();
    for (state, then) in [
        (DroneState::HeadedToPickup { task }, DroneState::Returning),
        (
            DroneState::HeadedToDropoff { task },
            DroneState::BringingBack { task },
        ),
    ] {
        let mut bench = flying(state);
        let (duration, reply_to) = (None, ASKED);
        let effects = bench.tell(DroneMessage::LoseLink { duration, reply_to });
        let off_plan = Mail::Fleet(FleetMessage::OffPlan { drone: DroneId(0) });
        let turned_back = to_delivery(DeliveryMessage::TurnedBack);
        assert_eq!(sent(&effects), [&off_plan, &turned_back]);
        assert_eq!(bench.role.state, then);
        let effects = bench.tell(DroneMessage::LoseLink { duration, reply_to });
        let refused = Decision::Refused(Objection::NoEffect);
        assert_eq!(
            effects,
            [Effect::Reply(ASKED, refused)],
            "it cannot be lost twice"
        );
        bench.tell(landed());
        assert_eq!(bench.role.link_lost_until, None, "it is mended on the ground");
    }
}

#[test]
fn a_drone_that_hovered_until_it_had_to_go_home_brings_the_package_back() {
    let mut bench = flying(DroneState::HeadedToDropoff { task: task() });
    let effects = bench.tell(landed());
    let (turned, returned) = (
        to_delivery(DeliveryMessage::TurnedBack),
        to_delivery(DeliveryMessage::Returned { hub: HubId(0) }),
    );
    assert_eq!(sent(&effects)[..2], [&turned, &returned]);
}

#[test]
fn a_battery_that_does_not_do_turns_a_drone_back() {
    let task = task();
    for (share, turns) in [(0.9, false), (0.02, true)] {
        let mut bench = flying(DroneState::HeadedToPickup { task });
        let effects = bench.tell(DroneMessage::LowBattery);
        assert_eq!(asks(&effects), Some(Purpose::CheckBattery));
        let effects = bench.located(Purpose::CheckBattery, share);
        assert_eq!(flown(&effects).is_some(), turns);
        assert_eq!(
            sent(&effects).contains(&&to_delivery(DeliveryMessage::TurnedBack)),
            turns
        );
    }
}

/// For all times.
fn zone_over(world: &World, middle: Point) -> RosterWrite {
    let frame = world.area.frame;
    let off = [(-150.0, -150.0), (150.0, -150.0), (150.0, 150.0), (-150.0, 150.0)];
    let corner = |(x, y)| {
        frame.to_latlon(Point {
            x: middle.x + x,
            y: middle.y + y,
        })
    };
    let zone = ZoneWrite {
        name: "Fire".into(),
        corners: off.into_iter().map(corner).collect(),
        floor_m: 0.0,
        ceiling_m: 150.0,
        above_sea: false,
        from: SimTime::START,
        until: SimTime::NEVER,
    };
    RosterWrite {
        change: Change::AddZone(zone),
        idempotency_key: None,
    }
}

#[test]
fn whoever_waits_at_a_door_that_a_zone_closes_leaves_with_the_package() {
    let mut bench = flying(DroneState::AtDoor { task: task() });
    let mut world = World::clone(&bench.context.world);
    assert_eq!(world.change(zone_over(&world, task().dropoff)), Decision::Created);
    bench.context.world = Arc::new(world);
    let effects = bench.located_at(task().dropoff, Purpose::Replan, 0.9);
    let plan = flown(&effects).expect("it flies home");
    assert_eq!(plan.end(), bench.context.world.hub(HubId(0)).at);
    assert!(matches!(bench.role.state, DroneState::BringingBack { .. }));
}

#[test]
fn who_cannot_come_home_for_a_zone_stays_in_the_air_while_it_can() {
    for state in [DroneState::Returning, DroneState::HeadedToPickup { task: task() }] {
        let mut bench = flying(state);
        let mut world = World::clone(&bench.context.world);
        let hub = world.hub(HubId(0)).at;
        assert_eq!(world.change(zone_over(&world, hub)), Decision::Created);
        bench.context.world = Arc::new(world);
        let effects = bench.located(Purpose::Replan, 0.9);
        assert!(told(&effects).contains(&DroneEvent::Holding), "{effects:?}");
        assert_eq!(alarms(&effects).len(), 1, "it looks again");
        let effects = bench.located(Purpose::Replan, 0.01);
        let plan = flown(&effects).expect("it comes down");
        assert!(plan.end().distance(hub) > 200.0, "but not into the zone");
    }
}

#[test]
fn a_door_that_a_zone_closes_is_not_flown_to() {
    let mut bench = flying(DroneState::HeadedToDropoff { task: task() });
    let mut world = World::clone(&bench.context.world);
    assert_eq!(world.change(zone_over(&world, task().dropoff)), Decision::Created);
    bench.context.world = Arc::new(world);
    let effects = bench.located(Purpose::Replan, 0.9);
    let plan = flown(&effects).expect("it flies home");
    assert_eq!(plan.end(), bench.context.world.hub(HubId(0)).at);
    assert_eq!(told(&effects), [DroneEvent::Diverted]);
    assert!(matches!(bench.role.state, DroneState::BringingBack { .. }));
}
