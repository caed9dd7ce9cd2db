//! Pads that landings leave to those who have a time to leave at, where ways are kept free
//! (`ground_delay`).
//!
//! Who finds no pad at its time has to find another time, which may be minutes later and is not
//! what its customer was told. A landing takes a pad up for a minute or more: it holds, as long as
//! it can, where somebody in the line would miss a time by it.

use crate::sim::separation::Strategic;
use crate::sim::time::{SimDuration, SimTime};

use super::{Claim, HubId};
use crate::actors::fleet::{Context, Fleet, NEARLY};

impl Fleet {
    /// Until when one in the air, whose landing would take a pad up for so long, leaves it to
    /// others, where it is to.
    pub(super) fn leaves_pad_until(
        &self,
        context: &Context,
        hub: HubId,
        takes: SimDuration,
    ) -> Option<SimTime> {
        if context.world.separation.strategic == Strategic::None {
            return None;
        }
        let (now, pads) = (context.now, self.pads.of(hub));
        let slots = pads.line().filter_map(|(_, claim)| self.slot(claim));
        let mut slots: Vec<_> = slots.filter(|(at, _)| (now..now + takes).contains(at)).collect();
        slots.sort_unstable();
        let last = slots.iter().map(|(at, takes)| *at + *takes).max()?;
        let frees = pads.frees(now, context.world.hub(hub).turnaround);
        let mut with_landing = frees.clone();
        *with_landing.iter_mut().min()? = now + takes;
        (missed(with_landing, &slots) > missed(frees, &slots)).then_some(last)
    }

    /// The same of the one that holds and is to come down next, if it can wait for so long.
    pub(in crate::actors::fleet) fn next_landing_waits_until(
        &self,
        context: &Context,
        hub: HubId,
    ) -> Option<SimTime> {
        let turnaround = context.world.hub(hub).turnaround;
        let (takes, lasts_until) = self.pads.of(hub).next_landing(turnaround)?;
        let until = self.leaves_pad_until(context, hub, takes)?;
        (until <= lasts_until).then_some(until)
    }

    /// When one of the line is to leave, and for how long it takes a pad up.
    fn slot(&self, claim: Claim) -> Option<(SimTime, SimDuration)> {
        let Claim::Mission(id) = claim else { return None };
        let kept = self.kept.get(&id)?;
        let at = self.intents.begins(kept.drone)?;
        Some((at, kept.on_pad()))
    }
}

/// How many find no pad at their times, with pads that are free from these on.
fn missed(mut frees: Vec<SimTime>, slots: &[(SimTime, SimDuration)]) -> usize {
    let misses = |(at, takes): &&(SimTime, SimDuration)| {
        frees.iter_mut().min().is_some_and(|first| {
            let misses = *first > *at + NEARLY;
            *first = (*first).max(*at) + *takes;
            misses
        })
    };
    slots.iter().filter(misses).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_no_pad_at_its_time_is_counted() {
        let (at, takes) = (SimTime::from_secs, SimDuration::from_secs(15.0));
        let slots = [40.0, 50.0, 55.0].map(|at_s| (at(at_s), takes));
        let missed = |frees_s: &[f64]| missed(frees_s.iter().map(|free_s| at(*free_s)).collect(), &slots);
        assert_eq!(missed(&[0.0, 0.0]), 0, "the third has the first one's pad");
        assert_eq!(missed(&[0.0, 51.0]), 0, "nearly at its time");
        assert_eq!(missed(&[0.0, 60.0]), 2);
        assert_eq!(missed(&[0.0]), 2);
    }
}
