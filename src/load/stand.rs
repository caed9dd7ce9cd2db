//! What everybody who takes part in a test shares: whom they ask and how, the clock that
//! started with the test, and where they put down what they saw. All of them live on one
//! thread and take turns, so nothing is locked.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::asking::{Asking, Standing};
use super::deliveries::{Deliveries, Milestone};
use super::exchange::Line;
use super::orders::Orders;
use super::phrase::package;
use super::record::{End, Op, Recorder, Seen};
use super::samples::{How, Sample, Sampler};
use super::scan::text_of;
use super::target::{Dial, Target};
use super::timetable::{Part, Timetable};

/// Later than this after it was due, a request has begun late.
pub const LATE: Duration = Duration::from_millis(10);

/// Never begun.
const DROPPED: How = How::Word("dropped");

/// A request that is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub number: u64,
    pub part: Part,
    pub due: Instant,
}

/// How the generator itself is doing.
#[derive(Default)]
pub(super) struct Tally {
    /// Requests that wait for a connection.
    pub waiting: Cell<usize>,
    /// Requests without their answer.
    pub under_way: Cell<usize>,
    pub connections: Cell<usize>,
    pub most_connections: Cell<usize>,
    /// The last time that anybody was answered at all.
    pub last_answer: Cell<Option<Instant>>,
}

impl Tally {
    pub fn change(cell: &Cell<usize>, by: isize) {
        cell.set(cell.get().saturating_add_signed(by));
    }

    pub fn connected(&self) {
        Self::change(&self.connections, 1);
        self.most_connections
            .set(self.most_connections.get().max(self.connections.get()));
    }
}

/// Where an answer says what it calls the delivery.
pub(super) enum Names {
    /// Where this project's servers do.
    Own,
    Pointer(String),
    /// Nowhere: the package is its name.
    Package,
}

impl Names {
    fn find<'a>(&self, answer: &'a [u8], number: u64) -> Option<Cow<'a, str>> {
        match self {
            Names::Own => text_of(answer, b"\"deliveryId\":\"").map(Cow::Borrowed),
            Names::Package => Some(package(number).into()),
            Names::Pointer(pointer) => {
                let answer: Value = serde_json::from_slice(answer).ok()?;
                match answer.pointer(pointer)? {
                    Value::String(text) => Some(text.clone().into()),
                    Value::Number(number) => Some(number.to_string().into()),
                    _ => None,
                }
            }
        }
    }
}

/// An order that was accepted, on its way to who follows it.
#[derive(Debug)]
pub(super) struct Accepted {
    /// `None` where the answer did not say.
    id: Option<String>,
    part: Part,
    due: Instant,
    at: Instant,
}

/// What all who send have in common, whichever thread they are on.
#[derive(Clone)]
pub(super) struct Common {
    pub target: Target,
    pub names: Arc<Names>,
    pub orders: Arc<Orders>,
    pub timetable: Arc<Timetable>,
    pub stages: usize,
    pub timeout: Duration,
}

pub(super) struct Stand<D: Dial> {
    pub dial: D,
    pub target: Target,
    pub names: Arc<Names>,
    pub orders: Arc<Orders>,
    pub timetable: Arc<Timetable>,
    pub stage_names: Vec<String>,
    pub timeout: Duration,
    pub began: Instant,
    pub recorder: RefCell<Recorder>,
    pub deliveries: RefCell<Deliveries>,
    /// Where deliveries are asked for.
    pub asking: Option<Asking>,
    pub tally: Tally,
    /// Requests that are due and have not come to their end, by number; whether they were begun.
    pub open: RefCell<BTreeMap<u64, (Job, bool)>>,
    pub samples: Sampler,
    /// Where another thread follows what this one sends.
    pub outbox: Option<RefCell<Vec<Accepted>>>,
}

impl<D: Dial> Stand<D> {
    /// Of the test's own thread.
    pub fn new(common: Common, dial: D, began: Instant, samples: Sampler) -> Self {
        Stand {
            dial,
            target: common.target,
            names: common.names,
            orders: common.orders,
            timetable: common.timetable,
            stage_names: Vec::new(),
            timeout: common.timeout,
            began,
            recorder: Recorder::new(common.stages).into(),
            deliveries: RefCell::default(),
            asking: None,
            tally: Tally::default(),
            open: RefCell::default(),
            samples,
            outbox: None,
        }
    }

    /// Of one that only sends.
    pub fn of_sender(common: Common, dial: D, began: Instant, samples: Sampler) -> Self {
        Stand {
            outbox: Some(RefCell::default()),
            ..Stand::new(common, dial, began, samples)
        }
    }

    pub fn common(&self) -> Common {
        Common {
            target: self.target.clone(),
            names: Arc::clone(&self.names),
            orders: Arc::clone(&self.orders),
            timetable: Arc::clone(&self.timetable),
            stages: self.stage_names.len(),
            timeout: self.timeout,
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub fn part_now(&self) -> Part {
        self.timetable.part_at(self.elapsed())
    }

    pub fn record(&self, op: Op, part: Part, seen: Seen<'_>) {
        self.recorder.borrow_mut().add(op, part, seen);
    }

    /// A request is due.
    pub fn note(&self, job: Job) {
        self.open.borrow_mut().insert(job.number, (job, false));
    }

    /// The test is over, and nobody waits any longer. Who has waited for less counts nowhere.
    pub fn give_up(&self, at_least: Duration) {
        let now = Instant::now();
        let deliveries = self.deliveries.borrow();
        deliveries.give_up(now, at_least, &mut self.recorder.borrow_mut());
        for (job, is_begun) in std::mem::take(&mut *self.open.borrow_mut()).into_values() {
            let waited = now.saturating_duration_since(job.due);
            if waited < at_least {
                continue;
            }
            let kind = "unanswered";
            let (end, how) = match is_begun {
                true => (End::GivenUp { kind, waited }, How::Word(kind)),
                false => (End::Dropped { waited }, DROPPED),
            };
            let is_late = !is_begun && waited > LATE;
            self.record(Op::Accept, job.part, Seen { end, is_late });
            self.sample(job, now, now, how);
        }
    }

    /// Asks for one delivery and takes down how that ended.
    pub async fn order(&self, line: &mut Line<D::Io>, job: Job) {
        let started = Instant::now();
        let waited = started.saturating_duration_since(job.due);
        let is_late = waited > LATE;
        if waited >= self.timeout {
            let end = End::Dropped { waited };
            self.sample(job, started, started, DROPPED);
            return self.ended(job, Seen { end, is_late });
        }
        self.open.borrow_mut().insert(job.number, (job, true));
        Tally::change(&self.tally.under_way, 1);
        let asked = line.ask(&self.dial, |request| self.orders.write(job.number, request));
        let answered = timeout_at(job.due + self.timeout, asked).await;
        Tally::change(&self.tally.under_way, -1);
        let now = Instant::now();
        let took = now - job.due;
        let status;
        let (end, how) = match answered {
            Ok(Ok(code)) => {
                self.tally.last_answer.set(Some(now));
                let end = if (200..300).contains(&code) {
                    self.accepted(line.body(), job, now);
                    End::Well(took)
                } else {
                    status = code.to_string();
                    End::Refused(&status)
                };
                (end, How::Status(code))
            }
            Ok(Err(why)) => (End::Refused(why.as_str()), How::Word(why.as_str())),
            Err(_) => {
                let (kind, waited) = ("timeout", took);
                (End::GivenUp { kind, waited }, How::Word(kind))
            }
        };
        self.sample(job, started, now, how);
        self.ended(job, Seen { end, is_late });
    }

    fn ended(&self, job: Job, seen: Seen<'_>) {
        // Whoever was given up is no longer there, and has been counted.
        if self.open.borrow_mut().remove(&job.number).is_some() {
            self.record(Op::Accept, job.part, seen);
        }
    }

    fn sample(&self, job: Job, started: Instant, over: Instant, end: How) {
        self.samples.note(Sample {
            number: job.number,
            part: job.part,
            due: job.due.saturating_duration_since(self.began),
            late: started.saturating_duration_since(job.due),
            took: over.saturating_duration_since(job.due),
            end,
        });
    }

    fn accepted(&self, answer: &[u8], job: Job, at: Instant) {
        let Job { number, part, due } = job;
        let id = self.names.find(answer, number).map(Cow::into_owned);
        let accepted = Accepted { id, part, due, at };
        match &self.outbox {
            Some(outbox) => outbox.borrow_mut().push(accepted),
            None => self.take(accepted),
        }
    }

    /// What was accepted since the last time; nothing where it is followed here.
    pub fn empty_outbox(&self) -> Vec<Accepted> {
        let outbox = self.outbox.as_ref();
        outbox.map(RefCell::take).unwrap_or_default()
    }

    /// From now on it is followed, if anybody follows.
    pub fn take(&self, Accepted { id, part, due, at }: Accepted) {
        let mut deliveries = self.deliveries.borrow_mut();
        deliveries.accepted += 1;
        let Some(id) = id else {
            deliveries.nameless += 1;
            return;
        };
        let mut recorder = self.recorder.borrow_mut();
        deliveries.accepted(&id, part, due, at, &mut recorder);
        if let Some(asking) = &self.asking {
            asking.about(id);
        }
    }

    /// Takes down how far a delivery is said to be; tells whether that is its end.
    pub fn stands(&self, id: &str, standing: Standing) -> bool {
        let Standing::Reached(milestone, at) = standing else {
            return false;
        };
        let mut recorder = self.recorder.borrow_mut();
        let mut deliveries = self.deliveries.borrow_mut();
        let is_over = !matches!(milestone, Milestone::Scheduled | Milestone::PickedUp);
        // Whoever asks now and then may have seen nothing of what came before.
        if matches!(milestone, Milestone::PickedUp | Milestone::Completed) {
            deliveries.heard(id, Milestone::Scheduled, at, &mut recorder);
        }
        deliveries.heard(id, milestone, at, &mut recorder);
        is_over
    }
}
