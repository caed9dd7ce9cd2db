//! The server's messages as server-sent events: the type is the event's name, the data is
//! the same JSON, and the id says how far all numbered topics of the stream were told.
//!
//! That id is a [`Bookmark`]: the epoch, then for each topic, in the order in which they
//! were asked for, the number of its last event, or `-` where there is none (yet). So
//! `e7.57.-.12` is the fifty-seventh event of the first topic and the twelfth of the third.
//! Browsers send it back as `Last-Event-ID` when they come again.

use std::fmt::{self, Write};

use serde::Deserialize;

use super::client::Since;

/// How long a client waits before it comes again, in milliseconds: once, at the beginning.
pub const RETRY: &str = "retry: 1000\n\n";
/// A comment, which clients ignore: so that nobody in between takes silence for an end.
pub const KEEP_ALIVE: &str = ":\n\n";

/// How far each topic of a stream was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookmark {
    epoch: String,
    last: Vec<Option<u64>>,
}

impl Bookmark {
    /// Of a stream of so many topics, at its beginning.
    pub fn new(epoch: impl Into<String>, topics: usize) -> Self {
        Bookmark {
            epoch: epoch.into(),
            last: vec![None; topics],
        }
    }

    /// `None` where this is not the bookmark of a stream of so many topics.
    pub fn read(text: &str, topics: usize) -> Option<Self> {
        let mut parts = text.split('.');
        let epoch = parts.next().filter(|epoch| !epoch.is_empty())?;
        let mut last = Vec::with_capacity(topics.min(text.len()));
        for part in parts {
            last.push(match part {
                "-" => None,
                number if number.bytes().all(|byte| byte.is_ascii_digit()) => Some(number.parse().ok()?),
                _ => return None,
            });
        }
        (last.len() == topics).then(|| Bookmark {
            epoch: epoch.to_owned(),
            last,
        })
    }

    /// The last event of the topic at this place, from 0 on.
    pub fn since(&self, place: usize) -> Option<Since> {
        let seq = self.last.get(place).copied().flatten()?;
        Some(Since {
            epoch: self.epoch.clone(),
            seq,
        })
    }

    /// The topic at this place was told up to this event.
    pub fn note(&mut self, place: usize, seq: u64) {
        if let Some(last) = self.last.get_mut(place) {
            *last = Some(seq);
        }
    }
}

impl fmt::Display for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.epoch)?;
        for last in &self.last {
            match last {
                Some(seq) => write!(f, ".{seq}")?,
                None => f.write_str(".-")?,
            }
        }
        Ok(())
    }
}

/// What of a message moves the bookmark.
#[derive(Deserialize)]
struct Numbered {
    /// Subscriptions of a stream are numbered from 1 on.
    id: usize,
    seq: Option<u64>,
}

/// Adds a message of the server, as it is said in JSON, as an event.
pub fn write(message: &str, bookmark: &mut Bookmark, text: &mut String) {
    let kind = type_of(message);
    // A string takes all that is written.
    let _ = writeln!(text, "event: {kind}");
    if ["event", "snapshot"].contains(&kind) {
        if let Ok(Numbered { id, seq: Some(seq) }) = serde_json::from_str(message)
            && let Some(place) = id.checked_sub(1)
        {
            bookmark.note(place, seq);
        }
        let _ = writeln!(text, "id: {bookmark}");
    }
    text.push_str("data: ");
    text.push_str(message);
    text.push_str("\n\n");
}

/// Messages begin with their type: long ones need not be read for it.
fn type_of(message: &str) -> &str {
    let rest = message.strip_prefix(r#"{"type":""#);
    let kind = rest.and_then(|rest| rest.split_once('"'));
    kind.map_or("message", |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn since(epoch: &str, seq: u64) -> Option<Since> {
        let epoch = epoch.to_owned();
        Some(Since { epoch, seq })
    }

    #[test]
    fn a_bookmark_says_how_far_each_topic_was_told() {
        let mut bookmark = Bookmark::new("e7", 3);
        assert_eq!(bookmark.to_string(), "e7.-.-.-");
        bookmark.note(0, 57);
        bookmark.note(2, 12);
        assert_eq!(bookmark.to_string(), "e7.57.-.12");
        let read = Bookmark::read("e7.57.-.12", 3).unwrap();
        assert_eq!(read, bookmark);
        assert_eq!(
            [0, 1, 2, 3].map(|place| read.since(place)),
            [since("e7", 57), None, since("e7", 12), None]
        );
    }

    #[test]
    fn what_is_no_bookmark_of_this_stream_is_none() {
        for text in [
            "",
            "e7",
            "e7.1",
            "e7.1.2.3",
            ".1.2",
            "e7.1.",
            "e7..1",
            "e7.+1.2",
            "e7.-1.2",
            "e7.1.2 ",
            "e7.1,2",
            "e7.1.18446744073709551616",
            "e7.1.٣",
        ] {
            assert_eq!(Bookmark::read(text, 2), None, "{text:?}");
        }
        assert_eq!(
            Bookmark::read("e7.0.18446744073709551615", 2).map(|read| read.since(1)),
            Some(since("e7", u64::MAX))
        );
    }

    proptest! {
        #[test]
        fn a_bookmark_is_read_as_it_was_written(
            last in proptest::collection::vec(proptest::option::of(any::<u64>()), 0..70)
        ) {
            let bookmark = Bookmark { epoch: "e12".to_owned(), last };
            let topics = bookmark.last.len();
            prop_assert_eq!(Bookmark::read(&bookmark.to_string(), topics), Some(bookmark));
        }

        #[test]
        fn whatever_a_client_sends_is_read_or_refused(text in ".{0,80}", topics in 0_usize..5) {
            if let Some(bookmark) = Bookmark::read(&text, topics) {
                prop_assert_eq!(Bookmark::read(&bookmark.to_string(), topics), Some(bookmark));
            }
        }
    }

    fn written(message: &str, bookmark: &mut Bookmark) -> String {
        let mut text = String::new();
        write(message, bookmark, &mut text);
        text
    }

    #[test]
    fn events_and_snapshots_carry_the_bookmark_that_they_lead_to() {
        let mut bookmark = Bookmark::new("e7", 2);
        let snapshot = r#"{"type":"snapshot","id":1,"seq":57,"tick":812}"#;
        assert_eq!(
            written(snapshot, &mut bookmark),
            format!("event: snapshot\nid: e7.57.-\ndata: {snapshot}\n\n")
        );
        let event = r#"{"type":"event","id":2,"seq":1,"event":{"kind":"Landed"}}"#;
        assert_eq!(
            written(event, &mut bookmark),
            format!("event: event\nid: e7.57.1\ndata: {event}\n\n")
        );
        let gauges = r#"{"type":"snapshot","id":1,"tick":3,"fleet":{}}"#;
        assert!(written(gauges, &mut bookmark).contains("\nid: e7.57.1\n"));
    }

    #[test]
    fn other_messages_leave_the_clients_bookmark_where_it_is() {
        let mut bookmark = Bookmark::new("e7", 1);
        let positions = r#"{"type":"positions","id":1,"tick":813,"drones":[]}"#;
        assert_eq!(
            written(positions, &mut bookmark),
            format!("event: positions\ndata: {positions}\n\n")
        );
        assert_eq!(bookmark, Bookmark::new("e7", 1));
    }
}
