//! Who sends the requests: a timetable and a pool of connections that keep to it (the open
//! model), or users who wait for their answers (the closed one).
//!
//! In the open model a request that finds no connection free, and may not open one more,
//! waits for its turn; its time counts from when it was due all the same.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};

use super::exchange::Line;
use super::generator::Lag;
use super::stand::{Job, Stand, Tally};
use super::target::Dial;
use crate::scenario::{Load, Model};

/// Requests that are handed out without letting anybody else have a turn.
const AT_ONCE: u32 = 64;

/// Connections that carry requests: each is a task that takes the next request as soon as it
/// has done with the last. Whoever was busy last is woken first, so that few are kept warm.
struct Pool<D: Dial> {
    stand: Rc<Stand<D>>,
    queue: RefCell<VecDeque<Job>>,
    idle: Cell<usize>,
    most: usize,
    came: Notify,
    is_over: Cell<bool>,
}

/// Which of several senders this is, and so which requests are its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub place: usize,
    pub of: usize,
}

impl Share {
    /// The only one.
    pub const ALL: Share = Share { place: 0, of: 1 };

    fn has(self, number: u64) -> bool {
        number % self.of as u64 == self.place as u64
    }

    /// Of so many, dealt out one by one.
    pub fn of_count(self, whole: usize) -> usize {
        (whole + self.of - 1 - self.place) / self.of
    }
}

/// Hands out this share of the load. Returns when all of it is; what is under way goes on.
pub(super) async fn drive<D: Dial>(stand: Rc<Stand<D>>, load: &Load, share: Share, lag: &Lag) {
    match load.model {
        Model::Open => open(stand, load.connections, share, lag).await,
        Model::Closed { think } => closed(stand, think, share).await,
    }
}

async fn open<D: Dial>(stand: Rc<Stand<D>>, connections: usize, share: Share, lag: &Lag) {
    let pool = Rc::new(Pool {
        stand: Rc::clone(&stand),
        queue: RefCell::default(),
        idle: Cell::new(0),
        most: connections,
        came: Notify::new(),
        is_over: Cell::new(false),
    });
    let alarm = stand.dial.alarm();
    let mut in_a_row = 0;
    let numbered = (0..).zip(stand.timetable.requests());
    for (number, due) in numbered.filter(|(number, _)| share.has(*number)) {
        let at = stand.began + due.at;
        let mut now = Instant::now();
        in_a_row += 1;
        if at > now {
            alarm.until(at).await;
            (now, in_a_row) = (Instant::now(), 0);
        } else if in_a_row == AT_ONCE {
            tokio::task::yield_now().await;
            (now, in_a_row) = (Instant::now(), 0);
        }
        lag.note(now.saturating_duration_since(at));
        pool.give(Job {
            number,
            part: due.part,
            due: at,
        });
    }
    sleep_until(stand.began + stand.timetable.lasts()).await;
    pool.is_over.set(true);
    pool.came.notify_waiters();
}

impl<D: Dial> Pool<D> {
    fn give(self: &Rc<Self>, job: Job) {
        let tally = &self.stand.tally;
        self.stand.note(job);
        self.queue.borrow_mut().push_back(job);
        Tally::change(&tally.waiting, 1);
        if self.idle.get() > 0 {
            // Here and not by whoever wakes: the next request must not count on them.
            Tally::change(&self.idle, -1);
            self.came.notify_last();
        } else if tally.connections.get() < self.most {
            tally.connected();
            tokio::task::spawn_local(Rc::clone(self).work());
        }
    }

    async fn work(self: Rc<Self>) {
        let mut line = Line::default();
        loop {
            let next = self.queue.borrow_mut().pop_front();
            match next {
                Some(job) => {
                    Tally::change(&self.stand.tally.waiting, -1);
                    self.stand.order(&mut line, job).await;
                }
                None if self.is_over.get() => break,
                None => {
                    Tally::change(&self.idle, 1);
                    self.came.notified().await;
                }
            }
        }
        Tally::change(&self.stand.tally.connections, -1);
    }
}

/// As many users as the timetable wants at each moment, until its end.
async fn closed<D: Dial>(stand: Rc<Stand<D>>, think: Duration, share: Share) {
    /// How soon a change of their number is noticed.
    const LOOK: Duration = Duration::from_millis(20);
    let (mut users, numbers) = (Vec::new(), Rc::new(Cell::new(0)));
    let end = stand.began + stand.timetable.lasts();
    while Instant::now() < end {
        let wanted = wanted(&stand, share);
        users.retain(|user: &tokio::task::JoinHandle<()>| !user.is_finished());
        // A user leaves when its place is not wanted; whoever comes takes the lowest free one.
        for place in users.len()..wanted {
            stand.tally.connected();
            let (stand, numbers) = (Rc::clone(&stand), Rc::clone(&numbers));
            users.push(tokio::task::spawn_local(user(
                stand, place, share, think, numbers,
            )));
        }
        sleep(LOOK).await;
    }
}

/// Users of this share, at this moment.
fn wanted<D: Dial>(stand: &Stand<D>, share: Share) -> usize {
    let whole = stand.timetable.wanted_at(stand.elapsed()).round();
    share.of_count(whole as usize)
}

async fn user<D: Dial>(
    stand: Rc<Stand<D>>,
    place: usize,
    share: Share,
    think: Duration,
    numbers: Rc<Cell<u64>>,
) {
    let mut line = Line::default();
    while wanted(&stand, share) > place {
        let number = numbers.replace(numbers.get() + 1) * share.of as u64 + share.place as u64;
        let job = Job {
            number,
            part: stand.part_now(),
            due: Instant::now(),
        };
        stand.note(job);
        stand.order(&mut line, job).await;
        if !line.is_connected() || think > Duration::ZERO {
            // Nobody hammers a server that is not there.
            sleep(think.max(Duration::from_millis(10))).await;
        }
    }
    Tally::change(&stand.tally.connections, -1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole_and_nobody_has_what_is_anothers() {
        for of in 1..5 {
            let shares = || (0..of).map(|place| Share { place, of });
            for whole in 0..20 {
                let counts = shares().map(|share| share.of_count(whole));
                assert_eq!(counts.sum::<usize>(), whole);
            }
            for number in 0..20 {
                assert_eq!(shares().filter(|share| share.has(number)).count(), 1);
            }
        }
    }
}
