//! What somebody was told about one thing that can be written again and again, and what may
//! have become of it since.

use std::fmt::Debug;

/// The newest that was acknowledged, and what was sent after without an answer: it stands, or
/// one of those does.
#[derive(Clone, Debug)]
pub struct Said<T> {
    stands: T,
    maybe: Vec<T>,
}

impl<T: Clone + PartialEq + Debug> Said<T> {
    pub fn new(stands: T) -> Self {
        Said {
            stands,
            maybe: Vec::new(),
        }
    }

    /// Sent: whoever sends one waits for its answer before the next.
    pub fn send(&mut self, value: T) {
        self.maybe.push(value);
    }

    /// The answer to what was sent last; `None` where none came.
    pub fn hear(&mut self, taken: Option<bool>) {
        match taken {
            Some(true) => {
                let last = self.maybe.pop().expect("something was sent");
                *self = Said::new(last);
            }
            Some(false) => drop(self.maybe.pop()),
            None => {}
        }
    }

    /// Panics where neither stands. What was sent last without an answer may still come: durable,
    /// and not admitted before time passes again.
    pub fn check(&mut self, found: T, what: &str) {
        match self.maybe.iter().rposition(|maybe| *maybe == found) {
            Some(at) => {
                self.maybe.drain(..=at);
                self.stands = found;
            }
            None => assert_eq!(found, self.stands, "{what}: {self:?}"),
        }
    }
}
