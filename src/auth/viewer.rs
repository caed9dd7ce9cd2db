//! Who looks: a role, and whose things they may see.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{UnixSeconds, since_1970};
use crate::sim::ids::DeliveryId;

/// As tokens name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Sees all, and controls.
    Operator,
    /// Orders for its account; sees its deliveries and the drones that carry them out.
    Business,
    /// Orders for its account; sees its deliveries, and the drone while it has the package.
    Customer,
}

impl Role {
    pub const ALL: [Role; 3] = [Role::Operator, Role::Business, Role::Customer];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Business => "business",
            Role::Customer => "customer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No role has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of operator, business, customer")]
pub struct NotARole;

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(NotARole)
    }
}

/// Who looks, as everybody who tells something must ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    pub(super) who: Who,
    /// The user among those of the account, where the token says so.
    pub(super) user: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Operator,
    Business {
        account: String,
    },
    Customer {
        account: String,
        /// This delivery and nothing else.
        only: Option<DeliveryId>,
    },
}

/// Why there is no such viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAViewer {
    #[error("a {0} needs an account")]
    AccountMissing(Role),
    #[error("an account has 1 to 256 characters, none of them a control character")]
    WrongAccount,
    #[error("a user has 1 to 256 characters, none of them a control character")]
    WrongUser,
    #[error("only a customer is narrowed to one delivery, not a {0}")]
    NotNarrowed(Role),
}

impl Viewer {
    /// Whom a token names.
    ///
    /// # Errors
    /// What does not go together.
    pub fn new(
        role: Role,
        account: Option<String>,
        user: Option<String>,
        only: Option<DeliveryId>,
    ) -> Result<Self, NotAViewer> {
        if user.as_deref().is_some_and(|user| !is_name(user)) {
            return Err(NotAViewer::WrongUser);
        }
        if account.as_deref().is_some_and(|account| !is_name(account)) {
            return Err(NotAViewer::WrongAccount);
        }
        if only.is_some() && role != Role::Customer {
            return Err(NotAViewer::NotNarrowed(role));
        }
        let account = account.ok_or(NotAViewer::AccountMissing(role));
        let who = match role {
            Role::Operator => Who::Operator,
            Role::Business => Who::Business { account: account? },
            Role::Customer => Who::Customer {
                account: account?,
                only,
            },
        };
        Ok(Viewer { who, user })
    }

    /// Of an open server, where nobody has to say who they are.
    pub fn anyone() -> Self {
        Viewer {
            who: Who::Operator,
            user: None,
        }
    }

    pub fn role(&self) -> Role {
        match self.who {
            Who::Operator => Role::Operator,
            Who::Business { .. } => Role::Business,
            Who::Customer { .. } => Role::Customer,
        }
    }

    /// `None` for an operator, whose rights are not an account's.
    pub fn account(&self) -> Option<&str> {
        match &self.who {
            Who::Operator => None,
            Who::Business { account } | Who::Customer { account, .. } => Some(account),
        }
    }

    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The one delivery that a customer's link is for.
    pub fn only(&self) -> Option<DeliveryId> {
        match self.who {
            Who::Customer { only, .. } => only,
            Who::Operator | Who::Business { .. } => None,
        }
    }
}

/// As the owner of a request: what is shown to others and stands in the journal.
fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What somebody may, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub viewer: Viewer,
    /// `None` where no token was needed.
    pub expires: Option<UnixSeconds>,
}

impl Grant {
    /// How long it still holds: zero where it is over, `None` where there is no end to it.
    pub fn left(&self) -> Option<Duration> {
        self.expires.map(|expires| left_of(expires, since_1970()))
    }
}

/// The one rule of when something that begins or ends with a second has begun or ended.
pub(super) fn left_of(until: UnixSeconds, now: Duration) -> Duration {
    Duration::from_secs(until).saturating_sub(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_go_together_is_nobody() {
        let id = DeliveryId::new(1, [0; 10]);
        let account = || Some("cafe".to_owned());
        assert!(Viewer::new(Role::Operator, None, None, None).is_ok());
        assert!(Viewer::new(Role::Business, account(), None, None).is_ok());
        assert!(Viewer::new(Role::Customer, account(), None, Some(id)).is_ok());
        for (role, account, user, only, why) in [
            (
                Role::Business,
                None,
                None,
                None,
                NotAViewer::AccountMissing(Role::Business),
            ),
            (
                Role::Customer,
                None,
                None,
                Some(id),
                NotAViewer::AccountMissing(Role::Customer),
            ),
            (
                Role::Business,
                account(),
                None,
                Some(id),
                NotAViewer::NotNarrowed(Role::Business),
            ),
            (
                Role::Operator,
                None,
                None,
                Some(id),
                NotAViewer::NotNarrowed(Role::Operator),
            ),
            (
                Role::Customer,
                Some(String::new()),
                None,
                None,
                NotAViewer::WrongAccount,
            ),
            (
                Role::Customer,
                Some("a\u{1f}b".into()),
                None,
                None,
                NotAViewer::WrongAccount,
            ),
            (
                Role::Customer,
                account(),
                Some("x".repeat(257)),
                None,
                NotAViewer::WrongUser,
            ),
        ] {
            assert_eq!(Viewer::new(role, account, user, only), Err(why));
        }
    }

    #[test]
    fn a_grant_is_over_with_the_second_that_it_names() {
        for (now_ms, left_ms) in [(0, 1_000), (250, 750), (999, 1), (1_000, 0), (5_000, 0)] {
            let left = left_of(1, Duration::from_millis(now_ms));
            assert_eq!(left, Duration::from_millis(left_ms), "{now_ms}");
        }
        let grant = |expires| Grant {
            viewer: Viewer::anyone(),
            expires,
        };
        assert_eq!(grant(None).left(), None);
        assert_eq!(grant(Some(0)).left(), Some(Duration::ZERO));
        assert!(grant(Some(u64::MAX)).left() > Some(Duration::from_secs(1)));
    }

    #[test]
    fn roles_have_one_spelling() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Operator".parse::<Role>(), Err(NotARole));
    }
}
