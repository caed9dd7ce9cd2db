//! Slices of a snapshot to come, and how they are undone: where one may go, and in what bytes
//! what was there before it is kept. The rows themselves are each back end's own.
//!
//! A slice overwrites states of the snapshot before it, and with it, in one transaction, goes
//! what they were. Once its snapshot is there that is forgotten. A store that is opened without
//! that snapshot puts everything back, the newest slice first, and is the one it was before.

use serde::{Deserialize, Serialize};

use super::rules::Standing;
use super::{Slice, Snapshot, StoreError};
use crate::sim::ids::DeliveryId;
use crate::sim::time::Tick;

/// The first byte of what a slice overwrote; the rest is [`Overwritten`] in postcard.
const UNDO_FORMAT: u8 = 1;

/// The tick and the number of a slice that is in and whose snapshot is not.
pub(super) type SliceId = (Tick, u64);

/// States as they were before a slice; `None` where nothing was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Overwritten {
    pub actors: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    pub records: Vec<(DeliveryId, Option<Vec<u8>>)>,
}

impl Overwritten {
    pub fn encode(&self) -> Result<Vec<u8>, StoreError> {
        postcard::to_extend(self, vec![UNDO_FORMAT]).map_err(|cause| StoreError::Corrupt {
            what: format!("states that cannot be encoded: {cause}"),
        })
    }

    pub fn decode((tick, number): SliceId, bytes: &[u8]) -> Result<Self, StoreError> {
        let decoded = match bytes.split_first() {
            Some((&UNDO_FORMAT, rest)) => postcard::from_bytes(rest).ok(),
            _ => None,
        };
        decoded.ok_or_else(|| StoreError::Corrupt {
            what: format!("what slice {number} of the snapshot at tick {tick} overwrote cannot be read"),
        })
    }
}

/// How this slice stands to the newest snapshot and to the last slice that is in. One that is
/// in already is passed over: to take it again would take its own states for the old ones.
pub(super) fn take_slice(
    snapshot: Option<Tick>,
    last: Option<SliceId>,
    slice: &Slice,
) -> Result<Standing, StoreError> {
    if snapshot.is_some_and(|tick| slice.tick <= tick) {
        return Ok(Standing::Repeated);
    }
    let next = match last {
        None => Some(0),
        Some((tick, number)) => (tick == slice.tick).then_some(number + 1),
    };
    match next {
        Some(next) if slice.number < next => Ok(Standing::Repeated),
        Some(next) if slice.number == next => Ok(Standing::New),
        _ => Err(StoreError::OutOfOrder {
            what: format!("slice {} of the snapshot at tick {}", slice.number, slice.tick),
        }),
    }
}

/// A snapshot makes the slices that are in its own, so they must be that.
pub(super) fn check_slices(last: Option<SliceId>, snapshot: &Snapshot) -> Result<(), StoreError> {
    match last {
        Some((tick, _)) if tick != snapshot.tick => Err(StoreError::tick_out_of_order(snapshot.tick)),
        _ => Ok(()),
    }
}
