//! The integration tests, by user journey, in one binary.

mod house;
