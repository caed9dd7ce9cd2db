//! Zones that are laid while somebody is in the air: who is told of them.

use geo::{LineString, Polygon};

use super::super::super::drone::DroneStatus;
use super::super::super::flight::Phase;
use super::super::super::world::{HeightReference, Zone};
use super::*;

/// With a square of 400 m about a place closed between these times.
fn with_zone(world: &World, (x, y): (f64, f64), (from_s, until_s): (f64, f64)) -> World {
    let mut world = world.clone();
    let corner = |(east, north): (f64, f64)| {
        let at = world.area.frame.to_latlon(Point {
            x: x + east,
            y: y + north,
        });
        geo::Coord { x: at.lon, y: at.lat }
    };
    let ring = [(-200.0, -200.0), (200.0, -200.0), (200.0, 200.0), (-200.0, 200.0)];
    let ring: LineString = ring.into_iter().map(corner).collect();
    world.zones.push(Zone {
        name: "zone".into(),
        polygon: Polygon::new(ring, Vec::new()),
        floor_m: 0.0,
        ceiling_m: 150.0,
        reference: HeightReference::Agl,
        from: SimTime::from_secs(from_s),
        until: SimTime::from_secs(until_s),
    });
    world.airspace = Airspace::new(&world.zones, &world.area);
    world
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
        sky.closed_ways(&world, now) == [DRONE]
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
        told.push((left_s, !sky.closed_ways(&world, now).is_empty()));
        now += world.tick;
        sky.step(&world, now, None);
    }
    let first = told.first().unwrap();
    let last = told.last().unwrap();
    assert!(first.1, "{} s are longer than leaving takes", first.0);
    assert!(!last.1, "{} s are not", last.0);
    assert!(told.is_sorted_by(|before, after| before.1 >= after.1), "{told:?}");
}
