//! Ways round zones: by hand, and what holds for every way.

use geo::{LineString, Polygon};
use proptest::prelude::*;

use super::*;
use crate::sim::geo::{BoundingBox, LatLon, LocalFrame};

fn area(ground_m: f64) -> Area {
    let bounds = BoundingBox {
        west: -0.1,
        south: -0.1,
        east: 0.1,
        north: 0.1,
    };
    Area {
        frame: LocalFrame::at(bounds.middle()),
        bounds,
        land: None,
        ground_m,
        geoid_m: 0.0,
    }
}

fn point(x: f64, y: f64) -> Point {
    Point { x, y }
}

/// A zone over corners in metres.
fn zone(corners: &[(f64, f64)]) -> Zone {
    let frame = area(0.0).frame;
    let ring: LineString = corners
        .iter()
        .map(|(x, y)| {
            let LatLon { lat, lon } = frame.to_latlon(point(*x, *y));
            geo::Coord { x: lon, y: lat }
        })
        .collect();
    Zone {
        name: "zone".into(),
        polygon: Polygon::new(ring, Vec::new()),
        floor_m: 0.0,
        ceiling_m: 120.0,
        reference: HeightReference::Agl,
        from: SimTime::START,
        until: SimTime::NEVER,
    }
}

fn block(x: f64, y: f64, width: f64, height: f64) -> Zone {
    zone(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
}

fn ground(at: Point) -> End {
    End { at, height_m: 0.0 }
}

fn way(airspace: &Airspace, from: Point, to: Point) -> Option<Route> {
    airspace.route(SimTime::START, ground(from), ground(to)).ok()
}

/// Sampled every few metres, independent of how ways are found.
fn least_distance(zones: &[Zone], route: &Route) -> f64 {
    let outlines: Vec<Outline> = (zones.iter())
        .map(|zone| Outline::new(&zone.polygon, &area(0.0).frame))
        .collect();
    let places: Vec<Point> = [&[route.from][..], &route.via, &[route.to]].concat();
    let mut least = f64::INFINITY;
    for pair in places.windows(2) {
        let steps = (pair[0].distance(pair[1]) / 5.0) as usize + 1;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let at = point(
                pair[0].x + (pair[1].x - pair[0].x) * share,
                pair[0].y + (pair[1].y - pair[0].y) * share,
            );
            for outline in &outlines {
                let distance = if outline.holds(at) {
                    0.0
                } else {
                    outline.distance(at)
                };
                least = least.min(distance);
            }
        }
    }
    least
}

#[test]
fn a_way_round_a_block_bends_at_the_near_corners() {
    let zones = [block(1_000.0, -200.0, 500.0, 1_000.0)];
    let airspace = Airspace::new(&zones, &area(0.0));
    let route = way(&airspace, point(0.0, 0.0), point(2_500.0, 0.0)).unwrap();
    // South of it, a margin off, in turns of 45°: 60 m · tan 22.5° = 24.85 m from the corners' lines.
    let expected = [point(975.15, -260.0), point(1_524.85, -260.0)];
    assert_eq!(route.via.len(), expected.len(), "{route:?}");
    for (bend, expected) in route.via.iter().zip(expected) {
        assert!(bend.distance(expected) < 0.01, "{bend:?} against {expected:?}");
    }
    assert!(least_distance(&zones, &route) >= MARGIN_M - 0.01);
    // Where nothing is in the way the way is straight.
    assert_eq!(
        way(&airspace, point(0.0, 900.0), point(2_500.0, 900.0))
            .unwrap()
            .via,
        []
    );
}

#[test]
fn zones_are_flown_under_and_over_where_their_heights_allow() {
    let high = Zone {
        floor_m: 60.0,
        ceiling_m: 500.0,
        ..block(1_000.0, -5_000.0, 500.0, 10_000.0)
    };
    let airspace = Airspace::new(std::slice::from_ref(&high), &area(0.0));
    // Westwards the level is 90 m, which is closed; 50 m is open.
    let route = way(&airspace, point(2_500.0, 1.0), point(0.0, 0.0)).unwrap();
    assert_eq!((route.level_m, route.via.len()), (50.0, 0));
    // 60 m above the sea are 10 m above a ground at 50 m.
    let above_sea = Zone {
        reference: HeightReference::Amsl,
        ..high
    };
    let airspace = Airspace::new(&[above_sea], &area(50.0));
    let route = way(&airspace, point(2_500.0, 1.0), point(0.0, 0.0)).unwrap();
    assert!(!route.via.is_empty(), "{route:?}");
}

#[test]
fn what_lies_in_a_zone_or_behind_one_across_everything_has_no_way() {
    let airspace = Airspace::new(&[block(1_000.0, -200.0, 500.0, 1_000.0)], &area(0.0));
    assert_eq!(way(&airspace, point(0.0, 0.0), point(1_200.0, 0.0)), None);
    assert_eq!(way(&airspace, point(1_200.0, 0.0), point(0.0, 0.0)), None);
    // A ring with its inside: four walls that overlap.
    let walls = [
        block(-1_000.0, -1_000.0, 2_000.0, 200.0),
        block(-1_000.0, 800.0, 2_000.0, 200.0),
        block(-1_000.0, -1_000.0, 200.0, 2_000.0),
        block(800.0, -1_000.0, 200.0, 2_000.0),
    ];
    let airspace = Airspace::new(&walls, &area(0.0));
    assert_eq!(way(&airspace, point(0.0, 0.0), point(3_000.0, 0.0)), None);
    assert!(way(&airspace, point(0.0, 0.0), point(300.0, 0.0)).is_some());
}

#[test]
fn an_end_within_the_margin_is_reached() {
    let zones = [block(1_000.0, -200.0, 500.0, 1_000.0)];
    let airspace = Airspace::new(&zones, &area(0.0));
    let near = point(1_520.0, 300.0);
    let route = way(&airspace, point(0.0, 0.0), near).unwrap();
    assert!(least_distance(&zones, &route) >= 20.0 - 0.01, "{route:?}");
    assert_eq!(route.to, near);
}

#[test]
fn who_is_caught_in_the_air_leaves_by_the_nearest_side() {
    let airspace = Airspace::new(&[block(1_000.0, -200.0, 500.0, 1_000.0)], &area(0.0));
    let caught = End {
        at: point(1_480.0, 300.0),
        height_m: 70.0,
    };
    let route = airspace
        .route(SimTime::START, caught, ground(point(0.0, 0.0)))
        .unwrap();
    assert!(route.via[0].distance(point(1_560.0, 300.0)) < 0.01, "{route:?}");
}

#[test]
fn nobody_sinks_or_climbs_through_a_zone_to_its_level() {
    let slab = Zone {
        floor_m: 60.0,
        ceiling_m: 80.0,
        ..block(1_000.0, -200.0, 500.0, 1_000.0)
    };
    let airspace = Airspace::new(&[slab], &area(0.0));
    let level_m = |height_m: f64| {
        let at = point(1_250.0, 300.0);
        let route = airspace.route(
            SimTime::START,
            End { at, height_m },
            ground(point(3_000.0, 2_000.0)),
        );
        route.unwrap().level_m
    };
    assert_eq!(level_m(40.0), 50.0, "the level of its heading");
    assert_eq!(level_m(70.0), 50.0, "out of the zone, whichever way");
    assert!(level_m(90.0) >= 90.0, "over the zone it stays over it");
}

#[test]
fn the_way_out_stays_on_its_height_unless_another_is_much_nearer() {
    let zones = [Zone {
        ceiling_m: 100.0,
        ..block(1_000.0, -200.0, 500.0, 1_000.0)
    }];
    let airspace = Airspace::new(&zones, &area(0.0));
    let out = |x: f64, height_m: f64| airspace.way_out(SimTime::START, point(x, 300.0), height_m);
    let level = |x: f64, height_m: f64| out(x, height_m).unwrap().level_m;
    assert_eq!([level(1_480.0, 70.0), level(1_480.0, 62.0)], [70.0, 62.0]);
    assert_eq!(level(1_250.0, 90.0), 110.0, "over the top");
    assert_eq!(level(1_480.0, 8.0), 50.0, "up first");
    assert_eq!(out(1_600.0, 70.0), None);
}

#[test]
fn a_zone_counts_from_a_flights_time_before_it_begins_until_it_ends() {
    let hour = SimDuration::from_secs(3_600.0);
    let zones = [Zone {
        from: SimTime::START + hour + hour,
        until: SimTime::START + hour + hour + hour,
        ..block(1_000.0, -200.0, 500.0, 1_000.0)
    }];
    let airspace = Airspace::new(&zones, &area(0.0));
    let bends_at = |minutes: f64| {
        let now = SimTime::from_secs(60.0 * minutes);
        let route = airspace.route(now, ground(point(0.0, 0.0)), ground(point(2_500.0, 0.0)));
        !route.unwrap().via.is_empty()
    };
    assert_eq!(
        [0.0, 74.9, 75.0, 179.9, 180.0].map(bends_at),
        [false, false, true, true, false]
    );
}

#[test]
fn sharp_corners_are_cut_off_and_dents_are_flown_into() {
    // A needle that points east, and a U that is open to the north.
    let needle = zone(&[(0.0, -20.0), (2_000.0, 0.0), (0.0, 20.0)]);
    let route = way(
        &Airspace::new(std::slice::from_ref(&needle), &area(0.0)),
        point(1_500.0, -500.0),
        point(1_500.0, 500.0),
    );
    let route = route.unwrap();
    assert!(least_distance(&[needle], &route) >= MARGIN_M - 0.01);
    assert!(route.length_m() < 1_700.0, "{route:?}");
    let dented = zone(&[
        (0.0, 0.0),
        (1_000.0, 0.0),
        (1_000.0, 1_000.0),
        (800.0, 1_000.0),
        (800.0, 200.0),
        (200.0, 200.0),
        (200.0, 1_000.0),
        (0.0, 1_000.0),
    ]);
    let airspace = Airspace::new(std::slice::from_ref(&dented), &area(0.0));
    let route = way(&airspace, point(-500.0, 500.0), point(500.0, 500.0)).unwrap();
    assert!(least_distance(&[dented], &route) >= MARGIN_M - 0.01);
    assert_eq!(route.to, point(500.0, 500.0));
}

fn any_zones() -> impl Strategy<Value = Vec<Zone>> {
    let one = (
        -3_000.0..3_000.0f64,
        -3_000.0..3_000.0f64,
        50.0..900.0f64,
        3..9usize,
        0.2..1.0f64,
    );
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let star = |(x, y, radius, corners, dent): (f64, f64, f64, usize, f64)| {
            let corner = |i: usize| {
                let angle = i as f64 / corners as f64 * std::f64::consts::TAU;
                let reach = if i.is_multiple_of(2) {
                    radius
                } else {
                    radius * dent
                };
                (x + reach * libm::cos(angle), y + reach * libm::sin(angle))
            };
            zone(&(0..corners).map(corner).collect::<Vec<_>>())
        };
        all.into_iter().map(star).collect()
    })
}

proptest! {
    #[test]
    fn ways_keep_off_every_zone_and_are_the_same_both_ways(
        zones in any_zones(),
        (from, to) in ((-4_000.0..4_000.0f64, -4_000.0..4_000.0f64), (-4_000.0..4_000.0f64, -4_000.0..4_000.0f64)),
    ) {
        let (from, to) = (point(from.0, from.1), point(to.0, to.1));
        let airspace = Airspace::new(&zones, &area(0.0));
        let Some(route) = way(&airspace, from, to) else { return Ok(()) };
        let ends = Route { via: Vec::new(), to: from, ..route.clone() };
        let other = Route { via: Vec::new(), from: to, ..route.clone() };
        let allowed = least_distance(&zones, &ends).min(least_distance(&zones, &other)).min(MARGIN_M);
        prop_assert!(least_distance(&zones, &route) >= allowed - 0.05, "{route:?}");
        let back = way(&airspace, to, from).unwrap();
        prop_assert!((route.length_m() - back.length_m()).abs() < 1e-6);
        prop_assert!(route.length_m() >= from.distance(to) - 1e-9);
    }
}
