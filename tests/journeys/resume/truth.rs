//! What really happened: the journal's events as they lie on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use skyhaul::sim::event::{Event, Happening};
use skyhaul::sim::world::World;
use skyhaul::store::sqlite::DATABASE;
use skyhaul::wire::event::EventBody;

/// By topic, its events with their numbers in order.
pub type Seen = BTreeMap<String, Vec<(u64, Value)>>;

pub struct Truth(Seen);

impl Truth {
    /// Reads the store of a server that is no more.
    pub fn of(data: &Path, world: &World) -> Self {
        let database = Connection::open(data.join(DATABASE)).unwrap();
        let mut ticks = database
            .prepare("SELECT first_event, events FROM tick WHERE event_count > 0 ORDER BY tick")
            .unwrap();
        let rows = ticks.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let mut seen = Seen::new();
        let mut number = 0_u64;
        for row in rows.unwrap() {
            let (first, bytes): (u64, Vec<u8>) = row.unwrap();
            assert_eq!(
                first,
                number + 1,
                "the journal keeps the events of the whole test"
            );
            for event in postcard::from_bytes::<Vec<Event>>(&bytes).unwrap() {
                number += 1;
                let body = serde_json::to_value(EventBody::new(world, &event.happening)).unwrap();
                let own = seen.entry(topic_of(world, &event.happening)).or_default();
                own.push((event.seq.into(), body.clone()));
                seen.entry("events".to_owned()).or_default().push((number, body));
            }
        }
        Truth(seen)
    }

    /// All events.
    pub fn len(&self) -> usize {
        self.0.get("events").map_or(0, Vec::len)
    }

    pub fn deliveries(&self) -> usize {
        self.0
            .keys()
            .filter(|topic| topic.starts_with("delivery/"))
            .count()
    }

    /// Number of the topic's last event.
    pub fn last(&self, topic: &str) -> u64 {
        self.0
            .get(topic)
            .and_then(|events| events.last())
            .map_or(0, |(seq, _)| *seq)
    }

    /// Panics where what was seen of these topics is not all that happened, in order.
    pub fn check(&self, seen: &Seen) {
        let kinds: BTreeSet<_> = seen.keys().filter_map(|topic| topic.split('/').next()).collect();
        assert_eq!(
            kinds.into_iter().collect::<Vec<_>>(),
            ["delivery", "drone", "events", "hub"]
        );
        for (topic, events) in seen {
            let happened = self.0.get(topic).map_or(&[][..], Vec::as_slice);
            for (saw, is) in events.iter().zip(happened) {
                assert_eq!(saw, is, "{topic}");
            }
            assert_eq!(events.len(), happened.len(), "{topic}");
        }
    }
}

fn topic_of(world: &World, happening: &Happening) -> String {
    match happening {
        Happening::Delivery(id, _) => format!("delivery/{id}"),
        Happening::Drone(id, _) => format!("drone/{id}"),
        Happening::Hub(id, _) => format!("hub/{}", world.hub(*id).key),
        Happening::Supervisor(_) => "supervisor".to_owned(),
        // Nobody follows these by themselves; they are among all events.
        Happening::Account(event) => format!("account/{}", event.account().id),
        Happening::Package(stored) => format!("package/{}", stored.package.id),
    }
}
