//! A snapshot and the journal since are the whole world: who starts from them knows all, and
//! goes on as if it had never stopped.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use skyhaul::engine::recovery::{Recovered, recover};
use skyhaul::engine::{Admission, Engine, headless, publication};
use skyhaul::sim::command::Command;
use skyhaul::sim::demand;
use skyhaul::sim::fault::{Fault, FlightFault};
use skyhaul::sim::geo::LatLon;
use skyhaul::sim::ids::{DroneId, HubId};
use skyhaul::sim::roster::{Change, RosterWrite};
use skyhaul::sim::time::{SimDuration, Tick};
use skyhaul::sim::world::World;
use skyhaul::store::{Flush, IngestBatch, Snapshot, Store};
use skyhaul::view::reading::FleetReading;
use skyhaul::view::{DeliveryFilter, DroneFilter, View};
use tempfile::TempDir;

use super::stand::in_memory;
use crate::support::child::Child;
use crate::support::world::{busy, busy_file};

const THREADS: usize = 1;
/// Outside requests come this often.
const ORDERS_EVERY: Tick = 250;

/// What they order then is what the scenario's own order much later, in this many ticks.
const WINDOW: Tick = 200;

/// What outside customers order in this tick.
fn orders(world: &World, tick: Tick) -> Vec<Command> {
    let much_later = 10_000_000 + tick * 100;
    let arrivals = (much_later..much_later + WINDOW).flat_map(|tick| demand::arrivals(world, tick));
    let command = |(id, order)| Command::RequestDelivery {
        id,
        order,
        idempotency_key: None,
    };
    arrivals.map(command).collect()
}

/// What operators do before these ticks.
const DONE_BEFORE: [(Tick, Doing); 11] = [
    (300, |_| add_drones(HubId(0), "wing", 3)),
    (700, |engine| in_flight(engine, FlightFault::RotorOut)),
    (2_000, |engine| roster(Change::WithdrawDrone(airborne(engine)))),
    (4_500, |_| roster(add_hub())),
    (4_600, |_| add_drones(HubId(1), "zipline-p2", 4)),
    // The hub opens after the snapshot of tick 6,000.
    (5_500, |_| close_hub(120_000_000)),
    (8_300, |engine| in_flight(engine, FlightFault::BatteryCell)),
    (8_400, |_| roster(Change::WithdrawDrone(DroneId(40)))),
    (10_000, |_| {
        let (hub, with_drones) = (HubId(1), true);
        roster(Change::WithdrawHub { hub, with_drones })
    }),
    (13_200, |_| close_hub(60_000_000)),
    // In the air when all stops.
    (13_340, |engine| roster(Change::WithdrawDrone(airborne(engine)))),
];

/// Chooses what to do in the world as it is.
type Doing = fn(&Engine) -> Command;

/// One of those in the air, whoever that is then.
fn airborne(engine: &Engine) -> DroneId {
    let airborne = engine.sky().airborne().nth(1);
    airborne.expect("two are in the air").drone
}

fn in_flight(engine: &Engine, fault: FlightFault) -> Command {
    Command::Inject(Fault::InFlight(airborne(engine), fault))
}

fn close_hub(micros: u64) -> Command {
    Command::Inject(Fault::HubClosed(HubId(0), SimDuration(micros)))
}

fn roster(change: Change) -> Command {
    Command::Roster(RosterWrite {
        change,
        idempotency_key: None,
    })
}

fn add_drones(hub: HubId, model: &str, count: u32) -> Command {
    let model = model.to_owned();
    roster(Change::AddDrones { hub, model, count })
}

fn add_hub() -> Change {
    Change::AddHub {
        key: "park".into(),
        name: "Park".into(),
        location: LatLon {
            lat: 37.7596,
            lon: -122.4269,
        },
        pads: 2,
        chargers: 1,
    }
}

/// A world whose every tick is journalled before the next.
struct Journalled {
    engine: Engine,
    view: Arc<View>,
    store: Box<dyn Store>,
    next_seq: u64,
    snapshot: Option<Snapshot>,
}

impl Journalled {
    async fn begin(mut store: Box<dyn Store>) -> Self {
        let Recovered { engine, view, .. } = recovered(store.as_mut()).await;
        Journalled {
            engine,
            view,
            store,
            next_seq: 1,
            snapshot: None,
        }
    }

    fn accept(&mut self, commands: Vec<Command>) {
        let batch = IngestBatch {
            first_seq: self.next_seq,
            commands,
        };
        self.next_seq = batch.next_seq();
        let flush = Flush {
            ingest: vec![batch],
            ..Flush::default()
        };
        self.store.append(&flush).unwrap();
    }

    async fn run_until(&mut self, until: Tick) {
        while self.engine.tick_number() < until {
            let mut admission = Admission::default();
            let tick = self.engine.tick_number() + 1;
            let mut commands = Vec::new();
            if tick.is_multiple_of(ORDERS_EVERY) {
                commands = orders(self.engine.world(), tick);
            }
            let done = DONE_BEFORE.iter().filter(|(before, _)| *before == tick);
            commands.extend(done.map(|(_, doing)| doing(&self.engine)));
            if !commands.is_empty() {
                self.accept(commands.clone());
                admission = Admission {
                    through: self.next_seq - 1,
                    commands,
                };
            }
            let outcome = self.engine.tick(admission).await.unwrap();
            let (row, publication) = publication::split(&self.engine, outcome);
            let flush = Flush {
                ticks: vec![row],
                snapshot: self.snapshot.take(),
                ..Flush::default()
            };
            self.store.append(&flush).unwrap();
            self.view.publish(publication);
        }
    }

    /// A snapshot of now, which becomes durable with the next tick.
    async fn take_snapshot(&mut self) {
        self.snapshot = Some(self.engine.snapshot_with_records(&self.view).await.unwrap());
    }
}

async fn recovered(store: &mut dyn Store) -> Recovered {
    recover(store, busy(), THREADS, headless::arbiters(1))
        .await
        .unwrap()
}

/// All that the read side shows, in words.
fn all_of(view: &View) -> Vec<String> {
    fn words<T: Debug>(all: &[T]) -> impl Iterator<Item = String> + '_ {
        all.iter().map(|one| format!("{one:?}"))
    }
    let clock = view.clock();
    let mut all = vec![format!("{:?}", (clock.tick, clock.at, clock.digest, clock.epoch))];
    all.push(format!("{:?}", view.fleet()));
    let roll = view.frame().as_of().roll;
    all.push(format!("{:?}", (roll.numbered, roll.gone)));
    all.extend(words(&view.hubs()));
    all.extend(words(&view.drones(&DroneFilter::default(), None, 1_000).items));
    let deliveries = view.deliveries(&DeliveryFilter::default(), None, 10_000).items;
    all.extend(words(&deliveries));
    let status = |id| view.delivery_status(id).unwrap();
    all.extend(
        deliveries
            .iter()
            .map(|delivery| format!("{:?}", status(delivery.id))),
    );
    all
}

fn assert_same(one: &View, other: &View) {
    let (one, other) = (all_of(one), all_of(other));
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other);
    }
}

#[test]
fn a_snapshot_and_the_journal_since_are_the_world_that_never_stopped() {
    actix::System::new().block_on(async {
        let mut world = Journalled::begin(in_memory()).await;
        world.run_until(6_000).await;
        world.take_snapshot().await;
        world.run_until(11_000).await;
        let from_much_journal = recovered(world.store.as_mut()).await;
        assert_same(&from_much_journal.view, &world.view);
        world.run_until(13_344).await;
        world.take_snapshot().await;
        world.run_until(13_345).await;
        let pending = orders(world.engine.world(), 13_346);
        assert!(!pending.is_empty());
        world.accept(pending.clone());

        let mut again = recovered(world.store.as_mut()).await;
        assert_same(&again.view, &world.view);
        let waiting: Vec<Command> = again.pending.into_iter().map(|(_, command)| command).collect();
        assert_eq!(waiting, pending);
        assert_much_goes_on(&world.engine, world.view.fleet());
        assert_eq!(again.view.fleet().drones, 40 + 3 - 2, "some came, and went again");
        let hubs = again.view.hubs();
        assert_eq!(hubs.len(), 1, "the other is withdrawn");
        assert!(hubs.iter().any(|hub| hub.queues.queued > 0), "{hubs:?}");

        let through = world.next_seq - 1;
        let mut admissions = [pending, waiting].map(|commands| Admission { through, commands });
        for _ in 0..3_000 {
            let [one, other] = admissions;
            let (one, other) = (world.engine.tick(one).await, again.engine.tick(other).await);
            let (one, other) = (one.unwrap(), other.unwrap());
            assert_eq!(one.digest, other.digest, "tick {}", one.tick);
            admissions = Default::default();
        }
        let (one, other) = (world.engine.snapshot().await, again.engine.snapshot().await);
        assert!(one.unwrap() == other.unwrap(), "every actor's state is the same");
    });
}

#[test]
fn history_that_went_ahead_of_a_snapshot_that_never_came_is_told_once() {
    actix::System::new().block_on(async {
        let mut world = Journalled::begin(in_memory()).await;
        world.run_until(6_000).await;
        world.take_snapshot().await;
        world.run_until(11_000).await;
        let never_came = world.engine.snapshot_with_records(&world.view).await.unwrap();
        assert!(!never_came.history.is_empty());
        let ahead = Flush {
            ahead: never_came.history,
            ..Flush::default()
        };
        world.store.append(&ahead).unwrap();
        let again = recovered(world.store.as_mut()).await;
        assert_same(&again.view, &world.view);
    });
}

fn assert_much_goes_on(engine: &Engine, fleet: FleetReading) {
    let under_way = engine.census().deliveries;
    assert!(under_way > 0 && engine.alarms() > 0);
    assert!(fleet.airborne > 0 && fleet.charging > 0, "{fleet:?}");
    assert!(fleet.deliveries.waiting > 0, "{fleet:?}");
    assert!(
        fleet.deliveries.completed > 0 && fleet.deliveries.failed > 0,
        "{fleet:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_past_that_cannot_be_lived_again_is_told_loudly_and_once() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let start = || Child::spawn(&scenario, &data, &["--paused"]);
    let mut child = start();
    let before = child.serving().await.run_until(1_500).await;
    child.kill();
    tamper_with_digest(&data.join(skyhaul::store::sqlite::DATABASE), 1_400);

    let mut child = start();
    let server = child.serving().await;
    let after = server.clock().await;
    assert_eq!(after.tick, 1_500);
    assert_ne!(after.epoch, before.epoch);
    assert_eq!(after.digest, before.digest, "what was shown first was right");
    let log = child.log();
    assert!(
        log.contains("ERROR") && log.contains("tick=1400") && log.contains("another digest"),
        "{log}"
    );
    child.kill();

    for until in [1_500, 2_000, 2_700] {
        let mut child = start();
        let server = child.serving().await;
        assert_eq!(server.clock().await.epoch, after.epoch, "it is told once");
        server.run_until(until).await;
        child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scenarios_own_customers_may_come_and_go_with_a_restart() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    let mut before = None;
    for (flags, until) in [
        (&["--paused"][..], 1_400),
        (&["--paused", "--no-demand"], 3_100),
        (&["--paused"], 5_000),
        (&["--paused", "--no-demand"], 5_000),
    ] {
        let mut child = Child::spawn(&scenario, &data, flags);
        let server = child.serving().await;
        let clock = server.clock().await;
        let orders = server.deliveries(None).await.len();
        if let Some(before) = before {
            let now = (clock.digest, clock.epoch, orders);
            assert_eq!(now, before, "the past stays what it was: {}", child.log());
        }
        let after = server.run_until(until).await;
        let orders_after = server.deliveries(None).await.len();
        let ordering = !flags.contains(&"--no-demand");
        assert_eq!(orders_after > orders, ordering && until > clock.tick);
        before = Some((after.digest, after.epoch, orders_after));
        child.kill();
    }
}

fn tamper_with_digest(database: &std::path::Path, tick: Tick) {
    let database = rusqlite::Connection::open(database).unwrap();
    let changed = database.execute("UPDATE tick SET digest = zeroblob(32) WHERE tick = ?1", [tick]);
    assert_eq!(changed.unwrap(), 1);
}

/// So a run that takes none does not grow with all that it ever delivered.
#[test]
fn snapshots_tell_of_the_end_of_deliveries_that_earlier_ones_knew_and_of_no_others() {
    actix::System::new().block_on(async {
        let mut engine = Engine::genesis(busy(), THREADS, headless::arbiters(1)).unwrap();
        let mut known = BTreeSet::new();
        let mut ended = 0;
        for _ in 0..3 {
            for _ in 0..6_000 {
                engine.tick(Admission::default()).await.unwrap();
            }
            let actors = engine.snapshot().await.unwrap().actors;
            for (key, state) in actors {
                match state {
                    Some(_) => {
                        known.insert(key);
                    }
                    None => {
                        assert!(known.remove(&key), "nobody knew of it");
                        ended += 1;
                    }
                }
            }
            let alive = engine.census();
            assert!(known.len() <= alive.drones + alive.deliveries + 6);
        }
        assert!(ended > 0, "some were under way at a snapshot");
    });
}
