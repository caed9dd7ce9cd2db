//! `/api/accounts`: who may order. `/api/account/{id}` answers the reference's question.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::Api;
use super::access::{Operator, must};
use super::body::ChangeBody;
use super::documents::{
    AccessProblems, BodyProblems, ClockProblems, QueryProblems, ReadProblems, WriteProblems,
};
use super::failure::Failure;
use super::fields::{self, Complaint, Complaints, Fields};
use super::parameters::{NoParameters, PathId};
use crate::auth::{Viewer, What};
use crate::sim::account::{self, AccountKind, AccountStatus};
use crate::sim::command::{AccountWrite, Command};
use crate::wire::api::accounts::{Account, AccountChange, NewAccount};

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(read_account, change))
        .routes(routes!(is_active))
}

const KIND: &str = "account";

/// Register an account
///
/// An owner that nobody registered gets an account on first use, unless the scenario says
/// `[accounts] unknown = "refuse"`. 409 where there is one of that id, or no room for more.
#[utoipa::path(
    post,
    path = "/api/accounts",
    tag = "Accounts",
    request_body = NewAccount,
    responses(
        (status = 201, body = Account, headers(("Location" = String, description = "/api/accounts/{id}"))),
        BodyProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn register(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    body: ChangeBody,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Account>), Failure> {
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["id", "name", "kind", "status"]);
    let id = fields.optional("id", fields::name);
    let name = fields.required("name", fields::name);
    let kind = fields.required("kind", kind);
    let status = fields.optional("status", status);
    let (Some(name), Some(kind), true) = (name, kind, complaints.is_empty()) else {
        return Err(complaints.into_failure());
    };
    let account = account::Account {
        id: id.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
        name: name.to_owned(),
        kind,
        status: status.unwrap_or(AccountStatus::Active),
    };
    let write = AccountWrite::Register(account.clone());
    api.commands.write(Command::Account(write)).await?;
    let id = utf8_percent_encode(&account.id, NON_ALPHANUMERIC);
    let location = format!("/api/accounts/{id}");
    let location = HeaderValue::try_from(location).expect("what is percent-encoded is ASCII");
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(account.into())))
}

/// One account
#[utoipa::path(
    get,
    path = "/api/accounts/{id}",
    tag = "Accounts",
    params(("id" = String, Path)),
    responses((status = 200, body = Account), QueryProblems, ReadProblems, AccessProblems)
)]
async fn read_account(
    State(api): State<Api>,
    viewer: Viewer,
    _: NoParameters,
    PathId(id): PathId<String>,
) -> Result<Json<Account>, Failure> {
    let id = id.ok_or(Failure::Unknown(KIND))?;
    must(&viewer, &What::Account(&id))?;
    shown(&api, &id)
}

/// Change an account
///
/// Requests of a suspended account fail from now on in their first step; those that are past
/// it go on.
#[utoipa::path(
    patch,
    path = "/api/accounts/{id}",
    tag = "Accounts",
    params(("id" = String, Path)),
    request_body = AccountChange,
    responses(
        (status = 200, body = Account),
        BodyProblems, ReadProblems, ClockProblems, WriteProblems, AccessProblems,
    )
)]
async fn change(
    State(api): State<Api>,
    _: Operator,
    _: NoParameters,
    PathId(id): PathId<String>,
    body: ChangeBody,
) -> Result<Json<Account>, Failure> {
    let mut complaints = Complaints::default();
    let mut fields = Fields::of_body(&body.value, &mut complaints);
    fields.nothing_but(&["name", "kind", "status"]);
    let change = account::AccountChange {
        name: fields.optional("name", fields::name).map(str::to_owned),
        kind: fields.optional("kind", kind),
        status: fields.optional("status", status),
    };
    if !complaints.is_empty() {
        return Err(complaints.into_failure());
    }
    let id = id.filter(|id| api.view.account(id).is_some());
    let id = id.ok_or(Failure::Unknown(KIND))?;
    let write = AccountWrite::Change(id.clone(), change);
    api.commands.write(Command::Account(write)).await?;
    shown(&api, &id)
}

/// Whether an account is active
///
/// `true` where what it asks for would be taken on: also for an owner whom nobody knows yet,
/// where accounts are made on first use.
#[utoipa::path(
    get,
    path = "/api/account/{accountId}",
    tag = "Accounts",
    params(("accountId" = String, Path)),
    responses((status = 200, body = bool, content_type = "application/json"), ReadProblems, AccessProblems)
)]
async fn is_active(
    State(api): State<Api>,
    viewer: Viewer,
    PathId(id): PathId<String>,
) -> Result<Json<bool>, Failure> {
    let id = id.ok_or(Failure::Unknown(KIND))?;
    must(&viewer, &What::Account(&id))?;
    Ok(Json(api.view.may_order(&id)))
}

fn shown(api: &Api, id: &str) -> Result<Json<Account>, Failure> {
    let account = api.view.account(id).ok_or(Failure::Unknown(KIND))?;
    Ok(Json(account.into()))
}

fn kind(value: &Value) -> Result<AccountKind, Complaint> {
    match value.as_str() {
        Some("business") => Ok(AccountKind::Business),
        Some("customer") => Ok(AccountKind::Customer),
        _ => Err("must be one of business, customer".into()),
    }
}

fn status(value: &Value) -> Result<AccountStatus, Complaint> {
    match value.as_str() {
        Some("active") => Ok(AccountStatus::Active),
        Some("suspended") => Ok(AccountStatus::Suspended),
        _ => Err("must be one of active, suspended".into()),
    }
}
