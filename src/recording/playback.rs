//! A recording with a clock: played forwards and backwards, at any speed, paused, stepped, in a
//! window and over again, as the outside asks for it.
//!
//! A [`Player`] has the [`Projector`] and shows what is due; requests reach it by a channel of
//! their own and are answered once what they ask for is in force. Writes are refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::sim::time::{SimTime, Tick};
use crate::view::View;
use crate::view::commands::{Answer, Commands, PaceChange, Refusal};
use crate::view::reading::Speed;
use crate::view::timeline::Timeline;

use super::before::Before;
use super::file::Recording;
use super::player::{Player, Tail};
use super::projector::{NotShown, Projector};
use super::timeline;

/// Requests to the clock without their answer.
const ASKED_MOST: usize = 64;
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How a recording is played, from the beginning on.
#[derive(Clone, Copy, Debug)]
pub struct Programme {
    pub speed: Speed,
    pub paused: bool,
    /// From the end of the window to its beginning.
    pub is_loop: bool,
    pub from: SimTime,
    pub to: SimTime,
}

impl Programme {
    /// All of it, as a change of the clock says, from ×1 on.
    pub(super) fn of(change: PaceChange) -> Self {
        Programme {
            speed: change.speed.unwrap_or(Speed::Times(1.0)),
            paused: change.paused.unwrap_or(false),
            is_loop: false,
            from: SimTime::START,
            to: SimTime::NEVER,
        }
    }
}

pub(super) enum Ask {
    Change(PaceChange, oneshot::Sender<Result<(), Refusal>>),
    Step(u64, oneshot::Sender<Result<Tick, Refusal>>),
}

/// A recording that is played, for whoever looks and asks.
pub struct Playback {
    path: PathBuf,
    view: Arc<View>,
    asks: SyncSender<Ask>,
    is_over: Arc<AtomicBool>,
}

/// Ends with an error where the recording can no longer be read; else when nobody can ask.
pub type Played = JoinHandle<Result<(), NotShown>>;

impl Playback {
    /// For all to look at, from the beginning on, and with its timeline. What is played begins with
    /// the first moment of the recording that can be shown, and ends with the last.
    ///
    /// # Errors
    /// A recording that cannot be shown, or no thread to be had.
    pub fn start(recording: Recording, programme: Programme) -> Result<(Arc<Self>, Played), NotShown> {
        let path = recording.path.clone();
        let from = programme.from.max(recording.begin());
        let to = programme.to.min(recording.last_frame()).max(from);
        let programme = Programme {
            from,
            to,
            ..programme
        };
        let started = Self::open(recording, programme, from, None)?;
        let timeline = Arc::new(Timeline::new(from, to));
        timeline::gather(&path, &timeline)?;
        started.0.view.set_timeline(timeline);
        Ok(started)
    }

    /// From this moment on.
    ///
    /// # Errors
    /// See [`Playback::start`].
    pub(super) fn open(
        recording: Recording,
        programme: Programme,
        at: SimTime,
        tail: Option<Tail>,
    ) -> Result<(Arc<Self>, Played), NotShown> {
        let path = recording.path.clone();
        let archive = tail.as_ref().and_then(|tail| tail.live.archive());
        let before = archive.map(|archive| Before::new(archive, recording.begin()));
        let projector = Projector::open(recording, at, epoch(), before)?;
        let view = Arc::clone(projector.view());
        let (asks, asked) = sync_channel(ASKED_MOST);
        let is_over = Arc::new(AtomicBool::new(false));
        let player = Player::new(projector, programme, tail, Arc::clone(&is_over));
        player.show_pace();
        let played = std::thread::Builder::new()
            .name("playback".to_owned())
            .spawn({
                let is_over = Arc::clone(&is_over);
                move || {
                    let played = player.run(&asked);
                    is_over.store(true, Ordering::Release);
                    played
                }
            })
            .map_err(|error| NotShown::File(error.into()))?;
        let playback = Playback {
            path,
            view,
            asks,
            is_over,
        };
        Ok((Arc::new(playback), played))
    }

    /// It has come to where a live world is, or can no longer be read, and stands still for ever.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, Refusal>>) -> Ask,
    ) -> Result<T, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.asks.try_send(ask(reply)).map_err(|error| match error {
            TrySendError::Full(_) => Refusal::Busy {
                retry_after: RETRY_AFTER,
            },
            TrySendError::Disconnected(_) => Refusal::ShuttingDown,
        })?;
        answer.await.unwrap_or(Err(Refusal::ShuttingDown))
    }
}

/// No two shows of a recording share one.
#[expect(clippy::disallowed_methods, reason = "an epoch is a moment of the wall clock")]
fn epoch() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_millis() as u64)
}

impl Commands for Playback {
    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(self.ask(move |reply| Ask::Change(change, reply)))
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(self.ask(move |reply| Ask::Step(ticks, reply)))
    }
}
