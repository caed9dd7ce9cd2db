//! Who asks every comer for their token, where one is needed.

use std::fmt;

use super::token::{Denied, Presented};
use super::viewer::{Grant, Viewer};
use super::{Origin, Reach, TokenKey, Tokens};

/// Whether everybody needs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Who has none may all; one that is shown is checked, and narrows.
    #[default]
    Open,
    Required,
}

/// What an operator says of who may come in.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub mode: Mode,
    /// `None`: the data folder's, which is made where there is none.
    pub key: Option<TokenKey>,
    /// Pages of other servers that may use this one.
    pub allowed_origins: Vec<Origin>,
}

/// The same for HTTP and WebSocket.
pub struct Guard {
    mode: Mode,
    pub tokens: Tokens,
    pub reach: Reach,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({:?}, {:?})", self.mode, self.reach)
    }
}

impl Guard {
    /// `loopback`: the server can be reached from this machine only.
    pub fn new(mode: Mode, key: TokenKey, allowed: Vec<Origin>, loopback: bool) -> Self {
        let reach = Reach {
            loopback,
            open: mode == Mode::Open,
            allowed,
        };
        Guard {
            mode,
            tokens: Tokens::new(key),
            reach,
        }
    }

    /// Whether who shows no token is to come in all the same.
    ///
    /// # Errors
    /// Why not.
    pub fn admit(&self, presented: Option<&Presented>) -> Result<Grant, Denied> {
        match (presented, self.mode) {
            (Some(presented), _) => self.tokens.check(presented),
            (None, Mode::Required) => Err(Denied::Missing),
            (None, Mode::Open) => Ok(Grant {
                viewer: Viewer::anyone(),
                expires: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Role;

    #[test]
    fn a_token_that_is_shown_counts_even_where_none_is_needed() {
        for mode in [Mode::Open, Mode::Required] {
            let guard = Guard::new(mode, TokenKey::of_this_process().unwrap(), Vec::new(), true);
            let customer = Viewer::new(Role::Customer, Some("ada".into()), None, None).unwrap();
            let token = Presented::new(guard.tokens.issue(&customer, 600).into_token());
            assert_eq!(guard.admit(Some(&token)).unwrap().viewer, customer);
            assert_eq!(guard.admit(Some(&Presented::new(""))), Err(Denied::NotOurs));
            let without = guard.admit(None).map(|grant| grant.viewer);
            match mode {
                Mode::Open => assert_eq!(without, Ok(Viewer::anyone())),
                Mode::Required => assert_eq!(without, Err(Denied::Missing)),
            }
        }
    }
}
