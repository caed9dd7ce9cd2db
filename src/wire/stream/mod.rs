//! Messages of the WebSocket interface: what clients ask ([`client`]), what the server
//! says ([`ServerMessage`]), and the rows of positions, which are written once and copied
//! into many messages ([`positions`]).
//!
//! Each message is an object with `type`. A topic begins with a `snapshot`, or with the
//! events that were missed, and goes on with what changes: numbered `event`s and
//! `positions` for `delivery/{id}` and `drone/{id}`, `positions` for `area`, a `fleet`
//! message each second for `fleet`, another `snapshot` whenever it changed for `hub/{id}`.
//! `subscribed` answers `subscribe` and `update`, `unsubscribed` answers `unsubscribe`:
//! nothing with that id follows it.

pub mod client;
pub mod positions;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::drone::Drone;
use super::event::EventBody;
use super::hub::Hub;
use super::place::Location;
use crate::sim::delivery::Stage;

/// The sub-protocol of JSON sessions.
pub const JSON_PROTOCOL: &str = "skyhaul.v1.json";
/// As `welcome` names it, whatever the encoding.
pub const PROTOCOL: &str = "skyhaul.v1";

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerMessage<'a> {
    Welcome {
        session: &'a str,
        version: &'a str,
        protocol: &'a str,
        epoch: &'a str,
        tick: u64,
        sim_time: &'a str,
        speed: Speed,
        playback: bool,
    },
    Subscribed {
        id: u64,
        /// What was missed follows as events, without a snapshot.
        recovered: bool,
        #[serde(serialize_with = "whole_where_it_is")]
        hz: f64,
        /// What an area was widened to: west, south, east, north.
        #[serde(skip_serializing_if = "Option::is_none")]
        bbox: Option<[f64; 4]>,
    },
    Unsubscribed {
        id: u64,
    },
    Snapshot {
        id: u64,
        /// Number of the topic's last event; absent where a topic has no events.
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u32>,
        tick: u64,
        sim_time: &'a str,
        #[serde(flatten)]
        of: Snapshot,
    },
    Event {
        id: u64,
        seq: u32,
        tick: u64,
        sim_time: &'a str,
        event: &'a EventBody,
    },
    Fleet {
        id: u64,
        tick: u64,
        sim_time: &'a str,
        fleet: Fleet,
    },
    Error {
        /// Absent where the request's own could not be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        code: ErrorCode,
        message: &'a str,
    },
    Pong {
        sent: Option<serde_json::Number>,
    },
    Bye {
        code: ByeCode,
        message: &'a str,
    },
}

/// The state of a topic's subject, under the subject's kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Snapshot {
    Delivery(DeliverySnapshot),
    Drone(Drone),
    Hub(Hub),
    Fleet(Fleet),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliverySnapshot {
    pub id: String,
    pub stage: Stage,
    /// Null before a drone is assigned.
    pub drone_id: Option<String>,
    pub location: Location,
    /// Null while there is no plan; the actual time once reached. RFC 3339, simulated.
    pub pickup_eta: Option<String>,
    /// As `pickupEta`.
    pub delivery_eta: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fleet {
    pub drones: u32,
    pub airborne: u32,
    pub charging: u32,
    pub lost: u32,
    /// Drones by status; all statuses are listed.
    pub by_status: BTreeMap<&'static str, u32>,
    pub speed: Speed,
    pub real_time_factor: f64,
    /// Wall time that a tick takes to compute.
    pub tick_ms: f64,
    pub tick_slip_ms: f64,
    /// `running`, `paused` or `stalled`.
    pub state: &'static str,
    /// How many look on.
    pub sessions: u64,
    pub deliveries: DeliveryCounts,
    /// Over the last five simulated minutes.
    pub completed_per_minute: f64,
    /// Null before the first completed delivery.
    pub eta_error: Option<EtaError>,
}

/// How the first quotes of the last thousand completed deliveries held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtaError {
    pub samples: u32,
    /// Of absolute errors.
    pub p50_seconds: f64,
    pub p95_seconds: f64,
    /// Mean of actual minus quoted: positive means that deliveries come late.
    pub bias_seconds: f64,
    /// Over a minute after the quote.
    pub late_share: f64,
}

/// `accepted` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryCounts {
    pub accepted: u64,
    pub waiting: u64,
    pub under_way: u64,
    pub completed: u64,
    pub failed: u64,
}

/// Simulated seconds per wall second that are wanted: a number, or `"max"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    Times(f64),
    Max,
}

impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Speed::Times(factor) => serializer.serialize_f64(*factor),
            Speed::Max => serializer.serialize_str("max"),
        }
    }
}

/// Why a request was not taken; the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    BadMessage,
    UnknownType,
    UnknownTopic,
    DuplicateId,
    DuplicateTopic,
    UnknownId,
    TooMany,
    NotFound,
    RateLimited,
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 9] = [
        ErrorCode::BadMessage,
        ErrorCode::UnknownType,
        ErrorCode::UnknownTopic,
        ErrorCode::DuplicateId,
        ErrorCode::DuplicateTopic,
        ErrorCode::UnknownId,
        ErrorCode::TooMany,
        ErrorCode::NotFound,
        ErrorCode::RateLimited,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::BadMessage => "bad_message",
            ErrorCode::UnknownType => "unknown_type",
            ErrorCode::UnknownTopic => "unknown_topic",
            ErrorCode::DuplicateId => "duplicate_id",
            ErrorCode::DuplicateTopic => "duplicate_topic",
            ErrorCode::UnknownId => "unknown_id",
            ErrorCode::TooMany => "too_many",
            ErrorCode::NotFound => "not_found",
            ErrorCode::RateLimited => "rate_limited",
        }
    }
}

/// Why the server ends a session in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    ServerShutdown,
}

/// 5 rather than 5.0.
fn whole_where_it_is<S: Serializer>(hz: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if hz.fract() == 0.0 {
        serializer.serialize_u64(*hz as u64)
    } else {
        serializer.serialize_f64(*hz)
    }
}

impl ServerMessage<'_> {
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("string keys only, so every message has a JSON form")
    }
}
