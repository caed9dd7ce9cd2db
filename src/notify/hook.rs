//! Web hooks: a signed POST.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use sha2::Sha256;
use tokio::time::timeout;

use super::settings::Hook;
use super::{Letter, Undelivered, words};
use crate::sim::world::World;

const PATIENCE: Duration = Duration::from_secs(10);

/// Follows no redirects: who is told where to go elsewhere could be told to go to where only
/// this machine may.
pub type Client = legacy::Client<HttpsConnector<HttpConnector>, Body>;

/// # Errors
/// The machine's certificates cannot be read.
pub fn client() -> std::io::Result<Client> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_platform_verifier(ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(legacy::Client::builder(TokioExecutor::new()).build(connector))
}

/// # Errors
/// What the other side answered, or that it did not.
pub async fn send(client: &Client, hook: &Hook, letter: &Letter, world: &World) -> Result<(), Undelivered> {
    let hopeless = || Undelivered::ForGood("it makes no request".to_owned());
    let body = serde_json::to_vec(&words::hook_body(letter, world)).map_err(|_| hopeless())?;
    let mut request = Request::post(hook.url.clone())
        .header("content-type", "application/json")
        .header("user-agent", concat!("skyhaul/", env!("CARGO_PKG_VERSION")))
        .header("skyhaul-notice", letter.number);
    if let Some(secret) = &hook.secret {
        let sent_at = jiff::Timestamp::now().as_second();
        request = request.header("skyhaul-signature", signature(secret, sent_at, &body));
    }
    let request = request.body(body.into()).map_err(|_| hopeless())?;
    let silent = |what: &str| Undelivered::ForNow(format!("the web hook {what}"));
    match timeout(PATIENCE, client.request(request)).await {
        Err(_) => Err(silent("did not answer")),
        Ok(Err(_)) => Err(silent("cannot be reached")),
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => Err(refused(answer.status())),
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 under the secret over the seconds of Unix time, a full
/// stop, and the body. The time lets the receiver turn old ones away.
pub fn signature(secret: &str, sent_at: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(sent_at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("t={sent_at},v1={hex}")
}

fn refused(status: StatusCode) -> Undelivered {
    use StatusCode as S;
    let said = format!("the web hook answered {}", status.as_u16());
    // A wrong key or path may be put right before the courier gives up.
    let never = [
        S::BAD_REQUEST,
        S::GONE,
        S::PAYLOAD_TOO_LARGE,
        S::UNPROCESSABLE_ENTITY,
    ];
    match never.contains(&status) {
        true => Undelivered::ForGood(said),
        false => Undelivered::ForNow(said),
    }
}
