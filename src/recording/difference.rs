//! Whole states as what is other than in an earlier one: ten seconds change little of a city.

use std::io::{self, Read, Write};

use zstd::stream::{read, write};

use crate::sim::time::SimTime;

const LEVEL: i32 = 3;
/// Of a state: where its differences have come to that, a whole one makes the file smaller.
const DIFFERENCES_SHARE: u64 = 2;
/// zstd's own bounds.
const WINDOW_LOGS: std::ops::RangeInclusive<u32> = 17..=30;
/// No state of ours is longer.
const STATE_MOST: u64 = 1 << 32;

/// The last state that was written whole.
pub(super) struct Base {
    pub at: SimTime,
    state: Vec<u8>,
    /// Of all differences to it.
    bytes: u64,
}

impl Base {
    pub fn new(at: SimTime, state: Vec<u8>) -> Self {
        Base { at, state, bytes: 0 }
    }

    /// `None` where the state is better written whole: the differences to this one have come to
    /// what a whole one takes.
    ///
    /// # Errors
    /// No memory for it.
    pub fn difference(&mut self, state: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let difference = difference(&self.state, state)?;
        self.bytes += difference.len() as u64;
        let is_little = self.bytes <= state.len() as u64 / DIFFERENCES_SHARE;
        Ok(is_little.then_some(difference))
    }
}

fn difference(base: &[u8], state: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = write::Encoder::with_ref_prefix(Vec::new(), LEVEL, base)?;
    let reach = (base.len() + state.len()).max(1).ilog2() + 1;
    encoder.window_log(reach.clamp(*WINDOW_LOGS.start(), *WINDOW_LOGS.end()))?;
    encoder.long_distance_matching(true)?;
    encoder.write_all(state)?;
    encoder.finish()
}

/// The state that has this difference to that one.
///
/// # Errors
/// Bytes that are no difference to it.
pub(super) fn apply(base: &[u8], difference: &[u8]) -> io::Result<Vec<u8>> {
    let mut decoder = read::Decoder::with_ref_prefix(difference, base)?;
    decoder.window_log_max(*WINDOW_LOGS.end())?;
    let mut state = Vec::with_capacity(base.len());
    decoder.take(STATE_MOST).read_to_end(&mut state)?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that do not shrink by themselves.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_did_not_change_costs_nothing_however_far_apart_it_lies() {
        let mut state = noise(1, 6_000_000);
        let mut base = Base::new(SimTime::START, state.clone());
        state.splice(10..10, noise(2, 100));
        state[5_000_000] ^= 1;
        let difference = base.difference(&state).unwrap().expect("it is little");
        assert!(difference.len() < 2_000, "{} bytes", difference.len());
        assert_eq!(apply(&base.state, &difference).unwrap(), state);
        assert!(apply(&noise(3, 1_000), &difference).is_err());
    }

    #[test]
    fn a_whole_state_is_due_once_its_differences_come_to_as_much() {
        let mut base = Base::new(SimTime::START, noise(1, 40_000));
        let mut state = base.state.clone();
        let mut differences = 0;
        loop {
            state.truncate(40_000);
            state.extend(noise(differences + 2, 1_000));
            match base.difference(&state).unwrap() {
                Some(_) => differences += 1,
                None => break,
            }
        }
        assert!((16..=22).contains(&differences), "{differences}");
    }
}
