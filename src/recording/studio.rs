//! Recordings of a live world that begin and end while it runs, and shows of the one that goes on:
//! what is recorded can be looked at until a moment ago.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::timeout;

use crate::engine::controls::{Control, Controls};
use crate::engine::witness::Stand;
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::view::View;
use crate::view::commands::{Answer, PaceChange};
use crate::view::pasts::{NoShow, Pasts, Show};
use crate::view::recordings::{NotRecording, RecordingReading, RecordingState, Recordings};
use crate::view::timeline::Timeline;

use super::file::Recording;
use super::origin::{Origin, Sources};
use super::playback::{Playback, Programme};
use super::player::Tail;
use super::recorder::{Recorded, Recorder};
use super::reporter::Reporter;
use super::shows::{Room, check, open};
use super::tape::TapeError;
use super::timeline;

/// What a studio needs to know before there is a world.
pub struct Settings {
    /// Where recordings with a name go.
    pub folder: Option<PathBuf>,
    pub sources: Sources,
    /// Recorded positions a simulated second.
    pub hz: f64,
    /// Drones with a channel of their own, for Foxglove's map.
    pub followed: Vec<DroneId>,
}

/// Whoever records a live world stands in its stand while they do.
pub struct Studio {
    settings: Settings,
    world: Arc<World>,
    stand: Stand,
    /// Once there is one; it holds the studio.
    view: OnceLock<Weak<View>>,
    /// Of its clock.
    controls: OnceLock<Controls>,
    /// Recordings begin and end one after the other.
    turns: Arc<tokio::sync::Mutex<()>>,
    course: Mutex<Option<Course>>,
    room: Room,
}

/// The recording that goes on, or the last one.
#[derive(Clone)]
struct Course {
    name: String,
    path: PathBuf,
    recorder: Arc<Recorder>,
    is_stopped: bool,
}

impl Studio {
    pub fn new(settings: Settings, world: Arc<World>) -> Self {
        Studio {
            settings,
            world,
            stand: Stand::default(),
            view: OnceLock::new(),
            controls: OnceLock::new(),
            turns: Arc::default(),
            course: Mutex::default(),
            room: Room::default(),
        }
    }

    pub fn stand(&self) -> Stand {
        Arc::clone(&self.stand)
    }

    /// The world is there, and seen like this; `controls`: its clock hears who leaves.
    pub fn attend(&self, view: &Arc<View>, controls: Controls) {
        let _only_the_first = self.view.set(Arc::downgrade(view));
        let _only_the_first = self.controls.set(controls);
        if let Some(course) = self.course.lock().clone() {
            self.gather(&course);
        }
    }

    /// Records to this file from the next tick on. An old one there is kept under another name: it
    /// may be all that is left of a program that was killed.
    ///
    /// # Errors
    /// A place where nothing can be written.
    pub fn record_to(&self, path: &Path) -> Result<(), TapeError> {
        if let Some(kept) = set_aside(path)? {
            tracing::info!(kept = %kept.display(), "there was a recording already; it has another name now");
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        self.begin(name.into_owned(), path.to_owned(), Recorder::create)
    }

    fn begin(
        &self,
        name: String,
        path: PathBuf,
        create: impl FnOnce(&Path, Origin) -> Result<Recorder, TapeError>,
    ) -> Result<(), TapeError> {
        let Settings {
            sources,
            hz,
            followed,
            ..
        } = &self.settings;
        let origin = Origin {
            followed: followed.clone(),
            ..Origin::of(&self.world, sources.clone(), *hz)
        };
        let recorder = Arc::new(create(&path, origin)?);
        let world = self
            .view()
            .map_or_else(|| Arc::clone(&self.world), |view| Arc::clone(&view.world()));
        let reporter = Reporter::new(Arc::clone(&recorder), world, *hz);
        let course = Course {
            name,
            path,
            recorder,
            is_stopped: false,
        };
        self.gather(&course);
        *self.course.lock() = Some(course);
        *self.stand.lock() = Some(Box::new(reporter));
        Ok(())
    }

    /// The world has a timeline while it is recorded.
    fn gather(&self, course: &Course) {
        let Some(view) = self.view() else { return };
        let timeline = Arc::new(Timeline::growing(view.clock().at));
        if let Err(error) = timeline::follow(&course.path, Arc::clone(&course.recorder), &timeline) {
            tracing::error!(%error, "the recording has no timeline");
            return;
        }
        view.set_timeline(timeline);
    }

    /// Ends the recording that goes on; `None` where none does. Of a world that lives it ends with
    /// the last frame that was due; one that has ended told how it stood.
    ///
    /// # Errors
    /// What ended it before.
    pub fn finish(&self) -> Option<Result<Recorded, TapeError>> {
        let recorder = self.end()?;
        drop(self.stand.lock().take());
        Some(recorder.finish())
    }

    /// The recording that goes on is one no longer, and nobody is to look at it.
    fn end(&self) -> Option<Arc<Recorder>> {
        let recorder = {
            let mut course = self.course.lock();
            let course = course.as_mut().filter(|course| !course.is_stopped)?;
            course.is_stopped = true;
            Arc::clone(&course.recorder)
        };
        if let Some(view) = self.view() {
            view.drop_timeline();
        }
        Some(recorder)
    }

    fn view(&self) -> Option<Arc<View>> {
        self.view.get()?.upgrade()
    }

    /// The one that goes on.
    fn under_way(&self) -> Option<Course> {
        let course = self.course.lock().clone()?;
        (!course.is_stopped && course.recorder.progress().failure().is_none()).then_some(course)
    }
}

impl Recordings for Studio {
    fn reading(&self) -> RecordingReading {
        let Some(course) = self.course.lock().clone() else {
            return RecordingReading::default();
        };
        let progress = course.recorder.progress();
        let failure = progress.failure().map(str::to_owned);
        let (waiting, waiting_bytes) = match progress.has_ended() {
            true => (0, 0),
            false => course.recorder.waiting(),
        };
        RecordingReading {
            state: match (&failure, course.is_stopped) {
                (Some(_), _) => RecordingState::Failed,
                (None, true) if progress.has_ended() => RecordingState::Off,
                // Also while the last of it is being written.
                (None, _) => RecordingState::Recording,
            },
            name: Some(course.name),
            file: Some(course.path.display().to_string()),
            bytes: match progress.has_ended() {
                true => std::fs::metadata(&course.path).map_or(0, |known| known.len()),
                false => progress.readable_bytes(),
            },
            from: progress.from(),
            gaps: progress.gaps(),
            waiting,
            waiting_bytes,
            failure,
        }
    }

    fn start(&self, name: String) -> Answer<'_, (), NotRecording> {
        Box::pin(async move {
            let _turn = self.turns.lock().await;
            let name = name.strip_suffix(".mcap").unwrap_or(&name).to_owned();
            if let Some(course) = self.under_way() {
                return match course.name == name {
                    true => Ok(()),
                    false => Err(NotRecording::Busy { name: course.name }),
                };
            }
            // One that failed leaves what it could write.
            let _it_said_why = self.finish();
            let folder = self.settings.folder.as_ref().ok_or(NotRecording::NoFolder)?;
            let unwritable = |error: &dyn std::fmt::Display| NotRecording::Unwritable(error.to_string());
            std::fs::create_dir_all(folder).map_err(|error| unwritable(&error))?;
            let path = folder.join(format!("{name}.mcap"));
            let begun = self.begin(name.clone(), path, Recorder::create_new);
            begun.map_err(|error| match &error {
                TapeError::Io(io) if io.kind() == std::io::ErrorKind::AlreadyExists => {
                    NotRecording::Exists { name }
                }
                error => unwritable(error),
            })?;
            tracing::info!("the world is recorded from now on");
            Ok(())
        })
    }

    fn stop(&self) -> Answer<'_, (), NotRecording> {
        Box::pin(async move {
            let turn = Arc::clone(&self.turns).lock_owned().await;
            let Some(recorder) = self.end() else {
                return Ok(());
            };
            let (controls, stand) = (self.controls.get().cloned(), self.stand());
            // Also when whoever asked for it has gone.
            let ended = tokio::spawn(async move {
                let _turn = turn;
                if let Some(controls) = controls {
                    let _what_was_due_is_there = timeout(LAST_WORD, controls.ask(Control::Dismiss)).await;
                }
                drop(stand.lock().take());
                let finished = tokio::task::spawn_blocking(move || recorder.finish());
                finished.await.unwrap_or(Err(TapeError::Gone))
            });
            match ended.await.unwrap_or(Err(TapeError::Gone)) {
                Ok(recorded) => {
                    tracing::info!(
                        bytes = recorded.bytes,
                        frames = recorded.frames,
                        "the recording is whole"
                    );
                    Ok(())
                }
                Err(error) => Err(NotRecording::Unwritable(error.to_string())),
            }
        })
    }
}

impl Pasts for Studio {
    fn open(&self, at: SimTime, change: PaceChange) -> Answer<'_, Arc<dyn Show>, NoShow> {
        Box::pin(async move {
            let course = self.under_way().ok_or(NoShow::NotRecorded)?;
            let live = self.view().ok_or(NoShow::NotRecorded)?;
            let from = course.recorder.progress().from().ok_or(NoShow::NotRecorded)?;
            check(at, from, live.clock().at)?;
            let place = self.room.take()?;
            let programme = Programme {
                from,
                ..Programme::of(change)
            };
            let recorder = course.recorder;
            let tail = Tail {
                recorder: Arc::clone(&recorder),
                live: Arc::clone(&live),
            };
            let span = {
                let tail = tail.clone();
                move || (from, tail.end())
            };
            let begin = move || {
                recorder.flush();
                let recording = Recording::open_growing(&course.path, recorder)?;
                let to = recording.end();
                Playback::open(recording, Programme { to, ..programme }, at, Some(tail))
            };
            let show = open(place, span, begin).await?;
            Ok(show.with_timeline_of(&live))
        })
    }
}

/// So long a recording that ends waits for how the world stands: a store may stall.
const LAST_WORD: Duration = Duration::from_secs(5);
/// Numbers that are tried for the name of what was there before.
const NUMBERS: u32 = 10_000;

/// `NAME.mcap` becomes `NAME.1.mcap`, or what number is free.
fn set_aside(path: &Path) -> std::io::Result<Option<PathBuf>> {
    let is_something = std::fs::metadata(path).is_ok_and(|known| known.is_file() && known.len() > 0);
    if !is_something {
        return Ok(None);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|extension| extension.to_string_lossy());
    let extension = extension.map_or_else(String::new, |extension| format!(".{extension}"));
    let named = |number| path.with_file_name(format!("{stem}.{number}{extension}"));
    let free = (1..=NUMBERS).map(named).find(|other| !other.exists());
    let other = free.ok_or(std::io::ErrorKind::AlreadyExists)?;
    std::fs::rename(path, &other)?;
    Ok(Some(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_before_keeps_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.mcap");
        assert_eq!(set_aside(&path).unwrap(), None);
        for text in ["first", "second"] {
            std::fs::write(&path, text).unwrap();
            set_aside(&path).unwrap();
            assert!(!path.exists());
        }
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!([read("night.1.mcap"), read("night.2.mcap")], ["first", "second"]);
        let bare = folder.path().join("day");
        std::fs::write(&bare, "third").unwrap();
        set_aside(&bare).unwrap();
        assert_eq!(read("day.1"), "third");
    }
}
