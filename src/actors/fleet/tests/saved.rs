//! A fleet with all that it can have on its hands at once, saved and gone on with.

use super::*;
use crate::sim::weather::Conditions;
use crate::sim::world::{FleetIndex, Positioning, World};

pub(super) const FERRY: HubId = HubId(1);
const CALLED_UP: usize = 300;

/// Two hubs with a pad each that fly one type, and both means that need the fleet to remember.
pub(super) fn two_hubs() -> World {
    let mut world = world(8, 3);
    let ferry_building = order(&world).pickup.location;
    let ferry = Hub {
        key: "ferry".to_owned(),
        location: ferry_building,
        at: world.area.point(ferry_building),
        ..world.hubs[0].clone()
    };
    world.hubs.push(ferry);
    world.hubs.iter_mut().for_each(|hub| hub.pads = 1);
    let fleet = world.fleets[0].clone();
    world.fleets.push(world::Fleet {
        hub: FERRY,
        count: 4,
        ..fleet
    });
    world.fleet_index = FleetIndex::default();
    world.separation.strategic = Strategic::GroundDelay;
    world.dispatch.positioning = Positioning::Demand;
    world.dispatch.backlog = 100;
    world
}

/// In trouble of all kinds; with what it is to be reminded of.
fn in_trouble() -> (Bench<Fleet>, Vec<(SimTime, FleetMessage)>) {
    let aloft: Vec<DroneId> = (0..3).map(DroneId).collect();
    let mut bench = Bench::new(two_hubs(), |world| Fleet::new(world, &aloft));
    let mut effects = bench.hears(FleetMessage::AirChanged);
    for number in 1..=12 {
        let answer = bench.assign(number, number % 4 == 0);
        if number < 6 && !missions(&answer).is_empty() {
            let told = quoted(&answer);
            effects.extend(bench.hears(FleetMessage::Depart { id: id(number), told }));
        }
        effects.extend(answer);
    }
    bench.wait(11.0);
    let (at, met) = (
        bench.context.world.hub(FERRY).at,
        Conditions {
            rain_mmph: 60.0,
            ..Conditions::default()
        },
    );
    let drone = DroneId;
    for message in [
        FleetMessage::MetWeather { at, met },
        FleetMessage::Worn {
            drone: drone(1),
            health: 0.9,
        },
        FleetMessage::Docked {
            drone: drone(0),
            hub: FERRY,
            energy_wh: 40.0,
        },
        FleetMessage::Approach {
            drone: drone(1),
            hub: HUB,
            endurance_s: 900.0,
            descent_s: 18.0,
        },
        FleetMessage::Approach {
            drone: drone(2),
            hub: HUB,
            endurance_s: 900.0,
            descent_s: 18.0,
        },
        FleetMessage::Close {
            hub: HUB,
            duration: SimDuration::from_secs(300.0),
            reply_to: ReplyTo(1),
        },
    ] {
        effects.extend(bench.hears(message));
    }
    let reminders = alarms(&effects).into_iter();
    let own = |(at, mail): (SimTime, &Mail)| match mail {
        Mail::Fleet(message) => Some((at, message.clone())),
        _ => None,
    };
    let reminders = reminders.filter_map(own).collect();
    (bench, reminders)
}

#[test]
fn in_trouble_of_all_kinds_it_goes_on_as_if_nothing_had_happened() {
    let (mut bench, mut reminders) = in_trouble();
    let fleet = &bench.role;
    let queues: Vec<HubQueues> = fleet.hub_queues().map(|(_, queues)| queues).collect();
    assert!(queues[0].holding > 0, "{queues:?}");
    assert!(queues.iter().any(|queues| queues.departing > 0), "{queues:?}");
    assert!(fleet.queued().next().is_some() && fleet.hubs_closed().next().is_some());
    assert!(fleet.intents.count() > 0 && fleet.hub_stops().next().is_some());
    assert_eq!(fleet.guests.drones().collect::<Vec<_>>(), [DroneId(0)]);

    let bytes = postcard::to_stdvec(fleet).unwrap();
    let restored: Fleet = postcard::from_bytes(&bytes).unwrap();
    let restored = restored.with_healths(fleet.docks.healths.clone());
    let mut twin = Bench {
        role: restored.with_world(&bench.context.world, bench.context.now),
        context: bench.context.clone(),
    };
    assert_eq!(twin.role, bench.role);

    let (mut left, mut events_told) = (0, 0);
    for _ in 0..CALLED_UP {
        reminders.sort_by_key(|(at, _)| *at);
        if reminders.is_empty() {
            break;
        }
        let (at, message) = reminders.remove(0);
        bench.context.now = bench.context.now.max(at);
        twin.context.now = bench.context.now;
        let effects = bench.hears(message.clone());
        assert_eq!(twin.hears(message.clone()), effects, "over {message:?}");
        let again = alarms(&effects).into_iter().filter_map(|(at, mail)| match mail {
            Mail::Fleet(message) => Some((at, message.clone())),
            _ => None,
        });
        reminders.extend(again);
        let flies = |mail: &&Mail| {
            matches!(
                mail,
                Mail::Drone(
                    _,
                    DroneMessage::Mission { .. } | DroneMessage::FlyHome { .. } | DroneMessage::MoveTo { .. }
                )
            )
        };
        left += sent(&effects).into_iter().filter(flies).count();
        events_told += events(&effects).len();
    }
    assert!(left >= 3 && events_told > 5, "{left} left, {events_told} events");
    assert_eq!(twin.role, bench.role);
}
