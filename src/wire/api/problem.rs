//! Problem details, RFC 9457.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for people and for programs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable; what programs should look at.
    #[serde(rename = "type")]
    #[schema(example = "urn:skyhaul:problem:wrong-fields")]
    pub kind: String,
    pub title: String,
    #[schema(example = 422)]
    pub status: u16,
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/api/deliveryrequests")]
    pub instance: String,
    /// Every wrong or missing field; empty where no field is to blame.
    pub errors: Vec<FieldProblem>,
}

/// One wrong or missing field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldProblem {
    /// A JSON pointer into the body (`/packageInfo/weight`), a query parameter (`?limit`)
    /// or the name of a header.
    #[schema(example = "/packageInfo/weight")]
    pub pointer: String,
    pub detail: String,
}
