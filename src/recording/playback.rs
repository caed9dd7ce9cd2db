//! A recording with a clock: played forwards and backwards, at any speed, paused, stepped, in a
//! window and over again, as the outside asks for it.
//!
//! One thread has the [`Projector`] and shows what is due; requests reach it by a channel of
//! their own and are answered once what they ask for is in force. Writes are refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::sim::command::Command;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::time::{SimTime, Tick};
use crate::view::commands::{Accepted, Answer, Commands, PaceChange, Refusal, Written};
use crate::view::reading::{Pace, RunState, Speed};
use crate::view::timeline::Timeline;
use crate::view::{Excerpt, View};

use super::file::Recording;
use super::projector::{NotShown, Projector};
use super::timeline;

/// Requests to the clock without their answer.
const ASKED_MOST: usize = 64;
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Over so much wall time it is measured how fast simulated time passes.
const MEASURED: Duration = Duration::from_secs(2);

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

enum Ask {
    Change(PaceChange, oneshot::Sender<Result<(), Refusal>>),
    Step(u64, oneshot::Sender<Result<Tick, Refusal>>),
}

/// A recording that is played, for whoever looks and asks.
pub struct Playback {
    path: PathBuf,
    view: Arc<View>,
    asks: SyncSender<Ask>,
}

/// Ends with an error where the recording can no longer be read; else when nobody can ask.
pub type Played = JoinHandle<Result<(), NotShown>>;

impl Playback {
    /// # Errors
    /// A recording that cannot be shown, or no thread to be had.
    pub fn start(recording: Recording, programme: Programme) -> Result<(Arc<Self>, Played), NotShown> {
        let path = recording.path.clone();
        let to = programme.to.min(recording.end());
        let projector = Projector::open(recording, programme.from, epoch())?;
        let view = Arc::clone(projector.view());
        let timeline = Arc::new(Timeline::new(programme.from, to));
        timeline::gather(&path, &timeline)?;
        view.set_timeline(timeline);
        let (asks, asked) = sync_channel(ASKED_MOST);
        let player = Player::new(projector, programme);
        player.show_pace();
        let played = std::thread::Builder::new()
            .name("playback".to_owned())
            .spawn(move || player.run(&asked))
            .map_err(|error| NotShown::File(error.into()))?;
        Ok((Arc::new(Playback { path, view, asks }), played))
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
    fn request_delivery(&self, _: Order, _: Option<String>) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async { Err(Refusal::Recorded) })
    }

    fn put_delivery(&self, _: DeliveryId, _: Order) -> Answer<'_, Accepted, Refusal> {
        Box::pin(async { Err(Refusal::Recorded) })
    }

    fn write(&self, _: Command) -> Answer<'_, Written, Refusal> {
        Box::pin(async { Err(Refusal::Recorded) })
    }

    fn control(&self, change: PaceChange) -> Answer<'_, (), Refusal> {
        Box::pin(self.ask(move |reply| Ask::Change(change, reply)))
    }

    fn step(&self, ticks: u64) -> Answer<'_, Tick, Refusal> {
        Box::pin(self.ask(move |reply| Ask::Step(ticks, reply)))
    }
}

struct Player {
    projector: Projector,
    programme: Programme,
    pause_at: Option<Tick>,
    /// Where wall and simulated time were last set equal.
    anchor: (Instant, SimTime),
    /// Deliveries are not as they were at the moment that is shown: it was reached backwards.
    is_behind: bool,
    measured: (Instant, SimTime, f64),
}

impl Player {
    fn new(projector: Projector, programme: Programme) -> Self {
        let to = programme.to.min(projector.end());
        let at = projector.view().clock().at;
        let now = wall_now();
        Player {
            projector,
            programme: Programme { to, ..programme },
            pause_at: None,
            anchor: (now, at),
            is_behind: false,
            measured: (now, at, 0.0),
        }
    }

    fn run(mut self, asked: &Receiver<Ask>) -> Result<(), NotShown> {
        loop {
            let wait = self.due()?.map(|due| due.saturating_duration_since(wall_now()));
            let ask = match wait {
                None => asked.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => asked.recv_timeout(wait),
            };
            match ask {
                Ok(ask) => self.answer(ask)?,
                Err(RecvTimeoutError::Timeout) => self.go_on()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn now(&self) -> SimTime {
        self.projector.view().clock().at
    }

    /// Simulated seconds a second; negative is backwards. `None` is as fast as it goes.
    fn factor(&self) -> Option<f64> {
        match self.programme.speed {
            Speed::Times(factor) => Some(factor),
            Speed::Max => None,
        }
    }

    fn is_backwards(&self) -> bool {
        self.factor().is_some_and(|factor| factor < 0.0)
    }

    /// When something is to be done; `None` while it stands still.
    fn due(&mut self) -> Result<Option<Instant>, NotShown> {
        if self.programme.paused {
            return Ok(None);
        }
        let Some(factor) = self.factor() else {
            return Ok(Some(wall_now()));
        };
        let next = if factor < 0.0 {
            let period = self.projector.frame_period();
            SimTime(self.now().0.saturating_sub(period.0))
        } else {
            self.projector.next_at()?.unwrap_or(self.programme.to)
        };
        let (wall, sim) = self.anchor;
        let ahead_s = (next.as_secs() - sim.as_secs()) / factor;
        Ok(Some(
            wall + Duration::try_from_secs_f64(ahead_s).unwrap_or_default(),
        ))
    }

    /// Shows what is due.
    fn go_on(&mut self) -> Result<(), NotShown> {
        if self.is_backwards() {
            let is_over = self.now() <= self.programme.from || !self.back()?;
            if is_over {
                self.turn_at(self.programme.to)?;
            }
        } else {
            let next = self.projector.next_at()?.filter(|at| *at <= self.programme.to);
            match next {
                Some(_) => {
                    self.projector.forward()?;
                    let tick = self.projector.view().clock().tick;
                    if self.pause_at.is_some_and(|at| tick >= at) {
                        self.pause_at = None;
                        self.programme.paused = true;
                    }
                }
                None => self.turn_at(self.programme.from)?,
            }
        }
        self.measure();
        Ok(())
    }

    fn back(&mut self) -> Result<bool, NotShown> {
        let has_gone = self.projector.back()?;
        self.is_behind |= has_gone;
        Ok(has_gone)
    }

    /// At an end of the window.
    fn turn_at(&mut self, other_end: SimTime) -> Result<(), NotShown> {
        match self.programme.is_loop {
            true => self.seek(other_end),
            false => {
                self.programme.paused = true;
                self.catch_up()
            }
        }
    }

    fn seek(&mut self, at: SimTime) -> Result<(), NotShown> {
        self.projector.seek(at)?;
        self.is_behind = false;
        self.set_anew();
        Ok(())
    }

    /// Deliveries as they were at the moment that is shown.
    fn catch_up(&mut self) -> Result<(), NotShown> {
        match self.is_behind {
            true => self.seek(self.now()),
            false => Ok(()),
        }
    }

    fn set_anew(&mut self) {
        let now = wall_now();
        self.anchor = (now, self.now());
        self.measured = (now, self.now(), 0.0);
    }

    fn answer(&mut self, ask: Ask) -> Result<(), NotShown> {
        match ask {
            Ask::Change(change, reply) => {
                self.change(change)?;
                let _nobody_waits = reply.send(Ok(()));
            }
            Ask::Step(_, reply) if !self.programme.paused => {
                let _nobody_waits = reply.send(Err(Refusal::NotPaused));
            }
            Ask::Step(frames, reply) => {
                for _ in 0..frames {
                    if !self.step()? {
                        break;
                    }
                }
                self.set_anew();
                self.show_pace();
                let _nobody_waits = reply.send(Ok(self.projector.view().clock().tick));
            }
        }
        Ok(())
    }

    fn change(&mut self, change: PaceChange) -> Result<(), NotShown> {
        if let Some(at) = change.seek {
            self.seek(at.max(self.programme.from).min(self.programme.to))?;
        }
        if let Some(speed) = change.speed {
            self.programme.speed = speed;
        }
        if let Some(paused) = change.paused {
            self.programme.paused = paused;
        }
        if let Some(is_loop) = change.is_loop {
            self.programme.is_loop = is_loop;
        }
        if change.pause_at_tick.is_some() {
            self.pause_at = change.pause_at_tick;
        }
        if self.programme.paused || !self.is_backwards() {
            self.catch_up()?;
        }
        self.set_anew();
        self.show_pace();
        Ok(())
    }

    /// To the next frame, the way it plays.
    fn step(&mut self) -> Result<bool, NotShown> {
        if self.is_backwards() {
            let has_gone = self.back()?;
            self.catch_up()?;
            return Ok(has_gone);
        }
        while self
            .projector
            .next_at()?
            .is_some_and(|at| at <= self.programme.to)
        {
            if self.projector.forward()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn measure(&mut self) {
        let (since, from, _) = self.measured;
        let now = wall_now();
        let passed = now.saturating_duration_since(since);
        if passed >= MEASURED || self.programme.paused {
            let factor = (self.now().as_secs() - from.as_secs()) / passed.as_secs_f64().max(1e-3);
            self.measured = (now, self.now(), factor);
            self.show_pace();
        }
    }

    fn show_pace(&self) {
        let is_paused = self.programme.paused;
        let (_, _, factor) = self.measured;
        let view = self.projector.view();
        let pace = Pace {
            state: if is_paused {
                RunState::Paused
            } else {
                RunState::Running
            },
            speed: self.programme.speed,
            real_time_factor: if is_paused { 0.0 } else { factor },
            tick_slip_ms: 0.0,
            tick_ms: 0.0,
        };
        view.set_pace(pace, view.clock().tick);
        view.set_excerpt(Excerpt {
            from: self.programme.from,
            to: self.programme.to,
            is_loop: self.programme.is_loop,
            frame_period: self.projector.frame_period(),
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "playback keeps time with whoever looks")]
fn wall_now() -> Instant {
    Instant::now()
}
