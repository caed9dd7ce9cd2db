//! Durable commands on their way into the world, in journal order.
//!
//! Its bound is ingestion's: every command in here holds a permit of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::actors::ingestion::{Durable, Gate};
use crate::sim::command::{Command, Decision};
use crate::sim::time::{SimDuration, Tick};
use crate::view::View;

use super::Admission;

/// Commands admitted in one tick at most; the rest waits for the next.
const ADMITTED_PER_TICK: usize = 16_384;
/// In a simulated second so many are admitted, and what is being accepted meanwhile less,
const AT_EASE_PER_SECOND: f64 = 40_000.0;
/// as long as that is no more than this: of each that comes beyond it, so many fewer,
const CARRIED_PER_SECOND: f64 = 22_500.0;
const YIELDED_FOR_EACH: f64 = 7.0;
/// where what comes is the mean over so long, since ticks are no even share of it,
const MEAN_OVER: SimDuration = SimDuration(1_000_000);
/// nor more than take this share of their tick while requests are being accepted,
const SHARE_BESIDE_OTHERS: f64 = 0.5;
/// but always so many besides,
const AT_LEAST_PER_SECOND: f64 = 5_000.0;
/// and, however short the ticks are, so many in each.
const AT_LEAST_PER_TICK: usize = 64;
/// What waits longer is admitted over so many seconds.
const SPREAD_OVER_S: f64 = 60.0;
/// Of more than these there may be too many soon: half of what ingestion takes.
const WELL_FILLED: usize = 250_000;
/// So they are worked off within these, whoever else would like to be accepted.
const WORKED_OFF_WITHIN_S: f64 = 2.0;
/// Where somebody waits for what a tick decides, of what waits each admits one in so many.
const ASKED_SPREAD_OVER: usize = 32;
/// After so long of few arrivals the world has time for what can wait.
const LULL: SimDuration = SimDuration(1_000_000);

pub struct Inbox {
    waiting: Mutex<Waiting>,
    view: Arc<View>,
}

struct Waiting {
    commands: VecDeque<Durable>,
    /// How many came since the last tick took its share.
    arrived: usize,
    /// How many of them all somebody waits for.
    asked: usize,
    /// What one took of a tick lately, seconds of the wall clock.
    each_s: f64,
    pulse: Pulse,
}

/// How fast they come.
struct Pulse {
    /// How long no more have come than are always admitted.
    at_ease_for: SimDuration,
    /// How long it has been since the last lull.
    rush_for: SimDuration,
    /// The mean of the last second, and of no more than the rush.
    per_s: f64,
}

/// What a tick's share depends on.
#[derive(Clone, Copy)]
struct Load {
    waiting: usize,
    /// With this tick.
    arrived: usize,
    /// On average.
    per_s: f64,
    is_asked: bool,
    each_s: f64,
}

/// Until it is measured.
const EACH_S: f64 = 20e-6;
/// A tick of fewer tells little.
const TELLING: usize = 100;
/// How fast a measurement fades: it is a tenth after about ten more.
const WEIGHT: f64 = 0.2;

/// A durable command whose sender waits, by its number in the journal.
pub type Asked = (u64, Answerable);

/// Where the answer goes. The sender's room is free again once this is dropped.
pub struct Answerable {
    answer: oneshot::Sender<(Tick, Decision)>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Answerable {
    /// Whoever asked may have gone.
    pub fn say(self, tick: Tick, decision: Decision) {
        let _gone = self.answer.send((tick, decision));
    }
}

impl Inbox {
    pub fn new(view: Arc<View>) -> Self {
        Inbox {
            waiting: Mutex::new(Waiting {
                commands: VecDeque::new(),
                arrived: 0,
                asked: 0,
                each_s: EACH_S,
                pulse: Pulse::calm(),
            }),
            view,
        }
    }

    /// What the next tick admits, and who waits for its decisions.
    pub fn take(&self) -> (Admission, Vec<Asked>) {
        let mut waiting = self.waiting.lock();
        let tick = self.view.world().tick;
        let arrived = std::mem::take(&mut waiting.arrived);
        waiting.pulse.feel(arrived, tick);
        let load = Load {
            waiting: waiting.commands.len(),
            arrived,
            per_s: waiting.pulse.per_s,
            is_asked: waiting.asked > 0,
            each_s: waiting.each_s,
        };
        let count = share(load, tick);
        let (mut admission, mut asked) = (Admission::default(), Vec::new());
        for durable in waiting.commands.drain(..count) {
            admission.through = durable.seq;
            admission.commands.push(durable.command);
            if let Some(answer) = durable.answer {
                let _room = durable._room;
                asked.push((durable.seq, Answerable { answer, _room }));
            }
        }
        waiting.asked -= asked.len();
        (admission, asked)
    }

    /// A tick that admitted so many took so long.
    pub fn took(&self, admitted: usize, time: Duration) {
        if admitted >= TELLING {
            let each_s = &mut self.waiting.lock().each_s;
            *each_s += (time.as_secs_f64() / admitted as f64 - *each_s) * WEIGHT;
        }
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().commands.len()
    }

    /// Whether somebody waits for the decision about a command in here.
    pub fn is_asked(&self) -> bool {
        self.waiting.lock().asked > 0
    }

    /// Whether requests come faster than they are always admitted, or did a moment ago.
    pub fn is_crowded(&self) -> bool {
        !self.waiting.lock().pulse.is_lull()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Pulse {
    fn calm() -> Self {
        Pulse {
            at_ease_for: LULL,
            rush_for: SimDuration::default(),
            per_s: 0.0,
        }
    }

    fn is_lull(&self) -> bool {
        self.at_ease_for >= LULL
    }

    /// So many came with this tick.
    ///
    /// A spike is known by its first tick: the lull before it is no part of the mean.
    fn feel(&mut self, arrived: usize, tick: SimDuration) {
        let before = match self.is_lull() {
            true => SimDuration::default(),
            false => self.rush_for,
        };
        self.rush_for = SimDuration(before.0.saturating_add(tick.0));
        let weight = tick.as_secs() / self.rush_for.min(MEAN_OVER).as_secs();
        self.per_s += (arrived as f64 / tick.as_secs() - self.per_s) * weight.min(1.0);
        self.at_ease_for = match arrived <= at_least(tick) {
            true => SimDuration(self.at_ease_for.0.saturating_add(tick.0)),
            false => SimDuration::default(),
        };
    }
}

/// How many of those that wait one tick admits.
///
/// Accepting goes before admitting: a spike is what the inbox is there for. Taken in as it comes
/// it would make long ticks, of which everybody who looks would have to wait for the end, and
/// take the processors from those who are still to be answered. So the more come, the less is
/// admitted: all of it up to 22,500 a second, as far as the machine can, from 25,000 on 5,000.
/// It falls steeply, because clients that are kept waiting send less, for which more would be
/// admitted, which keeps them waiting. Where it is that steep a tick of many loses more than one
/// of few makes good. So it is not judged by single ticks, and what comes at 20,000 a second,
/// however unevenly, stays clear of it. What is left waits until fewer come, or until it is much.
/// What a tick did admit stands in the journal.
fn share(load: Load, tick: SimDuration) -> usize {
    let at_least = at_least(tick);
    let in_a_tick = |per_second| in_a_tick(per_second, tick);
    let is_alone = load.arrived <= at_least;
    let of_the_tick = if is_alone { 1.0 } else { SHARE_BESIDE_OTHERS };
    let can = in_a_tick(of_the_tick / load.each_s);
    let too_fast = (load.per_s - CARRIED_PER_SECOND).max(0.0);
    let yielded = load.per_s + too_fast * (YIELDED_FOR_EACH - 1.0);
    let at_ease = in_a_tick((AT_EASE_PER_SECOND - yielded).max(0.0));
    let late = in_a_tick(load.waiting as f64 / SPREAD_OVER_S);
    let too_many = load.waiting.saturating_sub(WELL_FILLED) as f64;
    let worked_off = in_a_tick(too_many / WORKED_OFF_WITHIN_S);
    let mut count = at_least + at_ease.min(can) + late + worked_off;
    if load.is_asked {
        let decided = in_a_tick(AT_EASE_PER_SECOND) + load.waiting / ASKED_SPREAD_OVER;
        count = count.max(at_least + decided);
    }
    count.min(load.waiting).min(ADMITTED_PER_TICK)
}

fn at_least(tick: SimDuration) -> usize {
    in_a_tick(AT_LEAST_PER_SECOND, tick).max(AT_LEAST_PER_TICK)
}

fn in_a_tick(per_second: f64, tick: SimDuration) -> usize {
    (per_second * tick.as_secs()) as usize
}

impl Gate for Inbox {
    fn pass(&self, commands: Vec<Durable>) {
        let requested = |durable: &Durable| match &durable.command {
            Command::RequestDelivery { id, order, .. } => Some((*id, Arc::clone(order))),
            _ => None,
        };
        self.view.queue(commands.iter().filter_map(requested));
        let mut waiting = self.waiting.lock();
        waiting.asked += commands.iter().filter(|durable| durable.answer.is_some()).count();
        waiting.arrived += commands.len();
        waiting.commands.extend(commands);
    }
}

#[cfg(test)]
mod tests;
