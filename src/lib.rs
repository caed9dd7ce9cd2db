//! Skyhaul

pub mod http;
pub mod scenario;
pub mod sim;
pub mod view;
pub mod wire;
pub mod ws;
