//! What somebody wants delivered, checked and in SI units: the input of a workflow.

use serde::{Deserialize, Serialize};

use super::geo::LatLon;
use super::time::SimTime;

/// One end of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    pub location: LatLon,
    /// As the client gave it, metres; shown back, not flown.
    pub altitude_m: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContainerSize {
    Small,
    Medium,
    Large,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfirmationRequired {
    FingerPrint,
    Picture,
    Voice,
    None,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Package {
    pub id: String,
    pub size: ContainerSize,
    pub weight_kg: f64,
    pub tag: Option<String>,
}

/// A package that a client put by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredPackage {
    pub package: Package,
    /// The account whose it is; operators' are nobody's.
    pub owner: Option<String>,
    pub at: SimTime,
}

/// Who wants it. In the journal and in events it is one text: the account, and where the
/// requester said which user of it they are, a unit separator and the user. (Neither holds
/// control characters.) So what was written before users were known still reads, and orders
/// without one leave the same digest as ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Owner {
    /// The account that pays.
    pub account: String,
    pub user: Option<String>,
}

const UNIT_SEPARATOR: char = '\u{1f}';

impl Owner {
    pub fn account(account: impl Into<String>) -> Self {
        Owner {
            account: account.into(),
            user: None,
        }
    }

    /// What is shown as the user: the account where nobody said more.
    pub fn user_or_account(&self) -> &str {
        self.user.as_ref().unwrap_or(&self.account)
    }
}

impl From<String> for Owner {
    fn from(mut text: String) -> Self {
        let separator = text.find(UNIT_SEPARATOR);
        let user = separator.map(|at| text[at + UNIT_SEPARATOR.len_utf8()..].to_owned());
        text.truncate(separator.unwrap_or(text.len()));
        Owner { account: text, user }
    }
}

impl From<Owner> for String {
    fn from(Owner { account, user }: Owner) -> Self {
        match user {
            Some(user) => format!("{account}{UNIT_SEPARATOR}{user}"),
            None => account,
        }
    }
}

/// A request for one delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub owner: Owner,
    pub pickup: Stop,
    pub dropoff: Stop,
    pub package: Package,
    pub expedited: bool,
    pub confirmation: ConfirmationRequired,
    /// Free text, as the reference has it.
    pub deadline: String,
    /// No pick-up before this; the start or the past mean at once.
    pub not_before: SimTime,
}

/// What changes of an order; `None` leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reschedule {
    pub pickup: Option<Stop>,
    pub dropoff: Option<Stop>,
    pub deadline: Option<String>,
    pub not_before: Option<SimTime>,
    pub expedited: Option<bool>,
    pub confirmation: Option<ConfirmationRequired>,
}

impl Reschedule {
    /// The order with the changes.
    pub fn of(&self, order: &Order) -> Order {
        Order {
            pickup: self.pickup.unwrap_or(order.pickup),
            dropoff: self.dropoff.unwrap_or(order.dropoff),
            deadline: self.deadline.as_ref().unwrap_or(&order.deadline).clone(),
            not_before: self.not_before.unwrap_or(order.not_before),
            expedited: self.expedited.unwrap_or(order.expedited),
            confirmation: self.confirmation.unwrap_or(order.confirmation),
            ..order.clone()
        }
    }
}

/// The recipient's word that the package is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Never `None`.
    pub kind: ConfirmationRequired,
    /// When it was given, as the client says.
    pub given_at: SimTime,
    pub location: LatLon,
    /// BLAKE3 of the print, picture or voice, which itself is not kept.
    pub blob_hash: [u8; 32],
}

/// How somebody wants to be told; at least one of the two is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub email: Option<String>,
    /// A telephone number.
    pub sms: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_without_a_user_is_written_as_accounts_always_were() {
        let before = postcard::to_stdvec("cafe").unwrap();
        assert_eq!(postcard::to_stdvec(&Owner::account("cafe")).unwrap(), before);
        let read: Owner = postcard::from_bytes(&before).unwrap();
        assert_eq!(read, Owner::account("cafe"));
    }

    #[test]
    fn the_user_comes_back_from_the_journal() {
        let owner = Owner {
            account: "café".into(),
            user: Some("ada".into()),
        };
        let bytes = postcard::to_stdvec(&owner).unwrap();
        assert_eq!(postcard::from_bytes::<Owner>(&bytes).unwrap(), owner);
        assert_eq!(owner.user_or_account(), "ada");
        assert_eq!(Owner::account("cafe").user_or_account(), "cafe");
    }
}
