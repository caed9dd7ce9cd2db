//! Zones that are laid while somebody is in the air: who is told of them.

use geo::{LineString, Polygon};

use super::super::super::drone::DroneStatus;
use super::super::super::flight::{
    FlightPlan, Path, Phase, Rest, Velocity, Whereabouts, plan_home, plan_rest,
};
use super::super::super::world::{HeightReference, Zone};
use super::*;

/// A square, between two heights.
#[derive(Clone, Copy, Debug)]
pub struct Square {
    pub middle: Point,
    pub half_m: f64,
    pub floor_m: f64,
    pub ceiling_m: f64,
}

impl Square {
    pub fn holds(&self, at: Point, height_m: f64) -> bool {
        let off_m = (at.x - self.middle.x).abs().max((at.y - self.middle.y).abs());
        off_m < self.half_m && (self.floor_m..self.ceiling_m).contains(&height_m)
    }
}

/// Closed between these times.
pub fn with_box(world: &World, over: Square, (from_s, until_s): (f64, f64)) -> World {
    let mut world = world.clone();
    let corner = |(east, north): (f64, f64)| {
        let at = world.area.frame.to_latlon(Point {
            x: over.middle.x + east * over.half_m,
            y: over.middle.y + north * over.half_m,
        });
        geo::Coord { x: at.lon, y: at.lat }
    };
    let ring = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    let ring: LineString = ring.into_iter().map(corner).collect();
    world.zones.push(Zone {
        name: "zone".into(),
        polygon: Polygon::new(ring, Vec::new()),
        floor_m: over.floor_m,
        ceiling_m: over.ceiling_m,
        reference: HeightReference::Agl,
        from: SimTime::from_secs(from_s),
        until: SimTime::from_secs(until_s),
    });
    world.airspace = Airspace::new(&world.zones, &world.area);
    world
}

/// With a square of 400 m about a place closed between these times.
fn with_zone(world: &World, (x, y): (f64, f64), times_s: (f64, f64)) -> World {
    let over = Square {
        middle: Point { x, y },
        half_m: 200.0,
        floor_m: 0.0,
        ceiling_m: 150.0,
    };
    with_box(world, over, times_s)
}

/// On its way to a shop at 1 km and a customer at 4 km, until `is_there`; answers when that is.
fn flown(world: &World, is_there: impl Fn(&Sky) -> bool) -> (Sky, SimTime) {
    let mut sky = Sky::new(world);
    let air = world.air(SimTime::START);
    let plan = plan_delivery(&world.models[0], &air, &errand((1_000.0, 0.0), (4_000.0, 0.0)));
    sky.fly(world, DRONE, plan.unwrap().plan, SimTime::START).unwrap();
    for tick in 1.. {
        let now = world.time_of(tick);
        sky.step(world, now, None);
        if is_there(&sky) {
            return (sky, now);
        }
    }
    unreachable!()
}

#[test]
fn only_a_zone_that_is_in_force_when_it_is_crossed_closes_a_way() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let at = |x: f64| move |sky: &Sky| sky.airborne().all(|drone| drone.at.x >= x);
    let (_, crossed) = flown(&world, at(2_800.0));
    let (sky, now) = flown(&world, at(500.0));
    let closed = |from_s: f64, until_s: f64| {
        let world = with_zone(&world, (2_800.0, 0.0), (from_s, until_s));
        sky.closed_ways(&world, now, &world.airspace.come(&[0], now, now)) == [DRONE]
    };
    let (now_s, crossed_s) = (now.as_secs(), crossed.as_secs());
    assert!(closed(now_s, now_s + 600.0), "from now on");
    assert!(closed(crossed_s - 5.0, crossed_s + 5.0), "just then");
    assert!(!closed(now_s, crossed_s - 30.0), "it is over by then");
    assert!(
        !closed(crossed_s + 30.0, crossed_s + 600.0),
        "it begins behind it"
    );
}

#[test]
fn who_has_handed_over_before_it_could_have_left_is_not_told() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let hovers = |sky: &Sky| sky.airborne().all(|drone| drone.status == DroneStatus::Hovering);
    let (mut sky, mut now) = flown(&world, hovers);
    let plan = plan_delivery(
        &world.models[0],
        &world.air(SimTime::START),
        &errand((1_000.0, 0.0), (4_000.0, 0.0)),
    );
    let legs = plan.unwrap().plan;
    let handover = legs
        .legs()
        .iter()
        .find(|leg| leg.phase == Phase::Handover)
        .unwrap();
    let over = now + SimDuration::from_secs(handover.duration_s);
    let mut told = Vec::new();
    while hovers(&sky) {
        let world = with_zone(&world, (1_000.0, 0.0), (0.0, 600.0));
        let left_s = over.since(now).as_secs();
        let laid = world.airspace.come(&[0], now, now);
        told.push((left_s, !sky.closed_ways(&world, now, &laid).is_empty()));
        now += world.tick;
        sky.step(&world, now, None);
    }
    let first = told.first().unwrap();
    let last = told.last().unwrap();
    assert!(first.1, "{} s are longer than leaving takes", first.0);
    assert!(!last.1, "{} s are not", last.0);
    assert!(told.is_sorted_by(|before, after| before.1 >= after.1), "{told:?}");
}

/// On from where it is, to the customer at 4 km and home.
fn replan(sky: &mut Sky, world: &World, now: SimTime) {
    let rest = Rest {
        pickup: None,
        dropoff: Point { x: 4_000.0, y: 0.0 },
        home: Point { x: 5_000.0, y: 0.0 },
        payload_kg: 0.3,
        handover_left_s: None,
    };
    let from = sky.fix(DRONE).unwrap().whereabouts();
    let mission = plan_rest(&world.models[0], &world.air(now), from, &rest).unwrap();
    sky.fly(world, DRONE, mission.plan, now).unwrap();
}

#[test]
fn who_passes_by_a_zone_is_told_neither_of_it_nor_of_another_far_away() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let at = |x: f64| move |sky: &Sky| sky.airborne().all(|drone| drone.at.x >= x);
    let (mut sky, mut now) = flown(&world, at(1_200.0));
    let beside = with_zone(&world, (2_500.0, 250.0), (0.0, 3_600.0));
    let laid = beside.airspace.come(&[0], now, now);
    assert_eq!(sky.closed_ways(&beside, now, &laid), [], "50 m off");
    let world = with_zone(&beside, (2_500.0, 3_000.0), (0.0, 3_600.0));
    while sky.airborne_one(DRONE).is_some_and(|drone| drone.at.x < 3_500.0) {
        now += world.tick;
        sky.step(&world, now, None);
        let laid = world.airspace.come(&[1], now, now);
        assert_eq!(sky.closed_ways(&world, now, &laid), []);
    }
}

#[test]
fn of_a_zone_that_was_announced_who_flies_round_it_hears_once() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let at = |x: f64| move |sky: &Sky| sky.airborne().all(|drone| drone.at.x >= x);
    let (mut sky, now) = flown(&world, at(1_200.0));
    let now_s = now.as_secs();
    let world = with_zone(&world, (2_800.0, 0.0), (now_s + 30.0, now_s + 60.0));
    let laid = world.airspace.come(&[0], now, now);
    assert_eq!(sky.closed_ways(&world, now, &laid), [DRONE]);
    replan(&mut sky, &world, now);
    let mut now = now;
    for _ in 0..1_200 {
        let before = now;
        now += world.tick;
        sky.step(&world, now, None);
        let come = world.airspace.come(&[], before, now);
        assert_eq!(
            sky.closed_ways(&world, now, &come),
            [],
            "{}",
            now.as_secs() - now_s
        );
    }
}

#[test]
fn who_is_leaving_a_zone_when_it_begins_is_not_told_again() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let at = |x: f64| move |sky: &Sky| sky.airborne().all(|drone| drone.at.x >= x);
    let (mut sky, now) = flown(&world, at(2_700.0));
    let now_s = now.as_secs();
    // It is in the middle of it: it brakes, and is on its way out when it begins.
    for (begins_s, middle_y) in [(5.0, 0.0), (12.0, 0.0), (20.0, 40.0)] {
        let world = with_zone(&world, (2_800.0, middle_y), (now_s + begins_s, now_s + 600.0));
        let laid = world.airspace.come(&[0], now, now);
        let mut sky = sky.clone();
        let mut now = now;
        let plan = match sky.closed_ways(&world, now, &laid)[..] {
            [] => None,
            _ => {
                replan(&mut sky, &world, now);
                sky.plan_of(DRONE, now).map(|(plan, _)| plan.clone())
            }
        };
        for _ in 0..600 {
            let before = now;
            now += world.tick;
            sky.step(&world, now, None);
            let come = world.airspace.come(&[], before, now);
            let told = sky.closed_ways(&world, now, &come);
            assert_eq!(told, [], "{} s, {plan:?}", now.as_secs() - now_s);
        }
    }
    // Nor is who crosses it faster than it could come to rest and go back.
    sky.step(&world, now + world.tick, None);
    let now = now + world.tick;
    let through = with_zone(&world, (2_650.0, 0.0), (0.0, 600.0));
    let laid = through.airspace.come(&[0], now, now);
    assert_eq!(sky.closed_ways(&through, now, &laid), []);
    let customer_there = with_zone(&world, (3_900.0, 0.0), (0.0, 600.0));
    let laid = customer_there.airspace.come(&[0], now, now);
    assert_eq!(sky.closed_ways(&customer_there, now, &laid), [DRONE]);
}

#[test]
fn who_is_sooner_over_a_zone_than_beside_it_leaves_it_over_its_ceiling() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let mut world = with_zone(&world, (2_800.0, 0.0), (0.0, 600.0));
    world.zones[0].ceiling_m = 75.0;
    world.airspace = Airspace::new(&world.zones, &world.area);
    let air = world.air(SimTime::START);
    let home = Point { x: 5_000.0, y: 0.0 };
    // Its way home leads out of it on its own level, 190 m and 60 m farther on.
    let [below, edge] = [2_870.0, 2_990.0].map(|x| {
        let from = Whereabouts::at_rest(Point { x, y: 0.0 }, 70.0);
        let plan = plan_home(&world.models[0], &air, from, home, 0.0).unwrap().plan;
        plan.legs()[0].path
    });
    assert!(
        matches!(
            below,
            Path::Vertical {
                from_m: 70.0,
                to_m: 90.0,
                ..
            }
        ),
        "{below:?}"
    );
    assert!(matches!(edge, Path::Line { height_m: 70.0, .. }), "{edge:?}");
}

#[test]
fn over_a_hub_that_a_zone_closes_who_is_down_sooner_than_out_lands_and_nobody_comes_down_into_it() {
    let hub = Point { x: 5_000.0, y: 0.0 };
    let lands = |key: &str, ceiling_m: f64| {
        let world = world(catalogue::model(key).unwrap(), 1, 0.1, (0.0, 0.0));
        let mut world = with_zone(&world, (hub.x, hub.y), (0.0, 600.0));
        world.zones[0].ceiling_m = ceiling_m;
        world.airspace = Airspace::new(&world.zones, &world.area);
        let air = world.air(SimTime::START);
        plan_home(&world.models[0], &air, Whereabouts::at_rest(hub, 70.0), hub, 0.0).is_ok()
    };
    assert!(!lands("wing", 150.0), "200 m take it 14 s, and 70 m down 24 s");
    assert!(lands("m100", 150.0), "which takes 27 s to leave");
    for key in ["wing", "m100"] {
        assert!(!lands(key, 40.0), "{key} is above it");
    }
}

/// Of who flies east over the origin when it is sent to a place in the south-east.
fn sent_elsewhere(world: &World) -> FlightPlan {
    let model = &world.models[0];
    let from = Whereabouts {
        at: Point { x: 0.0, y: 0.0 },
        height_m: 70.0,
        velocity: Velocity::along((1.0, 0.0, 0.0), model.cruise_airspeed_mps),
    };
    let rest = Rest {
        pickup: None,
        dropoff: Point {
            x: 300.0,
            y: -2_000.0,
        },
        home: Point { x: 0.0, y: -4_000.0 },
        payload_kg: 0.3,
        handover_left_s: None,
    };
    plan_rest(model, &world.air(SimTime::START), from, &rest)
        .unwrap()
        .plan
}

#[test]
fn who_is_sent_elsewhere_in_full_flight_turns_there_without_coming_to_rest() {
    let world = world(wing(), 1, 0.1, (0.0, 0.0));
    let plan = sent_elsewhere(&world);
    let cruise = plan.legs().iter().take_while(|leg| leg.exit_mps > 0.0);
    let speeds = cruise.clone().map(|leg| leg.entry_mps);
    let least_mps = speeds.fold(f64::INFINITY, f64::min);
    assert!(
        least_mps > 0.99 * world.models[0].cruise_airspeed_mps,
        "{least_mps}"
    );
    assert!(cruise.clone().any(|leg| matches!(leg.path, Path::Arc { .. })));
    let turn_s: f64 = cruise.map(|leg| leg.duration_s).sum();
    assert!(turn_s < 12.0, "a right angle takes {turn_s} s");
}

#[test]
fn where_a_zone_leaves_no_room_for_a_turn_it_brakes() {
    let open = world(wing(), 1, 0.1, (0.0, 0.0));
    let with_zone_at = |x: f64| with_zone(&open, (x + 200.0, 0.0), (0.0, 600.0));
    let brakes = |plan: &FlightPlan| matches!(plan.legs()[0].path, Path::Stop { .. });
    assert!(brakes(&sent_elsewhere(&with_zone_at(172.0))));
    let plan = sent_elsewhere(&with_zone_at(300.0));
    assert!(!brakes(&plan));
    for leg in plan.legs() {
        for part in 0..=10 {
            let (at, _) = leg.path.at(leg.path.length() * f64::from(part) / 10.0);
            let off = |along: f64, middle: f64| ((along - middle).abs() - 200.0).max(0.0);
            let off_m = libm::hypot(off(at.x, 500.0), off(at.y, 0.0));
            assert!(off_m > 29.9, "{off_m} m at {at:?}");
        }
    }
}

#[test]
fn who_turns_comes_to_the_level_of_its_new_way_in_flight() {
    let world = world(wing(), 1, 0.1, (3.0, 2.0));
    let model = &world.models[0];
    let rest = Rest {
        pickup: None,
        dropoff: Point {
            x: -2_000.0,
            y: 2_500.0,
        },
        home: Point { x: 0.0, y: 0.0 },
        payload_kg: 0.3,
        handover_left_s: None,
    };
    let from = Whereabouts {
        at: Point { x: 0.0, y: 0.0 },
        height_m: 50.0,
        velocity: Velocity::along((0.6, 0.8, 0.0), 25.0),
    };
    let plan = plan_rest(model, &world.air(SimTime::START), from, &rest)
        .unwrap()
        .plan;
    let highest = plan.legs().iter().map(|leg| leg.end().1).fold(0.0, f64::max);
    assert_eq!(highest, 110.0, "to the north-west");
    let ahead = plan.legs().iter().take_while(|leg| leg.exit_mps > 0.0);
    assert!(ahead.clone().any(|leg| matches!(leg.path, Path::Slope { .. })));
    for pair in plan.legs().windows(2) {
        let (end, start) = (pair[0].end(), pair[1].path.start());
        assert!(
            end.0.distance(start.0) < 1e-6 && (end.1 - start.1).abs() < 1e-6,
            "{pair:?}"
        );
    }
}

#[test]
fn who_meets_a_zone_far_ahead_turns_onto_the_way_round_it_whichever_side_that_is_on() {
    let open = world(wing(), 1, 0.1, (0.0, 0.0));
    let cruise_mps = open.models[0].cruise_airspeed_mps;
    let world = with_zone(&open, (2_800.0, 0.0), (0.0, 600.0));
    for at_y in [-150.0, -40.0, 0.0, 40.0, 150.0] {
        for to_y in [-30.0, 0.0, 30.0] {
            let from = Whereabouts {
                at: Point { x: 0.0, y: at_y },
                height_m: 70.0,
                velocity: Velocity::along((1.0, 0.0, 0.0), cruise_mps),
            };
            let rest = Rest {
                pickup: None,
                dropoff: Point { x: 5_000.0, y: to_y },
                home: Point { x: 6_000.0, y: 0.0 },
                payload_kg: 0.3,
                handover_left_s: None,
            };
            let mission = plan_rest(&world.models[0], &world.air(SimTime::START), from, &rest).unwrap();
            let cruise = mission.plan.legs().iter().take_while(|leg| leg.exit_mps > 0.0);
            let past_the_zone = cruise.last().map_or(0.0, |leg| leg.end().0.x);
            assert!(
                past_the_zone > 3_000.0,
                "{at_y} to {to_y}: at rest at {past_the_zone} m"
            );
            let cruise = mission
                .plan
                .legs()
                .iter()
                .take_while(|leg| leg.phase == Phase::Cruise);
            let cruise_m: f64 = cruise.map(|leg| leg.path.length()).sum();
            assert!(cruise_m < 5_100.0, "{at_y} to {to_y}: {cruise_m} m, in circles");
        }
    }
}
