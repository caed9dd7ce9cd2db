//! The window as clients see it: a real server on a port of its own, a view that is fed
//! by hand, and outside WebSocket clients.

mod access;
mod area;
mod connection;
mod encodings;
mod events;
mod limits;
mod pressure;
mod sse;
mod stand;
mod story;
