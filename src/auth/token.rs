//! Tokens: JWTs signed with HS256, and nothing else that calls itself a token.

use std::fmt;
use std::time::Duration;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};

use super::key::TokenKey;
use super::viewer::{Grant, Role, Viewer, left_of};
use super::{UnixSeconds, now};
use crate::sim::ids::DeliveryId;

/// Bytes; ours have about 300.
pub const LONGEST_TOKEN: usize = 4096;

/// A token as somebody showed it, checked or not. It never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented(String);

impl Presented {
    pub fn new(text: impl Into<String>) -> Self {
        Presented(text.into())
    }

    /// From the value of an `Authorization` header.
    ///
    /// # Errors
    /// `NotOurs` where it is no bearer's.
    pub fn bearer(value: &str) -> Result<Self, Denied> {
        match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Presented::new(token.trim()))
            }
            _ => Err(Denied::NotOurs),
        }
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(token)")
    }
}

/// A token that was made here, on its way to whoever asked for it.
pub struct Issued {
    token: String,
    pub expires: UnixSeconds,
}

impl Issued {
    /// The token itself: only for the one who asked for it.
    pub fn into_token(self) -> String {
        self.token
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issued(token until {})", self.expires)
    }
}

/// Why somebody is not let in. None of them says what the token was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("a token is needed")]
    Missing,
    #[error("the token is longer than {LONGEST_TOKEN} bytes")]
    TooLong,
    #[error("this is not a token that was signed for this server with HS256")]
    NotOurs,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token names nobody: it needs role and exp, and account unless it is an operator's")]
    NamesNobody,
}

/// What stands in a token.
#[derive(Serialize, Deserialize)]
struct Claims {
    role: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iat: Option<UnixSeconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<UnixSeconds>,
    exp: UnixSeconds,
}

/// Makes tokens and checks them.
#[derive(Clone, Debug)]
pub struct Tokens {
    key: TokenKey,
    rules: Validation,
}

impl Tokens {
    pub fn new(key: TokenKey) -> Self {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.leeway = 0;
        // Times are compared here, with the clock that tests can set.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        Tokens { key, rules }
    }

    /// A token for this viewer, valid from now on.
    pub fn issue(&self, viewer: &Viewer, ttl_seconds: u64) -> Issued {
        self.issue_at(viewer, ttl_seconds, now())
    }

    fn issue_at(&self, viewer: &Viewer, ttl_seconds: u64, now: UnixSeconds) -> Issued {
        let expires = now.saturating_add(ttl_seconds);
        let claims = Claims {
            role: viewer.role().to_string(),
            account: viewer.account().map(str::to_owned),
            sub: viewer.user().map(str::to_owned),
            delivery: viewer.only().map(|id| id.to_string()),
            iat: Some(now),
            nbf: None,
            exp: expires,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.key.signing)
            .expect("texts and numbers have a JSON form, and the key is one for HS256");
        Issued { token, expires }
    }

    /// Whom a token lets in now.
    ///
    /// # Errors
    /// Why it lets nobody in.
    pub fn check(&self, presented: &Presented) -> Result<Grant, Denied> {
        self.check_at(presented, now())
    }

    fn check_at(&self, Presented(token): &Presented, now: UnixSeconds) -> Result<Grant, Denied> {
        if token.len() > LONGEST_TOKEN {
            return Err(Denied::TooLong);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Denied::NotOurs)?;
        // Whoever marks something as critical means that it must be understood.
        if header.crit.is_some() {
            return Err(Denied::NotOurs);
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.key.verifying, &self.rules);
        let read = read.map_err(|error| match error.kind() {
            ErrorKind::MissingRequiredClaim(_) => Denied::NamesNobody,
            // The signature is checked before anything of the claims is read.
            ErrorKind::Json(error) if error.is_data() => Denied::NamesNobody,
            _ => Denied::NotOurs,
        })?;
        let claims = read.claims;
        let now = Duration::from_secs(now);
        if left_of(claims.exp, now).is_zero() {
            return Err(Denied::Expired);
        }
        if claims.nbf.is_some_and(|nbf| !left_of(nbf, now).is_zero()) {
            return Err(Denied::NotYet);
        }
        let expires = claims.exp;
        claims.viewer().map(|viewer| Grant {
            viewer,
            expires: Some(expires),
        })
    }
}

impl Claims {
    fn viewer(self) -> Result<Viewer, Denied> {
        let nobody = Denied::NamesNobody;
        let role: Role = self.role.parse().map_err(|_| nobody)?;
        let only: Option<DeliveryId> = match self.delivery {
            Some(text) => Some(text.parse().map_err(|_| nobody)?),
            None => None,
        };
        Viewer::new(role, self.account, self.sub, only).map_err(|_| nobody)
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
