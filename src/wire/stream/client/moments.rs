//! What a client says of the moment that it wants to see: `seek`, `play` and `live`.

use serde::Deserialize;
use serde_json::Value;

use super::{ClientMessage, Refused};
use crate::wire::api::simulation::{NamedSpeed, PLAYBACK_SPEEDS, Speed};
use crate::wire::stream::ErrorCode;
use crate::wire::time::parse_rfc3339;

pub(super) const A_DATE: &str = "a date as in RFC 3339";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeekMembers {
    id: Option<u64>,
    sim_time: String,
}

#[derive(Deserialize)]
pub(super) struct PlayMembers {
    id: Option<u64>,
    speed: Value,
}

#[derive(Deserialize)]
pub(super) struct LiveMembers {
    pub id: Option<u64>,
}

impl SeekMembers {
    pub fn check(self) -> Result<ClientMessage, Refused> {
        let wrong = || {
            Refused::new(
                self.id,
                ErrorCode::BadMessage,
                format!("`simTime` must be {A_DATE}"),
            )
        };
        let unix_us = parse_rfc3339(&self.sim_time).ok_or_else(wrong)?;
        Ok(ClientMessage::Seek { id: self.id, unix_us })
    }
}

impl PlayMembers {
    pub fn check(self) -> Result<ClientMessage, Refused> {
        let speed = match &self.speed {
            Value::String(name) if name == "max" => Some(Some(Speed::Named(NamedSpeed::Max))),
            speed => match speed.as_f64() {
                Some(0.0) => Some(None),
                Some(times) if PLAYBACK_SPEEDS.contains(&times.abs()) => Some(Some(Speed::Times(times))),
                _ => None,
            },
        };
        let speed = speed.ok_or_else(|| {
            let message =
                "`speed` must be from 0.1 to 1,000, below 0 for backwards, 0 to stand still, or \"max\"";
            Refused::new(self.id, ErrorCode::BadMessage, message)
        })?;
        Ok(ClientMessage::Play { id: self.id, speed })
    }
}
