//! History and its sums after many kills: they are what the events of a world that never was
//! killed say, in each month, and nothing is counted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;
use skyhaul::engine::headless;
use skyhaul::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use skyhaul::sim::ids::{DeliveryId, DroneId};
use skyhaul::sim::time::{SimTime, Tick};
use skyhaul::sim::workflow::{FailureReason, Step, WaitingFor};
use skyhaul::sim::world::World;
use tempfile::TempDir;

use super::kill::{chance, crashes, live_for_up_to};
use super::place::Place;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::trouble;

/// The world begins ten minutes before July does.
const JULY: SimTime = SimTime(600_000_000);
/// Well into July.
const AT_LEAST: Tick = 7_500;
const METRES_PER_MILE: f64 = 1_609.344;
const POUNDS_PER_KG: f64 = 1.0 / 0.453_592_37;

/// What a month came to for one account.
#[derive(Debug, Default, PartialEq)]
struct Month {
    completed: u64,
    pounds: f64,
    miles: f64,
    hours: f64,
    /// Whether a drone came down for it at all.
    flown: bool,
}

/// How far one has come, as its package sees it.
struct Request {
    pounds: f64,
    /// When the package was there.
    packed: Option<SimTime>,
    /// Whether somebody comes for it, or has it.
    under_way: bool,
}

impl Request {
    fn hear(&mut self, happening: &DeliveryEvent, at: SimTime) {
        use DeliveryEvent::{
            Assigned, BroughtBack, Cancelled, Delayed, Failed, HandedToCarrier, StepDelayed,
        };
        use FailureReason::{NotConfirmed, TooManyAttempts};
        match happening {
            Assigned { .. } | HandedToCarrier { .. } => {
                self.under_way = true;
                self.packed = self.packed.or(Some(at));
            }
            // On board, for now.
            Delayed {
                waiting_for: WaitingFor::Return,
            } => {}
            // Its delivery gives up, once the package is back.
            Failed {
                reason: NotConfirmed | TooManyAttempts,
            } => {}
            BroughtBack { .. } => self.under_way = false,
            Delayed { .. } => {
                self.under_way = false;
                self.packed = self.packed.or(Some(at));
            }
            StepDelayed { step, .. } if !matches!(step, Step::Account | Step::Package) => {
                self.packed = self.packed.or(Some(at));
            }
            Failed { .. } | Cancelled if !self.under_way => self.packed = None,
            _ => {}
        }
    }
}

/// The story as the events tell it.
#[derive(Default)]
struct Told {
    owners: BTreeMap<DeliveryId, String>,
    requests: BTreeMap<DeliveryId, Request>,
    flies_for: BTreeMap<DroneId, DeliveryId>,
    months: BTreeMap<(String, u32), Month>,
    /// In the order of their ends, with the number of the last event.
    ended: BTreeMap<(SimTime, DeliveryId), u32>,
}

impl Told {
    fn month(&mut self, id: DeliveryId, at: SimTime) -> &mut Month {
        let owner = self.owners[&id].clone();
        let month = if at < JULY { 6 } else { 7 };
        self.months.entry((owner, month)).or_default()
    }

    fn hear(&mut self, event: &Event) {
        match &event.happening {
            Happening::Delivery(id, happening) => self.hear_delivery(*id, happening, event),
            Happening::Drone(drone, happening) => self.hear_drone(*drone, happening, event.at),
            _ => {}
        }
    }

    fn hear_delivery(&mut self, id: DeliveryId, happening: &DeliveryEvent, event: &Event) {
        use DeliveryEvent::{Accepted, Cancelled, Completed, Failed};
        if let Accepted { order } = happening {
            self.owners.insert(id, order.owner.account.clone());
            let request = Request {
                pounds: order.package.weight_kg * POUNDS_PER_KG,
                packed: None,
                under_way: false,
            };
            self.requests.insert(id, request);
        }
        if let Some(request) = self.requests.get_mut(&id) {
            request.hear(happening, event.at);
        }
        if let Completed { .. } = happening {
            self.month(id, event.at).completed += 1;
        }
        if let Completed { .. } | Failed { .. } | Cancelled = happening {
            self.ended.insert((event.at, id), event.seq);
        }
    }

    /// What the packages weigh that were not undone.
    fn weigh(&mut self) {
        for (id, request) in std::mem::take(&mut self.requests) {
            if let Some(packed) = request.packed {
                self.month(id, packed).pounds += request.pounds;
            }
        }
    }

    fn hear_drone(&mut self, drone: DroneId, happening: &DroneEvent, at: SimTime) {
        match happening {
            DroneEvent::TakenOff { delivery, .. } => {
                self.flies_for.remove(&drone);
                self.flies_for.extend(delivery.map(|delivery| (drone, delivery)));
            }
            DroneEvent::Landed {
                distance_m,
                airborne_s,
                ..
            }
            | DroneEvent::Lost {
                distance_m,
                airborne_s,
                ..
            } => {
                if let Some(delivery) = self.flies_for.remove(&drone) {
                    let month = self.month(delivery, at);
                    month.miles += distance_m / METRES_PER_MILE;
                    month.hours += airborne_s / 3_600.0;
                    month.flown = true;
                }
            }
            _ => {}
        }
    }
}

/// As it would have gone had nobody killed it.
async fn told(world: &Arc<World>, until: Tick) -> Told {
    let world = Arc::clone(world);
    let run = move || {
        let mut told = Told::default();
        let hear = |_: &_, outcome: skyhaul::engine::Outcome| {
            outcome.events.iter().for_each(|event| told.hear(event));
            true
        };
        headless::run(world, 1, until, hear).unwrap();
        told.weigh();
        told
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn is_near(found: &Value, expected: f64) -> bool {
    let found = found.as_f64().unwrap();
    (found - expected).abs() < 1e-6 * expected.abs().max(1.0)
}

async fn check_months(server: &Operator, told: &Told) {
    let owners: BTreeSet<&String> = told.owners.values().collect();
    let nothing = Month::default();
    for owner in owners {
        for month in [5, 6, 7, 8] {
            let expected = told.months.get(&(owner.clone(), month)).unwrap_or(&nothing);
            let said = async |what: &str| {
                let owner = owner.replace(' ', "%20");
                let path = format!("/api/{what}?ownerId={owner}&year=2026&month={month}");
                server.ask(Method::GET, &path, &Value::Null).await.unwrap()
            };
            let (status, count) = said("deliveries/summary").await;
            assert_eq!(
                (status, &count["count"]),
                (StatusCode::OK, &expected.completed.into()),
                "{owner} {month}"
            );
            let (_, weight) = said("packages/summary").await;
            assert!(
                is_near(&weight["totalWeight"], expected.pounds),
                "{owner} {month}: {weight} {expected:?}"
            );
            let (status, flown) = said("dronedeliveries/utilization").await;
            assert_eq!(
                status == StatusCode::OK,
                expected.flown,
                "{owner} {month}: {flown}"
            );
            if expected.flown {
                let is_same = is_near(&flown["traveledMiles"], expected.miles)
                    && is_near(&flown["assignedHours"], expected.hours);
                assert!(is_same, "{owner} {month}: {flown} {expected:?}");
            }
        }
    }
}

async fn check_history(server: &Operator, told: &Told) {
    let (mut kept, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server
            .json(&format!("/api/deliveryhistory?limit=37{cursor}"))
            .await;
        for item in page["items"].as_array().unwrap() {
            let last = item["events"].as_array().unwrap().last().unwrap();
            let id: DeliveryId = item["delivery"]["id"].as_str().unwrap().parse().unwrap();
            kept.push((id, last["seq"].as_u64().unwrap()));
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected = told.ended.iter().map(|((_, id), seq)| (*id, u64::from(*seq)));
    assert_eq!(kept, expected.collect::<Vec<_>>());
}

async fn add_up(place: &Place, folder: &Path) {
    let (world, scenario, data) = (trouble::world(), trouble::file(folder), place.data());
    let mut chance = chance(3);
    for _ in 0..crashes() {
        let mut child = Child::spawn(&scenario, data, &["--speed", "max"]);
        child.serving().await;
        live_for_up_to(Duration::from_millis(300), &mut chance).await;
        child.kill();
    }
    let mut child = Child::spawn(&scenario, data, &["--paused"]);
    let server = child.serving().await;
    let killed_at = server.clock().await.tick;
    let end = server.run_until(killed_at.max(AT_LEAST)).await;
    let told = told(&world, end.tick).await;
    assert!(told.ended.len() > 30 && told.months.len() > 4, "much happened");
    check_months(&server, &told).await;
    check_history(&server, &told).await;
    child.kill();
    // And once more, where all that is known comes from the store.
    let mut child = Child::spawn(&scenario, data, &["--paused"]);
    let server = child.serving().await;
    check_months(&server, &told).await;
    check_history(&server, &told).await;
    println!(
        "{} deliveries ended in {} ticks, {} of them under kills",
        told.ended.len(),
        end.tick,
        killed_at
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn months_add_up_after_many_kills() {
    let folder = TempDir::new().unwrap();
    add_up(&Place::Folder(folder.path().join("data")), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn months_in_a_database_add_up_after_many_kills() {
    let folder = TempDir::new().unwrap();
    add_up(&Place::database(), folder.path()).await;
}
