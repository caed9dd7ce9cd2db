//! Cursors: where the next page of a list begins. Opaque to clients, safe in URLs, and
//! good for as long as the ids that they stand for.

use std::fmt::Write;

use super::fields::Complaint;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::time::SimTime;

/// An id as a cursor's bytes. The first byte keeps one list's cursors out of another's.
pub trait Mark: Sized {
    const KIND: u8;
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Mark for DroneId {
    const KIND: u8 = 1;

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u32::from_be_bytes).map(DroneId)
    }
}

impl Mark for DeliveryId {
    const KIND: u8 = 2;

    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(DeliveryId::from_bytes)
    }
}

impl Mark for HubId {
    const KIND: u8 = 3;

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(u16::from_be_bytes).map(HubId)
    }
}

/// Where a list goes by time, and by id among those of one moment.
impl Mark for (SimTime, DeliveryId) {
    const KIND: u8 = 4;

    fn to_bytes(&self) -> Vec<u8> {
        [&self.0.0.to_be_bytes()[..], self.1.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (time, id) = bytes.split_first_chunk()?;
        let id = DeliveryId::from_bytes(id.try_into().ok()?);
        Some((SimTime(u64::from_be_bytes(*time)), id))
    }
}

pub fn encode<M: Mark>(mark: &M) -> String {
    let mut text = format!("{:02x}", M::KIND);
    for byte in mark.to_bytes() {
        write!(text, "{byte:02x}").expect("strings take all that is written");
    }
    text
}

pub fn decode<M: Mark>(text: &str) -> Result<M, Complaint> {
    let decoded = bytes_of(text).and_then(|bytes| match bytes.split_first() {
        Some((&kind, rest)) if kind == M::KIND => M::from_bytes(rest),
        _ => None,
    });
    decoded.ok_or("is not a cursor of this list".into())
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).map(|nibble| nibble as u8))
        .collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_the_ids_they_stand_for() {
        let drone = DroneId(70_000);
        let delivery = DeliveryId::new(1_780_000_000_000, [7; 10]);
        assert_eq!(decode(&encode(&drone)), Ok(drone));
        assert_eq!(decode(&encode(&HubId(300))), Ok(HubId(300)));
        assert_eq!(decode(&encode(&delivery)), Ok(delivery));
        let mark = (SimTime(u64::MAX - 1), delivery);
        assert_eq!(decode(&encode(&mark)), Ok(mark));
    }

    #[test]
    fn nothing_else_is_a_cursor() {
        let foreign = encode(&DeliveryId::new(1, [0; 10]));
        for text in ["", "0", "01", "01000000", "0100000000ff", "é1", "zz", &foreign] {
            assert!(decode::<DroneId>(text).is_err(), "{text}");
        }
    }
}
