//! The two encodings of a session: the same messages as JSON text or as MessagePack maps
//! with string keys, with equal values in both.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::wire::not_json;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Json,
    MessagePack,
}

/// A finished message or a part of one. JSON is kept as text, so that nobody has to prove
/// again that it is.
#[derive(Clone, Debug, PartialEq)]
pub enum Encoded {
    Text(String),
    Binary(Vec<u8>),
}

impl Encoding {
    pub const ALL: [Encoding; 2] = [Encoding::Json, Encoding::MessagePack];

    /// The WebSocket sub-protocol that stands for it.
    pub fn protocol(self) -> &'static str {
        match self {
            Encoding::Json => "skyhaul.v1.json",
            Encoding::MessagePack => "skyhaul.v1.msgpack",
        }
    }

    pub fn of_protocol(protocol: &str) -> Option<Self> {
        Encoding::ALL
            .into_iter()
            .find(|encoding| encoding.protocol() == protocol)
    }

    pub(super) fn empty(self, capacity: usize) -> Encoded {
        match self {
            Encoding::Json => Encoded::Text(String::with_capacity(capacity)),
            Encoding::MessagePack => Encoded::Binary(Vec::with_capacity(capacity)),
        }
    }

    pub(super) fn encode(self, message: &impl Serialize) -> Encoded {
        const FITS: &str = "string keys only, so every message has this form";
        match self {
            Encoding::Json => Encoded::Text(serde_json::to_string(message).expect(FITS)),
            Encoding::MessagePack => {
                let mut bytes = Vec::with_capacity(128);
                // What has a form for people keeps it, as in JSON.
                let mut serializer = rmp_serde::Serializer::new(&mut bytes)
                    .with_struct_map()
                    .with_human_readable();
                message.serialize(&mut serializer).expect(FITS);
                Encoded::Binary(bytes)
            }
        }
    }
}

impl Encoded {
    pub fn len(&self) -> usize {
        match self {
            Encoded::Text(text) => text.len(),
            Encoded::Binary(bytes) => bytes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// # Errors
/// In words for the client.
pub(super) fn value_of_json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("not JSON: {}", not_json(&error)))
}

/// Values that JSON does not have (bytes, extensions, keys that are no strings) are
/// refused; numbers that are none are null.
///
/// # Errors
/// In words for the client.
pub(super) fn value_of_msgpack(bytes: &[u8]) -> Result<Value, String> {
    /// As deep as serde_json goes.
    const DEEPEST: usize = 128;
    let mut rest = bytes;
    let mut deserializer = rmp_serde::Deserializer::new(&mut rest).with_human_readable();
    deserializer.set_max_depth(DEEPEST);
    let value = Value::deserialize(&mut deserializer)
        .map_err(|_| "not MessagePack, or not a map with text as keys".to_owned())?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(format!("{} bytes follow the message", rest.len()))
    }
}
