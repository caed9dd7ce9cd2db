//! The server in this process, on a store that a test can let fail.

use std::path::Path;

use skyhaul::server::{self, Options, Server};
use skyhaul::store::faulty::{Faults, FaultyStore};
use skyhaul::store::{Identity, Store, sqlite};
use skyhaul::view::reading::Speed;
use tokio::net::TcpListener;

use crate::support::operator::Operator;
use crate::support::world::busy;

fn identity() -> Identity {
    let world = busy();
    Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    }
}

/// The busy world's store in this folder.
pub fn open(data: &Path) -> Box<dyn Store> {
    Box::new(sqlite::open(data, &identity(), false).unwrap())
}

pub fn in_memory() -> Box<dyn Store> {
    Box::new(sqlite::in_memory(&identity()).unwrap())
}

/// The busy world, standing still, on this store.
pub async fn serve(store: Box<dyn Store>) -> (Server, Operator) {
    let options = Options {
        paused: true,
        speed: Speed::Max,
        ..Options::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = server::start_with(busy(), options, listener, store)
        .await
        .unwrap();
    let operator = Operator::at(server.address());
    (server, operator)
}

/// The same on the store in this folder, which fails on demand.
pub async fn serve_faulty(data: &Path) -> (Server, Operator, Faults) {
    let faults = Faults::default();
    let store = FaultyStore::new(open(data), faults.clone());
    let (server, operator) = serve(Box::new(store)).await;
    (server, operator, faults)
}
