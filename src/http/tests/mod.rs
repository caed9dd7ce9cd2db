//! The front door against a small world and somebody who takes every command.

mod access;
mod bodies;
mod documents;
mod orders;
mod origins;
mod outlook;
mod page;
mod rates;
mod reads;
mod routes;
mod simulation;
mod stream;
mod timeline;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use geo::polygon;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use serde_json::Value;
use tower::ServiceExt;

use super::telemetry::Requests;
use super::{Basemap, Exports, FrontDoor, Parts, RateLimit, Readiness, router};
use crate::auth::{Guard, Mode, TokenKey};
use crate::sim::catalogue;
use crate::sim::command::{Command, Decision};
use crate::sim::geo::{Area, BoundingBox, LatLon, LocalFrame};
use crate::sim::ids::{DeliveryId, DroneId, HubId, ModelId};
use crate::sim::order::Order;
use crate::sim::sky::Grounded;
use crate::sim::time::{SimDuration, Tick};
use crate::sim::weather::Weather;
use crate::sim::world::{
    DispatchRules, Fleet, FleetIndex, HeightReference, Hub, Place, UnknownPlaces, WhenFull, World, Zone,
};
use crate::view::commands::{Accepted, Answer, Commands, PaceChange, Refusal, Written};
use crate::view::reading::{ClockReading, Pace, RunState};
use crate::view::recordings::NoRecordings;
use crate::view::{Restored, View};
use crate::ws::{NoStream, Wish};

/// Enough for bodies that are there, and little to wait for the others.
const BODY_PATIENCE: Duration = Duration::from_millis(20);
const START_UNIX_US: i64 = 1_780_336_800_000_000;
const HUB_AT: LatLon = LatLon {
    lat: 37.7599,
    lon: -122.4148,
};

pub(super) fn world(unknown_places: UnknownPlaces) -> World {
    let bounds = BoundingBox {
        west: -122.52,
        south: 37.70,
        east: -122.35,
        north: 37.83,
    };
    let frame = LocalFrame::at(bounds.middle());
    // Clockwise, so that showing it has something to put right.
    let zone = polygon![(x: -122.40, y: 37.77), (x: -122.40, y: 37.78), (x: -122.39, y: 37.78)];
    World {
        name: "small".into(),
        description: String::new(),
        seed: 1,
        start_unix_us: START_UNIX_US,
        duration: SimDuration::from_secs(3_600.0),
        tick: SimDuration::from_secs(0.1),
        area: Area {
            bounds,
            frame,
            land: None,
            ground_m: 0.0,
            geoid_m: 0.0,
        },
        unknown_places,
        density_shown: false,
        hubs: vec![Hub {
            key: "mission".into(),
            name: "Mission Street hub".into(),
            location: HUB_AT,
            at: frame.to_point(HUB_AT),
            pads: 2,
            chargers: 2,
            turnaround: Hub::TURNAROUND,
        }],
        models: vec![catalogue::model("wing").expect("the catalogue has it")],
        fleets: vec![Fleet {
            hub: HubId(0),
            model: ModelId(0),
            count: 3,
            aloft: 0.0,
            cycles: (0.0, 0.0),
        }],
        fleet_index: FleetIndex::default(),
        roster: Default::default(),
        places: vec![Place {
            name: "Ferry Building".into(),
            location: LatLon {
                lat: 37.7955,
                lon: -122.3937,
            },
        }],
        zones: vec![Zone {
            name: "Heliport".into(),
            polygon: zone,
            floor_m: 0.0,
            ceiling_m: 120.0,
            reference: HeightReference::Agl,
            from: crate::sim::time::SimTime::START,
            until: crate::sim::time::SimTime::NEVER,
        }],
        airspace: Default::default(),
        weather: Weather::steady(0.0, 0.0, 1.225),
        demand: None,
        scripted: Vec::new(),
        dispatch: DispatchRules {
            positioning: Default::default(),
            policy: Default::default(),
            batch_every: Default::default(),
            backlog: 10,
            scheduled: 10,
            max_wait: SimDuration::from_secs(600.0),
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

fn view(unknown_places: UnknownPlaces) -> View {
    let world = world(unknown_places);
    let full = Grounded {
        hub: HubId(0),
        energy_wh: world.models[0].battery.capacity_wh,
        charging_since: None,
    };
    let restored = Restored {
        tick: 10,
        digest: [0xab; 32],
        epoch: 1,
        grounded: vec![Some(full), Some(full), None],
        airborne: Vec::new(),
        routes: Vec::new(),
        healths: Default::default(),
        lost: vec![(DroneId(2), HUB_AT)],
        drone_seqs: Vec::new(),
        hub_queues: Vec::new(),
        hub_seqs: Vec::new(),
        hubs_closed: Vec::new(),
        hub_stops: Vec::new(),
        lost_with: Vec::new(),
        drones_gone: Vec::new(),
        hubs_gone: Vec::new(),
        supervision: Default::default(),
        events_through: 0,
        past_events: Vec::new(),
        records: Vec::new(),
        accounts: Vec::new(),
        packages: Vec::new(),
        recent: Vec::new(),
        totals: Vec::new(),
        sums: Vec::new(),
    };
    View::new(Arc::new(world), restored)
}

/// Takes every command and remembers it, or refuses them all.
struct Taker {
    view: Arc<View>,
    refusal: Mutex<Option<Refusal>>,
    orders: Mutex<Vec<(Order, Option<String>)>>,
    wishes: Mutex<Vec<Wish>>,
    no_stream: Mutex<Option<NoStream>>,
}

impl Taker {
    fn check(&self) -> Result<(), Refusal> {
        self.refusal.lock().clone().map_or(Ok(()), Err)
    }

    /// A stream that ends at once, or none.
    fn stream(&self, wish: Wish) -> Result<Body, NoStream> {
        self.wishes.lock().push(wish);
        self.no_stream.lock().clone().map_or(Ok(Body::empty()), Err)
    }
}

impl Commands for Taker {
    fn can_change(&self) -> Result<(), Refusal> {
        Ok(())
    }

    fn request_delivery(&self, order: Order, key: Option<String>) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async move {
            self.check()?;
            let mut orders = self.orders.lock();
            let id = DeliveryId::new(1_780_336_800_000 + orders.len() as u64, [7; 10]);
            orders.push((order.clone(), key));
            self.view.queue([(id, Arc::new(order))]);
            Ok(Accepted { id, repeated: false })
        })
    }

    fn put_delivery(&self, id: DeliveryId, order: Order) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async move {
            self.check()?;
            self.orders.lock().push((order.clone(), None));
            self.view.queue([(id, Arc::new(order))]);
            Ok(Accepted { id, repeated: false })
        })
    }

    fn write(&self, _: Command) -> Answer<'_, Written, Refusal> {
        Box::pin(async move {
            self.check().map(|()| Written {
                tick: self.view.clock().tick,
                decision: Decision::Done,
            })
        })
    }

    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(async move {
            self.check()?;
            let ClockReading { pace, tick, .. } = self.view.clock();
            self.view.set_pace(
                Pace {
                    state: match change.paused {
                        Some(true) => RunState::Paused,
                        Some(false) => RunState::Running,
                        None => pace.state,
                    },
                    speed: change.speed.unwrap_or(pace.speed),
                    ..pace
                },
                tick,
            );
            Ok(())
        })
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(async move { self.check().map(|()| self.view.clock().tick + ticks) })
    }
}

/// A client at the front door.
struct Door {
    router: FrontDoor,
    view: Arc<View>,
    taker: Arc<Taker>,
    guard: Arc<Guard>,
    runtime: tokio::runtime::Runtime,
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks that this is a whole problem, and names its pointers.
    fn pointers(&self, status: u16) -> Vec<String> {
        let problem = self.json();
        assert_eq!(self.status, status, "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        for key in ["type", "title", "detail", "instance"] {
            assert!(!problem[key].as_str().unwrap().is_empty(), "{problem}");
        }
        let errors = problem["errors"].as_array().unwrap().iter();
        errors
            .map(|error| {
                assert!(!error["detail"].as_str().unwrap().is_empty());
                error["pointer"].as_str().unwrap().to_owned()
            })
            .collect()
    }
}

impl Door {
    fn open(unknown_places: UnknownPlaces) -> Door {
        Door::guarded(unknown_places, Mode::Open, &[])
    }

    /// As if it listened on loopback.
    fn guarded(unknown_places: UnknownPlaces, mode: Mode, origins: &[&str]) -> Door {
        Door::build(unknown_places, mode, origins, None, None)
    }

    /// With a basemap under the page's map.
    fn over(unknown_places: UnknownPlaces, basemap: Option<Basemap>) -> Door {
        Door::build(unknown_places, Mode::Open, &[], basemap, None)
    }

    /// Each client may ask this often a second.
    fn limited(unknown_places: UnknownPlaces, mode: Mode, per_second: f64) -> Door {
        Door::build(unknown_places, mode, &[], None, RateLimit::new(per_second))
    }

    fn build(
        unknown_places: UnknownPlaces,
        mode: Mode,
        origins: &[&str],
        basemap: Option<Basemap>,
        rate_limit: Option<RateLimit>,
    ) -> Door {
        let key = TokenKey::of_this_process().unwrap();
        let origins = origins.iter().map(|origin| origin.parse().unwrap());
        let guard = Arc::new(Guard::new(mode, key, origins.collect(), true));
        let view = Arc::new(view(unknown_places));
        let taker = Arc::new(Taker {
            view: Arc::clone(&view),
            refusal: Mutex::new(None),
            orders: Mutex::new(Vec::new()),
            wishes: Mutex::new(Vec::new()),
            no_stream: Mutex::new(None),
        });
        let window = Arc::clone(&taker);
        let mut registry = Registry::default();
        let requests = Requests::register(&mut registry);
        let api = Parts {
            view: Arc::clone(&view),
            commands: Arc::clone(&taker) as Arc<dyn Commands>,
            recordings: Arc::new(NoRecordings),
            ready: Arc::new(|| Readiness::Ready),
            metrics: Arc::new(move || {
                let mut text = String::new();
                prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
                text
            }),
            requests,
            body_patience: BODY_PATIENCE,
            rate_limit: rate_limit.map(Arc::new),
            basemap,
            guard: Arc::clone(&guard),
            exports: Exports::default(),
            branches: None,
            streams: Arc::new(move |wish| window.stream(wish)),
            moments: Arc::default(),
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        Door {
            router: router(api, Router::new()),
            view,
            taker,
            guard,
            runtime,
        }
    }

    fn send(&self, request: Request<Body>) -> Reply {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            Reply {
                status: parts.status,
                headers: parts.headers,
                body: axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec(),
            }
        })
    }

    fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    fn json(&self, method: Method, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json; charset=utf-8");
        self.send(request.body(body.into()).unwrap())
    }

    fn order(&self, body: &Value) -> Reply {
        self.json(Method::POST, "/api/deliveryrequests", body.to_string())
    }

    /// Sends a small, fine order; answers its id.
    fn accepted(&self) -> String {
        let reply = self.order(&fine_order());
        assert_eq!(reply.status, StatusCode::ACCEPTED);
        reply.json()["deliveryId"].as_str().unwrap().to_owned()
    }
}

pub(super) fn fine_order() -> Value {
    serde_json::json!({
        "ownerId": "ada",
        "pickupLocation": "ferry building",
        "dropOffLocation": "5,37.76,-122.42",
        "packageInfo": {"packageId": "p", "size": "small", "weight": 1}
    })
}
