//! What the window counts about itself; whoever composes the server shows it.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::wire::stream::ErrorCode;

/// Counted with every message, so each thread should have its own, on a cache line of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Sent {
    messages: AtomicU64,
    bytes: AtomicU64,
}

#[derive(Debug, Default)]
pub struct Telemetry {
    sessions_open: AtomicU64,
    sessions_total: AtomicU64,
    sessions_refused: AtomicU64,
    sent: [Sent; 16],
    beats: AtomicU64,
    beats_skipped: AtomicU64,
    closed_slow: AtomicU64,
    slow_sessions: [AtomicU64; 3],
    bytes_waiting: AtomicU64,
    errors: [AtomicU64; ErrorCode::ALL.len()],
}

impl Telemetry {
    /// Gauge: sessions at this moment.
    pub fn sessions_open(&self) -> u64 {
        self.sessions_open.load(Relaxed)
    }

    /// Sessions since the start.
    pub fn sessions_total(&self) -> u64 {
        self.sessions_total.load(Relaxed)
    }

    /// Handshakes refused because there was no room.
    pub fn sessions_refused(&self) -> u64 {
        self.sessions_refused.load(Relaxed)
    }

    pub fn messages_sent(&self) -> u64 {
        self.sent.iter().map(|sent| sent.messages.load(Relaxed)).sum()
    }

    /// Bytes of message texts, without frames' heads.
    pub fn bytes_sent(&self) -> u64 {
        self.sent.iter().map(|sent| sent.bytes.load(Relaxed)).sum()
    }

    /// Beats made.
    pub fn beats(&self) -> u64 {
        self.beats.load(Relaxed)
    }

    /// Beats that a subscription missed because its client was slow.
    pub fn beats_skipped(&self) -> u64 {
        self.beats_skipped.load(Relaxed)
    }

    /// Sessions closed because their client read nothing for too long.
    pub fn closed_slow(&self) -> u64 {
        self.closed_slow.load(Relaxed)
    }

    /// Gauge: sessions that are degraded, by level from 1 on.
    pub fn slow_sessions(&self) -> [u64; 3] {
        self.slow_sessions
            .each_ref()
            .map(|sessions| sessions.load(Relaxed))
    }

    /// Gauge: bytes of batches that sockets have yet to write.
    pub fn bytes_waiting(&self) -> u64 {
        self.bytes_waiting.load(Relaxed)
    }

    /// Error messages by code.
    pub fn errors(&self) -> impl Iterator<Item = (ErrorCode, u64)> + '_ {
        ErrorCode::ALL
            .into_iter()
            .zip(self.errors.iter().map(|count| count.load(Relaxed)))
    }

    pub(super) fn session_opened(&self) {
        self.sessions_open.fetch_add(1, Relaxed);
        self.sessions_total.fetch_add(1, Relaxed);
    }

    pub(super) fn session_ended(&self) {
        self.sessions_open.fetch_sub(1, Relaxed);
    }

    pub(super) fn session_refused(&self) {
        self.sessions_refused.fetch_add(1, Relaxed);
    }

    pub(super) fn sent(&self, shard: usize, messages: u64, bytes: u64) {
        let sent = &self.sent[shard % self.sent.len()];
        sent.messages.fetch_add(messages, Relaxed);
        sent.bytes.fetch_add(bytes, Relaxed);
    }

    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Relaxed);
    }

    pub(super) fn skipped(&self, beats: u64) {
        self.beats_skipped.fetch_add(beats, Relaxed);
    }

    pub(super) fn was_slow(&self) {
        self.closed_slow.fetch_add(1, Relaxed);
    }

    /// A session's level is another; 0 is none of the slow ones.
    pub(super) fn is_slow(&self, before: usize, now: usize) {
        if let Some(before) = before.checked_sub(1) {
            self.slow_sessions[before].fetch_sub(1, Relaxed);
        }
        if let Some(now) = now.checked_sub(1) {
            self.slow_sessions[now].fetch_add(1, Relaxed);
        }
    }

    pub(super) fn waits(&self, bytes: u64) {
        self.bytes_waiting.fetch_add(bytes, Relaxed);
    }

    pub(super) fn waits_no_more(&self, bytes: u64) {
        self.bytes_waiting.fetch_sub(bytes, Relaxed);
    }

    pub(super) fn error(&self, code: ErrorCode) {
        self.errors[code as usize].fetch_add(1, Relaxed);
    }
}

/// The share that one batch has in the gauge of waiting bytes.
pub(super) struct Waiting<T: Deref<Target = Telemetry>> {
    telemetry: T,
    bytes: u64,
}

impl<T: Deref<Target = Telemetry>> Waiting<T> {
    pub(super) fn new(telemetry: T, bytes: u64) -> Self {
        telemetry.waits(bytes);
        Waiting { telemetry, bytes }
    }

    pub(super) fn less(&mut self, bytes: u64) {
        self.telemetry.waits_no_more(bytes);
        self.bytes -= bytes;
    }
}

impl<T: Deref<Target = Telemetry>> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.telemetry.waits_no_more(self.bytes);
    }
}
