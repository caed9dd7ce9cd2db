//! Shapes of HTTP bodies and WebSocket messages, used by server and clients alike.
//!
//! Shapes and encodings only: no routes, no sockets, no rules.

pub mod api;
pub mod day;
pub mod discreet;
pub mod drone;
pub mod event;
pub mod hub;
pub mod place;
pub mod stream;
pub mod time;
