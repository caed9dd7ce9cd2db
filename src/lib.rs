//! Skyhaul
pub mod sim;
