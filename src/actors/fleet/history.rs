//! How far each hub's deliveries came from what was planned for them, and what its next quotes count
//! on besides their plans: what is systematic of it, such as doors that take longer than they are
//! said to.
//!
//! Of each flight the planned end at the door is kept until it is there, those with the recipient's
//! word apart from those without. The mean forgets slowly, over several forecasts, whose errors
//! change sign from one to the next; and a quote counts on it only where it stands out from how far
//! single flights scatter. Times in the air are the sky's and know nothing of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::World;

/// Flights that a mean is made of before it is believed.
const LEAST_FLIGHTS: f64 = 20.0;
/// As if it were made of the last so many.
const MEMORY_FLIGHTS: f64 = 100.0;
/// What nobody would notice in a quote, seconds.
const LEAST_S: f64 = 1.0;
/// No quote is moved further than this, seconds.
const MOST_S: f64 = 60.0;
/// A flight that is further off than this was another one than planned, seconds.
const ODD_S: f64 = 300.0;
/// Count, mean and variance.
const COLUMNS: usize = 3;

/// As flat as snapshots of format 7 have always held it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    /// By hub, without the recipient's word and with it: flights, the mean of actual minus planned
    /// in seconds, and its variance.
    errors: Vec<f64>,
    /// Flights on their way to the door, with where they came from and when they should be done.
    planned: BTreeMap<DroneId, (HubId, SimTime)>,
}

impl History {
    /// Programs before these had one figure for each hub here, made in another way.
    pub fn forget_older(&mut self, world: &World) {
        if self.errors.len() == world.hubs.len() {
            *self = History::default();
        }
    }

    /// Makes room for all hubs of the world, which may have become more.
    pub fn grow(&mut self, world: &World) {
        self.errors.resize(2 * COLUMNS * world.hubs.len(), 0.0);
    }

    /// What a quote counts on besides its plan: nothing where flights are as planned.
    pub fn lean_s(&self, hub: HubId, confirmed: bool) -> f64 {
        let first = place(hub, confirmed);
        let Some(&[flights, mean_s, variance_s2]) = self.errors.get(first..first + COLUMNS) else {
            return 0.0;
        };
        // A forecast's error is one for all that fly by it: of so many flights as are made in its
        // time a mean is no surer than one flight is.
        let is_believed = flights >= LEAST_FLIGHTS && mean_s * mean_s >= variance_s2;
        match is_believed && mean_s.abs() >= LEAST_S {
            true => mean_s.clamp(-MOST_S, MOST_S),
            false => 0.0,
        }
    }

    pub fn sets_out(&mut self, drone: DroneId, hub: HubId, planned: SimTime) {
        self.planned.insert(drone, (hub, planned));
    }

    pub fn arrives(&mut self, drone: DroneId, confirmed: bool, now: SimTime) {
        let Some((hub, planned)) = self.planned.remove(&drone) else {
            return;
        };
        let error_s = now.as_secs() - planned.as_secs();
        let first = place(hub, confirmed);
        if let Some([flights, mean_s, variance_s2]) = self.errors.get_mut(first..first + COLUMNS)
            && error_s.abs() <= ODD_S
        {
            *flights = (*flights + 1.0).min(MEMORY_FLIGHTS);
            let (share, off_s) = (1.0 / *flights, error_s - *mean_s);
            *mean_s += share * off_s;
            *variance_s2 = (1.0 - share) * (*variance_s2 + share * off_s * off_s);
        }
    }

    /// It does not go there any more, or not as planned.
    pub fn gives_up(&mut self, drone: DroneId) {
        self.planned.remove(&drone);
    }
}

fn place(hub: HubId, confirmed: bool) -> usize {
    COLUMNS * (2 * hub.index() + usize::from(confirmed))
}

/// A quote with what history adds to it, but never before its drone is planned to be at the door.
pub(super) fn leaned(at_door: SimTime, door: SimDuration, lean_s: f64) -> SimTime {
    at_door + SimDuration::from_secs((door.as_secs() + lean_s).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::world;

    const HUB: HubId = HubId(0);

    fn flown(errors_s: impl IntoIterator<Item = f64>) -> History {
        let mut history = History::default();
        history.grow(&world(1, 1));
        let (drone, planned_s) = (DroneId(1), 1_000.0);
        for error_s in errors_s {
            history.sets_out(drone, HUB, SimTime::from_secs(planned_s));
            history.arrives(drone, true, SimTime::from_secs(planned_s + error_s));
        }
        history
    }

    fn scattered(mean_s: f64) -> impl Iterator<Item = f64> {
        let scatter_s = [-12.0, 9.0, -4.0, 12.0, -9.0, 4.0];
        scatter_s.into_iter().cycle().map(move |off_s| mean_s + off_s)
    }

    #[test]
    fn what_is_systematic_is_counted_on_once_enough_flights_say_so() {
        let lean_s = |flights| flown(scattered(30.0).take(flights)).lean_s(HUB, true);
        assert_eq!(lean_s(19), 0.0);
        assert!((lean_s(60) - 30.0).abs() < 1.0, "{}", lean_s(60));
        let history = flown(scattered(30.0).take(60));
        assert_eq!(history.lean_s(HUB, false), 0.0, "those without a word are apart");
        assert_eq!(flown(scattered(200.0).take(60)).lean_s(HUB, true), MOST_S);
    }

    #[test]
    fn what_scatters_or_changes_sign_is_not() {
        assert_eq!(flown(scattered(3.0).take(600)).lean_s(HUB, true), 0.0);
        assert_eq!(flown([0.05; 60]).lean_s(HUB, true), 0.0);
        let forecasts = [8.0, -7.0, 10.0, -9.0, 6.0, -8.0];
        let errors = forecasts
            .into_iter()
            .flat_map(|mean_s| scattered(mean_s).take(18));
        assert_eq!(flown(errors).lean_s(HUB, true), 0.0);
    }

    #[test]
    fn another_flight_than_planned_says_nothing() {
        let mut history = flown(scattered(30.0).take(60));
        let before = history.clone();
        history.sets_out(DroneId(1), HUB, SimTime::from_secs(100.0));
        history.gives_up(DroneId(1));
        history.arrives(DroneId(1), true, SimTime::from_secs(120.0));
        history.sets_out(DroneId(1), HUB, SimTime::from_secs(100.0));
        history.arrives(DroneId(1), true, SimTime::from_secs(500.0));
        assert_eq!(history, before);
    }

    #[test]
    fn no_quote_is_for_before_the_drone_is_there() {
        let (at_door, door) = (SimTime::from_secs(500.0), SimDuration::from_secs(20.0));
        let quote_s = |lean_s| leaned(at_door, door, lean_s).as_secs();
        assert_eq!(
            [0.0, 15.0, -8.0, -40.0].map(quote_s),
            [520.0, 535.0, 512.0, 500.0]
        );
    }
}
