//! Skyhaul
pub mod sim;
pub mod store;
