//! Keys and room: who is taken in, who waits for another's answer, and who is not taken.

use parking_lot::Mutex;

use super::*;
use crate::actors::testing::{order, world};
use crate::store::faulty::{Faults, FaultyStore};
use crate::store::{self, Identity};

struct Nowhere;

impl Gate for Nowhere {
    fn pass(&self, _: Vec<Durable>) {}
}

/// Remembers the numbers of what passed, in order.
#[derive(Default)]
struct Counting(Mutex<Vec<u64>>);

impl Gate for Counting {
    fn pass(&self, commands: Vec<Durable>) {
        self.0.lock().extend(commands.iter().map(|durable| durable.seq));
    }
}

#[test]
fn many_clients_with_keys_and_without_are_all_taken_in_one_order_while_there_is_room() {
    let world = world(1, 1);
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let store = store::open(folder.path().to_str().unwrap(), &identity, false).unwrap();
    actix::System::new().block_on(async {
        let journal = Writer::start(store).unwrap();
        let arbiter = actix::Arbiter::new().handle();
        let gate = Arc::new(Counting::default());
        let passes: Arc<dyn Gate> = gate.clone();
        let ingestion = Ingestion::start(&arbiter, journal, passes, 1, 10_000);
        // Fewer and fewer go on, so that flushes wait for company in vain, too.
        let requests = |client: usize| 3 + 40 * usize::from(client < 50) + 80 * usize::from(client < 20);
        let client = async |client: usize| {
            for request in 0..requests(client) {
                let key = client.is_multiple_of(2).then(|| format!("{client}-{request}"));
                let receipt = ingestion.submit(order(&world), key).await;
                assert!(matches!(receipt, Ok((_, false))), "{receipt:?}");
            }
        };
        futures_util::future::join_all((0..2_000).map(client)).await;
        let all: usize = (0..2_000).map(requests).sum();
        assert_eq!(*gate.0.lock(), (1..=all as u64).collect::<Vec<_>>());
    });
}

#[test]
fn who_repeats_a_request_that_is_on_its_way_takes_room_too() {
    let world = world(1, 1);
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let faults = Faults::default();
    let store = store::open(store::IN_MEMORY, &identity, false).unwrap();
    let store = FaultyStore::new(store, faults.clone());
    actix::System::new().block_on(async {
        let journal = Writer::start(Box::new(store)).unwrap();
        let arbiter = actix::Arbiter::new().handle();
        let ingestion = Ingestion::start(&arbiter, journal, Arc::new(Nowhere), 1, 3);
        let held = faults.hold_appends();
        let request = || ingestion.submit(order(&world), Some("key".to_owned()));
        let mut waiting: Vec<_> = (0..3).map(|_| Box::pin(request())).collect();
        for request in &mut waiting {
            assert!(futures_util::poll!(request.as_mut()).is_pending());
        }
        while !faults.is_append_held() {
            tokio::task::yield_now().await;
        }
        assert_eq!(request().await, Err(NotTaken::Full));
        assert_eq!(ingestion.queue(), (3, 3));
        drop(held);
        let mut repeated = Vec::new();
        for request in waiting {
            repeated.push(request.await.unwrap().1);
        }
        assert_eq!(repeated, [false, true, true]);
    });
}
