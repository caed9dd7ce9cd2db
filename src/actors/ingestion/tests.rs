//! Keys and room: who is taken in, who waits for another's answer, and who is not taken.

use super::*;
use crate::actors::testing::{order, world};
use crate::store::faulty::{Faults, FaultyStore};
use crate::store::{self, Identity};

struct Nowhere;

impl Gate for Nowhere {
    fn pass(&self, _: Vec<Durable>) {}
}

#[test]
fn many_clients_with_keys_are_all_taken_while_there_is_room() {
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
        let ingestion = Ingestion::start(&arbiter, journal, Arc::new(Nowhere), 1, 10_000);
        let client = async |client: usize| {
            for request in 0..3 {
                let key = Some(format!("{client}-{request}"));
                let receipt = ingestion.submit(order(&world), key).await;
                assert!(matches!(receipt, Ok((_, false))), "{receipt:?}");
            }
        };
        futures_util::future::join_all((0..2_000).map(client)).await;
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
