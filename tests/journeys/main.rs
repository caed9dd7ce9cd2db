//! The integration tests, by user journey, in one binary.

mod house;
mod simulation_control;
mod support;
