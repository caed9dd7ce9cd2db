//! Claims of those who wait: they grow with age, and from some age on drones are saved for them.
//!
//! A far trip takes a battery that is nearly full. Where more is asked for than can be flown, none
//! becomes that: each drone is taken as soon as it holds enough for a near one. So for the greatest
//! claims the fullest drones of some pairs go on charging, while others serve who else waits: a
//! reservation, as schedulers of computers make one for the big job that small ones are filled in
//! around (backfilling). Of a pair, and of all, only a share is saved, so that the rest loses little.

use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::{DispatchRules, World};

/// What is asked for expedited has waited for as long in a third of the time.
const EXPEDITED_WEIGHT: u64 = 3;
/// Who has waited for this share of what requests wait for a drone has a claim, and at the latest
/// after so long.
const SHARE_OF_PATIENCE: u64 = 4;
const LONGEST: SimDuration = SimDuration(600_000_000);
/// Of a pair one drone in so many is saved at most, and of all drones.
const ONE_OF_PAIR: u32 = 12;
const ONE_OF_ALL: u32 = 16;
/// Claims that are looked at.
const MOST_CLAIMS: usize = 64;

/// What its waiting counts for; `None` before that is a claim.
pub fn claim(rules: &DispatchRules, expedited: bool, since: SimTime, now: SimTime) -> Option<SimDuration> {
    let weight = if expedited { EXPEDITED_WEIGHT } else { 1 };
    let counted = SimDuration(now.since(since).0.saturating_mul(weight));
    let patience = SimDuration(rules.max_wait.0 / SHARE_OF_PATIENCE).min(LONGEST);
    (counted >= patience).then_some(counted)
}

/// For so many claims drones are saved at most, the greatest.
pub fn most_claims(world: &World) -> usize {
    let (pairs, drones) = (world.pairs(), |pair| world.pairs().in_service(pair));
    let all: u32 = (0..pairs.len()).map(drones).sum();
    ((all / ONE_OF_ALL) as usize).clamp(1, MOST_CLAIMS)
}

/// A drone that is saved: of this pair, behind so many of its fullest that are saved for greater
/// claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub pair: usize,
    pub behind: usize,
}

/// How many of each pair's fullest drones are saved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saved(Vec<u32>);

impl Saved {
    pub fn of(&self, pair: usize) -> usize {
        self.0.get(pair).map_or(0, |saved| *saved as usize)
    }

    /// One more, of the pair that `need_wh` (what a battery must hold at take-off; infinite where
    /// none is enough) takes the least share of, among those that still have one to save.
    pub fn save(&mut self, world: &World, need_wh: impl Fn(usize) -> f64) -> Option<Place> {
        let pairs = world.pairs();
        self.0.resize(pairs.len(), 0);
        let share = |pair: usize| {
            let has_more = self.0[pair] < pairs.in_service(pair).div_ceil(ONE_OF_PAIR);
            let capacity_wh = world.model(pairs.get(pair).model).battery.capacity_wh;
            let share = has_more.then(|| need_wh(pair) / capacity_wh);
            share.filter(|share| *share <= 1.0).map(|share| (share, pair))
        };
        let least = (0..pairs.len())
            .filter_map(share)
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let (_, pair) = least?;
        let behind = self.of(pair);
        self.0[pair] += 1;
        Some(Place { pair, behind })
    }
}
