//! The page: the files that `make web` built, which are part of the program.
//!
//! A program that was built without them says how to get them. Nothing here knows what
//! the page does.

use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{EmbeddedFile, RustEmbed};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Api;
use super::failure::Failure;
use crate::auth::{Origin, host_of};

/// Read from the folder in debug builds, so that a page in the making needs no new
/// program; part of the program in release builds.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

const INDEX: &str = "index.html";
/// Beside each file that is worth compressing stands its compressed form.
const COMPRESSED: &str = ".gz";
/// A name under this folder changes with its content.
const HASHED: &str = "assets/";

const PLACEHOLDER: &str = include_str!("no_page.html");

pub fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(page))
        .route("/assets/{*file}", get(asset))
        .route("/favicon.svg", get(favicon))
}

/// The page
///
/// With `embed` in the query other sites may show it in a frame.
#[utoipa::path(
    get,
    path = "/",
    tag = "Operations",
    params(("embed" = Option<String>, Query, description = "made to be shown in a frame")),
    responses((status = 200, body = String, content_type = "text/html"))
)]
async fn page(State(api): State<Api>, RawQuery(query): RawQuery, uri: Uri, headers: HeaderMap) -> Response {
    let mut response = match Files::get(INDEX) {
        Some(file) => answer(INDEX, &file, &headers),
        None => ([(CONTENT_TYPE, "text/html; charset=utf-8")], PLACEHOLDER).into_response(),
    };
    let basemap = api.basemap.as_ref().and_then(|basemap| basemap.sources());
    let policy = policy(
        &sockets(&headers, &uri),
        basemap.as_deref().unwrap_or_default(),
        wants_frame(query.as_deref()),
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Failure> {
    find(&format!("{HASHED}{file}"), &headers)
}

async fn favicon(headers: HeaderMap) -> Result<Response, Failure> {
    find("favicon.svg", &headers)
}

fn find(name: &str, headers: &HeaderMap) -> Result<Response, Failure> {
    let file = Files::get(name).ok_or(Failure::UnknownRoute)?;
    Ok(answer(name, &file, headers))
}

fn answer(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let tag = tag_of(file);
    let caching = if name.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = if asks_for_other_than(&tag, headers) {
        with_body(name, file, headers)
    } else {
        StatusCode::NOT_MODIFIED.into_response()
    };
    let fixed = response.headers_mut();
    fixed.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    fixed.insert(VARY, HeaderValue::from_static("accept-encoding"));
    fixed.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        fixed.insert(ETAG, tag);
    }
    response
}

fn with_body(name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let kind = match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let compressed = takes_gzip(headers)
        .then(|| Files::get(&format!("{name}{COMPRESSED}")))
        .flatten();
    match compressed {
        Some(compressed) => (
            [(CONTENT_TYPE, kind.as_str()), (CONTENT_ENCODING, "gzip")],
            compressed.data,
        )
            .into_response(),
        None => ([(CONTENT_TYPE, kind)], file.data.clone()).into_response(),
    }
}

fn tag_of(file: &EmbeddedFile) -> String {
    let hash = file.metadata.sha256_hash();
    let digits: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    // Weak, as it stands for the compressed form too.
    format!("W/\"{digits}\"")
}

fn asks_for_other_than(tag: &str, headers: &HeaderMap) -> bool {
    !headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|known| known.trim() == tag))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let refused = |weight: &str| {
                let digits = weight.strip_prefix("q=").unwrap_or("1");
                digits.parse::<f32>().is_ok_and(|weight| weight == 0.0)
            };
            parts.next() == Some("gzip") && !parts.any(refused)
        })
}

fn wants_frame(query: Option<&str>) -> bool {
    query
        .unwrap_or_default()
        .split('&')
        .any(|pair| pair.split('=').next() == Some("embed"))
}

/// This server's WebSocket by the name under which it was asked: not every browser takes
/// `'self'` to mean that too. Nothing for a name that would not stay one in a policy.
fn sockets(headers: &HeaderMap, uri: &Uri) -> String {
    let host = host_of(headers, uri).unwrap_or_default();
    let origins = ["ws", "wss"].map(|scheme| format!("{scheme}://{host}").parse::<Origin>());
    let origins = origins.into_iter().flatten().map(|origin| origin.to_string());
    origins.collect::<Vec<_>>().join(" ")
}

/// Only the page's own scripts run, and it talks to nobody but this server and the
/// basemap.
fn policy(sockets: &str, basemap: &str, in_frame: bool) -> String {
    let others: String = [sockets, basemap]
        .into_iter()
        .filter(|source| !source.is_empty())
        .flat_map(|source| [" ", source])
        .collect();
    let ancestors = if in_frame { "*" } else { "'self'" };
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' {basemap}; \
         img-src 'self' data: blob: {basemap}; connect-src 'self'{others}; worker-src 'self' blob:; \
         frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
}
