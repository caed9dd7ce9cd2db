//! What the journeys share: worlds, a real server, its clients, and the program itself; it
//! hides the wire, so that a test reads as a story.

pub mod broker;
pub mod child;
pub mod client;
pub mod operator;
pub mod postgres;
pub mod program;
pub mod server;
pub mod sse;
pub mod stream;
pub mod trouble;
pub mod world;
pub mod worlds;

use std::time::Duration;

/// Nothing here takes long; whoever waits longer waits for something that never comes.
pub const PATIENCE: Duration = Duration::from_secs(60);
