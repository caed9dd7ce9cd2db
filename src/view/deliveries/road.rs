//! Where third-party transport's van is between pick-up and drop-off.
//!
//! Nobody follows a van as a drone is followed: it goes straight from one to the other, and at
//! each moment so fast as to be there at the time that was told last. So its place follows
//! from the delivery's events and the time.

use super::DeliveryRecord;
use crate::sim::event::{DeliveryEvent, Happening};
use crate::sim::geo::LatLon;
use crate::sim::time::SimTime;

/// A moment at which the van stood at this share of its way, and was expected to arrive then.
#[derive(Clone, Copy)]
struct Mark {
    at: SimTime,
    share: f64,
    arrives: SimTime,
}

impl Mark {
    fn share_at(self, now: SimTime) -> f64 {
        let (passed, whole) = (
            now.since(self.at).as_secs(),
            self.arrives.since(self.at).as_secs(),
        );
        let driven = if whole > 0.0 {
            (passed / whole).min(1.0)
        } else {
            1.0
        };
        self.share + (1.0 - self.share) * driven
    }
}

/// Of a delivery that a van has aboard.
pub(super) fn place(record: &DeliveryRecord, now: SimTime) -> LatLon {
    let (from, to) = (record.order.pickup.location, record.order.dropoff.location);
    let mut mark: Option<Mark> = None;
    for event in &record.events {
        let Happening::Delivery(_, kind) = &event.happening else {
            continue;
        };
        mark = match (kind, mark) {
            (DeliveryEvent::HandedToCarrier { .. }, _) => None,
            (DeliveryEvent::HeadedToDropoff { etas }, _) => Some(Mark {
                at: event.at,
                share: 0.0,
                arrives: etas.delivery,
            }),
            (DeliveryEvent::EtaChanged { etas }, Some(mark)) => Some(Mark {
                at: event.at,
                share: mark.share_at(event.at),
                arrives: etas.delivery,
            }),
            (_, mark) => mark,
        };
    }
    let share = mark.map_or(0.0, |mark| mark.share_at(now));
    LatLon {
        lat: from.lat + (to.lat - from.lat) * share,
        lon: from.lon + (to.lon - from.lon) * share,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sim::event::{Etas, Event};
    use crate::sim::ids::DeliveryId;
    use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};

    fn order() -> Order {
        let stop = |lat| Stop {
            location: LatLon { lat, lon: -122.4 },
            altitude_m: 0.0,
        };
        Order {
            owner: Owner::account("shop"),
            pickup: stop(37.0),
            dropoff: stop(38.0),
            package: Package {
                id: "p".into(),
                size: ContainerSize::Small,
                weight_kg: 50.0,
                tag: None,
            },
            expedited: false,
            confirmation: ConfirmationRequired::None,
            deadline: String::new(),
            not_before: SimTime::START,
        }
    }

    #[test]
    fn the_van_arrives_when_it_was_last_said_to_and_never_goes_back() {
        let order = Arc::new(order());
        let (id, secs) = (DeliveryId::new(1, [0; 10]), SimTime::from_secs);
        let etas = |delivery| Etas {
            pickup: secs(100.0),
            delivery: secs(delivery),
        };
        let events = [
            (
                0.0,
                DeliveryEvent::Accepted {
                    order: Arc::clone(&order),
                },
            ),
            (0.0, DeliveryEvent::HandedToCarrier { etas: etas(300.0) }),
            (100.0, DeliveryEvent::HeadedToDropoff { etas: etas(300.0) }),
            (200.0, DeliveryEvent::EtaChanged { etas: etas(600.0) }),
        ];
        let numbered = (1..).zip(events).map(|(seq, (at, event))| {
            Arc::new(Event {
                at: secs(at),
                seq,
                happening: Happening::Delivery(id, event),
            })
        });
        let record = DeliveryRecord::from_events(numbered.collect()).expect("accepted first");
        let (from, to) = (order.pickup.location, order.dropoff.location);
        let share = |at: f64| (place(&record, secs(at)).lat - from.lat) / (to.lat - from.lat);
        for (at, expected) in [(200.0, 0.5), (400.0, 0.75), (600.0, 1.0), (700.0, 1.0)] {
            assert!((share(at) - expected).abs() < 1e-9, "{at}: {}", share(at));
        }
    }
}
