//! The live world: ticks by the pace, commits each, and publishes what is committed.
//!
//! Tick n+1 may be computed while n is on its way to the disk; n is published only when
//! it is there. The queue between is bounded by the writer, so a store that stalls stalls
//! the clock.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use crate::sim::time::Tick;
use crate::store::writer::{PendingTick, TICKS_AHEAD};
use crate::store::{Snapshot, Writer};
use crate::view::commands::{PaceChange, Refusal};
use crate::view::{Publication, View};

use super::inbox::Inbox;
use super::metrics::Metrics;
use super::pace::{Pace, wall_now};
use super::{Engine, Halted, publication};

/// Ticks between two snapshots.
const SNAPSHOT_EVERY: Tick = 600;
/// Control requests that may wait for the next tick's boundary.
pub const CONTROLS_WAITING: usize = 64;

/// What operators may ask of the clock.
pub enum Control {
    Change(PaceChange, oneshot::Sender<Result<(), Refusal>>),
    /// Advance a paused world by so many ticks.
    Step(u64, oneshot::Sender<Result<Tick, Refusal>>),
}

pub struct Live {
    pub engine: Engine,
    pub inbox: Arc<Inbox>,
    pub writer: Writer,
    pub view: Arc<View>,
    pub pace: Pace,
    pub controls: mpsc::Receiver<Control>,
    pub shutdown: watch::Receiver<bool>,
    /// Whether the store takes no writes.
    pub stalls: watch::Receiver<bool>,
    pub metrics: Metrics,
}

/// Ticks that an operator asked a paused world for.
struct Steps {
    left: u64,
    answer: oneshot::Sender<Result<Tick, Refusal>>,
}

/// Why the loop woke.
enum Turn {
    Tick,
    Control(Control),
    Shutdown,
    /// The store stalls, works again, or has ended.
    Store,
}

impl Live {
    /// Lets time pass until the shutdown signal; then commits what is computed.
    ///
    /// # Errors
    /// An actor that failed, or a store that ended.
    pub async fn run(mut self) -> Result<(), Halted> {
        let (outlet, committed) = mpsc::channel(TICKS_AHEAD);
        let publisher = tokio::task::spawn_local(publish(Arc::clone(&self.view), committed));
        let result = self.turn(&outlet).await;
        drop(outlet);
        let published = publisher.await.unwrap_or(Ok(()));
        result.and(published)
    }

    async fn turn(&mut self, outlet: &mpsc::Sender<(Publication, PendingTick)>) -> Result<(), Halted> {
        let mut steps: Option<Steps> = None;
        let mut snapshot: Option<Snapshot> = None;
        self.show_pace();
        self.metrics.show(&self.engine);
        loop {
            match self.next_turn(steps.is_some()).await {
                Turn::Shutdown => return Ok(()),
                Turn::Control(control) => self.control(control, &mut steps),
                // Without this a paused world would not hear that nothing can be kept any more.
                Turn::Store => match self.writer.ended_by() {
                    Some(error) => return Err(error.into()),
                    None => self.pace.set_anew(),
                },
                Turn::Tick => {
                    self.tick(outlet, snapshot.take()).await?;
                    if self.engine.tick_number().is_multiple_of(SNAPSHOT_EVERY) {
                        snapshot = tokio::select! {
                            taken = self.snapshot() => Some(taken?),
                            // What it waits for will never be published.
                            () = outlet.closed() => return Ok(()),
                        };
                    }
                    self.count_step(&mut steps);
                    // Actors' timers, the publisher and shutdown get their turn at full speed too.
                    tokio::task::yield_now().await;
                }
            }
            if outlet.is_closed() {
                return Ok(());
            }
        }
    }

    async fn next_turn(&mut self, stepping: bool) -> Turn {
        if *self.shutdown.borrow() {
            return Turn::Shutdown;
        }
        if let Ok(control) = self.controls.try_recv() {
            return Turn::Control(control);
        }
        if stepping {
            return Turn::Tick;
        }
        let sim = self.engine.world().time_of(self.engine.tick_number());
        let due = match self.pace.is_paused() {
            true => None,
            false => match self.pace.due(wall_now(), sim) {
                None => return Turn::Tick,
                due => due,
            },
        };
        let alarm = async {
            match due {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = alarm => Turn::Tick,
            control = self.controls.recv() => control.map_or(Turn::Shutdown, Turn::Control),
            _ = self.shutdown.changed() => Turn::Shutdown,
            Ok(()) = self.stalls.changed() => Turn::Store,
        }
    }

    async fn tick(
        &mut self,
        outlet: &mpsc::Sender<(Publication, PendingTick)>,
        snapshot: Option<Snapshot>,
    ) -> Result<(), Halted> {
        let sim = self.engine.world().time_of(self.engine.tick_number());
        self.pace.tick_begins(wall_now(), sim);
        let outcome = self.engine.tick(self.inbox.take()).await?;
        self.pace.tick_took(outcome.times.iter().sum());
        self.metrics.observe(&outcome, &self.engine, &self.pace.reading());
        let (row, publication) = publication::split(&self.engine, outcome);
        let before = wall_now();
        let pending = self.writer.commit_tick(row, snapshot).await;
        self.metrics.observe_commit_wait(wall_now() - before);
        // Closed only when the store has ended, which the publisher then reports.
        let _ended = outlet.send((publication, pending)).await;
        if self.has_been_stalled() {
            self.pace.set_anew();
        }
        self.pace.tick_ended(self.engine.tick_number());
        self.show_pace();
        Ok(())
    }

    /// Whether the store is stalled, or was since the last call: an outage may begin and end
    /// while one tick waits for it.
    fn has_been_stalled(&mut self) -> bool {
        let changed = self.stalls.has_changed().unwrap_or(false);
        changed | *self.stalls.borrow_and_update()
    }

    /// The state after the last tick, with the records of that tick: so all of it must be
    /// published first.
    async fn snapshot(&mut self) -> Result<Snapshot, Halted> {
        published(&self.view, self.engine.tick_number()).await;
        self.engine.snapshot_with_records(&self.view).await
    }

    fn show_pace(&self) {
        let computed = self.engine.tick_number();
        self.view.set_pace(self.pace.reading(), computed);
    }

    fn control(&mut self, control: Control, steps: &mut Option<Steps>) {
        match control {
            Control::Change(change, answer) => {
                let now = self.engine.tick_number();
                if change.seek.is_some() {
                    return reply(answer, Err(Refusal::Live));
                }
                if let Some(asked) = change.pause_at_tick.filter(|tick| *tick < now) {
                    return reply(answer, Err(Refusal::TickPassed { asked, now }));
                }
                self.pace.change(change);
                self.pace.tick_ended(now);
                self.show_pace();
                self.reply_when_published(answer, |_| ());
            }
            Control::Step(..) if !self.pace.is_paused() => {
                let Control::Step(_, answer) = control else { return };
                reply(answer, Err(Refusal::NotPaused));
            }
            Control::Step(count, answer) => match steps {
                Some(running) => {
                    running.left += count;
                    reply(answer, Ok(self.engine.tick_number() + running.left));
                }
                None => *steps = Some(Steps { left: count, answer }),
            },
        }
    }

    fn count_step(&mut self, steps: &mut Option<Steps>) {
        let Some(running) = steps else { return };
        running.left = running.left.saturating_sub(1);
        if running.left == 0
            && let Some(done) = steps.take()
        {
            self.pace.set_anew();
            self.show_pace();
            self.reply_when_published(done.answer, |tick| tick);
        }
    }

    /// Answers once everything that was computed so far can be seen.
    fn reply_when_published<T: 'static>(
        &self,
        answer: oneshot::Sender<Result<T, Refusal>>,
        value: impl FnOnce(Tick) -> T + 'static,
    ) {
        let (view, tick) = (Arc::clone(&self.view), self.engine.tick_number());
        tokio::task::spawn_local(async move {
            published(&view, tick).await;
            reply(answer, Ok(value(tick)));
        });
    }
}

/// Whoever asked may have gone.
fn reply<T>(answer: oneshot::Sender<T>, value: T) {
    let _gone = answer.send(value);
}

async fn published(view: &View, tick: Tick) {
    let mut published = view.published();
    let _view_is_gone = published.wait_for(|published| *published >= tick).await;
}

/// Shows each tick once it is durable, in order.
async fn publish(
    view: Arc<View>,
    mut committed: mpsc::Receiver<(Publication, PendingTick)>,
) -> Result<(), Halted> {
    while let Some((publication, pending)) = committed.recv().await {
        pending.await?;
        view.publish(publication);
    }
    Ok(())
}
