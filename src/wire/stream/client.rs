//! What clients say: read strictly enough that a mistake is named, and no stricter.
//! Members that are not known are ignored.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::ErrorCode;
use crate::sim::geo::BoundingBox;
use crate::sim::ids::{DeliveryId, DroneId};

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
    pub fn new(id: impl Into<Option<u64>>, code: ErrorCode, message: impl Into<String>) -> Self {
        Refused {
            id: id.into(),
            code,
            message: message.into(),
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
            ClientMessage::Ping { .. } | ClientMessage::Auth { .. } => None,
        }
    }

    pub fn read(text: &str) -> Result<Self, Refused> {
        let bad = |message: String| Refused::new(None, ErrorCode::BadMessage, message);
        let value: Value = serde_json::from_str(text).map_err(|error| bad(format!("not JSON: {error}")))?;
        let Some(object) = value.as_object() else {
            return Err(bad("a message is an object".into()));
        };
        let id = object.get("id").and_then(Value::as_u64);
        let Some(kind) = object.get("type").and_then(Value::as_str) else {
            return Err(Refused::new(id, ErrorCode::BadMessage, "`type` must be a string"));
        };
        match kind {
            "subscribe" => members::<SubscribeMembers>(&value, id)?.check(),
            "update" => members::<UpdateMembers>(&value, id)?.check(),
            "unsubscribe" => Ok(ClientMessage::Unsubscribe {
                id: members::<UnsubscribeMembers>(&value, id)?.id,
            }),
            "ping" => Ok(ClientMessage::Ping {
                sent: members::<PingMembers>(&value, id)?.sent,
            }),
            "auth" => Ok(ClientMessage::Auth {
                token: members::<AuthMembers>(&value, id)?.token,
            }),
            other => Err(Refused::new(
                id,
                ErrorCode::UnknownType,
                format!(
                    "`{}` is none of subscribe, update, unsubscribe, ping, auth",
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

fn members<'a, T: Deserialize<'a>>(value: &'a Value, id: Option<u64>) -> Result<T, Refused> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        let mistake = match field.as_str() {
            // The message as a whole: what is missing is named by the mistake itself.
            "." => error.into_inner().to_string(),
            _ => format!("`{field}`: {}", error.into_inner()),
        };
        // Such a text may quote all of what it complains about.
        Refused::new(id, ErrorCode::BadMessage, shortened(&mistake))
    })
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
        let (kind, subject) = match self.topic.split_once('/') {
            Some((kind, subject)) => (kind, Some(subject)),
            None => (self.topic.as_str(), None),
        };
        let no_such = || {
            let message = format!("there is no `{}`", shortened(&self.topic));
            Refused::new(self.id, ErrorCode::NotFound, message)
        };
        match (kind, subject) {
            ("delivery", Some(id)) => id.parse().map(Topic::Delivery).map_err(|_| no_such()),
            ("drone", Some(id)) => id.parse().map(Topic::Drone).map_err(|_| no_such()),
            ("hub", Some(key)) => Ok(Topic::Hub(key.to_owned())),
            ("area", None) => match self.bbox {
                Some(bbox) => check_bounds(self.id, bbox).map(Topic::Area),
                None => Err(Refused::new(
                    self.id,
                    ErrorCode::BadMessage,
                    "`area` needs `bbox`: west, south, east, north",
                )),
            },
            ("fleet", None) => Ok(Topic::Fleet),
            ("events", None) => Ok(Topic::Events),
            _ => Err(Refused::new(
                self.id,
                ErrorCode::UnknownTopic,
                format!(
                    "`{}` is none of delivery/{{id}}, drone/{{id}}, hub/{{id}}, area, fleet, events",
                    shortened(&self.topic)
                ),
            )),
        }
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
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> (Option<u64>, ErrorCode) {
        let refused = ClientMessage::read(text).expect_err(text);
        (refused.id, refused.code)
    }

    #[test]
    fn every_mistake_gets_its_code_and_its_id() {
        use ErrorCode::*;
        let cases = [
            ("", None, BadMessage),
            ("[1]", None, BadMessage),
            ("{\"type\":", None, BadMessage),
            (r#"{"id":4}"#, Some(4), BadMessage),
            (r#"{"type":7,"id":4}"#, Some(4), BadMessage),
            (r#"{"type":"dance","id":4}"#, Some(4), UnknownType),
            (r#"{"type":"subscribe","topic":"fleet"}"#, None, BadMessage),
            (
                r#"{"type":"subscribe","id":-1,"topic":"fleet"}"#,
                None,
                BadMessage,
            ),
            (r#"{"type":"subscribe","id":4}"#, Some(4), BadMessage),
            (
                r#"{"type":"subscribe","id":4,"topic":"area"}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"area","bbox":[1,2,3]}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"area","bbox":[3,1,2,2]}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"area","bbox":[1,1,2,91]}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"fleet","maxHz":0}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"fleet","maxHz":"5"}"#,
                Some(4),
                BadMessage,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"fleet/1"}"#,
                Some(4),
                UnknownTopic,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"events/1"}"#,
                Some(4),
                UnknownTopic,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"delivery/7"}"#,
                Some(4),
                NotFound,
            ),
            (
                r#"{"type":"subscribe","id":4,"topic":"drone/d-01"}"#,
                Some(4),
                NotFound,
            ),
            (
                r#"{"type":"update","id":4,"bbox":[181,1,182,2]}"#,
                Some(4),
                BadMessage,
            ),
            (r#"{"type":"unsubscribe"}"#, None, BadMessage),
            (r#"{"type":"ping","sent":"now"}"#, None, BadMessage),
        ];
        for (text, id, code) in cases {
            assert_eq!(code_of(text), (id, code), "{text}");
        }
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        let cases = [
            (
                r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":"e1","seq":"9"}}"#,
                "`since.seq`",
            ),
            (
                r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":1,"seq":9}}"#,
                "`since.epoch`",
            ),
            (
                r#"{"type":"subscribe","id":1,"topic":"fleet","since":{"epoch":"e1"}}"#,
                "`seq`",
            ),
            (
                r#"{"type":"subscribe","id":1,"topic":"area","bbox":[1,2,"3",4]}"#,
                "`bbox[2]`",
            ),
            (r#"{"type":"subscribe","id":1,"topic":7}"#, "`topic`"),
            (r#"{"type":"update","id":1,"maxHz":[]}"#, "`maxHz`"),
            (r#"{"type":"ping","sent":"now"}"#, "`sent`"),
            (r#"{"type":"auth","token":7}"#, "`token`"),
            (r#"{"type":"auth"}"#, "`token`"),
        ];
        for (text, named) in cases {
            let refused = ClientMessage::read(text).expect_err(text);
            assert_eq!(refused.code, ErrorCode::BadMessage, "{text}");
            assert!(refused.message.contains(named), "{text}: {}", refused.message);
        }
    }

    #[test]
    fn a_token_is_read_and_never_shown() {
        let message = ClientMessage::read(r#"{"type":"auth","token":"eyJh.secret"}"#).expect("a message");
        assert!(!format!("{message:?}").contains("secret"), "{message:?}");
        assert_eq!(
            message,
            ClientMessage::Auth {
                token: Token::new("eyJh.secret")
            }
        );
    }

    #[test]
    fn a_topic_has_one_name_however_it_was_spelled() {
        let read = |topic: &str| {
            let text = format!(r#"{{"type":"subscribe","id":1,"topic":"{topic}","future":true}}"#);
            match ClientMessage::read(&text) {
                Ok(ClientMessage::Subscribe(subscribe)) => subscribe.topic.to_string(),
                other => panic!("{other:?}"),
            }
        };
        let canonical = "delivery/01890a5d-ac96-774b-bcce-b302099a8057";
        assert_eq!(read(canonical), canonical);
        assert_eq!(read("delivery/01890A5DAC96774BBCCEB302099A8057"), canonical);
        assert_eq!(read("drone/d-17"), "drone/d-17");
    }

    #[test]
    fn nothing_that_a_client_sends_is_echoed_at_length() {
        let long = "ä".repeat(10_000);
        for text in [
            format!(r#"{{"type":"{long}"}}"#),
            format!(r#"{{"type":"subscribe","id":1,"topic":"{long}"}}"#),
            format!(r#"{{"type":"subscribe","id":"{long}","topic":"fleet"}}"#),
        ] {
            let refused = ClientMessage::read(&text).expect_err("a mistake");
            assert!(refused.message.len() < 500, "{}", refused.message.len());
        }
    }
}
