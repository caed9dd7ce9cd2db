//! `[third_party]`: the carrier for what no drone can take.

use super::fields::{Fields, Table};
use super::kinds::{Integer, Number, Text};
use super::times::ANY_DURATION;
use crate::sim::carrier::{Carrier, Price};

/// Each key that is left out is as [`Carrier::default`] has it.
pub(super) fn third_party(f: &mut Fields<'_>) -> Carrier {
    let capacity = f.or(
        "capacity",
        "how many jobs the carrier does at once; with 0 there is none, and what no drone can take fails",
        Integer(0..=10_000_000),
        "200",
    );
    let price = f.optional(
        "price",
        "what a job costs, in whatever money the world has",
        Table(price),
    );
    let default = Carrier::default();
    Carrier {
        name: f
            .or("name", "what customers are shown as `carrier`", Text, "\"third-party\"")
            .value,
        // The bounds of the key are far below `u32`'s.
        capacity: u32::try_from(capacity.value).unwrap_or(u32::MAX),
        speed_mps: f
            .or("speed", "how fast its vans go in town, m/s", Number(0.1..=1_000.0), "8.0")
            .value,
        long_haul_speed_mps: f
            .or(
                "long_haul_speed",
                "how fast they go after the first 30 km of a way, m/s, where that is faster than `speed`",
                Number(0.1..=1_000.0),
                "25.0",
            )
            .value,
        detour: f
            .or(
                "detour",
                "length of the way by road over that of the straight line",
                Number(1.0..=10.0),
                "1.4",
            )
            .value,
        max_payload_kg: f
            .or("max_payload", "the heaviest package, kg", Number(0.001..=100_000.0), "1000.0")
            .value,
        pickup_delay: f
            .or(
                "pickup_delay",
                "how long it takes on average until a van is at the pick-up; drawn from half of that to half as much again",
                ANY_DURATION,
                "\"15m\"",
            )
            .value,
        handling: f
            .or("handling", "time at each of the two doors", ANY_DURATION, "\"2m\"")
            .value,
        deviation: f
            .or(
                "deviation",
                "standard deviation of the time on the road, as a share of it",
                Number(0.0..=1.0),
                "0.1",
            )
            .value,
        failure_rate: f
            .or(
                "failure_rate",
                "share of jobs that come to nothing on the way",
                Number(0.0..=1.0),
                "0.0",
            )
            .value,
        price: price.map_or(default.price, |at| at.value),
    }
}

fn price(f: &mut Fields<'_>) -> Price {
    const MONEY: Number = Number(0.0..=1_000_000.0);
    Price {
        base: f.or("base", "for coming at all", MONEY, "8.0").value,
        per_km: f.or("per_km", "for each kilometre by road", MONEY, "1.2").value,
    }
}
