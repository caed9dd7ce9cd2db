//! Identifiers as types: an index that means a drone cannot be used as a hub.

use std::convert::Infallible;
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

/// A delivery: a UUID of version 7, so that ids sort by the time they were made; or, where a
/// client gave it one of its own, whatever [`DeliveryName`] makes of that.
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

/// What a client calls a delivery: by its id, or by a name of the client's own, which becomes an
/// id too.
///
/// A UUID is an id as it stands. Other texts become a UUID of version 5; and so does one of
/// version 7 that is nobody's, since ids of that kind are given by the world alone: whoever could
/// take one could be there before the delivery that it is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryName {
    /// Of version 7, where somebody has it already.
    given: Option<DeliveryId>,
    own: DeliveryId,
}

impl DeliveryName {
    /// Of names in version 5; never to be changed, since clients come back with their names.
    const NAMESPACE: Uuid = Uuid::from_u128(0x5b7d_2c64_9a1e_4f0b_8d35_c0a4_71e6_92df);

    pub fn new(text: &str) -> Self {
        let named = |text: &str| DeliveryId(Uuid::new_v5(&Self::NAMESPACE, text.as_bytes()));
        match Uuid::try_parse(text) {
            Ok(uuid) if uuid.get_version_num() == 7 => DeliveryName {
                given: Some(DeliveryId(uuid)),
                own: named(&uuid.hyphenated().to_string()),
            },
            Ok(uuid) => DeliveryName {
                given: None,
                own: DeliveryId(uuid),
            },
            Err(_) => DeliveryName {
                given: None,
                own: named(text),
            },
        }
    }

    /// The ids that it may mean; the first that there is counts.
    pub fn ids(self) -> impl Iterator<Item = DeliveryId> {
        self.given.into_iter().chain([self.own])
    }

    /// The id of a new delivery of this name.
    pub fn own(self) -> DeliveryId {
        self.own
    }
}

/// That one and no other.
impl From<DeliveryId> for DeliveryName {
    fn from(id: DeliveryId) -> Self {
        DeliveryName { given: None, own: id }
    }
}

impl FromStr for DeliveryName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(DeliveryName::new(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_call_a_delivery_as_it_likes_and_takes_no_id_of_the_worlds() {
        let ids = |text: &str| {
            DeliveryName::new(text)
                .ids()
                .map(|id| id.to_string())
                .collect::<Vec<_>>()
        };
        let random = "9c5b94b1-35ad-49bb-b118-8e8fc24abf80";
        assert_eq!(ids(random), [random]);
        assert_eq!(ids(&random.to_uppercase().replace('-', "")), [random]);
        assert_eq!(ids("42"), ["bb69353c-3656-5f8f-b966-9a4058525bb1"], "for good");
        assert_ne!(ids("42"), ids("43"));
        let worlds = DeliveryId::new(1_000, [1; 10]);
        let name = DeliveryName::new(&worlds.to_string());
        assert_eq!(name.ids().collect::<Vec<_>>(), [worlds, name.own()]);
        assert_eq!(name.own().to_string().as_bytes()[14], b'5');
    }

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
