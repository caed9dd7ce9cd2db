//! The integration tests, by user journey, in one binary.

mod access;
mod backlog;
mod bad_input;
mod changes;
mod connections;
mod conservation;
mod crash;
mod description;
mod determinism;
mod doors;
mod every_delivery;
mod faults;
mod full_carrier;
mod history;
mod house;
mod ordering;
mod panics;
mod puts;
mod resume;
mod roster;
mod server_sent_events;
mod services;
mod simulation_control;
mod slow_clients;
mod supervisor;
mod support;
