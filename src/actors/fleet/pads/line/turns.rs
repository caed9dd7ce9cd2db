//! When the turns of a hub's line come, as far as is known.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use crate::sim::time::{SimDuration, SimTime};

use super::{Claim, HubPads, landing};

/// How the line goes on behind its last, so that who joins need not work out the turns of all
/// before it: a hub that is asked for more than it can send out has thousands of them. It holds
/// where all in the line could leave now, and until anything but joining happens.
#[derive(Clone, Debug, Default)]
pub(in crate::actors::fleet) struct Outlook(Option<Behind>);

#[derive(Clone, Debug)]
struct Behind {
    now: SimTime,
    /// The last turn in it, what that takes, and when it comes.
    through: u64,
    takes: SimDuration,
    at: SimTime,
    frees: BinaryHeap<Reverse<SimTime>>,
}

/// It follows from the rest.
impl PartialEq for Outlook {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl HubPads {
    /// When those in the line have their pads, as far as is known, the soonest first. `ask` says
    /// from when on one can take a pad, and for how long it does. A pad that is free goes to the
    /// first in the line who can take it then: who can only later leaves it to others, and where
    /// several can only from one moment on, as when their hub opens, they go one after the other.
    /// Of so many at the head of the line.
    pub fn expected(
        &self,
        now: SimTime,
        turnaround: SimDuration,
        most: usize,
        ask: impl Fn(Claim) -> (SimTime, SimDuration),
    ) -> Vec<(Claim, SimTime)> {
        let asked = self.line().take(most);
        let asked = asked.map(|(turn, claim)| (turn, claim, self.asked(now, turnaround, claim, &ask)));
        let mut frees = self.heap(now, turnaround);
        take_turns(asked.collect(), &mut frees)
            .into_iter()
            .map(|(_, claim, at)| (claim, at))
            .collect()
    }

    /// The same of this turn alone.
    pub fn expected_at(
        &self,
        outlook: &mut Outlook,
        now: SimTime,
        turnaround: SimDuration,
        turn: u64,
        ask: impl Fn(Claim) -> (SimTime, SimDuration),
    ) -> Option<SimTime> {
        let claim = *self.line.get(&turn)?;
        let (ready, takes) = self.asked(now, turnaround, claim, &ask);
        let is_last = self.last_turn() == Some(turn);
        let before = self.line.range(..turn).next_back().map(|(turn, _)| *turn);
        let behind = outlook.0.as_mut();
        if let Some(behind) = behind.filter(|behind| is_last && behind.now == now && ready <= now) {
            if behind.through == turn && behind.takes == takes {
                return Some(behind.at);
            }
            if before == Some(behind.through) {
                let Reverse(at) = behind.frees.pop()?;
                behind.frees.push(Reverse(at + takes));
                (behind.through, behind.takes, behind.at) = (turn, takes, at);
                return Some(at);
            }
        }
        *outlook = Outlook::default();
        let asked = self.line();
        let asked = asked.map(|(turn, claim)| (turn, claim, self.asked(now, turnaround, claim, &ask)));
        let asked: Vec<_> = asked.collect();
        let can_all_leave = asked.iter().all(|(_, _, (ready, _))| *ready <= now);
        let mut frees = self.heap(now, turnaround);
        let expected = take_turns(asked, &mut frees);
        let at = expected
            .into_iter()
            .find_map(|(other, _, at)| (other == turn).then_some(at))?;
        if is_last && can_all_leave {
            *outlook = Outlook(Some(Behind {
                now,
                through: turn,
                takes,
                at,
                frees,
            }));
        }
        Some(at)
    }

    fn asked(
        &self,
        now: SimTime,
        turnaround: SimDuration,
        claim: Claim,
        ask: &impl Fn(Claim) -> (SimTime, SimDuration),
    ) -> (SimTime, SimDuration) {
        match claim {
            Claim::Landing => {
                let descents = self.holding.values().map(|holding| holding.descent_s);
                let down = landing(descents.fold(0.0, f64::max));
                (now, SimDuration(down.0 + turnaround.0))
            }
            Claim::Mission(_) | Claim::Empty(_) => ask(claim),
        }
    }

    fn heap(&self, now: SimTime, turnaround: SimDuration) -> BinaryHeap<Reverse<SimTime>> {
        let frees = self.frees(now, turnaround).into_iter();
        frees.map(Reverse).collect()
    }

    /// For who puts it back.
    pub fn take_outlook(&mut self) -> Outlook {
        std::mem::take(&mut self.outlook)
    }

    pub fn put_outlook(&mut self, outlook: Outlook) {
        self.outlook = outlook;
    }

    /// What it stands on may have changed.
    pub fn forget_outlook(&mut self) {
        self.outlook = Outlook::default();
    }
}

/// When each has a pad, the soonest first, of those who can take one from some moment on and for so
/// long.
fn take_turns(
    asked: Vec<(u64, Claim, (SimTime, SimDuration))>,
    frees: &mut BinaryHeap<Reverse<SimTime>>,
) -> Vec<(u64, Claim, SimTime)> {
    let first_free = frees.peek().map(|Reverse(at)| *at);
    if asked.iter().all(|(_, _, (ready, _))| Some(*ready) <= first_free) {
        return one_after_the_other(asked, frees);
    }
    let mut expected = Vec::with_capacity(asked.len());
    let not_yet = asked
        .into_iter()
        .map(|(turn, claim, (ready, takes))| Reverse((ready, turn, claim, takes)));
    let mut not_yet: BinaryHeap<_> = not_yet.collect();
    let mut able = BinaryHeap::new();
    let mut at = SimTime::START;
    while let Some(Reverse(free)) = frees.pop() {
        let next = not_yet.peek().filter(|_| able.is_empty());
        let ready = next.map_or(SimTime::START, |Reverse((ready, ..))| *ready);
        // Whoever is left could not before either, however long other pads have been free.
        at = at.max(free).max(ready);
        while let Some(first) = not_yet.peek_mut().filter(|first| first.0.0 <= at) {
            let Reverse((_, turn, claim, takes)) = PeekMut::pop(first);
            able.push(Reverse((turn, claim, takes)));
        }
        let Some(Reverse((turn, claim, takes))) = able.pop() else {
            frees.push(Reverse(free));
            break;
        };
        frees.push(Reverse(at + takes));
        expected.push((turn, claim, at));
    }
    expected
}

/// The same where all can as soon as a pad is free: then nobody leaves one to others.
fn one_after_the_other(
    asked: Vec<(u64, Claim, (SimTime, SimDuration))>,
    frees: &mut BinaryHeap<Reverse<SimTime>>,
) -> Vec<(u64, Claim, SimTime)> {
    let turn = |(turn, claim, (_, takes))| {
        let mut first = frees.peek_mut()?;
        let at = first.0;
        first.0 = at + takes;
        Some((turn, claim, at))
    };
    asked.into_iter().map_while(turn).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sim::ids::DroneId;

    const NOW: SimTime = SimTime(1_000_000_000);
    const TURNAROUND: SimDuration = SimDuration(5_000_000);

    fn claim(number: usize) -> Claim {
        Claim::Empty(DroneId(number as u32))
    }

    /// Pads of which some come free later, and a line; when and for how long each in it asks, s.
    fn lines() -> impl Strategy<Value = (HubPads, Vec<(u64, u64)>)> {
        let asks = vec((prop_oneof![Just(0_u64), 0_u64..300], 1_u64..90), 0..40);
        (vec(0_u64..200, 1..5), asks).prop_map(|(frees_s, asks)| {
            let mut pads = HubPads::new(frees_s.len() as u32);
            for (pad, free_s) in (0..).zip(frees_s) {
                pads.takes(pad, NOW + SimDuration(free_s * 1_000_000));
            }
            for number in 0..asks.len() {
                pads.join(claim(number));
            }
            (pads, asks)
        })
    }

    fn asks(asks: &[(u64, u64)]) -> impl Fn(Claim) -> (SimTime, SimDuration) {
        let by_claim: Vec<_> = (0..).map(claim).zip(asks.iter().copied()).collect();
        move |asked| {
            let found = by_claim.iter().find(|(claim, _)| *claim == asked);
            let (later_s, takes_s) = found.expect("it stands in the line").1;
            (
                NOW + SimDuration(later_s * 1_000_000),
                SimDuration(takes_s * 1_000_000),
            )
        }
    }

    /// Word by word: the pad that is free first goes to the first in the line who can take it then.
    fn one_by_one(pads: &HubPads, ask: &impl Fn(Claim) -> (SimTime, SimDuration)) -> Vec<(Claim, SimTime)> {
        let mut waiting: BTreeMap<u64, Claim> = pads.line().collect();
        let mut frees = pads.frees(NOW, TURNAROUND);
        let mut expected = Vec::new();
        while !waiting.is_empty() {
            let free = frees.iter_mut().min().expect("there is a pad");
            let readies = waiting.values().map(|claim| ask(*claim).0);
            let at = readies.min().expect("somebody waits").max(*free);
            let next = waiting.iter().find(|(_, claim)| ask(**claim).0 <= at);
            let (turn, claim) = next.map(|(turn, claim)| (*turn, *claim)).expect("one can");
            waiting.remove(&turn);
            *free = at + ask(claim).1;
            expected.push((claim, at));
        }
        expected
    }

    proptest! {
        #[test]
        fn pads_go_to_the_first_in_line_who_can_take_them((pads, line) in lines()) {
            let ask = asks(&line);
            let expected = pads.expected(NOW, TURNAROUND, usize::MAX, &ask);
            prop_assert_eq!(expected, one_by_one(&pads, &ask));
        }

        #[test]
        fn who_joins_is_expected_as_if_the_whole_line_were_worked_out((mut pads, line) in lines(), all_can in any::<bool>()) {
            let line: Vec<_> = line.into_iter().map(|(later_s, takes_s)| {
                (if all_can { 0 } else { later_s }, takes_s)
            }).collect();
            let ask = asks(&line);
            let mut joined = HubPads { line: BTreeMap::new(), ..pads.clone() };
            let mut outlook = Outlook::default();
            for (turn, claim) in std::mem::take(&mut pads.line) {
                joined.line.insert(turn, claim);
                let all = one_by_one(&joined, &ask);
                let own = all.iter().find(|(other, _)| *other == claim).map(|(_, at)| *at);
                for _ in 0..2 {
                    prop_assert_eq!(joined.expected_at(&mut outlook, NOW, TURNAROUND, turn, &ask), own);
                }
            }
        }
    }
}
