//! Alarms that actors set for themselves: in order of time, then of setting.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::actors::Mail;
use crate::sim::time::SimTime;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Wakes {
    set: BTreeMap<(SimTime, u64), Mail>,
    next_number: u64,
}

impl Wakes {
    pub fn set(&mut self, at: SimTime, mail: Mail) {
        self.set.insert((at, self.next_number), mail);
        self.next_number += 1;
    }

    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Takes what is due at `now` or earlier, in order.
    pub fn due(&mut self, now: SimTime) -> impl Iterator<Item = Mail> {
        let later = self.set.split_off(&(SimTime(now.0.saturating_add(1)), 0));
        std::mem::replace(&mut self.set, later).into_values()
    }
}
