//! Whether a follower heard every event once: numbers without holes, across lost
//! connections.

/// What a number that came says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    InOrder,
    /// So many before it never came.
    Missed(u64),
    /// It has come before.
    Repeated,
}

/// The numbers of one topic.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    last: Option<u64>,
}

impl Numbers {
    /// The first event is to be this one.
    pub fn after(last: u64) -> Self {
        Numbers { last: Some(last) }
    }

    /// The number of the last event, to go on from.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    pub fn event(&mut self, seq: u64) -> Heard {
        let Some(last) = self.last.replace(seq) else {
            return Heard::InOrder;
        };
        if seq <= last {
            self.last = Some(last);
            Heard::Repeated
        } else if seq == last + 1 {
            Heard::InOrder
        } else {
            Heard::Missed(seq - last - 1)
        }
    }

    /// A snapshot covers all events up to this one: none of them is missed.
    pub fn snapshot(&mut self, seq: u64) {
        self.last = Some(seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_and_repeats_are_noticed_and_snapshots_bridge() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.event(5), Heard::InOrder);
        assert_eq!(numbers.event(6), Heard::InOrder);
        assert_eq!(numbers.event(9), Heard::Missed(2));
        assert_eq!(numbers.event(8), Heard::Repeated);
        assert_eq!(numbers.event(10), Heard::InOrder);
        numbers.snapshot(20);
        assert_eq!((numbers.last(), numbers.event(21)), (Some(20), Heard::InOrder));
        assert_eq!(Numbers::after(0).event(2), Heard::Missed(1));
    }
}
