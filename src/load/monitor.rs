//! Looks at the test once a second: takes the second's figures down, holds them against the
//! objectives, and notices when going on makes no sense.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::follow::Followed;
use super::generator::Watch;
use super::probe::Inside;
use super::record::Op;
use super::slo::{Judge, Verdict, millis};
use super::stand::Stand;
use super::target::Dial;
use super::timetable::Part;

/// Seconds in a row without a single answer, and with connections that fail, after which the
/// target counts as gone.
const GONE_AFTER: u32 = 5;

/// One second of a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// Since the test began, at its end.
    pub at_seconds: f64,
    /// None in the warm-up.
    pub stage: Option<String>,
    /// Requests a second, or users, that the timetable asks for.
    pub wanted: f64,
    pub accepted: u64,
    pub errors: u64,
    pub p50_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
    pub scheduled: u64,
    pub schedule_p99_ms: Option<f64>,
    /// How long ago the request was due that waits the longest for its workflow to be done.
    pub unscheduled_age_ms: Option<f64>,
    /// The same of those that are scheduled, and wait for a drone to have the package.
    pub uncollected_age_ms: Option<f64>,
    pub picked_up: u64,
    pub delivered: u64,
    pub frames: u64,
    pub frame_p99_ms: Option<f64>,
    pub seen_p99_ms: Option<f64>,
    pub under_way: usize,
    /// For a connection.
    pub waiting: usize,
    pub connections: usize,
    /// Of a processor, the generator's own.
    pub cpu_share: Option<f64>,
    /// What the target said last of itself.
    pub target: Option<Inside>,
}

/// How far a test has come.
pub struct Progress<'a> {
    pub elapsed: Duration,
    /// Without the drain.
    pub total: Duration,
    pub second: &'a Second,
    pub is_draining: bool,
    pub accepted: u64,
    pub errors: u64,
    /// Accepted, and their workflow not known to be done; none where nobody follows.
    pub unscheduled: Option<u64>,
}

/// Why a test ended before its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody wanted it to.
    Interrupted,
    /// This objective was missed for too long.
    Objective(String),
    /// Nobody is there any more.
    TargetGone,
}

impl Stopped {
    pub fn words(&self) -> String {
        match self {
            Stopped::Interrupted => "interrupted".to_owned(),
            Stopped::Objective(which) => format!("broken off: {which} was missed for too long"),
            Stopped::TargetGone => format!("the target is gone: no answer for {GONE_AFTER} s"),
        }
    }
}

pub(super) struct Monitor<D: Dial> {
    stand: Rc<Stand<D>>,
    pub judges: Vec<Judge>,
    pub watch: Watch,
    pub followed: Option<Rc<Followed>>,
    pub seconds: Vec<Second>,
    /// Where the newest of the target's own figures are put.
    pub inside: Rc<Cell<Option<Inside>>>,
    last: Duration,
    silent: u32,
}

impl<D: Dial> Monitor<D> {
    pub fn new(stand: Rc<Stand<D>>, judges: Vec<Judge>, followed: Option<Rc<Followed>>) -> Self {
        Monitor {
            stand,
            judges,
            followed,
            watch: Watch::new(),
            seconds: Vec::new(),
            inside: Rc::default(),
            last: Duration::ZERO,
            silent: 0,
        }
    }

    /// A second is over. Tells whether the test is to be broken off.
    pub fn second(&mut self, is_draining: bool, show: &mut dyn FnMut(&Progress<'_>)) -> Option<Stopped> {
        let elapsed = self.stand.elapsed();
        let lasted = elapsed.saturating_sub(self.last);
        self.last = elapsed;
        let part = self.stand.timetable.part_at(elapsed.saturating_sub(lasted / 2));
        let is_measured = part != Part::WarmUp && !is_draining;
        let cpu_share = if is_measured {
            self.watch.look(elapsed)
        } else {
            None
        };
        self.stand.recorder.borrow_mut().settle();
        let second = self.figures(elapsed, part, cpu_share, is_draining);
        let stopped = if is_draining {
            None
        } else {
            self.wrong(is_measured.then_some((part, lasted)))
        };
        self.show(&second, elapsed, is_draining, show);
        self.seconds.push(second);
        stopped
    }

    fn figures(&self, elapsed: Duration, part: Part, cpu_share: Option<f64>, is_draining: bool) -> Second {
        let recorder = self.stand.recorder.borrow();
        let now = |op| &recorder.of(op).now;
        let accept = now(Op::Accept);
        let quantile = |op, share| now(op).quantile(share).map(millis);
        let done = |op| now(op).count - now(op).error_count();
        let stages = &self.stand.stage_names;
        let tally = &self.stand.tally;
        let (unscheduled, uncollected) = self.stand.deliveries.borrow().ages(Instant::now());
        let names = part.stage().filter(|_| !is_draining);
        Second {
            at_seconds: elapsed.as_secs_f64(),
            stage: names.and_then(|stage| stages.get(stage).cloned()),
            wanted: self.stand.timetable.wanted_at(elapsed),
            accepted: done(Op::Accept),
            errors: accept.error_count(),
            p50_ms: quantile(Op::Accept, 0.5),
            p95_ms: quantile(Op::Accept, 0.95),
            p99_ms: quantile(Op::Accept, 0.99),
            max_ms: accept.max().map(millis),
            scheduled: done(Op::Schedule),
            schedule_p99_ms: quantile(Op::Schedule, 0.99),
            unscheduled_age_ms: unscheduled.map(millis),
            uncollected_age_ms: uncollected.map(millis),
            picked_up: done(Op::PickUp),
            delivered: done(Op::Deliver),
            frames: done(Op::Frame),
            frame_p99_ms: quantile(Op::Frame, 0.99),
            seen_p99_ms: quantile(Op::Seen, 0.99),
            under_way: tally.under_way.get(),
            waiting: tally.waiting.get(),
            connections: tally.connections.get(),
            cpu_share,
            target: self.inside.get(),
        }
    }

    /// Whether going on makes no sense.
    fn wrong(&mut self, measured: Option<(Part, Duration)>) -> Option<Stopped> {
        let recorder = self.stand.recorder.borrow();
        let accept = &recorder.of(Op::Accept).now;
        let answered = self.stand.tally.last_answer.take().is_some();
        self.silent = match (answered, accept.count > 0) {
            (true, _) => 0,
            (false, true) if accept.errors.contains_key("timeout") => 0,
            (false, true) => self.silent + 1,
            (false, false) => self.silent,
        };
        if self.silent >= GONE_AFTER {
            return Some(Stopped::TargetGone);
        }
        let (part, lasted) = measured?;
        let judged = self
            .judges
            .iter_mut()
            .map(|judge| (judge.second(&recorder, part, lasted), judge));
        // Each has to hear of the second.
        let broken: Vec<&mut Judge> = judged
            .filter_map(|(is_over, judge)| is_over.then_some(judge))
            .collect();
        let first = broken.first()?;
        Some(Stopped::Objective(first.verdict(&recorder).wanted()))
    }

    fn show(
        &self,
        second: &Second,
        elapsed: Duration,
        is_draining: bool,
        show: &mut dyn FnMut(&Progress<'_>),
    ) {
        let recorder = self.stand.recorder.borrow();
        let accept = &recorder.of(Op::Accept).total;
        let deliveries = self.stand.deliveries.borrow();
        let unscheduled = deliveries
            .accepted
            .saturating_sub(deliveries.scheduled + deliveries.failed);
        show(&Progress {
            elapsed,
            total: self.stand.timetable.lasts(),
            second,
            is_draining,
            accepted: accept.count - accept.error_count(),
            errors: accept.error_count(),
            unscheduled: deliveries.is_followed.then_some(unscheduled),
        });
    }

    pub fn verdicts(&self) -> Vec<Verdict> {
        let recorder = self.stand.recorder.borrow();
        self.judges.iter().map(|judge| judge.verdict(&recorder)).collect()
    }
}
