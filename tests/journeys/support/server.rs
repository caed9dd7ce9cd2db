//! The real server in this process, on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use skyhaul::server::{self, Options, Server};
use skyhaul::sim::world::World;
use skyhaul::view::reading::Speed;
use tokio::net::TcpListener;

use super::client::Client;
use super::stream::Stream;

/// A server that is stopped by [`Running::stop`], or with the test's process.
pub struct Running {
    server: Server,
    pub world: Arc<World>,
}

/// As most journeys want it: in memory, standing still, as fast as it goes once let
/// loose, and nobody orders but the test.
pub fn quiet() -> Options {
    Options {
        paused: true,
        speed: Speed::Max,
        demand: false,
        ..Options::default()
    }
}

/// As [`quiet`], with the scenario's own customers.
pub fn lively() -> Options {
    Options {
        demand: true,
        ..quiet()
    }
}

/// As [`lively`], with its store in this folder.
pub fn kept_in(folder: &Path) -> Options {
    Options {
        data: folder.to_str().expect("temporary folders are UTF-8").to_owned(),
        ..lively()
    }
}

impl Running {
    pub async fn start(world: impl Into<Arc<World>>, options: Options) -> Self {
        let world = world.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = server::start(Arc::clone(&world), options, listener)
            .await
            .expect("the server starts");
        Running { server, world }
    }

    pub fn client(&self) -> Client {
        Client::new(self.server.address(), Arc::clone(self.server.view()))
    }

    /// Somebody who shows this token with all that they ask.
    pub fn client_with(&self, token: &str) -> Client {
        Client::with_token(token, self.server.address(), Arc::clone(self.server.view()))
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub async fn stream(&self) -> Stream {
        Stream::open(self.server.address()).await
    }

    pub async fn stop(self) {
        self.server.stop().await.expect("the server stops in order");
    }
}
