//! What everybody who takes part in a test shares: whom they ask and how, the clock that
//! started with the test, and where they put down what they saw. All of them live on one
//! thread and take turns, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use hyper::http::uri::PathAndQuery;
use tokio::time::{Instant, timeout_at};

use super::deliveries::Deliveries;
use super::exchange::{Answer, Connection, Manner, NoAnswer};
use super::orders::Orders;
use super::record::{End, Op, Recorder, Seen};
use super::target::{Dial, Target};
use super::timetable::{Part, Timetable};

/// Later than this after it was due, a request has begun late.
pub const LATE: Duration = Duration::from_millis(10);

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

pub(super) struct Stand<D: Dial> {
    pub dial: D,
    pub target: Target,
    pub manner: Manner,
    pub request_path: PathAndQuery,
    pub orders: Orders,
    pub timetable: Timetable,
    pub stage_names: Vec<String>,
    pub timeout: Duration,
    pub began: Instant,
    pub recorder: RefCell<Recorder>,
    pub deliveries: RefCell<Deliveries>,
    pub tally: Tally,
    /// Requests that are due and have not come to their end, by number; whether they were begun.
    pub open: RefCell<BTreeMap<u64, (Job, bool)>>,
}

impl<D: Dial> Stand<D> {
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
            let end = match is_begun {
                true => End::GivenUp {
                    kind: "unanswered",
                    waited,
                },
                false => End::Dropped { waited },
            };
            let is_late = !is_begun && waited > LATE;
            self.record(Op::Accept, job.part, Seen { end, is_late });
        }
    }

    /// Asks for one delivery and takes down how that ended.
    pub async fn order(&self, connection: &mut Option<Connection>, job: Job) {
        let started = Instant::now();
        let waited = started.saturating_duration_since(job.due);
        let is_late = waited > LATE;
        if waited >= self.timeout {
            let end = End::Dropped { waited };
            return self.ended(job, Seen { end, is_late });
        }
        self.open.borrow_mut().insert(job.number, (job, true));
        Tally::change(&self.tally.under_way, 1);
        let answered = timeout_at(job.due + self.timeout, self.ask(connection, job.number)).await;
        Tally::change(&self.tally.under_way, -1);
        let now = Instant::now();
        let took = now - job.due;
        let end = match &answered {
            Ok(Ok(answer)) => {
                self.tally.last_answer.set(Some(now));
                if answer.status.is_success() {
                    self.accepted(answer, job, now);
                    End::Well(took)
                } else {
                    End::Refused(answer.status.as_str())
                }
            }
            Ok(Err(why)) => {
                *connection = None;
                End::Refused(why.as_str())
            }
            Err(_) => {
                *connection = None;
                End::GivenUp {
                    kind: "timeout",
                    waited: took,
                }
            }
        };
        self.ended(job, Seen { end, is_late });
    }

    fn ended(&self, job: Job, seen: Seen<'_>) {
        // Whoever was given up is no longer there, and has been counted.
        if self.open.borrow_mut().remove(&job.number).is_some() {
            self.record(Op::Accept, job.part, seen);
        }
    }

    async fn ask(&self, connection: &mut Option<Connection>, number: u64) -> Result<Answer, NoAnswer> {
        let open = match connection.take().filter(Connection::is_open) {
            Some(open) => open,
            None => Connection::open(&self.dial).await?,
        };
        let body = self.orders.body(number);
        let request = self.manner.request(hyper::Method::POST, &self.request_path, body);
        connection.insert(open).ask(request).await
    }

    fn accepted(&self, answer: &Answer, job: Job, now: Instant) {
        let Some(id) = id_in(&answer.body) else { return };
        let mut recorder = self.recorder.borrow_mut();
        self.deliveries
            .borrow_mut()
            .accepted(id, job.part, job.due, now, &mut recorder);
    }
}

/// The id that an answer gives the delivery.
fn id_in(body: &[u8]) -> Option<&str> {
    super::scan::text_of(body, b"\"deliveryId\":\"")
}
