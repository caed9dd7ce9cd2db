//! A small world behind a real server, and a client that reads like a story.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix::System;
use axum::Router;
use futures_util::{SinkExt, StreamExt};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::auth::{Guard, Mode, TokenKey};
use crate::sim::drone::DroneStatus;
use crate::sim::energy::{PowerModel, Wing};
use crate::sim::event::{DeliveryEvent, DroneEvent, Etas, Event, Happening};
use crate::sim::geo::{Area, BoundingBox, LatLon, LocalFrame};
use crate::sim::ids::{DeliveryId, DroneId, HubId, ModelId};
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::sky::Grounded;
use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::sim::weather::{Limits, Weather};
use crate::sim::world::{
    Battery, DispatchRules, Fleet, FleetIndex, Hub, Model, UnknownPlaces, WhenFull, World,
};
use crate::view::frame::DroneRow;
use crate::view::pasts::NoPasts;
use crate::view::{Publication, Restored, View};
use crate::wire::stream::Encoding;
use crate::ws::{Config, Gateway};

/// Nothing here takes long; whoever waits longer waits for something that never comes.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const HUB: LatLon = LatLon {
    lat: 37.76,
    lon: -122.44,
};

pub(super) struct Stand {
    pub(super) view: Arc<View>,
    pub(super) gateway: Gateway,
    pub(super) guard: Arc<Guard>,
    address: SocketAddr,
    closing: watch::Sender<bool>,
    system: System,
    tick: Tick,
}

/// As the server does it: plain HTTP/1.1 over a TCP connection.
async fn serve(listener: TcpListener, app: Router) {
    while let Ok((socket, _)) = listener.accept().await {
        let service = TowerToHyperService::new(app.clone());
        let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        tokio::spawn(connection.with_upgrades());
    }
}

impl Stand {
    pub(super) async fn with_drones(drones: u32) -> Self {
        Stand::new(drones, Config::default()).await
    }

    pub(super) async fn new(drones: u32, config: Config) -> Self {
        Stand::of(world(drones), config, Mode::Open).await
    }

    /// Where everybody needs a token; of the drones' density people may know.
    pub(super) async fn guarded(drones: u32, config: Config) -> Self {
        let world = World {
            density_shown: true,
            ..world(drones)
        };
        Stand::of(world, config, Mode::Required).await
    }

    async fn of(world: World, config: Config, mode: Mode) -> Self {
        let drones = world.drone_count();
        let view = Arc::new(View::new(Arc::new(world), all_parked(drones)));
        let key = TokenKey::of_this_process().unwrap();
        let guard = Arc::new(Guard::new(mode, key, Vec::new(), true));
        let (closing, closed) = watch::channel(false);
        let system = actix_system();
        let arbiters = vec![system.arbiter().clone()];
        let gateway = Gateway::new(
            Arc::clone(&view),
            Arc::new(NoPasts),
            Arc::clone(&guard),
            arbiters,
            config,
            closed,
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = gateway.route();
        tokio::spawn(serve(listener, app));
        Stand {
            view,
            gateway,
            guard,
            address,
            closing,
            system,
            tick: 0,
        }
    }

    /// Commits the next tick; drones in `rows` are airborne, all others parked.
    pub(super) fn publish(&mut self, rows: Vec<DroneRow>, events: Vec<(u32, Happening)>) -> Tick {
        self.tick += 1;
        let at = self.view.world().time_of(self.tick);
        let drones = self.view.world().drone_count();
        let airborne = |drone| rows.iter().any(|row| row.drone == drone);
        let grounded = |drone| (drone, (!airborne(drone)).then(parked));
        let event = |(seq, happening)| Arc::new(Event { at, seq, happening });
        self.view.publish(Publication {
            lost_with: Vec::new(),
            world: Arc::clone(&self.view.world()),
            tick: self.tick,
            at,
            digest: [0; 32],
            events: events.into_iter().map(event).collect(),
            grounded: if rows.len() < 100 {
                (0..drones).map(DroneId).map(grounded).collect()
            } else {
                rows.iter().map(|row| (row.drone, None)).collect()
            },
            airborne: rows,
            healths: Vec::new(),
            routes: Vec::new(),
            kept: None,
        });
        self.tick
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// A client that has read its welcome.
    pub(super) async fn client(&self) -> Client {
        let mut client = Client::connect(&self.url()).await;
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    pub(super) fn shut_down(&self) {
        self.closing.send_replace(true);
    }
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        self.system.stop();
    }
}

fn actix_system() -> System {
    let (told, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runner = System::new();
        told.send(System::current()).unwrap();
        runner.run()
    });
    hear.recv().unwrap()
}

pub(super) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    encoding: Encoding,
}

impl Client {
    pub(super) async fn connect(url: &str) -> Self {
        let (socket, _) = connect_async(url.into_client_request().unwrap()).await.unwrap();
        Client {
            socket,
            encoding: Encoding::Json,
        }
    }

    /// That speaks JSON.
    pub(super) fn of(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Client {
            socket,
            encoding: Encoding::Json,
        }
    }

    pub(super) async fn connect_speaking(url: &str, encoding: Encoding) -> Self {
        let mut request = url.into_client_request().unwrap();
        let protocol = encoding.protocol().parse().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.unwrap();
        Client { socket, encoding }
    }

    pub(super) async fn send(&mut self, message: Value) {
        let message = match self.encoding {
            Encoding::Json => Message::text(message.to_string()),
            Encoding::MessagePack => Message::binary(rmp_serde::to_vec_named(&message).unwrap()),
        };
        self.send_raw(message).await;
    }

    pub(super) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Pings too, which the library answers.
    pub(super) async fn any_frame(&mut self) -> Message {
        let frame = timeout(PATIENCE, self.socket.next()).await;
        frame.expect("a frame in time").expect("a connection").unwrap()
    }

    async fn frame(&mut self) -> Message {
        loop {
            let frame = self.any_frame().await;
            if !frame.is_ping() && !frame.is_pong() {
                return frame;
            }
        }
    }

    pub(super) async fn next(&mut self) -> Value {
        let frame = self.frame().await;
        self.read(frame)
    }

    pub(super) fn read(&self, frame: Message) -> Value {
        match (frame, self.encoding) {
            (Message::Text(text), Encoding::Json) => serde_json::from_str(&text).unwrap(),
            (Message::Binary(bytes), Encoding::MessagePack) => rmp_serde::from_slice(&bytes).unwrap(),
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The next message of this type; others are read over.
    pub(super) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().await;
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// The positions of this tick; earlier ones must be empty or full.
    pub(super) async fn positions_at(&mut self, id: u64, tick: Tick) -> Value {
        loop {
            let message = self.next_of("positions").await;
            if message["id"] == id && message["tick"] == tick {
                return message;
            }
        }
    }

    /// All messages up to the event of this number, it included.
    pub(super) async fn read_until_event(&mut self, seq: u64) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let message = self.next().await;
            let is_it = message["type"] == "event" && message["seq"] == seq;
            seen.push(message);
            if is_it {
                return seen;
            }
        }
    }

    /// All messages to the end of the connection, and the code it was closed with.
    pub(super) async fn read_out(&mut self) -> (Vec<Value>, u16) {
        let mut seen = Vec::new();
        loop {
            match self.frame().await {
                Message::Close(frame) => return (seen, frame.expect("a code").code.into()),
                frame => seen.push(self.read(frame)),
            }
        }
    }

    /// Reads on to the end of the connection: the code it was closed with.
    pub(super) async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.frame().await {
                return frame.expect("a code").code.into();
            }
        }
    }

    /// Sends, and returns the answer's error code and id.
    pub(super) async fn error_after(&mut self, message: Message) -> (String, Value) {
        self.send_raw(message).await;
        let error = self.next_of("error").await;
        assert!(!error["message"].as_str().unwrap().is_empty());
        (error["code"].as_str().unwrap().to_owned(), error["id"].clone())
    }

    pub(super) async fn subscribe(&mut self, id: u64, topic: &str, max_hz: f64) -> Value {
        self.send(json!({"type": "subscribe", "id": id, "topic": topic, "maxHz": max_hz}))
            .await;
        self.next_of("subscribed").await
    }

    pub(super) async fn subscribe_area(&mut self, id: u64, bbox: [f64; 4]) -> Value {
        self.send(json!({"type": "subscribe", "id": id, "topic": "area", "bbox": bbox, "maxHz": 10}))
            .await;
        self.next_of("subscribed").await
    }
}

/// Ids of the drones in a positions message.
pub(super) fn drones(message: &Value) -> Vec<&str> {
    let rows = message["drones"].as_array().unwrap();
    let mut drones: Vec<_> = rows.iter().map(|row| row[0].as_str().unwrap()).collect();
    drones.sort_unstable();
    drones
}

pub(super) fn flying(drone: u32, lat: f64, lon: f64) -> DroneRow {
    DroneRow {
        drone: DroneId(drone),
        status: DroneStatus::Cruising,
        at: LatLon { lat, lon },
        height_m: 75.0,
        heading_deg: 90.0,
        ground_speed_mps: 15.0,
        vertical_speed_mps: 0.0,
        battery: 0.9,
        payload_kg: 0.5,
    }
}

pub(super) fn delivery_id(number: u8) -> DeliveryId {
    DeliveryId::new(1_780_000_000_000, [number; 10])
}

pub(super) fn happened(number: u8, kind: DeliveryEvent) -> Happening {
    Happening::Delivery(delivery_id(number), kind)
}

pub(super) fn etas(pickup_s: f64, delivery_s: f64) -> Etas {
    Etas {
        pickup: SimTime::from_secs(pickup_s),
        delivery: SimTime::from_secs(delivery_s),
    }
}

pub(super) fn took_off(drone: u32) -> Happening {
    let kind = DroneEvent::TakenOff {
        hub: HubId(0),
        delivery: None,
    };
    Happening::Drone(DroneId(drone), kind)
}

pub(super) fn order() -> Arc<Order> {
    let stop = |lat, lon| Stop {
        location: LatLon { lat, lon },
        altitude_m: 0.0,
    };
    Arc::new(Order {
        owner: Owner::account("cafe"),
        pickup: stop(37.77, -122.43),
        dropoff: stop(37.78, -122.42),
        package: Package {
            id: "p".into(),
            size: ContainerSize::Small,
            weight_kg: 0.5,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    })
}

fn parked() -> Grounded {
    Grounded {
        hub: HubId(0),
        energy_wh: 100.0,
        charging_since: None,
    }
}

fn all_parked(drones: u32) -> Restored {
    Restored {
        tick: 0,
        digest: [0; 32],
        epoch: 7,
        grounded: (0..drones).map(|_| Some(parked())).collect(),
        airborne: Vec::new(),
        routes: Vec::new(),
        healths: Default::default(),
        lost: Vec::new(),
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
    }
}

fn world(drones: u32) -> World {
    let bounds = BoundingBox {
        west: -122.52,
        south: 37.70,
        east: -122.35,
        north: 37.83,
    };
    let frame = LocalFrame::at(bounds.middle());
    let hub = Hub {
        key: "mission".into(),
        name: "Mission Street hub".into(),
        location: HUB,
        at: frame.to_point(HUB),
        pads: 4,
        chargers: 8,
        turnaround: Hub::TURNAROUND,
    };
    World {
        name: "stand".into(),
        description: String::new(),
        seed: 1,
        start_unix_us: 1_780_336_800_000_000,
        duration: SimDuration::from_secs(3600.0),
        tick: SimDuration::from_secs(0.1),
        area: Area {
            bounds,
            frame,
            land: None,
            ground_m: 20.0,
            geoid_m: -32.0,
        },
        unknown_places: UnknownPlaces::Refuse,
        density_shown: false,
        hubs: vec![hub],
        models: vec![model()],
        fleets: vec![Fleet {
            hub: HubId(0),
            model: ModelId(0),
            count: drones,
            aloft: 0.0,
            cycles: (0.0, 0.0),
        }],
        fleet_index: FleetIndex::default(),
        roster: Default::default(),
        places: Vec::new(),
        zones: Vec::new(),
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
            max_wait: SimDuration::from_secs(60.0),
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

fn model() -> Model {
    Model {
        key: "wing".into(),
        empty_mass_kg: 5.2,
        max_payload_kg: 1.2,
        cruise_airspeed_mps: 29.0,
        climb_mps: 4.0,
        descent_mps: 3.0,
        acceleration_mps2: 2.0,
        vertical_acceleration_mps2: 1.0,
        max_bank_rad: 0.5,
        yaw_rate_radps: 1.0,
        handover_height_m: 7.0,
        handover_s: 10.0,
        battery: Battery {
            capacity_wh: 200.0,
            reserve: 0.2,
            charge_power_w: 300.0,
            swap_s: None,
            cycles_to_80: None,
        },
        limits: Limits::NONE,
        rotor_count: 0,
        power: PowerModel::LiftToDrag(Wing {
            efficiency: 0.5,
            lift_to_drag: 8.0,
            electronics_w: 10.0,
        }),
    }
}
