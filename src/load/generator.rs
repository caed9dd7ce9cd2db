//! Whether the generator itself kept up. One that did not measures itself, and its run is
//! void.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// How late requests were handed out, whatever connections there were for them.
pub(super) struct Lag(RefCell<Histogram<u32>>);

impl Lag {
    pub fn new() -> Self {
        const HOUR_US: u64 = 3_600 * 1_000_000;
        Lag(RefCell::new(
            Histogram::new_with_bounds(1, HOUR_US, 3).expect("the bounds are sound"),
        ))
    }

    pub fn note(&self, late: Duration) {
        let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
        self.0.borrow_mut().saturating_record(micros);
    }

    fn p99(&self) -> Duration {
        Duration::from_micros(self.0.borrow().value_at_quantile(0.99))
    }
}

/// What the kernel has counted for this thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Used {
    /// On a processor.
    ran: Duration,
    /// Ready to run, and no processor free.
    queued: Duration,
}

impl Used {
    /// `None` where the kernel does not tell.
    fn so_far() -> Option<Self> {
        Self::read(&std::fs::read_to_string("/proc/thread-self/schedstat").ok()?)
    }

    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split_whitespace().map(|number| number.parse().ok());
        let mut next = || Some(Duration::from_nanos(numbers.next()??));
        Some(Used {
            ran: next()?,
            queued: next()?,
        })
    }
}

/// Watches the generator's thread over the measured part of a test.
pub(super) struct Watch {
    at: Cell<Option<(Duration, Used)>>,
    /// The busiest second so far.
    worst: Cell<f64>,
    first: Cell<Option<(Duration, Used)>>,
}

/// The generator's own figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effort {
    /// Of one processor, over the measured part; null where the system does not tell.
    pub cpu_share: Option<f64>,
    /// In the busiest second.
    pub cpu_share_max: Option<f64>,
    /// Time that it was ready to run and no processor was free.
    pub queued_share: Option<f64>,
    /// How late requests were handed out.
    pub lag_p99_ms: f64,
    pub connections: usize,
    /// Threads that sent requests; the shares and the lag are of the busiest.
    pub workers: usize,
}

impl Watch {
    pub fn new() -> Self {
        Watch {
            at: Cell::new(None),
            worst: Cell::new(0.0),
            first: Cell::new(None),
        }
    }

    /// Once a second of what is measured; tells how busy that second was.
    pub fn look(&self, elapsed: Duration) -> Option<f64> {
        let used = Used::so_far()?;
        let before = self.at.replace(Some((elapsed, used)));
        let Some((then, earlier)) = before else {
            self.first.set(Some((elapsed, used)));
            return None;
        };
        let share = ratio(used.ran.saturating_sub(earlier.ran), elapsed.saturating_sub(then))?;
        self.worst.set(self.worst.get().max(share));
        Some(share)
    }

    pub fn effort(&self, lag: &Lag, connections: usize, workers: usize) -> Effort {
        let span = self.first.get().zip(self.at.get());
        let shares = span.and_then(|((began, first), (now, last))| {
            let wall = now.saturating_sub(began);
            let ran = ratio(last.ran.saturating_sub(first.ran), wall)?;
            Some((ran, ratio(last.queued.saturating_sub(first.queued), wall)?))
        });
        Effort {
            cpu_share: shares.map(|(ran, _)| ran),
            cpu_share_max: shares.map(|_| self.worst.get()),
            queued_share: shares.map(|(_, queued)| queued),
            lag_p99_ms: lag.p99().as_secs_f64() * 1e3,
            connections,
            workers,
        }
    }
}

fn ratio(part: Duration, whole: Duration) -> Option<f64> {
    (!whole.is_zero()).then(|| part.as_secs_f64() / whole.as_secs_f64())
}

/// Busier than this over the measured part, a thread has no room for what comes at once.
const BUSY: f64 = 0.9;
/// Handed out later than this, requests were not those of the timetable.
const LATEST_MS: f64 = 50.0;

impl Effort {
    /// Of a thread and of those that sent for it.
    pub(super) fn beside(self, other: Effort) -> Effort {
        let more = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        Effort {
            cpu_share: more(self.cpu_share, other.cpu_share),
            cpu_share_max: more(self.cpu_share_max, other.cpu_share_max),
            queued_share: more(self.queued_share, other.queued_share),
            lag_p99_ms: self.lag_p99_ms.max(other.lag_p99_ms),
            connections: self.connections + other.connections,
            workers: self.workers + other.workers,
        }
    }

    /// Why figures of this generator say nothing about the target; `None` where they do.
    pub fn void(&self) -> Option<String> {
        if let Some(share) = self.cpu_share.filter(|share| *share > BUSY) {
            return Some(format!(
                "the generator itself was saturated: {:.0} % of a processor",
                share * 100.0
            ));
        }
        (self.lag_p99_ms > LATEST_MS).then(|| {
            format!(
                "the generator itself came late: 1 % of the requests were handed out {:.0} ms or more after they were due",
                self.lag_p99_ms
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_what_a_thread_used() {
        let used = Used::read("1500000000 250000000 42\n").expect("two numbers are there");
        assert_eq!(used.ran, Duration::from_millis(1_500));
        assert_eq!(used.queued, Duration::from_millis(250));
        assert_eq!(Used::read(""), None);
    }

    #[test]
    fn a_generator_that_did_not_keep_up_voids_its_run() {
        let effort = |cpu_share, lag_p99_ms| Effort {
            cpu_share,
            cpu_share_max: cpu_share,
            queued_share: None,
            lag_p99_ms,
            connections: 1,
            workers: 1,
        };
        assert_eq!(effort(Some(0.5), 1.0).void(), None);
        assert_eq!(effort(None, 1.0).void(), None);
        assert!(
            effort(Some(0.95), 1.0)
                .void()
                .is_some_and(|why| why.contains("95 %"))
        );
        assert!(
            effort(Some(0.5), 80.0)
                .void()
                .is_some_and(|why| why.contains("80 ms"))
        );
    }
}
