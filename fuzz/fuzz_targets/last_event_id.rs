//! What comes with a request for server-sent events: topics by name, and the id with which
//! a client comes back. The first line is that id, each other one a topic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skyhaul::sim::geo::BoundingBox;
use skyhaul::wire::stream::client::{NotATopic, Topic};
use skyhaul::wire::stream::sse::Bookmark;

const BOUNDS: BoundingBox = BoundingBox {
    west: -122.52,
    south: 37.70,
    east: -122.35,
    north: 37.83,
};

fuzz_target!(|text: &str| {
    let (id, names) = text.split_once('\n').unwrap_or((text, ""));
    let names: Vec<_> = names.lines().collect();
    for name in &names {
        match Topic::read(name, Some(BOUNDS)) {
            // By its own name a topic is the same again.
            Ok(topic) => assert_eq!(Topic::read(&topic.to_string(), Some(BOUNDS)), Ok(topic)),
            Err(wrong) => assert_ne!(wrong, NotATopic::NeedsBounds, "it has them"),
        }
    }
    let topics = names.len();
    let Some(mut bookmark) = Bookmark::read(id, topics) else { return };
    let written = bookmark.to_string();
    assert!(written.len() <= id.len(), "{id:?} is {written:?}");
    assert_eq!(Bookmark::read(&written, topics).as_ref(), Some(&bookmark));
    assert_eq!(Bookmark::read(&written, topics + 1), None);
    assert!(!written.contains(['\n', '\r', '\0']) || id.contains(['\r', '\0']));
    for place in 0..=topics {
        bookmark.note(place, u64::MAX);
        let since = bookmark.since(place);
        assert_eq!(since.map(|since| since.seq), (place < topics).then_some(u64::MAX));
    }
});
