//! Lines that are too long to be worked out turn by turn whenever somebody asks: a hub that is
//! asked for far more than it can send out has thousands in its line. What a line takes in
//! all is known at any time; its pads share that evenly.

use std::collections::BTreeMap;

use crate::sim::time::{SimDuration, SimTime};

use super::HubPads;

/// More than so many are a long line.
const LONG: usize = 250;
/// About what the take-off of one without a package takes its pad up for, and a landing at least.
pub(in crate::actors::fleet) const CLIMB: SimDuration = SimDuration(15_000_000);

/// For how long those in a line who have told it will take a pad up, by turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Takes {
    told: BTreeMap<u64, SimDuration>,
    sum: SimDuration,
}

impl Takes {
    pub fn set(&mut self, turn: u64, takes: SimDuration) {
        self.forget(turn);
        self.told.insert(turn, takes);
        self.sum = SimDuration(self.sum.0 + takes.0);
    }

    pub fn forget(&mut self, turn: u64) {
        let before = self.told.remove(&turn);
        self.sum = SimDuration(self.sum.0 - before.map_or(0, |before| before.0));
    }
}

impl HubPads {
    pub fn is_long(&self) -> bool {
        self.length() > LONG
    }

    /// For so long this turn takes a pad up. Outlooks on one that is told another time are void.
    pub fn will_take(&mut self, turn: u64, takes: SimDuration) {
        self.takes.set(turn, takes);
    }

    /// About when this turn of a long line comes, or that of one who would join: within what one
    /// takes a pad up for, where turns are much alike and have been left from all parts of it.
    pub fn roughly_at(&self, now: SimTime, turnaround: SimDuration, turn: u64) -> SimTime {
        let frees = self.frees(now, turnaround);
        let pads = frees.len().max(1) as u64;
        let untold = (self.length() - self.takes.told.len()) as u64;
        let all_take = self.takes.sum.0 + untold * CLIMB.0;
        let until_free: u64 = frees.iter().map(|at| at.since(now).0).sum();
        let (first, end) = (
            self.next_in_line(None).map_or(0, |(turn, _)| turn),
            self.next_turn,
        );
        // Of all turns, those before it.
        let before =
            u128::from(all_take) * u128::from(turn.saturating_sub(first)) / u128::from((end - first).max(1));
        // A pad is in the middle of a turn, on average, when another becomes free.
        let half = all_take / (2 * self.length().max(1) as u64);
        now + SimDuration(((until_free + before as u64) / pads).saturating_sub(half))
    }

    /// The turn of the first in the air, or of one who would join.
    pub fn first_in_the_air(&self) -> u64 {
        let turns = self.holding.values().map(|holding| holding.turn);
        turns.min().unwrap_or(self.next_turn)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::Claim;
    use super::*;
    use crate::sim::ids::{DeliveryId, DroneId};

    const NOW: SimTime = SimTime(1_000_000_000);
    const TURNAROUND: SimDuration = SimDuration(5_000_000);
    const LONGEST: SimDuration = SimDuration(25_000_000);

    fn id(number: usize) -> DeliveryId {
        DeliveryId::from_bytes((number as u128).to_be_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_turn_of_a_long_line_comes_about_when_it_is_said_to(
            frees_s in vec(0_u64..30, 1..80),
            takes_us in vec(8_000_000..LONGEST.0, LONG + 1..3_000),
            leave in 1_usize..50,
            asked in 0.0..1.0_f64,
        ) {
            let mut pads = HubPads::new(frees_s.len() as u32);
            for (pad, free_s) in (0..).zip(frees_s) {
                pads.takes(pad, NOW + SimDuration(free_s * 1_000_000));
            }
            for (number, takes) in takes_us.iter().enumerate() {
                let turn = pads.join(Claim::Mission(id(number)));
                pads.will_take(turn, SimDuration(*takes));
                // Some are given back, and join again behind the others.
                if number % leave == 0 {
                    pads.leave(turn);
                    let turn = pads.join(Claim::Mission(id(number)));
                    pads.will_take(turn, SimDuration(*takes));
                }
            }
            prop_assert!(pads.is_long());
            let takes = |claim| match claim {
                Claim::Mission(id) => SimDuration(takes_us[u128::from_be_bytes(*id.as_bytes()) as usize]),
                Claim::Landing | Claim::Empty(_) => CLIMB,
            };
            let expected = pads.expected(NOW, TURNAROUND, usize::MAX, |claim| (NOW, takes(claim)));
            let place = (asked * expected.len() as f64) as usize;
            let (claim, at) = expected[place];
            let turn = pads.turn_of(claim).expect("it stands in the line");
            let said = pads.roughly_at(NOW, TURNAROUND, turn);
            let off = said.since(at).0.max(at.since(said).0);
            let waits = at.since(NOW).0;
            prop_assert!(off < 2 * LONGEST.0 + waits / 10, "{said:?} said, {at:?} expected");

            // One with nothing to say of itself joins and leaves, and nothing stays of it.
            let before = pads.clone();
            let turn = pads.join(Claim::Empty(DroneId(1)));
            prop_assert!(pads.roughly_at(NOW, TURNAROUND, turn) >= said);
            pads.leave(turn);
            pads.mark(|id| Some((false, takes(Claim::Mission(id)))));
            prop_assert_eq!(&pads.takes, &before.takes);
        }
    }
}
