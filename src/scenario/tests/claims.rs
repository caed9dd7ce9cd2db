//! Who has a claim, and what is saved for it.

use super::*;
use crate::sim::dispatch::claims::{self, Saved, most_claims};
use crate::sim::world::{DispatchRules, World};

/// A hub with so many drones of one type.
fn world(drones: u32) -> World {
    let source = format!(
        r#"
name = "claims"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "1h"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
[dispatch]
max_wait = "20m"
[[hub]]
id = "mission"
name = "Mission"
location = [37.7599, -122.4148]
[[fleet]]
hub = "mission"
model = "wing"
count = {drones}
"#
    );
    parse(&source, "claims.toml", Path::new(""))
        .expect("it is right")
        .world
}

#[test]
fn a_claim_comes_with_age_and_sooner_where_it_is_expedited() {
    let rules = world(1).dispatch;
    let claim = |expedited, seconds| {
        let now = SimTime::from_secs(1_000.0 + seconds);
        claims::claim(&rules, expedited, SimTime::from_secs(1_000.0), now).map(SimDuration::as_secs)
    };
    assert_eq!(rules.max_wait, SimDuration::from_secs(1_200.0));
    assert_eq!([claim(false, 299.0), claim(false, 300.0)], [None, Some(300.0)]);
    assert_eq!([claim(true, 99.0), claim(true, 100.0)], [None, Some(300.0)]);
    let patient = DispatchRules {
        max_wait: SimDuration::FOREVER,
        ..rules
    };
    assert!(claims::claim(&patient, false, SimTime::START, SimTime::from_secs(600.0)).is_some());
}

#[test]
fn of_a_pair_only_a_share_is_saved_and_none_for_whom_it_can_never_do() {
    for (drones, most) in [(1, 1), (12, 1), (13, 2), (36, 3)] {
        let world = world(drones);
        let mut saved = Saved::default();
        assert_eq!(saved.save(&world, |_| f64::INFINITY), None);
        assert_eq!(saved.of(0), 0, "no drone can");
        for _ in 0..10 {
            saved.save(&world, |_| 50.0);
        }
        assert_eq!(saved.of(0), most, "{drones}");
    }
    assert_eq!(most_claims(&world(320)), 20);
    assert_eq!(most_claims(&world(3)), 1);
}
