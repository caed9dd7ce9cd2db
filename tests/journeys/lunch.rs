//! San Francisco at noon with most of the fleet in use: how well promised times hold, where all is
//! as forecast, and where it is not.

use std::sync::Arc;

use skyhaul::run::{self, Ended, Summary};
use skyhaul::scenario;
use skyhaul::sim::promise::{Kept, TIMES_TO_GO};

use crate::support::worlds::shipped;

fn noon(file: &str) -> Ended {
    let world = scenario::load(&shipped(file)).expect("a shipped world").world;
    let until = world.duration.0 / world.tick.0;
    let ended = run::run(Arc::new(world), 2, until, false, |_| {});
    ended.expect("the world goes on to its end")
}

/// Median and 95th percentile of absolute errors at one moment after the other: at the first quote,
/// and from so long before the end on, always of the same trips, those that had been quoted by then.
fn of_the_same_trips(promises: &[Kept], first: usize) -> Vec<(f64, f64)> {
    let is_meant = |kept: &&Kept| kept.by_time_to_go_s[first].is_some();
    let trips: Vec<&Kept> = promises.iter().filter(is_meant).collect();
    assert!(
        trips.len() > 50,
        "{} trips {} s before",
        trips.len(),
        TIMES_TO_GO[first]
    );
    let percentiles = |error_s: &dyn Fn(&Kept) -> f64| {
        let mut errors: Vec<f64> = trips.iter().map(|kept| error_s(kept).abs()).collect();
        errors.sort_unstable_by(f64::total_cmp);
        (errors[errors.len() / 2], errors[errors.len() * 95 / 100])
    };
    let before_end = |index: usize| move |kept: &Kept| kept.by_time_to_go_s[index].expect("quoted earlier");
    let at_quote = percentiles(&|kept| kept.at_quote_s);
    let later = (first..TIMES_TO_GO.len()).map(|index| percentiles(&before_end(index)));
    std::iter::once(at_quote).chain(later).collect()
}

fn assert_most_of_the_fleet_is_in_use(summary: &Summary) {
    let in_use = summary.fleet_use.in_use;
    assert!((0.7..=0.9).contains(&in_use), "{:?}", summary.fleet_use);
}

#[test]
fn where_all_is_as_forecast_so_are_the_times() {
    let Ended {
        summary, promises, ..
    } = noon("lunch");
    assert_most_of_the_fleet_is_in_use(&summary);
    let quote = summary.eta.at_quote;
    assert!(
        quote.p50_share.unwrap() <= 0.05 && quote.p95_share.unwrap() <= 0.15,
        "{quote:?}"
    );
    let a_tick = summary.sim_seconds / summary.ticks as f64;
    for first in 0..TIMES_TO_GO.len() {
        let told = of_the_same_trips(&promises, first);
        for (earlier, later) in told.iter().zip(&told[1..]) {
            assert!(
                later.0 <= earlier.0 + a_tick && later.1 <= earlier.1 + a_tick,
                "{told:?}"
            );
        }
    }
    assert!(summary.deliveries.completed > 1_000, "{:?}", summary.deliveries);
}

#[test]
fn where_it_is_not_they_are_off_and_less_and_less_so() {
    let Ended {
        summary, promises, ..
    } = noon("lunch-unsettled");
    assert_most_of_the_fleet_is_in_use(&summary);
    assert!(summary.fleet_use.holds > 100, "{:?}", summary.fleet_use);
    let quote = summary.eta.at_quote;
    assert!(quote.p95_share.unwrap() <= 0.25, "{quote:?}");
    for first in 0..TIMES_TO_GO.len() {
        let told = of_the_same_trips(&promises, first);
        for (earlier, later) in told.iter().zip(&told[1..]) {
            assert!(later.0 < earlier.0 && later.1 < earlier.1, "{told:?}");
        }
    }
    for row in &summary.eta.by_time_to_go {
        assert!(row.error.p95_seconds < row.at_quote.p95_seconds, "{row:?}");
    }
    assert!(summary.deliveries.completed > 1_000, "{:?}", summary.deliveries);
}
