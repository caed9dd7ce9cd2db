//! Third-party transport: a carrier with vans on the ground, for what no drone can take.
//!
//! Pure: what the carrier says when it is asked, and what then becomes of the job, both a
//! function of the order, the time and the seed. The times that it says are means; those that
//! come are drawn around them.

use serde::{Deserialize, Serialize};

use super::event::Etas;
use super::geo;
use super::ids::DeliveryId;
use super::order::Order;
use super::random::{Purpose, Stream};
use super::time::{SimDuration, SimTime};

/// What a world knows of it. Its defaults are those of a courier in a city: see each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Carrier {
    /// What customers are shown.
    pub name: String,
    /// Jobs at once; 0 where there is no carrier.
    pub capacity: u32,
    /// In town, door to door.
    pub speed_mps: f64,
    /// On what is left of the way after [`TOWN_M`], where it is faster.
    pub long_haul_speed_mps: f64,
    /// Length of the way by road over that of the straight line.
    pub detour: f64,
    /// The heaviest package.
    pub max_payload_kg: f64,
    /// Until a van is at the pick-up, on average.
    pub pickup_delay: SimDuration,
    /// At each of the two doors.
    pub handling: SimDuration,
    /// Standard deviation of the time on the road, as a share of it.
    pub deviation: f64,
    /// Share of jobs that come to nothing on the way.
    pub failure_rate: f64,
    pub price: Price,
}

/// In whatever the scenario counts money in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Price {
    pub base: f64,
    /// By road.
    pub per_km: f64,
}

/// How far a van drives at its speed in town; the rest of a longer way is on motorways.
pub const TOWN_M: f64 = 30_000.0;

impl Default for Carrier {
    fn default() -> Self {
        Carrier {
            name: "third-party".to_owned(),
            capacity: 200,
            speed_mps: 8.0,
            long_haul_speed_mps: 25.0,
            // Boscoe, Henry and Zdeb (2012) found 1.42 between homes and hospitals all over the
            // United States; dense grids have less.
            detour: 1.4,
            max_payload_kg: 1_000.0,
            pickup_delay: SimDuration::from_secs(900.0),
            handling: SimDuration::from_secs(120.0),
            deviation: 0.1,
            failure_rate: 0.0,
            price: Price {
                base: 8.0,
                per_km: 1.2,
            },
        }
    }
}

/// Why the carrier does not take an order, however often it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {
    NoCarrier,
    TooHeavy,
}

/// One order in the carrier's hands, from being taken to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What the customer is told at the beginning.
    pub quoted: Etas,
    /// What comes of it, unless it fails before.
    pub actual: Etas,
    /// When the van breaks down, or whatever else ends such a job.
    pub fails_at: Option<SimTime>,
}

/// What a job comes to next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Turn {
    PickedUp,
    /// Half of the road is behind it, and it is known how fast that goes.
    HalfWay,
    Delivered,
    Failed,
    /// On its way to the pick-up: it is known when it is there.
    SetOut,
}

impl Carrier {
    /// By road, metres.
    pub fn way_m(&self, order: &Order) -> f64 {
        geo::great_circle_m(order.pickup.location, order.dropoff.location) * self.detour
    }

    pub fn price_of(&self, order: &Order) -> f64 {
        self.price.base + self.price.per_km * self.way_m(order) / 1_000.0
    }

    fn on_the_road_s(&self, order: &Order) -> f64 {
        let way_m = self.way_m(order);
        let in_town_m = way_m.min(TOWN_M);
        let long_haul_mps = self.long_haul_speed_mps.max(self.speed_mps);
        in_town_m / self.speed_mps + (way_m - in_town_m) / long_haul_mps
    }

    /// # Errors
    /// Where it never would.
    pub fn takes(&self, order: &Order) -> Result<(), Never> {
        if self.capacity == 0 {
            Err(Never::NoCarrier)
        } else if order.package.weight_kg > self.max_payload_kg {
            Err(Never::TooHeavy)
        } else {
            Ok(())
        }
    }

    /// What becomes of the order if it is taken now. Asked at another time the numbers drawn are
    /// others, so that what failed once may go well the next time.
    pub fn plan(&self, seed: u64, id: DeliveryId, order: &Order, now: SimTime) -> Job {
        let mut stream = Stream::new(seed, entity(id, now), Purpose::Carrier);
        let road_s = self.on_the_road_s(order);
        let times = |delay_s: f64, road_s: f64| {
            let there = (now + SimDuration::from_secs(delay_s)).max(order.not_before);
            let pickup = there + self.handling;
            Etas {
                pickup,
                delivery: pickup + SimDuration::from_secs(road_s) + self.handling,
            }
        };
        let delay_s = self.pickup_delay.as_secs();
        let drawn_delay_s = delay_s * stream.uniform_in(0.5, 1.5);
        // Nobody drives twice as fast as planned, however lucky.
        let pace = (1.0 + self.deviation * stream.normal()).max(0.5);
        let fails = stream.uniform() < self.failure_rate;
        let share = stream.uniform();
        let actual = times(drawn_delay_s, road_s * pace);
        let whole_s = actual.delivery.since(now).as_secs();
        Job {
            quoted: times(delay_s, road_s),
            actual,
            fails_at: fails.then(|| now + SimDuration::from_secs(whole_s * share)),
        }
    }
}

impl Job {
    /// Its first turn, and when, of a job that is taken now.
    pub fn first_turn(&self, now: SimTime) -> (SimTime, Turn) {
        let half = SimDuration(self.actual.pickup.since(now).0 / 2);
        self.unless_it_fails(now + half, Turn::SetOut)
    }

    /// What follows this one; `None` after its end.
    pub fn turn_after(&self, turn: Turn) -> Option<(SimTime, Turn)> {
        let Etas { pickup, delivery } = self.actual;
        match turn {
            Turn::SetOut => Some(self.unless_it_fails(pickup, Turn::PickedUp)),
            Turn::PickedUp => {
                let half = SimDuration(delivery.since(pickup).0 / 2);
                Some(self.unless_it_fails(pickup + half, Turn::HalfWay))
            }
            Turn::HalfWay => Some(self.unless_it_fails(delivery, Turn::Delivered)),
            Turn::Delivered | Turn::Failed => None,
        }
    }

    fn unless_it_fails(&self, at: SimTime, turn: Turn) -> (SimTime, Turn) {
        match self.fails_at {
            Some(fails_at) if fails_at <= at => (fails_at, Turn::Failed),
            _ => (at, turn),
        }
    }

    /// What the customer is told once it is known when the package is picked up: the rest as it was
    /// planned.
    pub fn told_at_pickup(&self) -> Etas {
        let pickup = self.actual.pickup;
        let planned = self.quoted.delivery.since(self.quoted.pickup);
        Etas {
            pickup,
            delivery: pickup + planned,
        }
    }
}

fn entity(id: DeliveryId, now: SimTime) -> u64 {
    // The last half of an id is random.
    u128::from_be_bytes(*id.as_bytes()) as u64 ^ now.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::geo::LatLon;
    use crate::sim::order::{ConfirmationRequired, ContainerSize, Owner, Package, Stop};

    fn order(from: (f64, f64), to: (f64, f64)) -> Order {
        let stop = |(lat, lon)| Stop {
            location: LatLon { lat, lon },
            altitude_m: 0.0,
        };
        Order {
            owner: Owner::account("shop"),
            pickup: stop(from),
            dropoff: stop(to),
            package: Package {
                id: "p".into(),
                size: ContainerSize::Large,
                weight_kg: 50.0,
                tag: None,
            },
            expedited: false,
            confirmation: ConfirmationRequired::None,
            deadline: String::new(),
            not_before: SimTime::START,
        }
    }

    fn across_town() -> Order {
        order((37.7955, -122.3937), (37.7596, -122.4269))
    }

    fn id(number: u8) -> DeliveryId {
        DeliveryId::new(1, [number; 10])
    }

    #[test]
    fn the_coast_to_coast_way_takes_vans_two_and_a_half_days() {
        let carrier = Carrier::default();
        let order = order((36.778261, -119.417932), (37.431573, -78.656894));
        let straight_km = carrier.way_m(&order) / carrier.detour / 1_000.0;
        assert!((straight_km - 3_587.0).abs() < 10.0, "{straight_km}");
        let job = carrier.plan(1, id(1), &order, SimTime::START);
        let days = job.quoted.delivery.as_secs() / 86_400.0;
        assert!((2.0..3.0).contains(&days), "{days}");
    }

    #[test]
    fn quotes_are_means_and_what_comes_is_drawn_around_them_by_id_and_time() {
        let (carrier, order) = (Carrier::default(), across_town());
        let plan = |number, at| carrier.plan(7, id(number), &order, SimTime::from_secs(at));
        assert_eq!(plan(1, 0.0), plan(1, 0.0));
        assert_ne!(plan(1, 0.0).actual, plan(2, 0.0).actual);
        let missed_s = |number, at| {
            let job = plan(number, at);
            job.actual.delivery.as_secs() - job.quoted.delivery.as_secs()
        };
        assert_ne!(missed_s(1, 0.0), missed_s(1, 1.0));
        let mean_s = (0..200).map(|number| missed_s(number, 0.0)).sum::<f64>() / 200.0;
        assert!(mean_s.abs() < 60.0, "{mean_s}");
    }

    #[test]
    fn a_pick_up_is_not_before_its_time() {
        let carrier = Carrier::default();
        let not_before = SimTime::from_secs(10_000.0);
        let order = Order {
            not_before,
            ..across_town()
        };
        let job = carrier.plan(7, id(1), &order, SimTime::START);
        assert_eq!(job.quoted.pickup, not_before + carrier.handling);
        assert_eq!(job.actual.pickup, not_before + carrier.handling);
    }

    #[test]
    fn jobs_go_through_their_turns_and_as_many_fail_as_the_scenario_says() {
        let turns = |job: Job| {
            let mut turns = vec![job.first_turn(SimTime::START)];
            while let Some(next) = job.turn_after(turns[turns.len() - 1].1) {
                turns.push(next);
            }
            assert!(turns.is_sorted_by_key(|(at, _)| *at), "{turns:?}");
            turns.into_iter().map(|(_, turn)| turn).collect::<Vec<_>>()
        };
        let whole = [Turn::SetOut, Turn::PickedUp, Turn::HalfWay, Turn::Delivered];
        for (failure_rate, at_least, at_most) in [(0.0, 0, 0), (0.3, 40, 80), (1.0, 200, 200)] {
            let carrier = Carrier {
                failure_rate,
                ..Carrier::default()
            };
            let mut failed = 0;
            for number in 0..200 {
                let turns = turns(carrier.plan(7, id(number), &across_town(), SimTime::START));
                let (last, before) = turns.split_last().expect("at least one");
                assert_eq!(before, &whole[..before.len()]);
                assert!(*last == Turn::Failed || turns == whole);
                failed += u32::from(*last == Turn::Failed);
            }
            assert!((at_least..=at_most).contains(&failed), "{failed}");
        }
    }

    #[test]
    fn what_it_never_takes() {
        let none = Carrier {
            capacity: 0,
            ..Carrier::default()
        };
        assert_eq!(none.takes(&across_town()), Err(Never::NoCarrier));
        let mut heavy = across_town();
        heavy.package.weight_kg = 1_001.0;
        assert_eq!(Carrier::default().takes(&heavy), Err(Never::TooHeavy));
        assert_eq!(Carrier::default().takes(&across_town()), Ok(()));
    }
}
