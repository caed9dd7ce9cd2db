//! POST requests with some records each.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, Uri};
use futures_util::{StreamExt, stream};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::emit::tally::Sent;
use crate::emit::{Record, Shape, What};

/// Held by the environment alone: a command line can be seen by everybody on the machine.
pub const TOKEN_VARIABLE: &str = "SKYHAUL_TOKEN";
/// Requests under way at once.
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Poster {
    client: legacy::Client<HttpsConnector<HttpConnector>, Body>,
    to: Uri,
    token: Option<String>,
    what: What,
    batch: usize,
}

impl Poster {
    pub async fn open(to: &Uri, what: What, batch: usize) -> Result<Self, String> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_platform_verifier(ring::default_provider())
            .map_err(|error| error.to_string())?
            .https_or_http()
            .enable_http1()
            .build();
        knock(to).await?;
        let token = std::env::var(TOKEN_VARIABLE).ok();
        Ok(Poster {
            client: legacy::Client::builder(TokioExecutor::new()).build(connector),
            to: to.clone(),
            token: token.filter(|token| !token.is_empty()),
            what,
            batch,
        })
    }

    /// Answers when all requests are answered.
    pub async fn send(&self, records: Vec<Record>) -> Sent {
        let most = match self.what {
            What::Telemetry { .. } => self.batch,
            // One request orders one thing.
            What::Orders => 1,
        };
        let posts = records.chunks(most).map(|some| self.post(some));
        let mut answers = stream::iter(posts).buffer_unordered(AT_ONCE);
        let mut sent = Sent::default();
        while let Some(answer) = answers.next().await {
            sent.add(answer);
        }
        sent
    }

    async fn post(&self, records: &[Record]) -> Sent {
        let (media_type, body) = body(self.what, records);
        let count = records.len() as u64;
        let bytes = body.len() as u64;
        let mut request = Request::post(self.to.clone())
            .header(CONTENT_TYPE, media_type)
            .header(USER_AGENT, concat!("skyhaul/", env!("CARGO_PKG_VERSION")));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = match request.body(Body::from(body)) {
            Ok(request) => request,
            Err(error) => return Sent::failed(count, format!("it makes no request: {error}")),
        };
        match timeout(PATIENCE, self.client.request(request)).await {
            Err(_) => Sent::failed(count, "no answer within 10 s"),
            Ok(Err(error)) => Sent::failed(count, root_of(&error)),
            Ok(Ok(answer)) if answer.status().is_success() => {
                // Read to its end, so that the connection can be used again.
                let _answer = axum::body::to_bytes(Body::new(answer.into_body()), 1 << 20).await;
                Sent {
                    records: count,
                    bytes,
                    ..Sent::default()
                }
            }
            Ok(Ok(answer)) => Sent::failed(count, format!("answered {}", answer.status())),
        }
    }
}

/// Whether anybody is there at all, before a world begins for nothing.
async fn knock(to: &Uri) -> Result<(), String> {
    let host = to.host().unwrap_or_default().trim_matches(['[', ']']);
    let usual = if to.scheme_str() == Some("https") { 443 } else { 80 };
    let port = to.port_u16().unwrap_or(usual);
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Err(_) => Err("no answer within 10 s".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) => Ok(()),
    }
}

fn body(what: What, records: &[Record]) -> (&'static str, Vec<u8>) {
    let (media_type, before, after): (_, &[u8], &[u8]) = match what {
        What::Telemetry {
            shape: Shape::Skyhaul,
            ..
        } => ("application/json", b"[", b"]"),
        What::Telemetry {
            shape: Shape::Geojson,
            ..
        } => (
            "application/geo+json",
            br#"{"type":"FeatureCollection","features":["#,
            b"]}",
        ),
        What::Orders => ("application/json", b"", b""),
    };
    let mut body = before.to_vec();
    for (place, record) in records.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&record.json);
    }
    body.extend_from_slice(after);
    (media_type, body)
}

/// What lies behind "client error (Connect)".
fn root_of(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}
