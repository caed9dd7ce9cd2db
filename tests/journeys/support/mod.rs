//! What the journeys share; it hides the wire, so that a test reads as a story.

pub mod child;
pub mod operator;
pub mod world;
