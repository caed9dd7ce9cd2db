//! What the scenario's customers ask for, when they do: a pure function of world and tick, so
//! nothing has to fly for it.

use tokio::sync::mpsc;

use super::schedule::Schedule;
use super::{Batch, Record};
use crate::sim::demand;
use crate::sim::time::Tick;
use crate::sim::world::World;
use crate::wire::api::delivery_requests::ExternalDelivery;

/// What orders are known by, where their destination sorts by topics.
pub(super) const KEY: &str = "orders";
/// An order this much behind its time is overdue.
const OVERDUE_S: f64 = 1.0;

pub(super) async fn emit(world: &World, until: Tick, mut schedule: Schedule, batches: mpsc::Sender<Batch>) {
    for tick in 1..=until {
        let orders = demand::arrivals(world, tick);
        if orders.is_empty() {
            continue;
        }
        let due_s = world.time_of(tick).as_secs();
        if schedule.wait(due_s).await.is_err() {
            return;
        }
        let record = |order| Record {
            key: KEY.to_owned(),
            json: serde_json::to_vec(&ExternalDelivery::of(world, order))
                .expect("a request is strings and numbers"),
        };
        let records = orders.iter().map(|(_, order)| record(order)).collect();
        let late_s = schedule.late_s(due_s);
        let batch = Batch {
            records,
            late_s,
            is_overdue: late_s >= OVERDUE_S,
        };
        if batches.send(batch).await.is_err() {
            return;
        }
    }
}
