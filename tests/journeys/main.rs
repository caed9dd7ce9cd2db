//! The integration tests, by user journey, in one binary.

mod crash;
mod house;
mod support;
