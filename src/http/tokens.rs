//! `/api/tokens`: operators hand out tokens, so that a page can make a customer's link.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, StatusCode};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::access::Operator;
use super::body::JsonBody;
use super::documents::{AccessProblems, BodyProblems, PastProblems};
use super::failure::Failure;
use super::fields::{self, Complaint, Complaints, Fields};
use super::parameters::NoParameters;
use crate::auth::{Role, Viewer};
use crate::scenario::parse_duration;
use crate::sim::ids::DeliveryId;
use crate::wire::api::tokens::{NewToken, TokenRequest};
use crate::wire::time::rfc3339_unix_us;

const DEFAULT_TTL_S: u64 = 3_600;
const LONGEST_TTL_S: u64 = 24 * 3_600;
const MICROS: u64 = 1_000_000;

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new().routes(routes!(hand_out))
}

/// Make a token for a business or a customer
///
/// With `delivery` it shows that one delivery and nothing else: what one sends to a
/// customer. Tokens for operators come from `skyhaul token` alone.
#[utoipa::path(
    post,
    path = "/api/tokens",
    tag = "Access",
    request_body = TokenRequest,
    responses((status = 201, body = NewToken), BodyProblems, PastProblems, AccessProblems)
)]
async fn hand_out(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: JsonBody,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<NewToken>), Failure> {
    // In memory from here on, where there is such a delivery.
    let _held = match body.value.get("delivery").and_then(id_of) {
        Some(id) => api.view.find(id).await?,
        None => None,
    };
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["role", "account", "user", "delivery", "ttl"]);
    let role = fields.required("role", role);
    let account = fields.required("account", fields::name);
    let user = fields.optional("user", fields::name);
    let delivery = fields.optional("delivery", |value| known_delivery(&api, account, value));
    let ttl_s = fields.optional("ttl", ttl_s).unwrap_or(DEFAULT_TTL_S);
    let owned = |text: &str| Some(text.to_owned());
    let bearer = role.zip(account).and_then(|(role, account)| {
        let bearer = Viewer::new(role, owned(account), user.and_then(owned), delivery);
        bearer
            .map_err(|why| complaints.add("/role", why.to_string()))
            .ok()
    });
    let (Some(bearer), true) = (bearer, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let issued = api.guard.tokens.issue(&bearer, ttl_s);
    let expires_us = i64::try_from(issued.expires.saturating_mul(MICROS)).unwrap_or(i64::MAX);
    let answer = NewToken {
        expires: rfc3339_unix_us(expires_us),
        token: issued.into_token(),
    };
    Ok((StatusCode::CREATED, [(CACHE_CONTROL, "no-store")], Json(answer)))
}

fn role(value: &Value) -> Result<Role, Complaint> {
    match value.as_str().map(str::parse) {
        Some(Ok(role @ (Role::Business | Role::Customer))) => Ok(role),
        _ => Err("must be one of business, customer".into()),
    }
}

/// A delivery of that account, so that no link is handed out that shows nothing.
fn known_delivery(api: &Api, account: Option<&str>, value: &Value) -> Result<DeliveryId, Complaint> {
    let id = id_of(value);
    let owned = id.and_then(|id| {
        let owner = api
            .view
            .with_delivery(id, |record| record.order.owner.account.clone());
        owner.filter(|owner| account.is_none_or(|account| account == owner))
    });
    id.filter(|_| owned.is_some())
        .ok_or("must be the id of a delivery of that account".into())
}

fn id_of(value: &Value) -> Option<DeliveryId> {
    value.as_str().and_then(|text| text.parse().ok())
}

fn ttl_s(value: &Value) -> Result<u64, Complaint> {
    let seconds = value.as_str().and_then(parse_duration).map(|ttl| ttl.0 / MICROS);
    seconds
        .filter(|seconds| (1..=LONGEST_TTL_S).contains(seconds))
        .ok_or("must be a duration from 1s to 24h".into())
}
