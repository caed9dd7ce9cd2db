//! The live world: ticks by the pace, commits each, and publishes what is committed.
//!
//! Tick n+1 may be computed while n is on its way to the disk; n is published only when
//! it is there. The queue between is bounded by the writer, so a store that stalls stalls
//! the clock.

mod parting;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use crate::sim::command::{Decision, ReplyTo};
use crate::sim::time::Tick;
use crate::store::writer::{PendingTick, TICKS_AHEAD};
use crate::store::{Snapshot, Writer};
use crate::view::commands::{PaceChange, Refusal};
use crate::view::reading::Speed;
use crate::view::{Publication, View};

use super::controls::{Control, Promises, Reply};
use super::inbox::{Answerable, Inbox};
use super::metrics::Metrics;
use super::pace::{Pace, wall_now};
use super::witness::{Stand, Told, Wish};
use super::writes::WriteGate;
use super::{Engine, Halted, publication};

/// Ticks between two snapshots.
const SNAPSHOT_EVERY: Tick = 600;
/// One comes early where so many deliveries wait for it to leave memory,
const LEAVING_MOST: usize = 50_000;
/// or so many while requests come fast, since their flushes would share the disk with it.
const LEAVING_BESIDE_OTHERS: usize = 100_000;

pub struct Live {
    pub engine: Engine,
    pub gate: WriteGate,
    pub inbox: Arc<Inbox>,
    pub writer: Writer,
    pub view: Arc<View>,
    pub pace: Pace,
    pub controls: mpsc::Receiver<Control>,
    pub shutdown: watch::Receiver<bool>,
    /// Whether the store takes no writes.
    pub stalls: watch::Receiver<bool>,
    pub metrics: Metrics,
    /// Who is told of all that happens, if anybody is.
    pub stand: Stand,
}

/// So long a world that ends goes on for those who wait for its decisions.
const LAST_DECISIONS: Duration = Duration::from_secs(2);

/// What goes from one tick to the next.
#[derive(Default)]
struct Course {
    promises: Promises,
    /// Who waits for the world's decision, by the command's number.
    asked: BTreeMap<u64, Answerable>,
    /// Taken after the last tick; it becomes durable with the next.
    snapshot: Option<Snapshot>,
}

type Outlet = mpsc::Sender<(Publication, Told, PendingTick)>;

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
        let publisher = tokio::task::spawn_local(publish(
            Arc::clone(&self.view),
            Arc::clone(&self.stand),
            committed,
        ));
        let result = self.turn(&outlet).await;
        drop(outlet);
        let published = publisher.await.unwrap_or(Ok(()));
        result.and(published)?;
        self.part().await.map(drop)
    }

    async fn turn(&mut self, outlet: &Outlet) -> Result<(), Halted> {
        let mut course = Course::default();
        self.show_pace();
        self.metrics.show(&self.engine);
        // A world that starts paused takes no writes either.
        self.gate.follow(self.pace.is_paused()).await;
        while !outlet.is_closed() {
            match self.next_turn(&course.promises).await {
                Turn::Shutdown => {
                    let _held = self.gate.hold().await;
                    self.settle(outlet, &mut course, Some(LAST_DECISIONS)).await?;
                    return self.take_in(outlet, &mut course).await;
                }
                Turn::Control(control) if control.may_pause() => {
                    let held = self.gate.hold().await;
                    self.settle(outlet, &mut course, None).await?;
                    self.control(control, &mut course.promises);
                    self.gate.let_go(held, self.stands_still(&course));
                }
                Turn::Control(Control::Dismiss(reply)) => {
                    let held = self.gate.hold().await;
                    self.dismiss(outlet, &mut course, reply).await?;
                    self.gate.let_go(held, self.stands_still(&course));
                }
                Turn::Control(control) => self.control(control, &mut course.promises),
                // Without this a paused world would not hear that nothing can be kept any more.
                Turn::Store => match self.writer.ended_by() {
                    Some(error) => return Err(error.into()),
                    None => self.pace.set_anew(),
                },
                // No write may come through between the last tick and the pause.
                Turn::Tick if self.pace.pauses_after(self.engine.tick_number() + 1) => {
                    let held = self.gate.hold().await;
                    self.advance(outlet, &mut course).await?;
                    self.gate.let_go(held, self.stands_still(&course));
                }
                Turn::Tick => self.advance(outlet, &mut course).await?,
            }
            self.gate.follow(self.stands_still(&course)).await;
        }
        Ok(())
    }

    /// Whether no time passes until somebody says so.
    fn stands_still(&self, course: &Course) -> bool {
        self.pace.is_paused() && !course.promises.has_steps()
    }

    /// Lets writes that are in the journal happen: whoever asked for them must not wait for
    /// ticks that do not come, nor must they strike at some later time. Those that `within`
    /// leaves behind are answered by nobody, and happen when the world goes on.
    async fn settle(
        &mut self,
        outlet: &Outlet,
        course: &mut Course,
        within: Option<Duration>,
    ) -> Result<(), Halted> {
        let began = wall_now();
        let is_late = || within.is_some_and(|within| wall_now() - began > within);
        while self.inbox.is_asked() && !outlet.is_closed() && !is_late() {
            self.advance(outlet, course).await?;
        }
        Ok(())
    }

    async fn advance(&mut self, outlet: &Outlet, course: &mut Course) -> Result<(), Halted> {
        self.tick(outlet, course).await?;
        let leaving_most = match self.inbox.is_crowded() {
            true => LEAVING_BESIDE_OTHERS,
            false => LEAVING_MOST,
        };
        let is_crowded = self.view.waiting_to_leave() > leaving_most;
        let wish = self.wish();
        let is_due = is_crowded || self.engine.tick_number().is_multiple_of(SNAPSHOT_EVERY);
        // One that waits for its commit comes first: no snapshot may be lost.
        if (is_due || wish.is_some()) && course.snapshot.is_none() {
            course.snapshot = tokio::select! {
                taken = self.snapshot(wish) => Some(taken?),
                // What it waits for will never be published.
                () = outlet.closed() => return Ok(()),
            };
        }
        self.answer_steps(&mut course.promises);
        // Actors' timers, the publisher and shutdown get their turn at full speed too. Where the
        // clock waits for the next tick they have it anyway.
        if self.goes_on_at_once(&course.promises) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether the next tick comes without waiting for its time.
    fn goes_on_at_once(&mut self, promises: &Promises) -> bool {
        let sim = self.engine.world().time_of(self.engine.tick_number());
        promises.has_steps()
            || self.inbox.is_asked()
            || !self.pace.is_paused() && self.pace.due(wall_now(), sim).is_none()
    }

    async fn next_turn(&mut self, promises: &Promises) -> Turn {
        if *self.shutdown.borrow() {
            return Turn::Shutdown;
        }
        if let Ok(control) = self.controls.try_recv() {
            return Turn::Control(control);
        }
        // Time that cannot be kept does not pass: else the world would be ahead of its pace by
        // as many ticks as may wait for the store.
        let is_stalled = *self.stalls.borrow();
        // Paused by its tick with more in the inbox than that tick admitted, writes are still due.
        let is_asked = promises.has_steps() || self.pace.is_paused() && self.inbox.is_asked();
        if is_asked && !is_stalled {
            return Turn::Tick;
        }
        let sim = self.engine.world().time_of(self.engine.tick_number());
        let due = match self.pace.is_paused() || is_stalled {
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

    async fn tick(&mut self, outlet: &Outlet, course: &mut Course) -> Result<(), Halted> {
        let sim = self.engine.world().time_of(self.engine.tick_number());
        self.pace.tick_begins(wall_now(), sim);
        let (admission, asked) = self.inbox.take();
        course.asked.extend(asked);
        let admitted = admission.commands.len();
        let commands = match self.stand.lock().is_some() {
            true => admission.numbered_copies(),
            false => Vec::new(),
        };
        let mut outcome = self.engine.tick(admission).await?;
        let took = outcome.times.iter().sum();
        self.pace.tick_took(took);
        self.inbox.took(admitted, took);
        self.metrics.observe(&outcome, &self.engine, &self.pace.reading());
        let decided = std::mem::take(&mut outcome.replies);
        self.answer_writes(decided, &mut course.asked);
        let (row, mut publication) = publication::split(&self.engine, outcome);
        let told = Told {
            admitted_through: row.admitted_through,
            first_event: row.first_event,
            commands,
        };
        let snapshot = course.snapshot.take();
        publication.kept = snapshot.as_ref().map(|snapshot| snapshot.tick);
        // Before anybody can see the tick: whoever sees the one to pause at sees the pause.
        self.pace.tick_ended(self.engine.tick_number());
        self.show_pace();
        let before = wall_now();
        let pending = self.writer.commit_tick(row, snapshot).await;
        self.metrics.observe_commit_wait(wall_now() - before);
        // Closed only when the store has ended, which the publisher then reports.
        let _ended = outlet.send((publication, told, pending)).await;
        if self.has_been_stalled() {
            self.pace.set_anew();
        }
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
    async fn snapshot(&mut self, wish: Option<Wish>) -> Result<Snapshot, Halted> {
        let snapshot = self.state(wish).await?;
        if let Some(witness) = self.stand.lock().as_mut() {
            let at = self.engine.world().time_of(snapshot.tick);
            witness.state(&snapshot, at, *self.engine.digest());
        }
        Ok(snapshot)
    }

    async fn state(&mut self, wish: Option<Wish>) -> Result<Snapshot, Halted> {
        published(&self.view, self.engine.tick_number()).await;
        if wish == Some(Wish::Whole) {
            self.engine.touch_all();
            self.view.touch_all();
        }
        self.engine.snapshot_with_records(&self.view).await
    }

    /// How much of the state somebody wants to hear now.
    fn wish(&self) -> Option<Wish> {
        let at = self.engine.world().time_of(self.engine.tick_number());
        self.stand.lock().as_ref()?.wants(at)
    }

    fn show_pace(&self) {
        let computed = self.engine.tick_number();
        self.view.set_pace(self.pace.reading(), computed);
    }

    fn control(&mut self, control: Control, promises: &mut Promises) {
        match control {
            Control::Change(change, reply) => self.change(change, reply),
            Control::Step(_, reply) if !self.pace.is_paused() => reply.say(Err(Refusal::NotPaused)),
            Control::Step(count, reply) => promises.step(self.engine.tick_number(), count, reply),
            // It takes time, so the loop sees to it.
            Control::Dismiss(reply) => reply.say(Ok(())),
        }
    }

    fn change(&mut self, change: PaceChange, reply: Reply<()>) {
        let now = self.engine.tick_number();
        if change.seek.is_some() || change.is_loop.is_some() {
            return reply.say(Err(Refusal::Live));
        }
        if let Some(Speed::Times(..0.0)) = change.speed {
            return reply.say(Err(Refusal::Backwards));
        }
        if let Some(asked) = change.pause_at_tick.filter(|tick| *tick < now) {
            return reply.say(Err(Refusal::TickPassed { asked, now }));
        }
        self.pace.change(change);
        self.pace.tick_ended(now);
        self.show_pace();
        self.reply_when_published(reply, |_| Ok(()));
    }

    fn answer_writes(&self, decided: Vec<(ReplyTo, Decision)>, asked: &mut BTreeMap<u64, Answerable>) {
        let whose = |(ReplyTo(seq), decision)| Some((asked.remove(&seq)?, decision));
        let answers: Vec<_> = decided.into_iter().filter_map(whose).collect();
        if answers.is_empty() {
            return;
        }
        let (view, tick) = (Arc::clone(&self.view), self.engine.tick_number());
        tokio::task::spawn_local(async move {
            published(&view, tick).await;
            for (answerable, decision) in answers {
                answerable.say(tick, decision);
            }
        });
    }

    fn answer_steps(&mut self, promises: &mut Promises) {
        let done = promises.stepped(self.engine.tick_number());
        if !done.is_empty() && !promises.has_steps() {
            self.pace.set_anew();
            self.show_pace();
        }
        for reply in done {
            self.reply_when_published(reply, Ok);
        }
    }

    /// Answers once everything that was computed so far can be seen.
    fn reply_when_published<T: 'static>(
        &self,
        reply: Reply<T>,
        value: impl FnOnce(Tick) -> Result<T, Refusal> + 'static,
    ) {
        let (view, tick) = (Arc::clone(&self.view), self.engine.tick_number());
        tokio::task::spawn_local(async move {
            published(&view, tick).await;
            reply.say(value(tick));
        });
    }
}

async fn published(view: &View, tick: Tick) {
    let mut published = view.published();
    let _view_is_gone = published.wait_for(|published| *published >= tick).await;
}

/// Shows each tick once it is durable, in order.
async fn publish(
    view: Arc<View>,
    stand: Stand,
    mut committed: mpsc::Receiver<(Publication, Told, PendingTick)>,
) -> Result<(), Halted> {
    while let Some((publication, told, pending)) = committed.recv().await {
        pending.await?;
        if let Some(witness) = stand.lock().as_mut() {
            witness.tick(&publication, told, &view);
        }
        view.publish(publication);
    }
    Ok(())
}
