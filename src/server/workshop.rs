//! Where branches of the recording that is played are made: one at a time, each by a thread of its
//! own into a file beside the recording, and shown beside it when it is done.

use std::fs::OpenOptions;
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
    part: PathBuf,
    path: PathBuf,
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

    /// A file that was not there before.
    fn new_file(&self) -> Result<(u32, Place), NoBranch> {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut last = None;
        for number in 1..=NUMBERS {
            let path = self.path.with_file_name(format!("{stem}.fork-{number}.mcap"));
            let part = self
                .path
                .with_file_name(format!("{stem}.fork-{number}.mcap.part"));
            match OpenOptions::new().write(true).create_new(true).open(&part) {
                // It has been made meanwhile, or long ago.
                Ok(_) if path.exists() => {
                    let _is_gone = std::fs::remove_file(&part);
                    last = Some((path, std::io::ErrorKind::AlreadyExists.into()));
                }
                Ok(_) => return Ok((number, Place { part, path })),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => last = Some((path, error)),
                Err(error) => return Err(not_writable(&path, &error)),
            }
        }
        let (path, error) = last.ok_or(NoBranch::Unknown)?;
        Err(not_writable(&path, &error))
    }
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
        let (number, place) = self.new_file()?;
        let hz = origin.hz;
        let recorder = Recorder::create(&place.part, origin).map_err(|error| {
            let _may_be_gone = std::fs::remove_file(&place.part);
            not_writable(&place.path, &error)
        })?;
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
    fn work(self) {
        let ended = self.run();
        let stage = match ended {
            Ok(()) if self.called_off.load(Ordering::Relaxed) => Stage::Cancelled,
            Ok(()) => match self.show() {
                Ok(()) => Stage::Done,
                Err(why) => Stage::Failed(why),
            },
            Err(why) => Stage::Failed(why),
        };
        if stage != Stage::Done {
            let _has_its_name = std::fs::remove_file(&self.place.part);
        }
        if let Some(known) = self.state.lock().stage(self.number) {
            *known = stage;
        }
    }

    /// What is whole; where it cannot be shown it is not kept.
    fn show(&self) -> Result<(), String> {
        let Place { part, path } = &self.place;
        std::fs::rename(part, path).map_err(|error| error.to_string())?;
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
