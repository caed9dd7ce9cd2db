//! The chained digest: one number for all that ever happened.
//!
//! `digest_n = BLAKE3(digest_{n−1} ‖ n ‖ events_n ‖ positions_n)`, with the events as their
//! journal bytes and the positions as one fingerprint for each chunk of the sky.

use crate::sim::time::Tick;

pub type Digest = [u8; 32];

/// Before the first tick.
pub const GENESIS: Digest = [0; 32];

pub fn chain(previous: &Digest, tick: Tick, events: &[u8], positions: impl Iterator<Item = u64>) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&tick.to_le_bytes());
    hasher.update(&(events.len() as u64).to_le_bytes());
    hasher.update(events);
    for fingerprint in positions {
        hasher.update(&fingerprint.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// As people see it.
pub fn hex(digest: &Digest) -> String {
    blake3::Hash::from_bytes(*digest).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_happened_is_under_the_digest() {
        let usual = chain(&GENESIS, 1, b"events", [7, 8].into_iter());
        let others = [
            chain(&usual, 1, b"events", [7, 8].into_iter()),
            chain(&GENESIS, 2, b"events", [7, 8].into_iter()),
            chain(&GENESIS, 1, b"evENTs", [7, 8].into_iter()),
            chain(&GENESIS, 1, b"events", [8, 7].into_iter()),
            chain(&GENESIS, 1, b"events", [7].into_iter()),
        ];
        assert!(others.iter().all(|other| *other != usual));
        assert_eq!(chain(&GENESIS, 1, b"events", [7, 8].into_iter()), usual);
    }
}
