//! Health, figures and the documentation: what operators open first.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use bytes::Bytes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::access::Operator;
use super::documents::{AccessProblems, WriteProblems};
use super::failure::Failure;
use super::{Api, Readiness};
use crate::view::reading::RunState;
use crate::wire::api::Health;
use crate::wire::stream::asyncapi;

const OPENMETRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(figures))
        .routes(routes!(document))
        .routes(routes!(window))
}

/// The documentation to click through; its files are part of the program.
pub fn documentation() -> SwaggerUi {
    SwaggerUi::new("/docs").config(Config::from("/openapi.json").validator_url("none"))
}

/// The program runs
#[utoipa::path(get, path = "/healthz", tag = "Operations", responses((status = 200, body = Health)))]
async fn live() -> Json<Health> {
    Json(Health { status: "ok".into() })
}

/// The program takes requests
///
/// While a world is being recovered nothing is answered yet, this no more than the rest.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operations",
    responses((status = 200, body = Health), WriteProblems)
)]
async fn ready(State(api): State<Api>) -> Result<Json<Health>, Failure> {
    match (api.ready)() {
        Readiness::Draining => return Err(Failure::NotReady("the server is shutting down")),
        Readiness::Ready => {}
    }
    if api.view.clock().pace.state == RunState::Stalled {
        return Err(Failure::NotReady(
            "the store takes no writes, so the clock stands still",
        ));
    }
    Ok(Json(Health {
        status: "ready".into(),
    }))
}

/// Figures for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operations",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"), AccessProblems)
)]
async fn figures(State(api): State<Api>, _: Operator) -> impl IntoResponse {
    ([(CONTENT_TYPE, OPENMETRICS)], (api.metrics)())
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "Operations",
    responses((status = 200, body = Object))
)]
async fn document() -> impl IntoResponse {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        let json = serde_json::to_vec(&super::openapi()).expect("the document has only string keys");
        json.into()
    });
    ([(CONTENT_TYPE, JSON)], DOCUMENT.clone())
}

/// The WebSocket and server-sent events, as an AsyncAPI 3.0 document
#[utoipa::path(
    get,
    path = "/asyncapi.json",
    tag = "Operations",
    responses((status = 200, body = Object))
)]
async fn window() -> impl IntoResponse {
    static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
        let json = serde_json::to_vec(&asyncapi::document()).expect("the document has only string keys");
        json.into()
    });
    ([(CONTENT_TYPE, JSON)], DOCUMENT.clone())
}
