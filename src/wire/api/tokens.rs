//! Tokens that operators hand out.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({"role": "customer", "account": "cafe", "ttl": "2h"}))]
pub struct TokenRequest {
    /// `business` or `customer`
    pub role: String,
    /// Whose deliveries it shows.
    pub account: String,
    /// The user among those of the account; orders placed with the token carry it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Shows this delivery of the account, and nothing else; for customers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    /// From `1s` to `24h`; `1h` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewToken {
    /// For `Authorization: Bearer`, the sub-protocol entry `skyhaul.token.…`, or the
    /// fragment `#t=…` of a page's link.
    pub token: String,
    /// Wall time, RFC 3339.
    #[schema(example = "2026-06-01T18:00:00.000Z")]
    pub expires: String,
}

/// Tokens do not show themselves.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewToken(until {})", self.expires)
    }
}
