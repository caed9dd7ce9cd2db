//! A second recording beside the one that is played: behind a door of its own under `/beside`,
//! and at the same moment whatever is done to the clock.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tower::ServiceExt;

use super::replay::Doors;
use crate::http::{self, FrontDoor};
use crate::recording::playback::{Playback, Programme};
use crate::recording::{NotShown, Recording};
use crate::sim::time::{SimTime, Tick};
use crate::view::branches::{Beside as Shown, Comparison};
use crate::view::commands::{Answer, Commands, PaceChange, Refusal};
use crate::view::reading::{RunState, Speed};

/// So often it is looked whether both are at the same moment.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Two that play may be so many wall seconds apart, and a frame.
const SLACK_S: f64 = 0.5;

struct Guest {
    path: PathBuf,
    playback: Arc<Playback>,
    routes: FrontDoor,
    /// Once somebody asked.
    comparison: Option<Comparison>,
}

/// Where the second recording is, if there is one.
pub struct Beside {
    common: Arc<Playback>,
    doors: Doors,
    guest: RwLock<Option<Guest>>,
    /// The moment to which the guest was brought, while it stands still.
    brought_to: Mutex<Option<SimTime>>,
    runtime: Handle,
}

impl Beside {
    /// Within the runtime that serves.
    pub fn new(common: Arc<Playback>, doors: Doors) -> Arc<Self> {
        let beside = Arc::new(Beside {
            common,
            doors,
            guest: RwLock::default(),
            brought_to: Mutex::default(),
            runtime: Handle::current(),
        });
        tokio::spawn(keep(Arc::downgrade(&beside)));
        beside
    }

    /// Shows it in place of what was there.
    ///
    /// # Errors
    /// A recording that cannot be shown.
    pub fn show(self: &Arc<Self>, path: &Path) -> Result<(), NotShown> {
        let recording = Recording::open(path)?;
        let programme = Programme {
            speed: self.common.view().clock().pace.speed,
            paused: true,
            is_loop: false,
            from: recording.begin(),
            to: SimTime::NEVER,
        };
        let (playback, played) = Playback::start(recording, programme)?;
        let (routes, _) = {
            let _within = self.runtime.enter();
            self.doors.open(&playback, Arc::new(NoneOfItsOwn), None)
        };
        self.runtime.spawn_blocking(move || {
            if let Ok(Err(error)) = played.join() {
                tracing::error!(%error, "the recording beside can no longer be shown");
            }
        });
        *self.guest.write() = Some(Guest {
            path: path.to_owned(),
            playback,
            routes,
            comparison: None,
        });
        let beside = Arc::clone(self);
        self.runtime.spawn(async move { beside.align(true).await });
        Ok(())
    }

    pub fn shown(&self) -> Option<Shown> {
        let guest = self.guest.read();
        let guest = guest.as_ref()?;
        let excerpt = guest.playback.view().excerpt()?;
        Some(Shown {
            file: file_name(&guest.path),
            from: excerpt.from,
            to: excerpt.to,
        })
    }

    /// What is shown, and how it compares, where that is known.
    pub fn compared(&self) -> Option<(PathBuf, Option<Comparison>)> {
        let guest = self.guest.read();
        guest
            .as_ref()
            .map(|guest| (guest.path.clone(), guest.comparison.clone()))
    }

    /// Keeps how this one compares, if it is shown still.
    pub fn keep_comparison(&self, of: &Path, comparison: &Comparison) {
        if let Some(guest) = self.guest.write().as_mut()
            && guest.path == of
        {
            guest.comparison = Some(comparison.clone());
        }
    }

    /// Brings the guest to where the common show is; anew even if it stood there already.
    async fn align(&self, anew: bool) {
        let mut brought_to = self.brought_to.lock().await;
        let guest = self
            .guest
            .read()
            .as_ref()
            .map(|guest| Arc::clone(&guest.playback));
        let Some(guest) = guest else {
            return;
        };
        let Some(excerpt) = guest.view().excerpt() else {
            return;
        };
        let (leads, follows) = (self.common.view().clock(), guest.view().clock());
        let at = leads.at.clamp(excerpt.from, excerpt.to);
        // Where it has nothing to show it waits at its end.
        let stands = leads.pace.state == RunState::Paused || at != leads.at;
        let slack_us = match leads.pace.speed {
            Speed::Times(factor) => factor.abs() * SLACK_S * 1e6 + excerpt.frame_period.0 as f64,
            Speed::Max => f64::INFINITY,
        };
        let is_off = match stands {
            true => anew || *brought_to != Some(at),
            false => follows.at.0.abs_diff(at.0) as f64 > slack_us,
        };
        let change = PaceChange {
            paused: (stands != (follows.pace.state == RunState::Paused)).then_some(stands),
            speed: (leads.pace.speed != follows.pace.speed).then_some(leads.pace.speed),
            seek: is_off.then_some(at),
            ..PaceChange::default()
        };
        if change != PaceChange::default() && guest.control(change).await.is_err() {
            return;
        }
        *brought_to = stands.then_some(at);
    }
}

/// The common show may leap by itself, at its end.
async fn keep(beside: Weak<Beside>) {
    let mut due = tokio::time::interval(LOOK_EVERY);
    loop {
        due.tick().await;
        let Some(beside) = beside.upgrade() else {
            return;
        };
        beside.align(false).await;
    }
}

/// The door of whatever is shown beside.
pub async fn pass(State(beside): State<Arc<Beside>>, request: Request) -> Response {
    let routes = beside.guest.read().as_ref().map(|guest| guest.routes.clone());
    let path = request.uri().path().to_owned();
    match routes {
        None => http::nothing_here(&path),
        Some(routes) => match routes.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
    }
}

pub fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// What is beside goes as the common show goes.
struct NoneOfItsOwn;

impl Commands for NoneOfItsOwn {
    fn control(&self, _: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(async { Err(Refusal::Beside) })
    }

    fn step(&self, _: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(async { Err(Refusal::Beside) })
    }
}

/// The common show with whatever is beside it: who moves the one moves both.
pub struct Both(pub Arc<Beside>);

impl Commands for Both {
    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(async move {
            self.0.common.control(change).await?;
            self.0.align(change.seek.is_some()).await;
            Ok(())
        })
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(async move {
            let tick = self.0.common.step(ticks).await?;
            self.0.align(true).await;
            Ok(tick)
        })
    }
}
