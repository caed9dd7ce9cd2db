//! Every single request, for whoever wants to look at them one by one.

use std::cell::RefCell;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::timetable::Part;

/// One request, as it went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    pub number: u64,
    pub part: Part,
    /// Since the test began.
    pub due: Duration,
    /// It began so long after that.
    pub late: Duration,
    /// And was over so long after it was due.
    pub took: Duration,
    pub end: How,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was answered with this status.
    Status(u16),
    /// It was not, and this is why.
    Word(&'static str),
}

/// Where samples go, many at a time. Who finds the channel full waits, and so comes late.
pub type Samples = SyncSender<Vec<Sample>>;

const AT_ONCE: usize = 1_024;

/// Collects what one thread sees. What is left goes out at its end.
pub(super) struct Sampler {
    to: Option<Samples>,
    kept: RefCell<Vec<Sample>>,
}

impl Sampler {
    pub fn to(samples: Option<Samples>) -> Self {
        Sampler {
            to: samples,
            kept: RefCell::default(),
        }
    }

    /// For another thread.
    pub fn another(&self) -> Self {
        Sampler::to(self.to.clone())
    }

    pub fn note(&self, sample: Sample) {
        if self.to.is_none() {
            return;
        }
        let mut kept = self.kept.borrow_mut();
        kept.push(sample);
        if kept.len() == AT_ONCE {
            self.send(std::mem::take(&mut kept));
        }
    }

    fn send(&self, samples: Vec<Sample>) {
        if let Some(to) = &self.to {
            // Whoever wanted them may have had enough.
            let _unwanted = to.send(samples);
        }
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        let left = self.kept.take();
        if !left.is_empty() {
            self.send(left);
        }
    }
}
