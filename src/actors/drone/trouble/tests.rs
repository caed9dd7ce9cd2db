//! A drone on a bench in bad weather, and with a rotor less: two hubs, 5 km apart.

use super::*;
use crate::actors::delivery::DeliveryMessage;
use crate::actors::testing::{Bench, alarms, events, id, order, sent, world};
use crate::sim::command::ReplyTo;
use crate::sim::drone::{DroneState, Task};
use crate::sim::event::Happening;
use crate::sim::flight::Velocity;
use crate::sim::geo::Point;
use crate::sim::ids::DroneId;
use crate::sim::sky::{FlightEventKind, Sky};
use crate::sim::weather::{Change, Field, Grid};

const FAR: HubId = HubId(1);

/// Home is in the west of the other hub.
fn flying(of_task: impl Fn(Task) -> DroneState) -> Bench<Drone> {
    let mut world = world(1, 1);
    let mut other = world.hubs[0].clone();
    other.key = "other".into();
    other.at.x += 5_000.0;
    other.location = world.area.frame.to_latlon(other.at);
    world.hubs.push(other);
    let task = Task::of(&world, id(1), &order(&world));
    let drone = Drone {
        state: of_task(task),
        ..Drone::docked(DroneId(0))
    };
    Bench::new(world, |_| drone)
}

fn loaded() -> Bench<Drone> {
    flying(|task| DroneState::HeadedToDropoff { task })
}

impl Bench<Drone> {
    /// So far east of home, in this wind and rain.
    fn feels(&mut self, east_m: f64, share: f64, wind: f64, rain_mmph: f64, why: Trouble) -> Vec<Effect> {
        let world = &self.context.world;
        let hub = world.hub(HubId(0)).at;
        let fleet = world.fleet_of(DroneId(0)).unwrap();
        let fix = Fix {
            at: Point {
                x: hub.x + east_m,
                ..hub
            },
            height_m: 70.0,
            velocity: Velocity::NONE,
            energy_wh: world.model(fleet.model).battery.capacity_wh * share,
        };
        let conditions = Conditions {
            wind: (wind, 0.0),
            gust_mps: wind.abs(),
            rain_mmph,
        };
        self.tell(DroneMessage::Felt {
            around: Some((fix, conditions)),
            trouble: why,
        })
    }

    fn flies_to(&self, effects: &[Effect]) -> Option<HubId> {
        let plan = effects.iter().find_map(|effect| match effect {
            Effect::Fly(_, plan) => Some(plan),
            _ => None,
        });
        let end = plan.expect("it flies on").end();
        let hubs = &self.context.world.hubs;
        let at = hubs.iter().position(|hub| hub.at.distance(end) < 1.0);
        at.map(|index| HubId(index as u16))
    }
}

fn told(effects: &[Effect]) -> Vec<DroneEvent> {
    let of_drone = |(_, happening): (u32, &Happening)| match happening {
        Happening::Drone(_, event) => Some(event.clone()),
        _ => None,
    };
    events(effects).into_iter().filter_map(of_drone).collect()
}

fn turned_back() -> Mail {
    Mail::Delivery(id(1), DeliveryMessage::TurnedBack)
}

#[test]
fn an_alarm_is_told_and_what_it_feels_is_asked_for() {
    let mut bench = loaded();
    let breach = Breach::Rain;
    let effects = bench.tell(DroneMessage::WeatherAlarm { breach });
    assert_eq!(told(&effects), [DroneEvent::WeatherAlarm(breach)]);
    assert!(effects.contains(&Effect::Feel(DroneId(0), Trouble::Weather)));
    let mut docked = flying(|_| DroneState::Docked);
    assert!(docked.tell(DroneMessage::WeatherAlarm { breach }).is_empty());
}

#[test]
fn it_waits_and_goes_on_with_its_errand_where_the_weather_has_passed() {
    let mut bench = loaded();
    let effects = bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Weather);
    assert_eq!(told(&effects), [DroneEvent::Holding]);
    let [(due, Mail::Drone(_, look))] = alarms(&effects)[..] else {
        panic!("{effects:?}");
    };
    assert_eq!(due.as_secs(), WAIT_S);
    let look = look.clone();
    let effects = bench.tell(look.clone());
    assert_eq!(effects, [Effect::Feel(DroneId(0), Trouble::Waited)]);
    let effects = bench.feels(4_000.0, 0.8, 3.0, 0.0, Trouble::Waited);
    assert_eq!(bench.flies_to(&effects), Some(HubId(0)), "by way of its customer");
    assert!(matches!(bench.role.state, DroneState::HeadedToDropoff { .. }));
    assert!(bench.tell(look).is_empty(), "it waits no more");
}

#[test]
fn where_it_rains_on_it_diverts_to_the_nearest_hub_and_its_package_sets_out_from_there() {
    let mut bench = loaded();
    bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Weather);
    let effects = bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Waited);
    assert_eq!(bench.flies_to(&effects), Some(FAR));
    assert_eq!(told(&effects), [DroneEvent::Diverted]);
    assert!(sent(&effects).contains(&&turned_back()));
    let log = crate::sim::sky::FlightLog {
        energy_wh: 1.0,
        distance_m: 1.0,
        airborne_s: 1.0,
    };
    let effects = bench.tell(DroneMessage::Landed {
        hub: FAR,
        log,
        energy_left_wh: 50.0,
    });
    let returned = Mail::Delivery(id(1), DeliveryMessage::Returned { hub: FAR });
    assert!(sent(&effects).contains(&&returned));
    assert_eq!((bench.role.state, bench.role.refuge), (DroneState::Docked, None));
}

#[test]
fn in_a_squall_that_it_cannot_fly_in_it_stays_while_its_battery_lets_it_and_goes_on_after() {
    for state in [DroneState::Returning, loaded().role.state] {
        let mut bench = flying(|_| state);
        // 37 m/s and more at any level, and it makes 29.
        for trouble in [Trouble::Weather, Trouble::Waited, Trouble::Waited] {
            let effects = bench.feels(1_000.0, 0.8, 27.0, 0.0, trouble);
            assert_eq!(told(&effects), [DroneEvent::Holding]);
            assert_eq!(alarms(&effects).len(), 1, "it looks again");
        }
        let effects = bench.feels(1_000.0, 0.7, 3.0, 0.0, Trouble::Waited);
        assert_eq!((told(&effects), bench.role.state), (vec![], state));
        assert_eq!(bench.flies_to(&effects), Some(HubId(0)));
    }
    let mut bench = loaded();
    let effects = bench.feels(1_000.0, 0.03, 27.0, 0.0, Trouble::Weather);
    assert_eq!(bench.flies_to(&effects), None);
    assert_eq!(told(&effects), [], "nowhere else");
    assert!(sent(&effects).contains(&&turned_back()));
}

#[test]
fn who_waits_for_the_weather_tells_its_customer_how_long() {
    let mut bench = loaded();
    let expected = |effects: &[Effect]| {
        let delivery = sent(effects).into_iter().find_map(|mail| match mail {
            Mail::Delivery(_, DeliveryMessage::EtaMoved(etas)) => Some(etas.delivery.as_secs()),
            _ => None,
        });
        delivery.expect("it is told")
    };
    let waits = expected(&bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Weather));
    let goes_on = expected(&bench.feels(4_000.0, 0.8, 0.0, 0.0, Trouble::Waited));
    assert!((waits - goes_on - WAIT_S).abs() < 1.0, "{waits} {goes_on}");
}

#[test]
fn what_reaches_no_hub_comes_down_where_it_is() {
    let mut bench = loaded();
    let effects = bench.feels(2_500.0, 0.02, 3.0, 90.0, Trouble::Weather);
    assert_eq!(bench.flies_to(&effects), None);
    assert!(sent(&effects).contains(&&turned_back()));
    assert_eq!(told(&effects), [], "nowhere else");
}

#[test]
fn who_is_on_its_way_home_goes_to_the_nearest_hub_without_waiting() {
    let mut bench = flying(|_| DroneState::Returning);
    let effects = bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Weather);
    assert_eq!(bench.flies_to(&effects), Some(FAR));
    assert_eq!(told(&effects), [DroneEvent::Diverted]);
    let mut bench = flying(|_| DroneState::Returning);
    let effects = bench.feels(1_000.0, 0.8, 3.0, 90.0, Trouble::Weather);
    assert_eq!(bench.flies_to(&effects), Some(HubId(0)));
    assert_eq!(told(&effects), [], "where it was going");
}

#[test]
fn a_drone_with_rotors_to_spare_limps_to_the_nearest_hub_and_is_mended_there() {
    let mut bench = loaded();
    let fault = crate::sim::fault::FlightFault::RotorOut;
    let reply_to = ReplyTo(3);
    let effects = bench.tell(DroneMessage::Fault { fault, reply_to });
    assert!(effects.contains(&Effect::Feel(DroneId(0), Trouble::Limping)));
    assert!(bench.role.limps);
    let effects = bench.feels(4_000.0, 0.8, 0.0, 0.0, Trouble::Limping);
    assert_eq!(bench.flies_to(&effects), Some(FAR));
    let landed = DroneMessage::Landed {
        hub: FAR,
        log: crate::sim::sky::FlightLog {
            energy_wh: 1.0,
            distance_m: 1.0,
            airborne_s: 1.0,
        },
        energy_left_wh: 50.0,
    };
    bench.tell(landed);
    assert!(!bench.role.limps);
}

#[test]
fn from_another_hub_it_flies_home_and_is_no_ones_until_it_is_there() {
    let mut bench = flying(|_| DroneState::Returning);
    let effects = bench.feels(4_000.0, 0.8, 3.0, 90.0, Trouble::Weather);
    let plan = effects.iter().find_map(|effect| match effect {
        Effect::Fly(_, plan) => Some(plan.clone()),
        _ => None,
    });
    bench.role.state = DroneState::Docked;
    let plan = plan.unwrap();
    let effects = bench.tell(DroneMessage::FlyHome { from: FAR, plan });
    let taken_off = DroneEvent::TakenOff {
        hub: FAR,
        delivery: None,
    };
    assert_eq!(told(&effects), [taken_off]);
    assert_eq!(bench.role.state, DroneState::Returning);
}

/// Its rain by the second.
fn rains(bench: &mut Bench<Drone>, mmph: &[(f64, f64)]) {
    let change = |&(at, rain)| Change {
        at: SimTime::from_secs(at),
        values: vec![rain],
    };
    let changes = mmph.iter().map(change).collect();
    let world = std::sync::Arc::make_mut(&mut bench.context.world);
    world.weather.rain = Field::new(0.0, changes, Grid::WHOLE);
}

#[test]
fn rain_that_only_paused_as_it_looked_again_is_news_to_who_goes_on() {
    let mut bench = loaded();
    let world = std::sync::Arc::clone(&bench.context.world);
    let model = &world.models[0];
    let fix = Fix {
        at: world.hub(HubId(0)).at,
        height_m: 70.0,
        velocity: Velocity::NONE,
        energy_wh: model.battery.capacity_wh,
    };
    let base = bench.role.base(&bench.context);
    let mission = bench.role.onwards(&base, fix).unwrap().unwrap();
    let mut sky = Sky::new(&world);
    sky.place_aloft(&world, DroneId(0), mission.plan, fix.energy_wh, SimTime::START)
        .unwrap();
    rains(&mut bench, &[(9.9, 0.0), (10.0, 90.0)]);
    let (mut mail, mut looks, mut alarms_at) = (Vec::new(), None, Vec::new());
    for tick in 1..1_000 {
        let world = std::sync::Arc::clone(&bench.context.world);
        bench.context.now = world.time_of(tick);
        let now = bench.context.now;
        for event in sky.step(&world, now, None) {
            if let FlightEventKind::WeatherAlarm(breach) = event.kind {
                alarms_at.push(now.as_secs());
                mail.push(DroneMessage::WeatherAlarm { breach });
            }
        }
        if looks.is_some_and(|due| due <= now) {
            mail.extend(looks.take().map(|due| DroneMessage::LookAgain { due }));
        }
        while let Some(message) = mail.pop() {
            for effect in bench.tell(message) {
                match effect {
                    Effect::Feel(drone, trouble) => {
                        let around = sky.fix(drone).zip(sky.felt(&world, drone, now));
                        mail.push(DroneMessage::Felt { around, trouble });
                    }
                    Effect::Fly(drone, plan) => sky.fly(&world, drone, plan, now).unwrap(),
                    Effect::WakeAt(due, _) => looks = Some(due),
                    _ => {}
                }
            }
        }
        if let (Some(due), [_]) = (looks, &alarms_at[..]) {
            let at = due.as_secs();
            let paused = [
                (at - 0.6, 90.0),
                (at - 0.5, 0.0),
                (at + 0.5, 0.0),
                (at + 0.6, 90.0),
            ];
            rains(&mut bench, &[&[(9.9, 0.0), (10.0, 90.0)], &paused[..]].concat());
        }
    }
    let [first, second] = alarms_at[..] else {
        panic!("once as it comes, once as it comes back: {alarms_at:?}");
    };
    assert!((second - first - WAIT_S - 5.0).abs() < 3.0, "{alarms_at:?}");
    assert!(bench.role.is_homeward(), "it gave up when it rained on");
}
