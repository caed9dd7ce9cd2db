//! Two hubs that fly one type, and demand at the smaller one.

use std::sync::Arc;

use super::*;
use crate::actors::fleet::tests::quoted;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::testing::{Bench, alarms, id, order, sent, world};
use crate::sim::geo::LatLon;
use crate::sim::roster::{Change, RosterWrite};
use crate::sim::world::{Demand, DropoffSpread, FleetIndex, PickupAt};

const AWAY: HubId = HubId(0);
const HERE: HubId = HubId(1);
const AWAY_DRONES: u32 = 12;
const HERE_DRONES: u32 = 2;

fn bench(chargers: u32) -> Bench<Fleet> {
    let mut world = world(AWAY_DRONES, chargers);
    let mut here = world.hubs[0].clone();
    here.key = "ferry".to_owned();
    here.location = LatLon {
        lat: 37.7955,
        lon: -122.3937,
    };
    here.at = world.area.point(here.location);
    world.hubs.push(here);
    let mut fleet = world.fleets[0].clone();
    (fleet.hub, fleet.count) = (HERE, HERE_DRONES);
    world.fleets.push(fleet);
    world.fleet_index = FleetIndex::default();
    world.dispatch.positioning = Kind::Demand;
    Bench::new(world, |world| Fleet::new(world, &[]))
}

impl Bench<Fleet> {
    /// From the Ferry Building; answers which drone is kept for it.
    fn ask(&mut self, number: u64) -> (Option<DroneId>, Vec<crate::actors::Effect>) {
        let order = Arc::new(order(&self.context.world));
        let effects = self.tell(FleetMessage::Assign {
            id: id(number),
            order,
        });
        let kept = sent(&effects).into_iter().find_map(|mail| match mail {
            Mail::Scheduler(SchedulerMessage::Assigned { drone, .. }) => Some(*drone),
            _ => None,
        });
        (kept, effects)
    }

    /// So many requests at once, all of them called off again.
    fn is_asked(&mut self, requests: u64) {
        for number in 1..=requests {
            self.ask(number);
            self.tell(FleetMessage::Undo { id: id(number) });
        }
    }

    /// Who moves where in the round that comes.
    fn next_round(&mut self) -> Vec<(DroneId, HubId)> {
        let due = self.role.positioning.next.expect("a round is due");
        self.wait(due.as_secs() - self.context.now.as_secs());
        let effects = self.tell(FleetMessage::Position { due });
        let moves = sent(&effects).into_iter().filter_map(|mail| match mail {
            Mail::Drone(drone, DroneMessage::MoveTo { from: AWAY, to, .. }) => Some((*drone, *to)),
            _ => None,
        });
        moves.collect()
    }

    fn comes_down(&mut self, drone: DroneId, hub: HubId) {
        let energy_wh = 100.0;
        self.tell(FleetMessage::Docked {
            drone,
            hub,
            energy_wh,
        });
    }
}

#[test]
fn who_is_idle_moves_to_where_requests_come_from_and_serves_from_there() {
    let mut bench = bench(8);
    let (_, effects) = bench.ask(1);
    let due = SimTime(ROUND_EVERY.0);
    assert!(alarms(&effects).contains(&(due, &Mail::Fleet(FleetMessage::Position { due }))));
    bench.ask(2);
    let moves = bench.next_round();
    let [(drone, HERE)] = moves[..] else {
        panic!("one in twenty, and one at least: {moves:?}");
    };
    assert!(drone.0 < AWAY_DRONES);
    bench.comes_down(drone, HERE);
    let (kept, _) = bench.ask(3);
    assert_eq!(kept, Some(drone), "it is the nearest now");
    bench.tell(FleetMessage::Undo { id: id(3) });
    let docked: Vec<DroneId> = bench.role.docked().collect();
    assert!(docked.contains(&drone));
    let saved = postcard::to_stdvec(&bench.role).unwrap();
    let restored: Fleet = postcard::from_bytes(&saved).unwrap();
    assert_eq!(restored.positioning, bench.role.positioning);
}

#[test]
fn there_are_never_more_than_chargers_and_the_last_one_stays() {
    for (chargers, expected) in [(5, 3), (40, AWAY_DRONES - 1)] {
        let mut bench = bench(chargers);
        let mut moved = 0;
        for _ in 0..30 {
            bench.is_asked(10);
            for (drone, hub) in bench.next_round() {
                bench.comes_down(drone, hub);
                moved += 1;
            }
        }
        assert_eq!(moved, expected, "with {chargers} chargers");
    }
}

#[test]
fn where_it_lands_elsewhere_or_its_station_is_closed_it_goes_to_its_own_hub() {
    let mut bench = bench(8);
    bench.is_asked(2);
    let (drone, _) = bench.next_round()[0];
    let world = Arc::clone(&bench.context.world);
    assert_eq!(bench.role.positioning.station_of(drone), Some(HERE));
    bench.comes_down(drone, AWAY);
    assert_eq!(bench.role.positioning.station_of(drone), None);
    let own = bench.role.pair_of(&world, drone);
    assert_eq!(world.pairs().get(own).hub, AWAY);

    bench.is_asked(1);
    let (drone, _) = bench.next_round()[0];
    bench.comes_down(drone, HERE);
    bench.tell(FleetMessage::LeaveHub { hub: HERE });
    assert_eq!(bench.role.positioning.station_of(drone), None);
    let guests: Vec<DroneId> = bench.role.guests.drones().collect();
    assert_eq!(guests, [drone], "it flies home when it may");
    assert_eq!(bench.role.docked().filter(|docked| *docked == drone).count(), 1);
}

#[test]
fn who_is_kept_while_its_station_is_withdrawn_goes_to_its_own_hub() {
    for begins in [true, false] {
        let mut bench = bench(8);
        bench.is_asked(2);
        let (drone, _) = bench.next_round()[0];
        bench.comes_down(drone, HERE);
        // Its own have left, so that it is the one that is kept, and has not begun.
        let number = (2..9).find(|number| bench.ask(*number).0 == Some(drone));
        let number = number.expect("it is kept for somebody");
        let kept = bench.ask(number).1;
        let withdrawal = RosterWrite {
            change: Change::WithdrawHub {
                hub: HERE,
                with_drones: true,
            },
            idempotency_key: None,
        };
        Arc::make_mut(&mut bench.context.world).change(withdrawal);
        bench.tell(FleetMessage::LeaveHub { hub: HERE });
        let id = id(number);
        let told = quoted(&kept);
        bench.tell(match begins {
            true => FleetMessage::Depart { id, told },
            false => FleetMessage::Undo { id },
        });
        assert_eq!(bench.role.positioning.station_of(drone), None);
        let guests: Vec<DroneId> = bench.role.guests.drones().collect();
        assert_eq!(guests, [drone], "it is not on docks that are closed for ever");
        bench.wait(3_600.0);
        let effects = bench.tell(FleetMessage::SendHome { drone });
        let goes_home =
            |mail: &&Mail| matches!(mail, Mail::Drone(_, DroneMessage::FlyHome { from: HERE, .. }));
        assert_eq!(sent(&effects).into_iter().filter(goes_home).count(), 1);
    }
}

#[test]
fn nobody_moves_where_the_scenario_does_not_say() {
    let mut bench = bench(8);
    Arc::make_mut(&mut bench.context.world).dispatch.positioning = Kind::None;
    let (_, effects) = bench.ask(1);
    let rounds = alarms(&effects).into_iter();
    let rounds = rounds.filter(|(_, mail)| matches!(mail, Mail::Fleet(FleetMessage::Position { .. })));
    assert_eq!(rounds.count(), 0);
}

#[test]
fn one_request_in_a_quiet_hour_moves_nobody_and_two_no_more_than_a_few() {
    let mut bench = bench(40);
    for _ in 0..5 {
        bench.is_asked(1);
        assert_eq!(bench.next_round(), []);
        bench.wait(3_600.0);
    }
    bench.is_asked(2);
    let mut moved = bench.next_round().len();
    // A round without another request.
    for _ in 0..20 {
        let due = bench.context.now + ROUND_EVERY;
        bench.role.positioning.next = Some(due);
        moved += bench.next_round().len();
    }
    assert!((1..=8).contains(&moved), "{moved}");
}

#[test]
fn what_is_forecast_is_as_fresh_as_the_first_request() {
    let mut bench = bench(8);
    let world = Arc::make_mut(&mut bench.context.world);
    world.demand = Some(Demand {
        rate_per_s: 0.02,
        profile: vec![(SimTime::START, 1.0)],
        pickup: PickupAt::Places,
        preparation: None,
        dropoff: DropoffSpread::Land,
        dropoff_points: Vec::new(),
        within_m: None,
        payload_kg: (0.2, 1.0),
        expedited: 0.0,
    });
    let forecast: f64 = demand::near_hubs(world, SimTime::START).iter().sum();
    assert!(forecast > 0.0);
    bench.wait(3_600.0);
    bench.is_asked(1);
    let asked: f64 = bench.role.positioning.asked.iter().sum();
    assert!((asked - forecast * MEMORY_S - 1.0).abs() < 1e-9, "{asked}");
}

#[test]
fn who_is_lost_is_not_the_last_one_that_stays_and_needs_no_charger() {
    let mut bench = bench(5);
    let moves = |bench: &mut Bench<Fleet>| {
        let mut moved = 0;
        for _ in 0..20 {
            bench.is_asked(10);
            for (drone, hub) in bench.next_round() {
                bench.comes_down(drone, hub);
                moved += 1;
            }
        }
        moved
    };
    assert_eq!(moves(&mut bench), 3);
    for drone in (AWAY_DRONES..AWAY_DRONES + HERE_DRONES).map(DroneId) {
        bench.tell(FleetMessage::Leave { drone });
    }
    assert_eq!(moves(&mut bench), 2, "in their places");
    let left: Vec<DroneId> = (0..AWAY_DRONES)
        .map(DroneId)
        .filter(|drone| bench.role.positioning.station_of(*drone).is_none())
        .collect();
    for drone in &left[1..] {
        bench.tell(FleetMessage::Leave { drone: *drone });
    }
    Arc::make_mut(&mut bench.context.world).hubs[HERE.index()].chargers = 40;
    assert_eq!(moves(&mut bench), 0, "{} is the last one", left[0]);
}
