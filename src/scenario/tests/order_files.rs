//! `[demand]` from files, and preparation times: what is ordered then.

use super::*;
use crate::sim::demand;
use crate::sim::order::Order;
use crate::sim::world::World;

/// The tiny world with this in place of its demand, and these files beside it.
fn parse_with(demand: &str, files: &[(&str, &str)]) -> Result<World, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let source = source_of("tiny.toml");
    let (rest, _) = source.split_once("[demand]").unwrap();
    let source = format!("{rest}[demand]\n{demand}\n");
    parse(&source, "world.toml", folder.path()).map(|scenario| scenario.world)
}

/// What is ordered within so many ticks.
fn orders(world: &World, ticks: u64) -> Vec<(SimTime, Order)> {
    let at = |tick| {
        let now = world.time_of(tick);
        let arrived = demand::arrivals(world, tick).into_iter();
        arrived.map(move |(_, order)| (now, Order::clone(&order)))
    };
    (1..=ticks).flat_map(at).collect()
}

#[test]
fn customers_live_at_the_addresses_of_a_file() {
    let addresses = "name,Latitude,longitude\nA,37.751,-122.42\n\"B, too\",37.752, -122.41\n";
    let keys = "rate = \"600/h\"\ndropoff = { points = \"a.csv\" }";
    let world = parse_with(keys, &[("a.csv", addresses)]).unwrap();
    let mut found: Vec<f64> = orders(&world, 3_000)
        .iter()
        .map(|(_, order)| order.dropoff.location.lat)
        .collect();
    found.sort_unstable_by(f64::total_cmp);
    found.dedup();
    assert_eq!(found, [37.751, 37.752]);
    let other = parse_with(keys, &[("a.csv", &addresses.replace("37.752", "37.753"))]).unwrap();
    assert_ne!(world.scenario_hash, other.scenario_hash, "another world");
}

#[test]
fn a_trace_is_ordered_as_it_is_written() {
    let trace = "at,pickup,dropoff,payload,expedited,owner,deadline\n\
                 90s,Dolores Park,General Hospital,0.4,true,cafe,2026-06-01T18:20:00Z\n\
                 30s,\"37.76,-122.41\",Bernal Heights Park,1.5,,,\n";
    let world = parse_with("trace = \"t.csv\"", &[("t.csv", trace)]).unwrap();
    assert!(world.demand.is_none(), "nobody else orders");
    let ordered = orders(&world, 2_000);
    let summary = |(at, order): &(SimTime, Order)| {
        let kg = order.package.weight_kg;
        (
            at.as_secs().round(),
            kg,
            order.expedited,
            order.owner.account.clone(),
        )
    };
    let found: Vec<_> = ordered.iter().map(summary).collect();
    let expected = [
        (30.0, 1.5, false, "trace".to_owned()),
        (90.0, 0.4, true, "cafe".to_owned()),
    ];
    assert_eq!(found, expected);
    assert_eq!(ordered[1].1.deadline, "2026-06-01T18:20:00Z");
    assert_eq!(ordered[0].1.pickup.location.lat, 37.76);
}

#[test]
fn a_wrong_line_of_a_file_is_told_with_its_number() {
    let trace = "at,pickup,dropoff,payload\n\
                 90s,Dolores Park,General Hospital,0.4\n\
                 noon,Dolores Park,General Hospital,0.4\n\
                 90s,Atlantis,General Hospital,0.4\n\
                 90s,Dolores Park,General Hospital,heavy\n\
                 90s,Dolores Park\n";
    let wrong = parse_with("trace = \"t.csv\"", &[("t.csv", trace)]).unwrap_err();
    let said: Vec<_> = wrong.iter().map(|mistake| mistake.message.as_str()).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    for (mistake, words) in said.iter().zip([
        "line 3: \"noon\"",
        "line 4: there is no place",
        "line 5: \"heavy\"",
        "t.csv",
    ]) {
        assert!(mistake.contains(words), "{mistake}");
    }
    let points = "latitude,longitude\n97.7,-122.4\n";
    let wrong = parse_with(
        "rate = \"6/h\"\ndropoff = { points = \"a.csv\" }",
        &[("a.csv", points)],
    )
    .unwrap_err();
    assert!(
        wrong[0].message.contains("line 2: 97.7 is not within"),
        "{wrong:?}"
    );
}

#[test]
fn goods_that_are_prepared_are_fetched_when_they_are_ready_and_ordered_by_the_same_people() {
    let at_once = parse_with("rate = \"600/h\"", &[]).unwrap();
    let keys = "rate = \"600/h\"\npickup = { prep = { median = \"6m\", p95 = \"15m\" } }";
    let prepared = parse_with(keys, &[]).unwrap();
    let (usual, later) = (orders(&at_once, 6_000), orders(&prepared, 6_000));
    assert!(usual.len() > 60 && usual.len() == later.len());
    let waits: Vec<f64> = later
        .iter()
        .map(|(at, order)| order.not_before.since(*at).as_secs())
        .collect();
    assert!(waits.iter().all(|wait| *wait > 0.0), "{waits:?}");
    let over_six_minutes = waits.iter().filter(|wait| **wait > 360.0).count();
    assert!(over_six_minutes * 3 > waits.len() && over_six_minutes * 3 < 2 * waits.len());
    for ((_, usual), (_, later)) in usual.iter().zip(&later) {
        assert_eq!((usual.dropoff, usual.not_before), (later.dropoff, SimTime::START));
    }
}

#[test]
fn customers_are_no_farther_than_said_and_evenly_around() {
    let keys = "rate = \"6000/h\"\npickup = { at = \"hub\" }\ndropoff = { spread = \"area\", within = 800 }";
    let world = parse_with(keys, &[]).unwrap();
    let ways: Vec<f64> = orders(&world, 6_000)
        .iter()
        .map(|(_, order)| {
            assert!(world.area.bounds.contains(order.dropoff.location));
            let [from, to] = [order.pickup, order.dropoff].map(|stop| world.area.point(stop.location));
            from.distance(to)
        })
        .collect();
    assert!(ways.len() > 900, "{}", ways.len());
    assert!(ways.iter().all(|way_m| *way_m <= 800.1));
    // Evenly over a disc: a quarter of it lies within half of its radius.
    let near = ways.iter().filter(|way_m| **way_m < 400.0).count() as f64;
    let share = near / ways.len() as f64;
    assert!((0.2..0.3).contains(&share), "{share}");
    let anywhere = parse_with(&keys.replace(", within = 800", ""), &[]).unwrap();
    assert_ne!(world.scenario_hash, anywhere.scenario_hash, "another world");

    let listed = "rate = \"60/h\"\ndropoff = { spread = \"places\", within = 800 }";
    let wrong = parse_with(listed, &[]).unwrap_err();
    assert_eq!(wrong.len(), 1);
    assert!(
        wrong[0].to_string().contains("`within` has no say"),
        "{}",
        wrong[0]
    );
}
