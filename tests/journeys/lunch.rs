//! San Francisco at noon with most of the fleet in use: how well promised times hold, where all is
//! as forecast, and where it is not.

use std::sync::Arc;

use skyhaul::run::{self, Summary};
use skyhaul::scenario;

use crate::support::worlds::shipped;

fn noon(file: &str) -> Summary {
    let world = scenario::load(&shipped(file)).expect("a shipped world").world;
    let until = world.duration.0 / world.tick.0;
    let ended = run::run(Arc::new(world), 2, until, false, |_| {});
    ended.expect("the world goes on to its end").summary
}

/// Median and 95th percentile of errors in seconds, the longest before the end first.
fn by_time_to_go(summary: &Summary) -> Vec<(f64, f64)> {
    let told = summary.eta.by_time_to_go.iter().map(|told| told.error);
    told.map(|error| (error.p50_seconds.unwrap(), error.p95_seconds.unwrap()))
        .collect()
}

fn assert_most_of_the_fleet_is_in_use(summary: &Summary) {
    let in_use = summary.fleet_use.in_use;
    assert!((0.7..=0.9).contains(&in_use), "{:?}", summary.fleet_use);
}

#[test]
fn where_all_is_as_forecast_so_are_the_times() {
    let summary = noon("lunch");
    assert_most_of_the_fleet_is_in_use(&summary);
    let quote = summary.eta.at_quote;
    assert!(
        quote.p50_share.unwrap() <= 0.05 && quote.p95_share.unwrap() <= 0.15,
        "{quote:?}"
    );
    let a_tick = summary.sim_seconds / summary.ticks as f64;
    let told = by_time_to_go(&summary);
    for (earlier, later) in told.iter().zip(&told[1..]) {
        assert!(later.1 <= earlier.1 + a_tick, "{told:?}");
    }
    assert!(summary.deliveries.completed > 1_000, "{:?}", summary.deliveries);
}

#[test]
fn where_it_is_not_they_are_off_and_less_and_less_so() {
    let summary = noon("lunch-unsettled");
    assert_most_of_the_fleet_is_in_use(&summary);
    assert!(summary.fleet_use.holds > 100, "{:?}", summary.fleet_use);
    let quote = summary.eta.at_quote;
    assert!(quote.p95_share.unwrap() <= 0.25, "{quote:?}");
    let told = by_time_to_go(&summary);
    for (earlier, later) in told.iter().zip(&told[1..]) {
        assert!(later.0 < earlier.0 && later.1 < earlier.1, "{told:?}");
    }
    assert!(summary.deliveries.completed > 1_000, "{:?}", summary.deliveries);
}
