//! What a drone costs in memory, all told: its actor, its mailbox, its rows in the sky and
//! on the read side.

mod support;

use std::sync::Arc;

use actix::{Arbiter, System};
use skyhaul::engine::recovery::{self, Recovered};
use skyhaul::engine::{Admission, publication};
use skyhaul::sim::world::World;
use skyhaul::store::Identity;
use skyhaul::store::sqlite;

use support::{city, commands, orders, resident_bytes};

const DRONES: u32 = 1_000_000;
const DELIVERIES: usize = 100_000;
const EACH_TICK: usize = 10_000;

/// Actors that were started have yet to run for the first time: some at each turn of the
/// arbiter, which comes when this task gives way.
async fn settle() {
    const MORE_THAN_ENOUGH: usize = 100_000;
    for _ in 0..MORE_THAN_ENOUGH {
        tokio::task::yield_now().await;
    }
}

async fn measure() {
    let with_customers = city(DRONES, "100ms");
    let all = orders(&with_customers, DELIVERIES);
    // The orders are handed in: nobody else is to order meanwhile.
    let world = Arc::new(World {
        demand: None,
        ..with_customers
    });
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let mut store = sqlite::in_memory(&identity).expect("memory is enough");

    let before = resident_bytes();
    let recovered = recovery::recover(&mut store, world, 1, vec![Arbiter::current()]).await;
    let Recovered { mut engine, view, .. } = recovered.expect("an empty store is a new world");
    settle().await;
    let parked = resident_bytes();
    println!(
        "{DRONES} parked drones: {} bytes each",
        (parked - before) / u64::from(DRONES)
    );

    for some in all.chunks(EACH_TICK) {
        let admission = Admission {
            through: engine.admitted_through() + some.len() as u64,
            commands: commands(some),
        };
        let outcome = engine.tick(admission).await.expect("no actor fails");
        let (_, publication) = publication::split(&engine, outcome);
        view.publish(publication);
    }
    let airborne = engine.sky().airborne_count() as u64;
    println!(
        "{airborne} drones on a delivery: {} bytes more each, with the delivery's actor and record",
        (resident_bytes() - parked) / airborne
    );
}

fn main() {
    System::new().block_on(measure());
}
