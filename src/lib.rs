//! Skyhaul

pub mod actors;
pub mod cli;
pub mod engine;
pub mod http;
pub mod run;
pub mod scenario;
pub mod sim;
pub mod store;
pub mod view;
pub mod wire;
pub mod ws;
