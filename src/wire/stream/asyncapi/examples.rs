//! One example of each message, made as the program makes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::sim::delivery::Stage;
use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::wire::api::simulation::Speed;
use crate::wire::event::{DeliveryKind, EtasBody, EventBody};
use crate::wire::place::Location;
use crate::wire::stream::positions::{Head, Place, Positions, Row};
use crate::wire::stream::{
    ByeCode, DeliveryCounts, DeliverySnapshot, Encoded, Encoding, ErrorCode, ErrorSpread, EtaError, Fleet,
    PROTOCOL, ServerMessage, Snapshot, TimeToGo,
};

const DELIVERY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const SIM_TIME: &str = "2026-06-01T18:01:21.500Z";
const TICK: u64 = 815;
const AT: LatLon = LatLon {
    lat: 37.779_12,
    lon: -122.414_1,
};

/// By the message's `type`.
pub fn all() -> impl Iterator<Item = (String, Value)> {
    let messages = from_server()
        .into_iter()
        .chain([positions()])
        .chain(from_client());
    messages.map(|message| {
        let name = message["type"].as_str().expect("each message has a `type`");
        (name.to_owned(), message)
    })
}

fn from_server() -> Vec<Value> {
    let etas = EtasBody {
        pickup_eta: "2026-06-01T18:04:12.300Z".into(),
        delivery_eta: "2026-06-01T18:09:47.100Z".into(),
    };
    let event = EventBody::Delivery {
        kind: DeliveryKind::EtaChanged(etas.clone()),
        delivery_id: DELIVERY.into(),
    };
    let delivery = DeliverySnapshot {
        id: DELIVERY.into(),
        stage: Stage::HeadedToPickup,
        drone_id: Some("d-17".into()),
        carrier: None,
        price: None,
        location: Location::new(AT, 75.0),
        pickup_eta: Some(etas.pickup_eta),
        delivery_eta: Some(etas.delivery_eta),
    };
    let messages = [
        ServerMessage::Welcome {
            session: "s-3",
            version: env!("CARGO_PKG_VERSION"),
            protocol: PROTOCOL,
            epoch: "e1",
            tick: TICK,
            sim_time: SIM_TIME,
            speed: Speed::Times(1.0),
            playback: false,
        },
        ServerMessage::Authorized {
            role: "customer",
            account: Some("ada"),
            delivery: Some(DELIVERY),
            expires: "2026-06-01T19:00:00.000Z",
        },
        ServerMessage::Subscribed {
            id: 2,
            recovered: false,
            hz: 5.0,
            bbox: Some([-122.53, 37.70, -122.35, 37.84]),
        },
        ServerMessage::Unsubscribed { id: 2 },
        ServerMessage::Snapshot {
            id: 1,
            seq: Some(57),
            tick: TICK,
            sim_time: SIM_TIME,
            of: Some(Snapshot::Delivery(delivery)),
        },
        ServerMessage::Event {
            id: 1,
            seq: 58,
            tick: TICK,
            sim_time: SIM_TIME,
            event: &event,
        },
        ServerMessage::Discontinuity {
            epoch: "e1795276800001",
            tick: TICK,
            sim_time: SIM_TIME,
            discontinuity: true,
        },
        ServerMessage::Clock {
            id: Some(3),
            live: false,
            show: Some("9f86d081884c7d659a2feaa0c55ad015"),
            state: "running",
            speed: Speed::Times(-2.0),
            tick: TICK,
            sim_time: SIM_TIME,
            from: Some("2026-06-01T18:00:00.000Z"),
            to: Some("2026-06-01T18:20:00.000Z"),
            frame_seconds: Some(1.0),
        },
        ServerMessage::Fleet {
            id: 4,
            tick: TICK,
            sim_time: SIM_TIME,
            fleet: fleet(),
        },
        ServerMessage::Pressure {
            id: 2,
            level: 1,
            effective_hz: 1.0,
            conflated: 12,
        },
        ServerMessage::Density {
            id: 2,
            tick: TICK,
            sim_time: SIM_TIME,
            cells: &[(37.7793, -122.4157, 3)],
        },
        ServerMessage::Error {
            id: Some(3),
            code: ErrorCode::UnknownTopic,
            message: "`weather` is none of delivery/{id}, drone/{id}, hub/{id}, area, fleet, events",
        },
        ServerMessage::Pong {
            sent: Some(123.into()),
        },
        ServerMessage::Bye {
            code: ByeCode::ServerShutdown,
            message: "the server shuts down",
        },
    ];
    let as_value = |message: &ServerMessage<'_>| {
        serde_json::to_value(message).expect("string keys only, so every message has a JSON form")
    };
    messages.iter().map(as_value).collect()
}

fn fleet() -> Fleet {
    let counts = DroneStatus::ALL.map(|status| (status.as_str(), u32::from(status == DroneStatus::Cruising)));
    let error = ErrorSpread {
        p50_seconds: 1.2,
        p95_seconds: 3.4,
        p50_share: 0.01,
        p95_share: 0.03,
    };
    Fleet {
        drones: 1,
        airborne: 1,
        charging: 0,
        lost: 0,
        by_status: BTreeMap::from(counts),
        speed: Speed::Times(1.0),
        real_time_factor: 1.0,
        tick_ms: 0.4,
        tick_slip_ms: 0.1,
        state: "running",
        sessions: 2,
        deliveries: DeliveryCounts {
            accepted: 4,
            waiting: 1,
            under_way: 1,
            completed: 2,
            failed: 0,
            cancelled: 0,
        },
        completed_per_minute: 0.4,
        eta_error: Some(EtaError {
            samples: 2,
            at_quote: error,
            bias_seconds: 0.6,
            late_share: 0.0,
            at_pickup: Some(error),
            by_time_to_go: vec![TimeToGo {
                seconds: 60,
                trips: 2,
                error,
                at_quote: error,
            }],
            jumps: 0.5,
        }),
    }
}

fn positions() -> Value {
    let row = Row::from(Place {
        drone: DroneId(17),
        at: AT,
        height_m: 75.0,
        heading_deg: 271.0,
        ground_speed_mps: 14.2,
        battery: 0.83,
        status: DroneStatus::Cruising,
    });
    let head = Head {
        id: 2,
        tick: TICK,
        sim_time: SIM_TIME,
        sent_at_ms: 1_780_336_881_523,
        full: false,
    };
    let message = Positions::with_row(Encoding::Json, &head, Some(&row)).finish([DroneId(9)].into_iter());
    let Encoded::Text(text) = message else {
        unreachable!("JSON is text")
    };
    serde_json::from_str(&text).expect("what is written can be read")
}

fn from_client() -> Vec<Value> {
    vec![
        json!({"type": "subscribe", "id": 1, "topic": format!("delivery/{DELIVERY}"), "since": {"epoch": "e1", "seq": 41}}),
        json!({"type": "subscribe", "id": 2, "topic": "area", "bbox": [-122.52, 37.70, -122.35, 37.83], "maxHz": 5}),
        json!({"type": "update", "id": 2, "bbox": [-122.45, 37.75, -122.38, 37.80]}),
        json!({"type": "unsubscribe", "id": 2}),
        json!({"type": "ping", "sent": 123}),
        json!({"type": "auth", "token": "eyJhbGciOi…"}),
        json!({"type": "seek", "id": 3, "simTime": SIM_TIME}),
        json!({"type": "play", "speed": -2}),
        json!({"type": "live"}),
    ]
}
