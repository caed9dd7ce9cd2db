//! Rate tiers: how often a subscription gets positions, and who wants which.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::sync::Notify;

use crate::sim::time::Tick;

/// Beats come in slots of a tenth of a second of wall time.
pub(super) const SLOTS_PER_SECOND: u64 = 10;

/// From the fastest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    Hz10,
    Hz5,
    Hz2,
    Hz1,
    HzHalf,
}

impl Tier {
    pub(super) const ALL: [Tier; 5] = [Tier::Hz10, Tier::Hz5, Tier::Hz2, Tier::Hz1, Tier::HzHalf];

    /// The fastest that is not faster than asked; the slowest where none is.
    pub(super) fn at_most(max_hz: Option<f64>) -> Self {
        let wanted = max_hz.unwrap_or(5.0);
        let fits = |tier: &Tier| tier.hz() <= wanted;
        Tier::ALL.into_iter().find(fits).unwrap_or(Tier::HzHalf)
    }

    pub(super) fn hz(self) -> f64 {
        SLOTS_PER_SECOND as f64 / self.slots() as f64
    }

    /// Slots from one beat of the tier to its next.
    pub(super) fn slots(self) -> u64 {
        match self {
            Tier::Hz10 => 1,
            Tier::Hz5 => 2,
            Tier::Hz2 => 5,
            Tier::Hz1 => 10,
            Tier::HzHalf => 20,
        }
    }

    /// Whether a beat in `slot` is one of this tier's, whose last was in `last`. With a
    /// beat in every slot each n-th is; where beats are rarer none is left out needlessly.
    pub(super) fn is_due(self, slot: u64, last: u64) -> bool {
        slot / self.slots() > last / self.slots()
    }
}

/// A tier's newest beat, and the newest of its beats that had another frame than the one before.
///
/// Beats that told nothing new do not hold a frame up: the first one after a pause goes out at
/// once, whenever in the pause it comes.
#[derive(Clone, Copy)]
pub(super) struct LastBeat {
    slot: u64,
    fresh_slot: u64,
    tick: Tick,
}

impl LastBeat {
    pub(super) fn after(before: Option<LastBeat>, slot: u64, tick: Tick) -> Self {
        let same_frame = before.filter(|before| before.tick == tick);
        LastBeat {
            slot,
            fresh_slot: same_frame.map_or(slot, |before| before.fresh_slot),
            tick,
        }
    }

    pub(super) fn is_due(&self, tier: Tier, slot: u64, tick: Tick) -> bool {
        let last = if tick == self.tick {
            self.slot
        } else {
            self.fresh_slot
        };
        tier.is_due(slot, last)
    }

    /// The first slot in which the tier may tell the frame of this tick, if it has not.
    pub(super) fn owes(&self, tier: Tier, tick: Tick) -> Option<u64> {
        (tick != self.tick).then(|| (self.fresh_slot / tier.slots() + 1) * tier.slots())
    }
}

/// How many subscriptions each tier has, so that nothing is made that nobody wants.
#[derive(Default)]
pub(super) struct Interest {
    counts: [AtomicUsize; Tier::ALL.len()],
    /// A tier has its first subscription: a beat would be welcome.
    woken: Notify,
}

impl Interest {
    pub(super) fn is_any(&self, tier: Tier) -> bool {
        self.counts[tier as usize].load(Relaxed) > 0
    }

    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    pub(super) fn in_tier(self: &Arc<Self>, tier: Tier) -> Interested {
        if self.counts[tier as usize].fetch_add(1, Relaxed) == 0 {
            self.woken.notify_one();
        }
        Interested {
            tier,
            interest: Arc::clone(self),
        }
    }
}

/// One subscription's interest; ends when dropped.
pub(super) struct Interested {
    tier: Tier,
    interest: Arc<Interest>,
}

impl Interested {
    pub(super) fn tier(&self) -> Tier {
        self.tier
    }
}

impl Drop for Interested {
    fn drop(&mut self) {
        self.interest.counts[self.tier as usize].fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_rate_rounds_down_to_a_tier() {
        let tiers = [
            (None, 5.0),
            (Some(1000.0), 10.0),
            (Some(10.0), 10.0),
            (Some(9.99), 5.0),
            (Some(4.0), 2.0),
            (Some(1.5), 1.0),
            (Some(0.7), 0.5),
            (Some(0.1), 0.5),
        ];
        for (wanted, hz) in tiers {
            assert_eq!(Tier::at_most(wanted).hz(), hz, "{wanted:?}");
        }
    }

    #[test]
    fn after_a_pause_the_first_frame_goes_out_at_once_and_the_next_when_it_may() {
        let tier = Tier::Hz1;
        let mut last = LastBeat::after(None, 3, 7);
        for idle in [13, 23, 33] {
            assert!(last.is_due(tier, idle, 7), "a sign of life");
            assert_eq!(last.owes(tier, 7), None);
            last = LastBeat::after(Some(last), idle, 7);
        }
        assert!(!last.is_due(tier, 35, 7), "no more often than was asked for");
        assert!(last.is_due(tier, 35, 8), "the step's frame");
        last = LastBeat::after(Some(last), 35, 8);
        assert!(!last.is_due(tier, 37, 9));
        assert_eq!(last.owes(tier, 9), Some(40));
        assert!(last.is_due(tier, 40, 9));
    }

    #[test]
    fn ten_seconds_hold_a_tiers_beats() {
        for tier in Tier::ALL {
            for every in [1, 10] {
                let mut last = 0;
                let mut beats = 0;
                for slot in (1..=100).filter(|slot| slot % every == 0) {
                    if tier.is_due(slot, last) {
                        (last, beats) = (slot, beats + 1);
                    }
                }
                let most = 100 / every;
                assert_eq!(
                    beats,
                    most.min((tier.hz() * 10.0) as u64),
                    "{tier:?} every {every}"
                );
            }
        }
    }
}
