//! The rules: pure and deterministic. No actors, no I/O, no clock, no global randomness.
//!
//! Only + − × ÷ and `sqrt` on floats, and `libm` for the rest, so that every machine
//! computes the same bits.

pub mod account;
pub mod actor;
pub mod ageing;
pub mod air;
pub mod airspace;
pub mod breaker;
pub mod calendar;
pub mod carrier;
pub mod catalogue;
pub mod command;
pub mod delivery;
pub mod demand;
pub mod dispatch;
pub mod drone;
pub mod energy;
pub mod event;
pub mod fault;
pub mod fetch;
pub mod fleet_index;
pub mod flight;
pub mod geo;
pub mod ids;
pub mod limp;
pub mod motion;
pub mod notice;
pub mod order;
pub mod places;
pub mod promise;
pub mod random;
pub mod refuge;
pub mod roster;
pub mod route;
pub mod separation;
pub mod sky;
pub mod sums;
pub mod time;
pub mod units;
pub mod weather;
pub mod workflow;
pub mod world;
