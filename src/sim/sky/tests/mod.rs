//! Worlds and errands for the sky's tests.

use super::super::airspace::Airspace;
use super::super::catalogue;
use super::super::flight::{Errand, Itinerary, Milestone, Mission, plan_along, plan_delivery};
use super::super::geo::{Area, BoundingBox, LatLon, LocalFrame};
use super::super::ids::{HubId, ModelId};
use super::super::time::SimDuration;
use super::super::units::AIR_DENSITY_KGPM3;
use super::super::weather::Weather;
use super::super::world::{Battery, DispatchRules, Fleet, FleetIndex, Hub, Model, UnknownPlaces, WhenFull};
use super::*;

const ORIGIN: LatLon = LatLon {
    lat: 37.76,
    lon: -122.43,
};

fn hub(x: f64, y: f64) -> Hub {
    Hub {
        key: format!("hub-{x}-{y}"),
        name: String::new(),
        location: ORIGIN,
        at: Point { x, y },
        pads: 4,
        chargers: 4,
        turnaround: Hub::TURNAROUND,
    }
}

/// Two hubs 5 km apart; `count` drones of the model at the first.
pub fn world(model: Model, count: u32, tick_s: f64, wind: (f64, f64)) -> World {
    World {
        name: "test".to_owned(),
        description: String::new(),
        seed: 1,
        start_unix_us: 0,
        duration: SimDuration::from_secs(3_600.0),
        tick: SimDuration::from_secs(tick_s),
        area: Area {
            bounds: BoundingBox {
                west: -123.0,
                south: 37.0,
                east: -122.0,
                north: 38.0,
            },
            frame: LocalFrame::at(ORIGIN),
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        },
        unknown_places: UnknownPlaces::Refuse,
        density_shown: false,
        hubs: vec![hub(0.0, 0.0), hub(5_000.0, 0.0)],
        models: vec![model],
        fleets: vec![Fleet {
            hub: HubId(0),
            model: ModelId(0),
            count,
            aloft: 0.0,
            cycles: (0.0, 0.0),
        }],
        fleet_index: FleetIndex::default(),
        roster: Default::default(),
        places: Vec::new(),
        zones: Vec::new(),
        airspace: Airspace::default(),
        weather: Weather::steady(wind.0, wind.1, AIR_DENSITY_KGPM3),
        demand: None,
        scripted: Vec::new(),
        dispatch: DispatchRules {
            positioning: Default::default(),
            policy: Default::default(),
            batch_every: Default::default(),
            backlog: 0,
            scheduled: 0,
            max_wait: SimDuration::ZERO,
            when_full: WhenFull::Fail,
        },
        accounts: Default::default(),
        carrier: Default::default(),
        faults: Vec::new(),
        workflow: Default::default(),
        recipient: Default::default(),
        separation: Default::default(),
        scenario_hash: [0; 32],
    }
}

fn wing() -> Model {
    catalogue::model("wing").unwrap()
}

/// From the first hub to a shop, to a customer, home to the second.
fn errand(pickup: (f64, f64), dropoff: (f64, f64)) -> Errand {
    let point = |(x, y)| Point { x, y };
    Errand {
        hub: point((0.0, 0.0)),
        pickup: point(pickup),
        dropoff: point(dropoff),
        home: point((5_000.0, 0.0)),
        payload_kg: 0.3,
    }
}

mod batteries;
mod changes;
mod columns;
mod leaving;
mod missions;
mod plans;
mod trouble;
mod ways;
mod winds;

const DRONE: DroneId = DroneId(0);
