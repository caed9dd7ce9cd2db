//! Who plays a recording: on a thread of their own they show what is due, and carry out what is
//! asked for. Of one that is still being written they go along with its end, until that is where
//! the world is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::sim::time::{SimDuration, SimTime, Tick};
use crate::view::commands::{PaceChange, Refusal};
use crate::view::reading::{Pace, RunState, Speed};
use crate::view::{Excerpt, View};

use super::playback::{Ask, Programme};
use super::projector::{NotShown, Projector};
use super::recorder::Recorder;

/// Over so much wall time it is measured how fast simulated time passes.
const MEASURED: Duration = Duration::from_secs(2);

/// At full speed a moment that was gone to stands so long before it goes on, so that whoever looks is
/// shown it: some beats of the window. The whole recording may be over in less.
const HELD: Duration = Duration::from_millis(250);

/// Backwards, lists and counts are of a moment at most so long ago.
const RECOUNTED_EVERY: Duration = Duration::from_secs(1);
/// And take no more than one part in so many of the time.
const RECOUNT_SHARE: u32 = 10;

/// Of a recording that is being written: who writes it, and the world that it is of.
#[derive(Clone)]
pub(super) struct Tail {
    pub recorder: Arc<Recorder>,
    pub live: Arc<View>,
}

/// How often it is looked whether more was written.
const LOOKED_EVERY: Duration = Duration::from_millis(250);
/// Who is so little behind a live world sees the live world instead.
const NEARLY_LIVE: Duration = Duration::from_secs(2);

impl Tail {
    /// Up to where it may be gone: what is recorded, which is where the world is as long as that is.
    pub fn end(&self) -> SimTime {
        let ended = self.recorder.progress().ended_at();
        ended.unwrap_or_else(|| self.live.clock().at)
    }

    fn is_near(&self, at: SimTime, frame_period: SimDuration) -> bool {
        let live = self.live.clock();
        let behind_s = live.at.since(at).as_secs();
        let factor = live.pace.real_time_factor.max(1.0);
        behind_s <= NEARLY_LIVE.as_secs_f64() * factor + frame_period.as_secs()
    }
}

pub(super) struct Player {
    projector: Projector,
    programme: Programme,
    pause_at: Option<Tick>,
    /// Where wall and simulated time were last set equal.
    anchor: (Instant, SimTime),
    /// Until then what was gone to is shown.
    held_until: Instant,
    /// Deliveries are not as they were at the moment that is shown: it was reached backwards.
    is_behind: bool,
    /// When lists and counts are due that are of a moment on the way back.
    recount_due: Instant,
    measured: (Instant, SimTime, f64),
    tail: Option<Tail>,
    is_over: Arc<AtomicBool>,
}

impl Player {
    /// `is_over` turns true where it has come to where the world is.
    pub fn new(
        projector: Projector,
        programme: Programme,
        tail: Option<Tail>,
        is_over: Arc<AtomicBool>,
    ) -> Self {
        let to = programme.to.min(projector.end());
        let at = projector.view().clock().at;
        let now = wall_now();
        Player {
            projector,
            programme: Programme { to, ..programme },
            pause_at: None,
            anchor: (now, at),
            held_until: now + HELD,
            is_behind: false,
            recount_due: now,
            measured: (now, at, 0.0),
            tail,
            is_over,
        }
    }

    pub fn run(mut self, asked: &Receiver<Ask>) -> Result<(), NotShown> {
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
            return Ok(Some(self.held_until));
        };
        let next = if factor < 0.0 {
            let period = self.projector.frame_period();
            SimTime(self.now().0.saturating_sub(period.0))
        } else {
            match self.projector.next_at()? {
                Some(next) => next,
                None if self.tail.is_some() => return Ok(Some(wall_now() + LOOKED_EVERY)),
                None => self.programme.to,
            }
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
            match is_over {
                true => self.turn_at(self.programme.to)?,
                false => self.recount()?,
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
                None if self.tail.is_some() => self.read_on()?,
                None => self.turn_at(self.programme.from)?,
            }
        }
        self.measure();
        Ok(())
    }

    /// All is shown that was written: there is more, or the world itself is where it goes on.
    fn read_on(&mut self) -> Result<(), NotShown> {
        let Some(tail) = &self.tail else { return Ok(()) };
        let has_ended = tail.recorder.progress().has_ended();
        let is_near = tail.is_near(self.now(), self.projector.frame_period());
        if is_near || !self.grow()? && has_ended {
            self.programme.paused = true;
            self.is_over.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Whether more can be seen than before.
    fn grow(&mut self) -> Result<bool, NotShown> {
        let Some(tail) = &self.tail else { return Ok(false) };
        tail.recorder.flush();
        let has_grown = self.projector.grow()?;
        self.programme.to = self.projector.end();
        Ok(has_grown)
    }

    fn back(&mut self) -> Result<bool, NotShown> {
        let has_gone = self.projector.back()?;
        self.is_behind |= has_gone;
        Ok(has_gone)
    }

    /// Now and then, so that it takes little of the time there is for frames.
    fn recount(&mut self) -> Result<(), NotShown> {
        let began = wall_now();
        if began >= self.recount_due {
            self.projector.recount()?;
            let took = wall_now().saturating_duration_since(began);
            self.recount_due = began + RECOUNTED_EVERY.max(took * RECOUNT_SHARE);
        }
        Ok(())
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
        self.held_until = wall_now() + HELD;
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
            if at > self.programme.to {
                self.grow()?;
            }
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
        let next = self.projector.next_at()?;
        match next.is_some_and(|at| at <= self.programme.to) {
            true => self.projector.forward(),
            false => Ok(false),
        }
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

    pub fn show_pace(&self) {
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
            to: match &self.tail {
                Some(tail) => tail.end(),
                None => self.programme.to,
            },
            is_loop: self.programme.is_loop,
            frame_period: self.projector.frame_period(),
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "playback keeps time with whoever looks")]
fn wall_now() -> Instant {
    Instant::now()
}
