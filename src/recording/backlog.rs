//! What a recorder was told and has not written yet, by what it takes in memory.
//!
//! A world that keeps a pace does not wait here, but a disk may for a second: so there is room for
//! what a fast world does meanwhile, and the bound is mostly one of bytes.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

pub const MESSAGES_MOST: usize = 32_768;
/// One message that is larger has room when nothing else is there.
pub const BYTES_MOST: usize = 64 << 20;

#[derive(Default)]
pub(super) struct Backlog {
    waiting: Mutex<Waiting>,
    written: Condvar,
}

#[derive(Default)]
struct Waiting {
    messages: usize,
    bytes: usize,
    /// Nobody writes any more, so nobody waits.
    is_closed: bool,
}

impl Waiting {
    fn has_room_for(&self, bytes: usize) -> bool {
        let is_within = self.messages < MESSAGES_MOST && self.bytes + bytes <= BYTES_MOST;
        self.is_closed || self.messages == 0 || is_within
    }

    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes;
    }
}

impl Backlog {
    /// Waits for room.
    pub fn add(&self, bytes: usize) {
        let mut waiting = self.waiting.lock();
        self.written
            .wait_while(&mut waiting, |waiting| !waiting.has_room_for(bytes));
        waiting.add(bytes);
    }

    /// Whether there is room by then.
    pub fn add_within(&self, patience: Duration, bytes: usize) -> bool {
        let mut waiting = self.waiting.lock();
        if !waiting.has_room_for(bytes) && !patience.is_zero() {
            let is_full = |waiting: &mut Waiting| !waiting.has_room_for(bytes);
            self.written.wait_while_for(&mut waiting, is_full, patience);
        }
        let has_room = waiting.has_room_for(bytes);
        if has_room {
            waiting.add(bytes);
        }
        has_room
    }

    /// One message is written, or was not heard.
    pub fn remove(&self, bytes: usize) {
        let mut waiting = self.waiting.lock();
        waiting.messages = waiting.messages.saturating_sub(1);
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        self.written.notify_all();
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.lock().messages == 0
    }

    /// Messages, and bytes of memory that they take.
    pub fn waiting(&self) -> (usize, usize) {
        let waiting = self.waiting.lock();
        (waiting.messages, waiting.bytes)
    }

    pub fn close(&self) {
        self.waiting.lock().is_closed = true;
        self.written.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_so_many_bytes_and_anything_when_it_is_empty() {
        let backlog = Backlog::default();
        let takes = |bytes| backlog.add_within(Duration::ZERO, bytes);
        assert!(takes(2 * BYTES_MOST) && !takes(1));
        assert_eq!(backlog.waiting(), (1, 2 * BYTES_MOST));
        backlog.remove(2 * BYTES_MOST);
        assert!(backlog.is_empty());
        assert!(takes(BYTES_MOST - 1) && takes(1) && !takes(1));
        backlog.remove(1);
        assert!(!backlog.is_empty() && takes(1));
    }

    #[test]
    fn it_takes_so_many_messages() {
        let backlog = Backlog::default();
        let takes = || backlog.add_within(Duration::ZERO, 1);
        assert!((0..MESSAGES_MOST).all(|_| takes()) && !takes());
        backlog.remove(1);
        assert!(takes() && !takes());
    }

    #[test]
    fn who_waits_goes_on_when_something_is_written_and_when_nothing_will_be() {
        let backlog = Backlog::default();
        let ends: [fn(&Backlog); 2] = [|backlog| backlog.remove(BYTES_MOST), Backlog::close];
        for end in ends {
            backlog.add(BYTES_MOST);
            std::thread::scope(|scope| {
                scope.spawn(|| backlog.add(1));
                scope.spawn(|| assert!(backlog.add_within(Duration::from_secs(60), 1)));
                end(&backlog);
            });
            backlog.remove(1);
            backlog.remove(1);
        }
    }
}
