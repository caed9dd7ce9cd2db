//! What one watcher follows at a time, in the words of the protocol.

use serde_json::{Value, json};

use crate::load::ledger::Numbers;
use crate::sim::geo::BoundingBox;
use crate::sim::random::Stream;

/// What a watcher has come for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    /// Fresh deliveries, one after the other.
    Delivery,
    /// Pieces of this map.
    Area(BoundingBox),
    Topic(String),
}

/// A viewport has this share of the map's width and height.
const VIEWPORT: f64 = 0.25;

/// One subscription; it outlives connections.
#[derive(Debug)]
pub(super) struct Following {
    pub id: u64,
    topic: String,
    bounds: Option<[f64; 4]>,
    pub numbers: Numbers,
    /// Where its numbers are from.
    pub epoch: String,
    /// Where the world was when it was asked for last, µs: what happened before is caught up on.
    pub asked_at_us: Option<f64>,
}

impl Following {
    /// From the first event of a delivery on, whatever happened before it was asked for.
    pub fn delivery(id: u64, delivery: &str, epoch: &str) -> Self {
        Following {
            id,
            topic: format!("delivery/{delivery}"),
            bounds: None,
            numbers: Numbers::after(0),
            epoch: epoch.to_owned(),
            asked_at_us: None,
        }
    }

    pub fn topic(id: u64, topic: &str, epoch: &str) -> Self {
        Following {
            id,
            topic: topic.to_owned(),
            bounds: None,
            numbers: Numbers::default(),
            epoch: epoch.to_owned(),
            asked_at_us: None,
        }
    }

    pub fn area(id: u64, map: &BoundingBox, chance: &mut Stream, epoch: &str) -> Self {
        Following {
            bounds: Some(viewport(map, chance)),
            ..Self::topic(id, "area", epoch)
        }
    }

    /// The message that begins it, or takes it up again.
    pub fn subscribe(&self, hz: f64) -> Value {
        let mut wish = json!({"type": "subscribe", "id": self.id, "topic": self.topic, "maxHz": hz});
        if let Some(bounds) = self.bounds {
            wish["bbox"] = json!(bounds);
        }
        if let Some(seq) = self.numbers.last() {
            wish["since"] = json!({"epoch": self.epoch, "seq": seq});
        }
        wish
    }

    /// The message that looks elsewhere; `None` where it shows no piece of the map.
    pub fn look_elsewhere(&mut self, map: &BoundingBox, chance: &mut Stream) -> Option<Value> {
        let bounds = self.bounds.as_mut()?;
        *bounds = viewport(map, chance);
        Some(json!({"type": "update", "id": self.id, "bbox": *bounds}))
    }

    pub fn unsubscribe(&self) -> Value {
        json!({"type": "unsubscribe", "id": self.id})
    }
}

fn viewport(map: &BoundingBox, chance: &mut Stream) -> [f64; 4] {
    let (width, height) = (
        (map.east - map.west) * VIEWPORT,
        (map.north - map.south) * VIEWPORT,
    );
    let west = chance.uniform_in(map.west, map.east - width);
    let south = chance.uniform_in(map.south, map.north - height);
    [west, south, west + width, south + height]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::random::Purpose;
    use crate::wire::stream::client::ClientMessage;

    const MAP: BoundingBox = BoundingBox {
        west: -122.5,
        south: 37.7,
        east: -122.3,
        north: 37.8,
    };

    #[test]
    fn the_server_reads_what_watchers_say() {
        let mut chance = Stream::new(1, 1, Purpose::Load);
        let read = |message: Value| ClientMessage::read_json(&message.to_string()).expect("it is one");
        let mut area = Following::area(1, &MAP, &mut chance, "e1");
        read(area.subscribe(5.0));
        read(area.look_elsewhere(&MAP, &mut chance).expect("it is an area"));
        let delivery = Following::delivery(2, "01932a5e-7e1c-7b3a-8c1d-2f0e5a6b7c8d", "e1");
        let ClientMessage::Subscribe(asked) = read(delivery.subscribe(5.0)) else {
            panic!("it subscribes");
        };
        assert_eq!(asked.since.map(|since| since.seq), Some(0));
        read(delivery.unsubscribe());
    }
}
