//! Skyhaul
pub mod scenario;
pub mod sim;
