//! The rules: who may what. Pure functions of a viewer and the thing; nothing else in the
//! house decides this.

use super::viewer::{Viewer, Who};
use crate::sim::delivery::Stage;
use crate::sim::flight::Stretch;
use crate::sim::ids::DeliveryId;
use crate::view::DeliveryRecord;

/// What of a delivery decides who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parcel<'a> {
    pub id: DeliveryId,
    pub account: &'a str,
    pub carriage: Carriage,
}

/// Where the package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carriage {
    /// Not picked up yet, whether a drone is on its way or not.
    Waiting,
    Aboard,
    /// Dropped off, or its delivery has ended otherwise.
    Ended,
}

impl Carriage {
    /// While a drone is on this part of its mission.
    fn during(stretch: Stretch) -> Self {
        match stretch {
            Stretch::ToPickup => Carriage::Waiting,
            Stretch::ToDropoff => Carriage::Aboard,
            Stretch::Home => Carriage::Ended,
        }
    }
}

impl<'a> Parcel<'a> {
    pub fn of(record: &'a DeliveryRecord) -> Self {
        Parcel {
            id: record.id,
            account: &record.order.owner.account,
            carriage: match record.stage {
                Stage::Created | Stage::Rescheduled | Stage::HeadedToPickup => Carriage::Waiting,
                Stage::HeadedToDropoff => Carriage::Aboard,
                Stage::Completed | Stage::Cancelled | Stage::Failed => Carriage::Ended,
            },
        }
    }
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Steer the clock, hand out tokens, read the operators' figures.
    Control,
    /// Follow the whole fleet, a hub, or all events.
    Everything,
    /// Order a delivery for this account.
    OrderFor(&'a str),
    /// List what this account has.
    ListOf(&'a str),
    /// See how this account is called and whether it is active.
    Account(&'a str),
    /// Write something for oneself.
    Write,
    /// See or change this account's package; `None` for one that is nobody's.
    Package(Option<&'a str>),
    /// See this delivery: what was ordered, its stage and its events.
    Delivery(&'a Parcel<'a>),
    /// See where this delivery's drone is while it is on its way.
    PlaceOf(&'a Parcel<'a>),
    /// See a drone that is on this delivery; `None` for one that is on none.
    Drone(Option<&'a Parcel<'a>>),
}

/// How much of an area somebody may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Every drone.
    Rows,
    /// How many there are in each cell.
    Density,
}

impl Viewer {
    pub fn may(&self, what: &What<'_>) -> bool {
        match &self.who {
            Who::Operator => true,
            Who::Business { account } => match what {
                What::Control | What::Everything => false,
                What::Write => true,
                What::Package(owner) => *owner == Some(account.as_str()),
                What::OrderFor(asked) | What::ListOf(asked) | What::Account(asked) => asked == account,
                What::Delivery(parcel) | What::PlaceOf(parcel) => parcel.account == account,
                What::Drone(parcel) => parcel
                    .is_some_and(|parcel| parcel.account == account && parcel.carriage != Carriage::Ended),
            },
            Who::Customer { account, only } => {
                let own = |parcel: &Parcel<'_>| {
                    parcel.account == account && only.is_none_or(|only| only == parcel.id)
                };
                match what {
                    What::Control | What::Everything => false,
                    What::Write => only.is_none(),
                    What::Package(owner) => *owner == Some(account.as_str()) && only.is_none(),
                    // A link that is for one delivery is to look at it.
                    What::OrderFor(asked) | What::Account(asked) => asked == account && only.is_none(),
                    What::ListOf(asked) => asked == account,
                    What::Delivery(parcel) => own(parcel),
                    What::PlaceOf(parcel) => own(parcel) && parcel.carriage != Carriage::Waiting,
                    What::Drone(parcel) => {
                        parcel.is_some_and(|parcel| own(parcel) && parcel.carriage == Carriage::Aboard)
                    }
                }
            }
        }
    }

    /// Whether this part of a drone's route may be seen: by whoever may see the drone while
    /// it flies there.
    pub fn may_see_route(&self, parcel: Option<&Parcel<'_>>, stretch: Stretch) -> bool {
        let carriage = Carriage::during(stretch);
        let then = parcel.map(|parcel| Parcel { carriage, ..*parcel });
        self.may(&What::Drone(then.as_ref()))
    }

    pub fn area(&self) -> Detail {
        match self.who {
            Who::Operator => Detail::Rows,
            Who::Business { .. } | Who::Customer { .. } => Detail::Density,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    fn id(number: u8) -> DeliveryId {
        DeliveryId::new(1, [number; 10])
    }

    fn viewers() -> [Viewer; 4] {
        let account = || Some("cafe".to_owned());
        [
            Viewer::anyone(),
            Viewer::new(Role::Business, account(), None, None).unwrap(),
            Viewer::new(Role::Customer, account(), None, None).unwrap(),
            Viewer::new(Role::Customer, account(), None, Some(id(1))).unwrap(),
        ]
    }

    fn parcel(number: u8, account: &str, carriage: Carriage) -> Parcel<'_> {
        Parcel {
            id: id(number),
            account,
            carriage,
        }
    }

    /// Whether each viewer may, one character each: operator, business, customer, and a
    /// customer with a link for delivery 1.
    fn row(what: &What<'_>) -> String {
        let letter = |viewer: &Viewer| if viewer.may(what) { 'y' } else { '-' };
        viewers().iter().map(letter).collect()
    }

    #[test]
    fn who_may_what() {
        use Carriage::{Aboard, Ended, Waiting};
        assert_eq!(row(&What::Control), "y---");
        assert_eq!(row(&What::Everything), "y---");
        assert_eq!(row(&What::OrderFor("cafe")), "yyy-");
        assert_eq!(row(&What::OrderFor("bakery")), "y---");
        assert_eq!(row(&What::Write), "yyy-");
        assert_eq!(row(&What::Package(Some("cafe"))), "yyy-");
        assert_eq!(row(&What::Package(Some("bakery"))), "y---");
        assert_eq!(row(&What::Package(None)), "y---");
        assert_eq!(row(&What::Account("cafe")), "yyy-");
        assert_eq!(row(&What::Account("bakery")), "y---");
        assert_eq!(row(&What::ListOf("cafe")), "yyyy");
        assert_eq!(row(&What::ListOf("bakery")), "y---");
        assert_eq!(row(&What::Drone(None)), "y---");
        for (number, account, carriage, delivery, place, drone) in [
            (1, "cafe", Waiting, "yyyy", "yy--", "yy--"),
            (1, "cafe", Aboard, "yyyy", "yyyy", "yyyy"),
            (1, "cafe", Ended, "yyyy", "yyyy", "y---"),
            (2, "cafe", Waiting, "yyy-", "yy--", "yy--"),
            (2, "cafe", Aboard, "yyy-", "yyy-", "yyy-"),
            (2, "cafe", Ended, "yyy-", "yyy-", "y---"),
            (1, "bakery", Waiting, "y---", "y---", "y---"),
            (1, "bakery", Aboard, "y---", "y---", "y---"),
            (1, "bakery", Ended, "y---", "y---", "y---"),
            (1, "Cafe", Aboard, "y---", "y---", "y---"),
        ] {
            let parcel = parcel(number, account, carriage);
            assert_eq!(row(&What::Delivery(&parcel)), delivery, "{parcel:?}");
            assert_eq!(row(&What::PlaceOf(&parcel)), place, "{parcel:?}");
            assert_eq!(row(&What::Drone(Some(&parcel))), drone, "{parcel:?}");
        }
        let route = |stretch, parcel: Option<&Parcel<'_>>| -> String {
            let letter = |viewer: &Viewer| {
                if viewer.may_see_route(parcel, stretch) {
                    'y'
                } else {
                    '-'
                }
            };
            viewers().iter().map(letter).collect()
        };
        for carriage in [Waiting, Aboard, Ended] {
            let cafes = parcel(1, "cafe", carriage);
            let seen = Stretch::ALL.map(|stretch| route(stretch, Some(&cafes)));
            assert_eq!(seen, ["yy--", "yyyy", "y---"], "{carriage:?}");
            let bakerys = parcel(1, "bakery", carriage);
            for stretch in Stretch::ALL {
                assert_eq!(route(stretch, Some(&bakerys)), "y---", "{carriage:?}");
                assert_eq!(route(stretch, None), "y---");
            }
        }
        let details = viewers().map(|viewer| viewer.area());
        assert_eq!(
            details,
            [Detail::Rows, Detail::Density, Detail::Density, Detail::Density]
        );
    }
}
