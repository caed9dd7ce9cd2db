//! What the commands that write or read recordings have in common.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

use super::Failure;
use crate::recording::{FileError, Origin, Recorded, Recorder, Recording, Sources, TapeError};
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;
use crate::sim::world::World;

/// Recorded positions a simulated second, at most.
const MOST_HZ: f64 = 1_000.0;

pub(super) fn parse_record_hz(text: &str) -> Result<f64, String> {
    let hz = text.parse().ok().filter(|hz| *hz > 0.0 && *hz <= MOST_HZ);
    hz.ok_or_else(|| format!("a number above 0 and up to {MOST_HZ} is wanted"))
}

pub(super) fn parse_drone(text: &str) -> Result<DroneId, String> {
    text.parse()
        .map_err(|_| "a drone's id such as d-17 is wanted".to_owned())
}

/// Elapsed simulated time.
pub(super) fn parse_elapsed(text: &str) -> Result<SimTime, String> {
    let wrong = || "an elapsed time such as 01:30:00 is wanted".to_owned();
    let parts: Vec<&str> = text.split(':').collect();
    let [hours, minutes, seconds] = parts.as_slice() else {
        return Err(wrong());
    };
    let whole = |text: &str| text.parse::<u32>().ok().map(f64::from);
    let below_60 = |value: &f64| *value < 60.0;
    let seconds = seconds.parse::<f64>().ok().filter(|value| *value >= 0.0);
    let (hours, minutes) = (whole(hours), whole(minutes).filter(below_60));
    let (Some(hours), Some(minutes), Some(seconds)) = (hours, minutes, seconds.filter(below_60)) else {
        return Err(wrong());
    };
    Ok(SimTime::from_secs(hours * 3_600.0 + minutes * 60.0 + seconds))
}

/// Where a run is recorded to.
pub(super) struct RecordTo<'a> {
    pub path: &'a Path,
    pub hz: f64,
    /// The file that the world was made of.
    pub scenario: &'a Path,
    /// Drones with a channel of their own.
    pub followed: &'a [DroneId],
}

impl RecordTo<'_> {
    pub(super) fn create(&self, world: &World) -> Result<Recorder, Failure> {
        check_followed(world, self.followed)?;
        not_onto(self.scenario, self.path, "--record")?;
        let origin = Origin {
            followed: self.followed.to_vec(),
            ..Origin::of(world, sources_of(self.scenario)?, self.hz)
        };
        Recorder::create(self.path, origin).map_err(|error| not_begun(self.path, "--record", &error))
    }

    pub(super) fn finish(&self, recorder: &Recorder) -> Result<Recorded, Failure> {
        recorder.finish().map_err(|error| self.failure(&error))
    }

    pub(super) fn failure(&self, error: &dyn Display) -> Failure {
        cut_short(Some(self.path), error)
    }
}

/// A drone that there is not would be a channel on which nothing ever comes.
pub(super) fn check_followed(world: &World, followed: &[DroneId]) -> Result<(), Failure> {
    let count = world.drone_count();
    let Some(unknown) = followed.iter().find(|drone| drone.0 >= count) else {
        return Ok(());
    };
    let remedy = match count.checked_sub(1) {
        Some(last) => format!("its drones are d-0 to d-{last}"),
        None => "it has no drones".to_owned(),
    };
    Err(Failure::bad_input(
        format!("--record-foxglove: the scenario has no drone {unknown}"),
        remedy,
    ))
}

/// What is read must not be written over, by whatever names it goes.
pub(super) fn not_onto(input: &Path, out: &Path, flag: &str) -> Result<(), Failure> {
    if !is_same(input, out) {
        return Ok(());
    }
    Err(Failure::bad_input(
        format!("{} would be written over itself", input.display()),
        format!("give another {flag}"),
    ))
}

/// One of the two would be lost.
pub(super) fn not_both(one: (&str, &Path), other: (&str, &Path)) -> Result<(), Failure> {
    if !is_same(one.1, other.1) {
        return Ok(());
    }
    Err(Failure::bad_input(
        format!(
            "{} and {} are the same file, {}",
            one.0,
            other.0,
            other.1.display()
        ),
        format!("give another {}", other.0),
    ))
}

/// Whether both are names of one file, which need not be there yet.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        path.canonicalize().ok().or_else(|| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        })
    };
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// The text that a world was made of, once more.
pub(super) fn sources_of(scenario: &Path) -> Result<Sources, Failure> {
    Sources::of_file(scenario).map_err(|error| {
        Failure::failed(
            format!("{} cannot be read again: {error}", scenario.display()),
            "leave the scenario's files where they are",
        )
    })
}

/// `flag` says where it is written.
pub(super) fn not_begun(path: &Path, flag: &str, error: &TapeError) -> Failure {
    if let TapeError::Io(error) = error
        && error.kind() == ErrorKind::StorageFull
    {
        return Failure::failed(
            format!("{} cannot be written: {error}", path.display()),
            format!("make room, or give another {flag}"),
        );
    }
    Failure::bad_input(
        format!("{} cannot be written: {error}", path.display()),
        format!("give another {flag}"),
    )
}

pub(super) fn cut_short(path: Option<&Path>, error: &dyn Display) -> Failure {
    let what = path.map_or("the recording".into(), Path::to_string_lossy);
    Failure::failed(
        format!("{what} cannot be written any more: {error}"),
        "make room; what was recorded until then can be played",
    )
}

/// Opens a recording; one without its end, or without the index there, with a warning.
pub(super) fn open(path: &Path) -> Result<Recording, Failure> {
    let recording = Recording::open(path).map_err(|error| unread(path, &error))?;
    if let Some(bytes) = recording.cut_off() {
        eprintln!(
            "warning: {} was not ended; it is read to its last whole chunk, at {}, and {bytes} bytes are left out",
            path.display(),
            crate::recording::export::clock(recording.end()),
        );
    }
    if recording.has_lost_index() {
        eprintln!(
            "warning: the index at the end of {} is damaged, or something was added behind it; all that was recorded is read",
            path.display(),
        );
    }
    Ok(recording)
}

pub(super) fn unread(path: &Path, error: &FileError) -> Failure {
    let remedy = match error {
        FileError::Unreadable(_) => "see whether it is there and may be read",
        FileError::Newer { .. } => "use the version that recorded it, or a newer one",
        FileError::Empty | FileError::NoMcap | FileError::Foreign => {
            "give a file that `skyhaul run --record` or `skyhaul serve --record` made"
        }
        FileError::Nothing | FileError::Damaged(_) => "record it again, or take a copy of it",
    };
    Failure::bad_input(format!("{}: {error}", path.display()), remedy)
}
