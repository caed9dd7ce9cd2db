//! Messages of the WebSocket interface: what clients ask ([`client`]), what the server
//! says ([`ServerMessage`]), the rows of positions, which are written once and copied
//! into many messages ([`positions`]), the two ways to write all that ([`encoding`]), and
//! the form that it has without a WebSocket ([`sse`]).
//!
//! Each message is an object with `type`. A topic begins with a `snapshot`, or with the
//! events that were missed, and goes on with what changes: numbered `event`s and
//! `positions` for `delivery/{id}` and `drone/{id}`, `positions` for `area`, a `fleet`
//! message each second for `fleet`, numbered `event`s for `hub/{id}` and `events`. A snapshot
//! of a hub comes again when something changed that no event tells of.
//! `subscribed` answers `subscribe` and `update`, `unsubscribed` answers `unsubscribe`:
//! nothing with that id follows it. After an `error` it says that the server ended a topic,
//! to which there is no right any more.

pub mod asyncapi;
pub mod client;
mod codes;
pub mod encoding;
pub mod positions;
mod snapshot;
pub mod sse;

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

pub use codes::{ByeCode, ErrorCode};
pub use encoding::{Encoded, Encoding};
pub use snapshot::{DeliveryCounts, DeliverySnapshot, ErrorSpread, EtaError, Fleet, Snapshot, TimeToGo};

use super::api::simulation::Speed;
use super::event::EventBody;

/// As `welcome` names it, whatever the encoding.
pub const PROTOCOL: &str = "skyhaul.v1";

#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ServerMessage<'a> {
    #[schema(rename_all = "camelCase")]
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
    /// Answers `auth`: whom the token lets in, and until when.
    Authorized {
        /// `operator`, `business` or `customer`
        role: &'a str,
        /// Absent for an operator.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        account: Option<&'a str>,
        /// The one delivery that a customer's token is for.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        delivery: Option<&'a str>,
        /// Wall time, RFC 3339; the session ends then unless a newer token came.
        expires: &'a str,
    },
    Subscribed {
        id: u64,
        /// What was missed follows as events, without a snapshot.
        recovered: bool,
        #[serde(serialize_with = "whole_where_it_is")]
        hz: f64,
        /// What an area was widened to: west, south, east, north.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<asyncapi::Bbox>, nullable = false)]
        bbox: Option<[f64; 4]>,
    },
    /// Answers `unsubscribe`; or says, after an `error`, that there is no right to the
    /// topic any more.
    Unsubscribed {
        id: u64,
    },
    #[schema(rename_all = "camelCase")]
    Snapshot {
        id: u64,
        /// Number of the topic's last event; absent where a topic has no events.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        seq: Option<u64>,
        tick: u64,
        sim_time: &'a str,
        /// `None` for `events`, which has no subject.
        #[serde(flatten)]
        #[schema(value_type = asyncapi::Subject)]
        of: Option<Snapshot>,
    },
    /// How the clock goes that this session looks at: answers `seek`, `play` and `live`, and comes
    /// when a show of the session's own changes by itself, as at the end of what is recorded.
    #[schema(rename_all = "camelCase")]
    Clock {
        /// Of the last `seek`, `play` or `live` that this answers, where that has one; all before it
        /// are answered too.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        id: Option<u64>,
        /// It looks at what all look at: the world as it is now, or what a recording is played as
        /// for all.
        live: bool,
        /// By this name the same moment is read over HTTP, as long as the session looks at it:
        /// `/shows/{show}/api/…`. Absent where it looks at what all do.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        show: Option<&'a str>,
        /// `running`, `paused` or `stalled`
        state: &'a str,
        speed: Speed,
        tick: u64,
        sim_time: &'a str,
        /// From when to when there is something to see; absent in a live world as it is now.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        from: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        to: Option<&'a str>,
        /// Simulated seconds from one recorded frame to the next.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        frame_seconds: Option<f64>,
    },
    /// What is shown went to another moment: snapshots and full messages of all topics follow.
    #[schema(rename_all = "camelCase")]
    Discontinuity {
        epoch: &'a str,
        tick: u64,
        sim_time: &'a str,
        /// Always true.
        discontinuity: bool,
    },
    #[schema(rename_all = "camelCase")]
    Event {
        id: u64,
        seq: u64,
        tick: u64,
        sim_time: &'a str,
        event: &'a EventBody,
    },
    #[schema(rename_all = "camelCase")]
    Fleet {
        id: u64,
        tick: u64,
        sim_time: &'a str,
        fleet: Fleet,
    },
    /// How far a slow client is degraded, said at each change of the level.
    #[schema(rename_all = "camelCase")]
    Pressure {
        id: u64,
        /// 0 all is well, 1 a lower rate, 2 the newest positions now and then, 3 full
        /// messages only.
        level: u8,
        /// Positions, or gauges, a second from now on, at most; 0 where a topic has
        /// neither: events come as they are read.
        effective_hz: f64,
        /// Beats that went by since the subscription's last message.
        conflated: u64,
    },
    /// How many drones there are where they are not shown one by one.
    #[schema(rename_all = "camelCase")]
    Density {
        id: u64,
        tick: u64,
        sim_time: &'a str,
        /// Latitude and longitude of a cell's middle, and the drones in it.
        #[schema(value_type = Vec<(f64, f64, u32)>)]
        cells: &'a [(f64, f64, u32)],
    },
    Error {
        /// Absent where the request's own could not be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        id: Option<u64>,
        code: ErrorCode,
        message: &'a str,
    },
    Pong {
        /// As in the `ping`; null where that had none.
        #[schema(required, value_type = Option<f64>)]
        sent: Option<serde_json::Number>,
    },
    Bye {
        code: ByeCode,
        message: &'a str,
    },
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
    pub fn encode(&self, encoding: Encoding) -> Encoded {
        encoding.encode(self)
    }
}
