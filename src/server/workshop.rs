//! Where branches of the recording that is played are made: one at a time, each by a thread of its
//! own into a file beside the recording, and shown beside it when it is done.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use super::beside::{Beside, file_name};
use crate::recording::{Fork, Recorder, Recording, branch};
use crate::run;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::view::branches::{Beside as Shown, Branch, Branches, Comparison, NoBranch, NoComparison, Stage};
use crate::view::commands::Answer;

/// Branches that are remembered; their files stay.
const REMEMBERED: usize = 100;
/// Numbers that are tried for a file's name.
const NUMBERS: u32 = 10_000;

pub struct Workshop {
    /// What is played.
    path: PathBuf,
    beside: Arc<Beside>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    branches: Vec<Branch>,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    called_off: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl State {
    fn stage(&mut self, number: u32) -> Option<&mut Stage> {
        let branch = self.branches.iter_mut().find(|branch| branch.number == number);
        branch.map(|branch| &mut branch.stage)
    }
}

/// What a thread needs to make a branch.
struct Job {
    number: u32,
    recording: Recording,
    at: SimTime,
    world: Option<World>,
    recorder: Recorder,
    hz: f64,
    place: Place,
    called_off: Arc<AtomicBool>,
    state: Arc<Mutex<State>>,
    beside: Arc<Beside>,
}

/// A file that has its name once it is whole, and is made under another beside it: who is killed
/// leaves none that looks whole.
struct Place {
    /// Until it is whole.
    part: Option<PathBuf>,
    path: PathBuf,
}

impl Place {
    /// A new, empty file.
    fn create(path: PathBuf) -> Result<(Self, File), (PathBuf, io::Error)> {
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = match File::create_new(&part) {
            Ok(file) => file,
            Err(error) => return Err((path, error)),
        };
        // It may have been made long ago, or meanwhile.
        let is_taken = path.exists();
        let place = Place {
            part: Some(part),
            path,
        };
        match is_taken {
            true => Err((place.path.clone(), ErrorKind::AlreadyExists.into())),
            false => Ok((place, file)),
        }
    }

    /// It is whole, and is kept whatever comes.
    fn take_name(&mut self) -> Result<(), String> {
        let Some(part) = self.part.take() else {
            return Ok(());
        };
        std::fs::rename(&part, &self.path).map_err(|error| {
            let (name, part) = (file_name(&self.path), file_name(&part));
            format!("{name} cannot have its name: {error}; all of it is in {part}")
        })
    }

    /// What is not whole is of no use.
    fn discard(&mut self) {
        if let Some(part) = self.part.take() {
            let _is_gone = std::fs::remove_file(part);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.discard();
    }
}

impl Workshop {
    pub fn new(path: &Path, beside: Arc<Beside>) -> Arc<Self> {
        Arc::new(Workshop {
            path: path.to_owned(),
            beside,
            state: Arc::default(),
        })
    }

    /// Calls off what is under way, and waits until it has ended.
    pub fn close(&self) {
        let under_way = self.state.lock().under_way.take();
        if let Some(UnderWay { called_off, thread }) = under_way {
            called_off.store(true, Ordering::Relaxed);
            let _it_said_why = thread.join();
        }
    }
}

/// A file beside the recording that was not there before. Whoever else makes one, or was killed at
/// it, keeps the number.
fn new_file(recording: &Path) -> Result<(u32, Place, File), NoBranch> {
    let stem = recording.file_stem().unwrap_or_default().to_string_lossy();
    let mut last = None;
    for number in 1..=NUMBERS {
        let path = recording.with_file_name(format!("{stem}.fork-{number}.mcap"));
        match Place::create(path) {
            Ok((place, file)) => return Ok((number, place, file)),
            Err((path, error)) if error.kind() == ErrorKind::AlreadyExists => last = Some((path, error)),
            Err((path, error)) => return Err(not_writable(&path, &error)),
        }
    }
    let (path, error) = last.ok_or(NoBranch::Unknown)?;
    Err(not_writable(&path, &error))
}

fn not_writable(path: &Path, error: &dyn std::fmt::Display) -> NoBranch {
    NoBranch::NotWritable {
        file: file_name(path),
        why: error.to_string(),
    }
}

impl Branches for Workshop {
    fn all(&self) -> Vec<Branch> {
        self.state.lock().branches.clone()
    }

    fn beside(&self) -> Option<Shown> {
        self.beside.shown()
    }

    fn check(&self, key: &str) -> Result<(), String> {
        branch::check(key)
    }

    fn begin(&self, at: SimTime, set: Vec<(String, String)>) -> Result<Branch, NoBranch> {
        let mut state = self.state.lock();
        if let Some(under_way) = &state.under_way
            && !under_way.thread.is_finished()
        {
            return Err(NoBranch::Busy);
        }
        let recording = Recording::open(&self.path).map_err(|error| NoBranch::Unread(error.to_string()))?;
        let made = branch::of(&recording.origin, &set);
        let (origin, world) = made.map_err(|error| NoBranch::NoScenario(error.to_string()))?;
        let (number, place, file) = new_file(&self.path)?;
        let hz = origin.hz;
        let recorder = Recorder::to(file, origin).map_err(|error| not_writable(&place.path, &error))?;
        let branch = Branch {
            number,
            at,
            set,
            file: file_name(&place.path),
            stage: Stage::Running(0.0),
        };
        let called_off = Arc::new(AtomicBool::new(false));
        let job = Job {
            number,
            recording,
            at,
            world,
            recorder,
            hz,
            place,
            called_off: Arc::clone(&called_off),
            state: Arc::clone(&self.state),
            beside: Arc::clone(&self.beside),
        };
        let thread = std::thread::Builder::new().name("fork".to_owned());
        let thread = thread.spawn(move || job.work());
        let thread = thread.map_err(|error| NoBranch::Unread(error.to_string()))?;
        state.under_way = Some(UnderWay { called_off, thread });
        state.branches.push(branch.clone());
        if state.branches.len() > REMEMBERED {
            state.branches.remove(0);
        }
        Ok(branch)
    }

    fn cancel(&self, number: u32) -> Result<(), NoBranch> {
        let mut state = self.state.lock();
        match state.stage(number) {
            None => Err(NoBranch::Unknown),
            Some(Stage::Running(_)) => {
                if let Some(under_way) = &state.under_way {
                    under_way.called_off.store(true, Ordering::Relaxed);
                }
                Ok(())
            }
            Some(_) => Err(NoBranch::Ended),
        }
    }

    fn comparison(&self) -> Answer<'_, Comparison, NoComparison> {
        Box::pin(async move {
            let (other, known) = self.beside.compared().ok_or(NoComparison::Alone)?;
            if let Some(known) = known {
                return Ok(known);
            }
            let (path, beside) = (self.path.clone(), Arc::clone(&self.beside));
            let compared = tokio::task::spawn_blocking(move || {
                let found = compare(&path, &other)?;
                beside.keep_comparison(&other, &found);
                Ok(found)
            });
            compared
                .await
                .unwrap_or_else(|error| Err(NoComparison::Unread(error.to_string())))
        })
    }
}

impl Job {
    fn work(mut self) {
        let ended = self.run();
        let stage = match ended {
            Ok(()) if self.called_off.load(Ordering::Relaxed) => Stage::Cancelled,
            Ok(()) => match self.show() {
                Ok(()) => Stage::Done,
                Err(why) => Stage::Failed(why),
            },
            Err(why) => Stage::Failed(why),
        };
        // Before anybody hears of its end.
        self.place.discard();
        if let Some(known) = self.state.lock().stage(self.number) {
            *known = stage;
        }
    }

    /// What is whole; where it cannot be shown it is not kept.
    fn show(&mut self) -> Result<(), String> {
        self.place.take_name()?;
        let path = &self.place.path;
        self.beside.show(path).map_err(|error| {
            let _it_is_of_no_use = std::fs::remove_file(path);
            error.to_string()
        })
    }

    /// One that was called off ends well.
    fn run(&self) -> Result<(), String> {
        let fork = Fork::at(&self.recording, self.at).map_err(|error| error.to_string())?;
        if !fork.is_inside() {
            return Err("the recording has nothing to go on from before that moment".to_owned());
        }
        let (from, end) = (fork.from(), fork.end());
        let ended = run::go_on(
            &fork,
            self.world.clone(),
            1,
            &self.recorder,
            self.hz,
            |progress| {
                let share = (progress.tick - from) as f64 / (end - from).max(1) as f64;
                if let Some(known) = self.state.lock().stage(self.number) {
                    *known = Stage::Running(share);
                }
                match self.called_off.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            },
        );
        let recorded = self.recorder.finish().map_err(|error| error.to_string());
        if self.called_off.load(Ordering::Relaxed) {
            return Ok(());
        }
        recorded?;
        ended.map(|_| ()).map_err(|error| error.to_string())
    }
}

fn compare(path: &Path, other: &Path) -> Result<Comparison, NoComparison> {
    let open = |path: &Path| {
        let unread = |error| NoComparison::Unread(format!("{}: {error}", file_name(path)));
        Recording::open(path).map_err(unread)
    };
    let (first, second) = (open(path)?, open(other)?);
    run::against(&first, &second).map_err(|error| NoComparison::Unread(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_whose_part_is_there_is_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let recording = folder.path().join("run.mcap");
        let name = |name: &str| folder.path().join(name);
        std::fs::write(name("run.fork-1.mcap.part"), "of one that was killed").unwrap();
        std::fs::write(name("run.fork-2.mcap"), "whole").unwrap();
        let (number, place, _) = new_file(&recording).unwrap();
        assert_eq!(number, 3);
        assert!(name("run.fork-3.mcap.part").exists());
        drop(place);
        let mut left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["run.fork-1.mcap.part", "run.fork-2.mcap"]);
    }

    #[test]
    fn a_whole_branch_is_kept_where_it_cannot_have_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (_, mut place, _) = new_file(&folder.path().join("run.mcap")).unwrap();
        let part = folder.path().join("run.fork-1.mcap.part");
        std::fs::write(&part, "a whole branch").unwrap();
        std::fs::create_dir(&place.path).unwrap();
        let why = place.take_name().unwrap_err();
        assert!(why.contains("run.fork-1.mcap.part"), "it says where: {why}");
        place.discard();
        drop(place);
        assert_eq!(std::fs::read_to_string(&part).unwrap(), "a whole branch");
    }
}
