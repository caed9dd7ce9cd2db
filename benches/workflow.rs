//! Deliveries through all steps of their workflows, in a burst over a million parked
//! drones: how many a second, counted where the last step starts the delivery.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Arbiter, System};
use skyhaul::engine::{Admission, Engine};
use skyhaul::sim::event::{DeliveryEvent, Happening};
use skyhaul::sim::world::World;

use support::{city, commands, now, orders, per_second};

const DRONES: u32 = 1_000_000;
const TICKS: usize = 16;
/// As many as the engine takes in at once.
const EACH_TICK: usize = 16_384;

fn outcome_of(happening: &Happening) -> Option<&'static str> {
    match happening {
        Happening::Delivery(_, DeliveryEvent::Created) => Some("scheduled"),
        Happening::Delivery(_, DeliveryEvent::Delayed { .. }) => Some("waiting"),
        Happening::Delivery(_, DeliveryEvent::Failed { .. }) => Some("failed"),
        _ => None,
    }
}

async fn burst() {
    let with_customers = city(DRONES, "100ms");
    let all = orders(&with_customers, TICKS * EACH_TICK);
    // The orders are handed in: nobody else is to order meanwhile.
    let world = Arc::new(World {
        demand: None,
        ..with_customers
    });
    let mut engine = Engine::genesis(world, 1, vec![Arbiter::current()]).expect("one thread is enough");
    let mut outcomes = BTreeMap::new();
    let began = now();
    for some in all.chunks(EACH_TICK) {
        let admission = Admission {
            through: engine.admitted_through() + some.len() as u64,
            commands: commands(some),
        };
        let outcome = engine.tick(admission).await.expect("no actor fails");
        for name in outcome
            .events
            .iter()
            .filter_map(|event| outcome_of(&event.happening))
        {
            *outcomes.entry(name).or_insert(0_usize) += 1;
        }
    }
    let time = began.elapsed();
    println!(
        "burst of {} requests over {DRONES} parked drones, one thread:",
        all.len()
    );
    for (name, count) in outcomes {
        println!("  {name}: {count}, {:.0}/s", per_second(count, time));
    }
}

fn main() {
    System::new().block_on(burst());
}
