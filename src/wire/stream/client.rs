//! What clients say: read strictly enough that a mistake is named, and no stricter.
//! Members that are not known are ignored.

mod moments;

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::{ErrorCode, encoding};
use crate::sim::geo::BoundingBox;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::wire::api::simulation::Speed;
use crate::wire::discreet::discreet;
use moments::{A_DATE, LiveMembers, PlayMembers, SeekMembers};

/// Bytes of a hub's key that somebody asks for; what is longer is none that exists.
const LONGEST_HUB: usize = 256;

#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage {
    Subscribe(Subscribe),
    Update(Update),
    Unsubscribe {
        id: u64,
    },
    Ping {
        sent: Option<serde_json::Number>,
    },
    /// Shows a token, or a newer one.
    Auth {
        token: Token,
    },
    /// To another moment of what is recorded, for this session alone.
    Seek {
        id: Option<u64>,
        unix_us: i64,
    },
    /// How its own show goes; `None` stands still.
    Play {
        id: Option<u64>,
        speed: Option<Speed>,
    },
    /// Back to what all look at.
    Live {
        id: Option<u64>,
    },
}

/// A client's token as it came, valid or not. It never appears in a log.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    pub fn new(token: impl Into<String>) -> Self {
        Token(token.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Subscribe {
    pub id: u64,
    pub topic: Topic,
    /// Wanted most positions a second.
    pub max_hz: Option<f64>,
    pub since: Option<Since>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub id: u64,
    pub bounds: Option<BoundingBox>,
    pub max_hz: Option<f64>,
}

/// The last event that a client saw.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Since {
    pub epoch: String,
    pub seq: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Topic {
    Delivery(DeliveryId),
    Drone(DroneId),
    /// By the scenario's own key.
    Hub(String),
    Area(BoundingBox),
    Fleet,
    /// Every lifecycle event of the world.
    Events,
}

/// Why what a client wants to follow is no topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotATopic {
    /// No such kind.
    Unknown,
    /// Such a kind, and nothing can have this id.
    NoSuch,
    /// An area is one only with its bounds.
    NeedsBounds,
}

impl Topic {
    pub const NAMES: [&str; 6] = [
        "delivery/{id}",
        "drone/{id}",
        "hub/{id}",
        "area",
        "fleet",
        "events",
    ];

    /// By its name; the bounds are an area's.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(name: &str, bounds: Option<BoundingBox>) -> Result<Self, NotATopic> {
        let (kind, subject) = match name.split_once('/') {
            Some((kind, subject)) => (kind, Some(subject)),
            None => (name, None),
        };
        let no_such = NotATopic::NoSuch;
        match (kind, subject) {
            ("delivery", Some(id)) => id.parse().map(Topic::Delivery).map_err(|_| no_such),
            ("drone", Some(id)) => id.parse().map(Topic::Drone).map_err(|_| no_such),
            ("hub", Some(key)) if key.len() <= LONGEST_HUB => Ok(Topic::Hub(key.to_owned())),
            ("hub", Some(_)) => Err(no_such),
            ("area", None) => bounds.map(Topic::Area).ok_or(NotATopic::NeedsBounds),
            ("fleet", None) => Ok(Topic::Fleet),
            ("events", None) => Ok(Topic::Events),
            _ => Err(NotATopic::Unknown),
        }
    }
}

/// The topic's name: two subscriptions with the same name are about the same thing.
impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Delivery(id) => write!(f, "delivery/{id}"),
            Topic::Drone(id) => write!(f, "drone/{id}"),
            Topic::Hub(key) => write!(f, "hub/{key}"),
            Topic::Area(_) => f.write_str("area"),
            Topic::Fleet => f.write_str("fleet"),
            Topic::Events => f.write_str("events"),
        }
    }
}

/// A request that cannot be followed, with what its sender should know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct Refused {
    pub id: Option<u64>,
    pub code: ErrorCode,
    pub message: String,
}

impl Refused {
    /// The message may quote what the client wrote: no token gets into it.
    pub fn new(id: impl Into<Option<u64>>, code: ErrorCode, message: impl Into<String>) -> Self {
        Refused {
            id: id.into(),
            code,
            message: discreet(&message.into()).into_owned(),
        }
    }
}

impl ClientMessage {
    /// As the client numbered it.
    pub fn id(&self) -> Option<u64> {
        match self {
            ClientMessage::Subscribe(Subscribe { id, .. })
            | ClientMessage::Update(Update { id, .. })
            | ClientMessage::Unsubscribe { id } => Some(*id),
            ClientMessage::Seek { id, .. } | ClientMessage::Play { id, .. } | ClientMessage::Live { id } => {
                *id
            }
            ClientMessage::Ping { .. } | ClientMessage::Auth { .. } => None,
        }
    }

    /// From a text frame of a JSON session.
    pub fn read_json(text: &str) -> Result<Self, Refused> {
        Self::read(encoding::value_of_json(text))
    }

    /// From a binary frame of a MessagePack session.
    pub fn read_msgpack(bytes: &[u8]) -> Result<Self, Refused> {
        Self::read(encoding::value_of_msgpack(bytes))
    }

    fn read(value: Result<Value, String>) -> Result<Self, Refused> {
        let bad = |message: String| Refused::new(None, ErrorCode::BadMessage, shortened(&message));
        let value = value.map_err(bad)?;
        let Some(object) = value.as_object() else {
            return Err(bad("a message is an object".into()));
        };
        let id = object.get("id").and_then(Value::as_u64);
        let Some(kind) = object.get("type").and_then(Value::as_str) else {
            return Err(Refused::new(id, ErrorCode::BadMessage, "`type` must be a string"));
        };
        match kind {
            "subscribe" => members::<SubscribeMembers>(&value, id, &["id", "topic"])?.check(),
            "update" => members::<UpdateMembers>(&value, id, &["id"])?.check(),
            "unsubscribe" => Ok(ClientMessage::Unsubscribe {
                id: members::<UnsubscribeMembers>(&value, id, &["id"])?.id,
            }),
            "ping" => Ok(ClientMessage::Ping {
                sent: members::<PingMembers>(&value, id, &[])?.sent,
            }),
            "auth" => Ok(ClientMessage::Auth {
                token: members::<AuthMembers>(&value, id, &["token"])?.token,
            }),
            "seek" => members::<SeekMembers>(&value, id, &["simTime"])?.check(),
            "play" => members::<PlayMembers>(&value, id, &["speed"])?.check(),
            "live" => Ok(ClientMessage::Live {
                id: members::<LiveMembers>(&value, id, &[])?.id,
            }),
            other => Err(Refused::new(
                id,
                ErrorCode::UnknownType,
                format!(
                    "`{}` is none of subscribe, update, unsubscribe, ping, auth, seek, play, live",
                    shortened(other)
                ),
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SubscribeMembers {
    id: u64,
    topic: String,
    bbox: Option<[f64; 4]>,
    max_hz: Option<f64>,
    since: Option<Since>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateMembers {
    id: u64,
    bbox: Option<[f64; 4]>,
    max_hz: Option<f64>,
}

#[derive(Deserialize)]
struct UnsubscribeMembers {
    id: u64,
}

#[derive(Deserialize)]
struct PingMembers {
    sent: Option<serde_json::Number>,
}

#[derive(Deserialize)]
struct AuthMembers {
    token: Token,
}

fn members<'a, T: Deserialize<'a>>(value: &'a Value, id: Option<u64>, needed: &[&str]) -> Result<T, Refused> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let is_missing = |of: &Value, name: &str| of.get(name).is_none();
        let since = value.get("since").unwrap_or(&Value::Null);
        let mistake = if let Some(name) = needed.iter().find(|name| is_missing(value, name)) {
            format!("`{name}` is missing")
        } else if path == "since" && since.is_object() {
            let missing = ["epoch", "seq"].into_iter().find(|name| is_missing(since, name));
            format!("`since.{}` is missing", missing.unwrap_or("seq"))
        } else {
            format!("`{path}` must be {}", expected_at(&path))
        };
        Refused::new(id, ErrorCode::BadMessage, mistake)
    })
}

/// What belongs at this place of a message.
fn expected_at(path: &str) -> &'static str {
    match path {
        "id" | "since.seq" => "a whole number from 0",
        "topic" | "since.epoch" | "token" => "text",
        "simTime" => A_DATE,
        "since" => "an object with `epoch` and `seq`",
        "bbox" => "four numbers: west, south, east, north",
        _ => "a number",
    }
}

impl SubscribeMembers {
    fn check(self) -> Result<ClientMessage, Refused> {
        let topic = self.topic()?;
        check_rate(self.id, self.max_hz)?;
        Ok(ClientMessage::Subscribe(Subscribe {
            id: self.id,
            topic,
            max_hz: self.max_hz,
            since: self.since,
        }))
    }

    fn topic(&self) -> Result<Topic, Refused> {
        let bounds = match self.bbox {
            Some(bbox) if self.topic == "area" => Some(check_bounds(self.id, bbox)?),
            _ => None,
        };
        Topic::read(&self.topic, bounds).map_err(|wrong| {
            let name = shortened(&self.topic);
            let (code, message) = match wrong {
                NotATopic::NoSuch => (ErrorCode::NotFound, format!("there is no `{name}`")),
                NotATopic::NeedsBounds => (
                    ErrorCode::BadMessage,
                    "`area` needs `bbox`: west, south, east, north".to_owned(),
                ),
                NotATopic::Unknown => (
                    ErrorCode::UnknownTopic,
                    format!("`{name}` is none of {}", Topic::NAMES.join(", ")),
                ),
            };
            Refused::new(self.id, code, message)
        })
    }
}

impl UpdateMembers {
    fn check(self) -> Result<ClientMessage, Refused> {
        check_rate(self.id, self.max_hz)?;
        let bounds = self.bbox.map(|bbox| check_bounds(self.id, bbox)).transpose()?;
        Ok(ClientMessage::Update(Update {
            id: self.id,
            bounds,
            max_hz: self.max_hz,
        }))
    }
}

fn check_rate(id: u64, max_hz: Option<f64>) -> Result<(), Refused> {
    match max_hz {
        Some(hz) if hz <= 0.0 => Err(Refused::new(id, ErrorCode::BadMessage, "`maxHz` must be above 0")),
        _ => Ok(()),
    }
}

fn check_bounds(id: u64, [west, south, east, north]: [f64; 4]) -> Result<BoundingBox, Refused> {
    let on_globe = [west, east].iter().all(|lon| (-180.0..=180.0).contains(lon))
        && [south, north].iter().all(|lat| (-90.0..=90.0).contains(lat));
    if on_globe && west <= east && south <= north {
        Ok(BoundingBox {
            west,
            south,
            east,
            north,
        })
    } else {
        let message = "`bbox` is west, south, east, north in degrees, west ≤ east and south ≤ north";
        Err(Refused::new(id, ErrorCode::BadMessage, message))
    }
}

/// Enough of what a client sent to be recognised, and no more.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 120;
    // First, lest a token be cut to what looks like none.
    let text = discreet(text);
    if text.chars().count() <= SHOWN {
        text.into_owned()
    } else {
        text.chars().take(SHOWN).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests;
