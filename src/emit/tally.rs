//! What was sent, what came of it, and how late it was.

use super::Batch;

/// What became of records that were handed on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sent {
    pub records: u64,
    pub bytes: u64,
    /// Refused, or lost on the way.
    pub failed: u64,
    /// Why the first of them failed.
    pub failure: Option<String>,
}

impl Sent {
    pub fn add(&mut self, other: Sent) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.failed += other.failed;
        self.failure = self.failure.take().or(other.failure);
    }

    pub fn failed(records: u64, why: impl Into<String>) -> Self {
        Sent {
            failed: records,
            failure: Some(why.into()),
            ..Sent::default()
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub sent: Sent,
    /// Beats, or moments at which there were orders.
    pub batches: u64,
    /// Handed over when the next was already due.
    pub overdue: u64,
    pub latest_s: f64,
}

impl Tally {
    pub(super) fn hear(&mut self, batch: &Batch) {
        self.batches += 1;
        self.overdue += u64::from(batch.is_overdue);
        self.latest_s = self.latest_s.max(batch.late_s);
    }

    pub(super) fn sent(&mut self, sent: Sent) {
        self.sent.add(sent);
    }
}
