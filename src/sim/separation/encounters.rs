//! Encounters: a pair of drones from when one was first predicted to come too close to the
//! other, or did, until neither has been so for a while. Whatever is counted is counted once
//! in each. Around hubs, where everybody is close to everybody, one is of a drone with whoever is
//! there: pairs would be the square of the drones.

use serde::{Deserialize, Serialize};

use super::super::time::{SimDuration, SimTime};
use super::body::{Closeness, Minima, Pair};

/// After so long without either a loss or a prediction an encounter is over.
const QUIET: SimDuration = SimDuration(10_000_000);

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Encounter {
    pair: Pair,
    /// Last lost, or predicted.
    last: SimTime,
    /// Outside of all terminal volumes, and how deep and close it went.
    lost: Option<Lowest>,
    lost_in_terminal: bool,
    predicted: bool,
    /// One of them has been told to make way.
    resolved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Lowest {
    depth: f32,
    horizontal_m: f32,
}

/// What has come of all encounters so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Predicted losses outside of terminal volumes; a loss that nobody predicted is one from
    /// the moment in which it begins.
    pub conflicts: u64,
    pub losses: u64,
    /// Drones that came too close to any other around a hub, until they kept clear of all.
    pub terminal_losses: u64,
    /// Over losses: the deepest [`Closeness::depth`] of each, and the least horizontal distance.
    pub severity_sum: f64,
    pub severity_max: f64,
    pub closest_sum_m: f64,
    /// Seconds in the air, of all drones.
    pub airborne_s: f64,
    /// Manoeuvres of those who made way, and how much longer their ways became.
    pub resolutions: u64,
    pub added_m: f64,
    /// Take-offs that were checked, and what they were put off by, seconds.
    pub departures: u64,
    pub delay_s: f64,
}

/// What is known of a pair in this tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sign {
    Lost(Closeness),
    /// Of one drone, whoever the other is.
    LostInTerminal,
    Predicted,
}

/// With the rows of the two.
pub type Signed = (Pair, Sign, [u32; 2]);

/// What a sign is the first of its kind for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    Loss,
    /// It goes on being predicted, and nobody has made way yet.
    Unresolved,
}

/// Those under way, by pair.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Encounters(Vec<Encounter>);

/// Those of the look before: their memory is that of the next.
#[derive(Clone, Debug, Default)]
pub struct Replaced(Vec<Encounter>);

impl Encounters {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes in what is known of pairs, which come in order, losses before predictions of the
    /// same pair; ends what is over. Answers with the numbers of the signs that are news.
    pub fn take_in(
        &mut self,
        signs: &[Signed],
        now: SimTime,
        minima: Minima,
        counts: &mut Counts,
        Replaced(replaced): &mut Replaced,
    ) -> Vec<(usize, News)> {
        let mut news = Vec::new();
        if signs.is_empty() && self.0.is_empty() {
            return news;
        }
        std::mem::swap(&mut self.0, replaced);
        self.0.clear();
        self.0.reserve(replaced.len() + signs.len());
        let goes_on = |encounter: &Encounter| now.since(encounter.last) < QUIET;
        let mut before = replaced.iter().copied().filter(goes_on).peekable();
        let mut number = 0;
        while let Some((pair, ..)) = signs.get(number) {
            while let Some(earlier) = before.next_if(|encounter| encounter.pair < *pair) {
                self.0.push(earlier);
            }
            let known = before.next_if(|encounter| encounter.pair == *pair);
            let mut encounter = known.unwrap_or(Encounter {
                pair: *pair,
                last: now,
                lost: None,
                lost_in_terminal: false,
                predicted: false,
                resolved: false,
            });
            encounter.last = now;
            while let Some((_, sign, _)) = signs.get(number).filter(|(other, ..)| other == pair) {
                news.extend(encounter.take_in(*sign, minima, counts).map(|of| (number, of)));
                number += 1;
            }
            self.0.push(encounter);
        }
        self.0.extend(before);
        news
    }

    /// Somebody makes way: nobody is asked again.
    pub fn resolve(&mut self, pair: Pair) {
        if let Ok(found) = self.0.binary_search_by_key(&pair, |encounter| encounter.pair) {
            self.0[found].resolved = true;
        }
    }
}

impl Encounter {
    fn take_in(&mut self, sign: Sign, minima: Minima, counts: &mut Counts) -> Option<News> {
        match sign {
            Sign::LostInTerminal => {
                counts.terminal_losses += u64::from(!self.lost_in_terminal);
                self.lost_in_terminal = true;
                None
            }
            Sign::Lost(closeness) => {
                self.count_conflict(counts);
                let is_new = self.lost.is_none();
                self.lost = Some(deeper(self.lost, closeness, minima, counts));
                is_new.then_some(News::Loss)
            }
            Sign::Predicted => {
                self.count_conflict(counts);
                (!self.resolved && self.lost.is_none()).then_some(News::Unresolved)
            }
        }
    }

    fn count_conflict(&mut self, counts: &mut Counts) {
        counts.conflicts += u64::from(!self.predicted);
        self.predicted = true;
    }
}

/// The deepest so far; the sums follow it.
fn deeper(before: Option<Lowest>, closeness: Closeness, minima: Minima, counts: &mut Counts) -> Lowest {
    counts.losses += u64::from(before.is_none());
    let was = before.unwrap_or(Lowest {
        depth: 0.0,
        horizontal_m: 0.0,
    });
    let closest = before.map_or(closeness.horizontal_m, |lowest| {
        lowest.horizontal_m.min(closeness.horizontal_m)
    });
    let now = Lowest {
        depth: was.depth.max(closeness.depth(minima)),
        horizontal_m: closest,
    };
    counts.severity_sum += f64::from(now.depth) - f64::from(was.depth);
    counts.severity_max = counts.severity_max.max(f64::from(now.depth));
    counts.closest_sum_m += f64::from(now.horizontal_m) - f64::from(was.horizontal_m);
    now
}

impl Counts {
    /// What has come of those since `earlier`, a moment of the same world; the deepest is that of all.
    pub fn since(&self, earlier: &Counts) -> Counts {
        Counts {
            conflicts: self.conflicts.saturating_sub(earlier.conflicts),
            losses: self.losses.saturating_sub(earlier.losses),
            terminal_losses: self.terminal_losses.saturating_sub(earlier.terminal_losses),
            severity_sum: self.severity_sum - earlier.severity_sum,
            severity_max: self.severity_max,
            closest_sum_m: self.closest_sum_m - earlier.closest_sum_m,
            airborne_s: self.airborne_s - earlier.airborne_s,
            resolutions: self.resolutions.saturating_sub(earlier.resolutions),
            added_m: self.added_m - earlier.added_m,
            departures: self.departures.saturating_sub(earlier.departures),
            delay_s: self.delay_s - earlier.delay_s,
        }
    }

    /// BlueSky's intrusion prevention rate; `None` without conflicts.
    pub fn prevention_rate(&self) -> Option<f64> {
        ratio(self.conflicts as f64 - self.losses as f64, self.conflicts as f64)
    }

    pub fn flight_hours(&self) -> f64 {
        self.airborne_s / 3_600.0
    }

    /// The mean of how deep losses went.
    pub fn severity(&self) -> Option<f64> {
        ratio(self.severity_sum, self.losses as f64)
    }

    /// The mean of how close losses came, metres.
    pub fn closest_m(&self) -> Option<f64> {
        ratio(self.closest_sum_m, self.losses as f64)
    }

    pub fn added_m_per_flight_hour(&self) -> Option<f64> {
        ratio(self.added_m, self.flight_hours())
    }

    pub fn mean_delay_s(&self) -> Option<f64> {
        ratio(self.delay_s, self.departures as f64)
    }
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
