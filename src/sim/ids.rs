//! Identifiers as types: an index that means a drone cannot be used as a hub.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A drone, by its index in the world's fleets; written `d-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DroneId(pub u32);

impl DroneId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for DroneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "d-{}", self.0)
    }
}

/// The text is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid identifier")]
pub struct InvalidId;

impl FromStr for DroneId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let digits = text.strip_prefix("d-").ok_or(InvalidId)?;
        let canonical = digits == "0" || !digits.starts_with(['0', '+']);
        if !canonical {
            return Err(InvalidId);
        }
        digits.parse().map(DroneId).map_err(|_| InvalidId)
    }
}

/// A hub, by its index in the world; people see the scenario's own key (`mission`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HubId(pub u16);

impl HubId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A drone type, by its index in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelId(pub u16);

impl ModelId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A delivery: a UUID of version 7, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryId(Uuid);

impl DeliveryId {
    /// `unix_ms` is the time of birth; `random` fills the rest, version and variant aside.
    pub fn new(unix_ms: u64, random: [u8; 10]) -> Self {
        DeliveryId(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        DeliveryId(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for DeliveryId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Uuid::try_parse(text).map(DeliveryId).map_err(|_| InvalidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drone_ids_have_one_spelling() {
        assert_eq!("d-17".parse(), Ok(DroneId(17)));
        assert_eq!(DroneId(17).to_string(), "d-17");
        for wrong in ["17", "d-", "d-017", "d-+1", "d--1", "d-4294967296", "D-1"] {
            assert_eq!(wrong.parse::<DroneId>(), Err(InvalidId), "{wrong}");
        }
    }

    #[test]
    fn delivery_ids_are_version_7_and_sort_by_birth() {
        let early = DeliveryId::new(1_000, [0xff; 10]);
        let late = DeliveryId::new(1_001, [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().as_bytes()[14], b'7');
        assert_eq!(early.to_string().parse(), Ok(early));
    }
}
