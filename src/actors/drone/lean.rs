//! What the history of a drone's hub adds to its expected time at the door: in full when it sets
//! out, less and less as it comes nearer, since what is behind it is no guess any more.

use serde::{Deserialize, Serialize};

use crate::sim::time::{SimDuration, SimTime};

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Lean {
    seconds: f64,
    whole_s: f64,
}

impl Lean {
    pub fn from(now: SimTime, seconds: f64, there: SimTime) -> Self {
        let whole_s = there.since(now).as_secs();
        Lean { seconds, whole_s }
    }

    /// It is sent elsewhere, and plans to be there then: what its hub's history added when it set
    /// out it goes on adding, however far that is.
    pub fn begin_anew(&mut self, now: SimTime, there: SimTime) {
        *self = Lean::from(now, self.seconds, there);
    }

    /// The planned time with what is left of it; never in the past.
    pub fn on(&self, planned: SimTime, now: SimTime) -> SimTime {
        let left_s = planned.since(now).as_secs();
        let share = (left_s / self.whole_s.max(1.0)).min(1.0);
        now + SimDuration::from_secs((left_s + self.seconds * share).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fades_with_the_way_that_is_left() {
        let secs = SimTime::from_secs;
        let lean = Lean::from(secs(100.0), 20.0, secs(500.0));
        assert_eq!(lean.on(secs(500.0), secs(100.0)), secs(520.0));
        assert_eq!(lean.on(secs(510.0), secs(310.0)), secs(520.0));
        assert_eq!(lean.on(secs(520.0), secs(520.0)), secs(520.0));
        let early = Lean::from(secs(0.0), -20.0, secs(10.0));
        assert_eq!(early.on(secs(10.0), secs(0.0)), secs(0.0), "not before now");
    }
}
