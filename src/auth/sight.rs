//! The rules held against the world as it is now.

use std::collections::BTreeSet;

use super::access::{Parcel, What};
use super::viewer::{Viewer, Who};
use crate::sim::flight::Stretch;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::view::View;
use crate::view::reading::DeliveryStatus;

/// Whether something may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Seen,
    /// It is there, and not for this viewer.
    Forbidden,
    Unknown,
}

impl Viewer {
    pub fn sight_of_delivery(&self, view: &View, id: DeliveryId) -> Sight {
        let may = view.with_delivery(id, |record| self.may(&What::Delivery(&Parcel::of(record))));
        Sight::of(may)
    }

    /// Of a drone at this moment: the right comes and goes with what it carries.
    pub fn sight_of_drone(&self, view: &View, id: DroneId) -> Sight {
        if id.0 >= view.world().drone_count() {
            return Sight::Unknown;
        }
        if self.who == Who::Operator {
            return Sight::Seen;
        }
        let carried = view.carried_by(id);
        let may = carried.and_then(|delivery| {
            view.with_delivery(delivery, |record| {
                self.may(&What::Drone(Some(&Parcel::of(record))))
            })
        });
        Sight::of(Some(may.unwrap_or(false)))
    }

    /// The parts that may be seen of the route of a drone that is on this delivery, or on
    /// none.
    pub fn route_in_sight(&self, view: &View, delivery: Option<DeliveryId>) -> Vec<Stretch> {
        let seen_of = |parcel: Option<&Parcel<'_>>| {
            let seen = |stretch: &Stretch| self.may_see_route(parcel, *stretch);
            Stretch::ALL.into_iter().filter(seen).collect()
        };
        let of_delivery = delivery
            .and_then(|delivery| view.with_delivery(delivery, |record| seen_of(Some(&Parcel::of(record)))));
        of_delivery.unwrap_or_else(|| seen_of(None))
    }

    /// Whether a delivery's drone may be shown as the delivery's at this moment.
    pub fn sees_place_of(&self, view: &View, id: DeliveryId) -> bool {
        let may = || view.with_delivery(id, |record| self.may(&What::PlaceOf(&Parcel::of(record))));
        self.who == Who::Operator || may().unwrap_or(false)
    }

    /// Where a delivery stands, as far as it may be seen: to whom its drone's place is not
    /// shown, the package is where it is picked up.
    pub fn status_of_delivery(&self, view: &View, id: DeliveryId) -> Option<DeliveryStatus> {
        // Asked first: a right that begins in between shows less, not more.
        let (place, pickup) = view.with_delivery(id, |record| {
            let place = self.may(&What::PlaceOf(&Parcel::of(record)));
            (place, record.order.pickup.location)
        })?;
        let mut status = view.delivery_status(id)?;
        if !place {
            status.location = pickup;
            status.height_m = 0.0;
        }
        Some(status)
    }

    /// All drones that may be seen at this moment; `None` where that is every one.
    pub fn drones_in_sight(&self, view: &View) -> Option<BTreeSet<DroneId>> {
        if self.who == Who::Operator {
            return None;
        }
        let seen = |&(_, delivery): &(DroneId, DeliveryId)| {
            let may = view.with_delivery(delivery, |record| {
                self.may(&What::Drone(Some(&Parcel::of(record))))
            });
            may.unwrap_or(false)
        };
        let carried = view.carried();
        Some(
            carried
                .iter()
                .filter(|pair| seen(pair))
                .map(|&(drone, _)| drone)
                .collect(),
        )
    }
}

impl Sight {
    fn of(may: Option<bool>) -> Self {
        match may {
            Some(true) => Sight::Seen,
            Some(false) => Sight::Forbidden,
            None => Sight::Unknown,
        }
    }
}
