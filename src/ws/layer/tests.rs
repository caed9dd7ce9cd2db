//! Changes lead from one full picture to the next, wherever drones are, and full pictures
//! read no more than they show.

use std::cell::Cell as Counter;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::sim::drone::DroneStatus;
use crate::sim::geo::{Area, BoundingBox, LatLon, LocalFrame};
use crate::sim::time::SimTime;
use crate::view::Standing;
use crate::wire::stream::Encoded;
use crate::wire::stream::positions::Positions as Message;

const BOUNDS: BoundingBox = BoundingBox {
    west: -122.45,
    south: 37.75,
    east: -122.43,
    north: 37.77,
};
/// Where all who are not airborne stand.
const HUB: LatLon = LatLon {
    lat: 37.76,
    lon: -122.44,
};

fn grid() -> Grid {
    Grid::of(&Area {
        bounds: BOUNDS,
        frame: LocalFrame::at(BOUNDS.middle()),
        land: None,
        ground_m: 0.0,
        geoid_m: 0.0,
    })
}

fn positions(airborne: &[(u32, LatLon)]) -> Positions {
    let row = |&(drone, at)| DroneRow {
        drone: DroneId(drone),
        status: DroneStatus::Cruising,
        at,
        height_m: 60.0,
        heading_deg: 0.0,
        ground_speed_mps: 10.0,
        vertical_speed_mps: 0.0,
        battery: 0.5,
        payload_kg: 0.0,
    };
    let frame = Frame::new(1, SimTime::START, airborne.iter().map(row).collect());
    Positions::new(&grid(), &frame, String::new())
}

fn grounded(drone: DroneId) -> (Cell, Row) {
    let row = Row::from(Place {
        drone,
        at: HUB,
        height_m: 0.0,
        heading_deg: 0.0,
        ground_speed_mps: 0.0,
        battery: 0.5,
        status: DroneStatus::Parked,
    });
    (grid().cell_of(HUB), row)
}

struct Ground;

impl OnGround for Ground {
    fn came_down(&self, drone: DroneId, _: AsOf) -> Option<(Cell, Row)> {
        Some(grounded(drone))
    }

    fn took_off_from(&self, _: DroneId, _: AsOf) -> Option<Cell> {
        Some(grid().cell_of(HUB))
    }

    fn gone_from(&self, _: usize) -> Vec<(DroneId, Cell)> {
        Vec::new()
    }
}

/// A client's picture.
type Picture = BTreeMap<String, Value>;

fn put<'a>(picture: &mut Picture, runs: impl Iterator<Item = (&'a Rows, Range<usize>)>) {
    const HEAD: Head<'_> = Head {
        id: 1,
        tick: 1,
        sim_time: "",
        sent_at_ms: 0,
        full: true,
    };
    let rows = Message::with_runs(Encoding::Json, &HEAD, runs);
    let Encoded::Text(text) = rows.finish(std::iter::empty()) else {
        panic!("JSON is text");
    };
    let message: Value = serde_json::from_str(&text).unwrap();
    for row in message["drones"].as_array().unwrap() {
        picture.insert(row[0].as_str().unwrap().to_owned(), row.clone());
    }
}

/// All stand at one hub, as far as the view knows by now; others fly or are lost.
struct Everyone {
    drones: u32,
    elsewhere: Vec<DroneId>,
    read: Counter<usize>,
}

impl Rolls for Everyone {
    fn standing(&self) -> Standing {
        let all = (0..self.drones).map(DroneId);
        let stands = |drone: &DroneId| !self.elsewhere.contains(drone);
        Standing {
            at_hubs: vec![all.filter(stands).collect()],
            elsewhere: self.elsewhere.clone(),
        }
    }

    fn hub_at(&self, _: usize) -> LatLon {
        HUB
    }

    fn rows_of(&self, drones: &[DroneId], _: AsOf) -> Vec<(Cell, Row)> {
        self.read.set(self.read.get() + drones.len());
        drones.iter().copied().map(grounded).collect()
    }
}

fn everyone(drones: u32, elsewhere: &[u32]) -> Everyone {
    Everyone {
        drones,
        elsewhere: elsewhere.iter().copied().map(DroneId).collect(),
        read: Counter::new(0),
    }
}

fn full(positions: &Positions, cells: &Cells, everyone: &Everyone) -> Picture {
    let mut picture = Picture::new();
    put(&mut picture, positions.airborne().within(cells, Encoding::Json));
    let grid = grid();
    let ground = positions.ground(cells, Encoding::Json, &grid, everyone);
    put(&mut picture, ground);
    picture
}

#[test]
fn drones_are_read_where_somebody_looks_and_once_a_beat() {
    let positions = positions(&[(0, HUB), (1, HUB)]);
    // Two more have taken off since, one of the beat's has come down.
    let everyone = everyone(10, &[1, 2, 3]);
    let cell = |at: LatLon| {
        grid().widen(BoundingBox {
            west: at.lon,
            south: at.lat,
            east: at.lon,
            north: at.lat,
        })
    };
    let away = cell(LatLon {
        lat: BOUNDS.north,
        lon: BOUNDS.east,
    });
    assert_eq!(full(&positions, &away, &everyone).len(), 0);
    assert_eq!(everyone.read.get(), 2, "those that took off since");
    for _ in 0..2 {
        assert_eq!(full(&positions, &cell(HUB), &everyone).len(), 10);
        assert_eq!(everyone.read.get(), 8, "all but those that fly");
    }
}

prop_compose! {
    fn place()(lat in BOUNDS.south - 0.01..BOUNDS.north + 0.01, lon in BOUNDS.west - 0.01..BOUNDS.east + 0.01)
        -> LatLon { LatLon { lat, lon } }
}

/// Drones 0 to 9, in the air or not, in the order of nothing.
fn airborne() -> impl Strategy<Value = Vec<(u32, LatLon)>> {
    let places = proptest::collection::vec(proptest::option::of(place()), 10);
    let rows = |places: Vec<Option<LatLon>>| {
        let rows = (0..).zip(places);
        rows.filter_map(|(drone, at)| Some((drone, at?)))
            .collect::<Vec<_>>()
    };
    places.prop_map(rows).prop_shuffle()
}

proptest! {
    #[test]
    fn changes_lead_from_one_full_picture_to_the_next(
        story in proptest::collection::vec(airborne(), 2..6), a in place(), b in place(),
        elsewhere in proptest::sample::subsequence((0..10).collect::<Vec<u32>>(), 0..10),
    ) {
        let cells = grid().widen(BoundingBox {
            west: a.lon.min(b.lon),
            south: a.lat.min(b.lat),
            east: a.lon.max(b.lon),
            north: a.lat.max(b.lat),
        });
        let story: Vec<Positions> = story.iter().map(|rows| positions(rows)).collect();
        let everyone = everyone(10, &elsewhere);
        let mut picture = full(&story[0], &cells, &everyone);
        for (before, now) in story.iter().zip(&story[1..]) {
            let changes = Changes::between(before, now, &Ground);
            put(&mut picture, changes.rows.within(&cells, Encoding::Json));
            for drone in changes.gone(&cells) {
                let shown = picture.remove(&drone.to_string());
                prop_assert!(shown.is_some(), "{drone} is gone and was never there");
            }
            prop_assert_eq!(&picture, &full(now, &cells, &everyone));
        }
    }
}
