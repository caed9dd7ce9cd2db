//! Runs as files, to be played again, gone on from, and made into other files.
//!
//! A recording is an MCAP file ([`layout`] says what is in it) that is complete by itself: the
//! scenario with its files, what outside asked for, all events, positions at the recorded ticks,
//! and now and then the whole state. A [`Recorder`] writes it, [`Recording`] reads it. Nothing
//! in the world knows of it.

mod backlog;
mod before;
pub mod branch;
mod cadence;
mod changes;
mod difference;
pub mod export;
mod file;
mod fork;
mod foxglove;
mod headless;
mod index;
mod keyframe;
mod layout;
mod moments;
mod origin;
mod past;
pub mod playback;
mod player;
mod positions;
mod progress;
mod projector;
mod recorder;
mod reporter;
mod scribe;
mod separation;
mod shows;
mod studio;
mod tape;
#[cfg(test)]
mod tests;
mod timeline;
mod told;
mod undone;

pub use backlog::{BYTES_MOST as BACKLOG_BYTES_MOST, MESSAGES_MOST as BACKLOG_MOST};
pub use file::{FileError, Recording};
pub use fork::Fork;
pub use headless::{Stopped, run};
pub use origin::{Origin, Sources};
pub use projector::NotShown;
pub use recorder::{Full, Recorded, Recorder};
pub use reporter::Reporter;
pub use shows::Shows;
pub use studio::{Settings as StudioSettings, Studio};
pub use tape::TapeError;
pub use told::Told;
