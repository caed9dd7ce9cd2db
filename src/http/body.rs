//! JSON bodies as they come in: media type, size and syntax. What the fields mean is
//! the resources' own business.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use serde_json::Value;

use super::failure::Failure;
use crate::wire::not_json;

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A client that still sends when the answer comes may lose the answer, so bodies that
/// are too large are read and dropped up to this size.
const MAX_DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// A body that must be there and be JSON.
pub struct JsonBody {
    pub value: Value,
    /// How many bytes it had; about as many as an answer that repeats it needs.
    pub length: usize,
}

/// A body that may be empty.
pub struct OptionalJsonBody(pub Option<Value>);

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(&parts.headers, body).await?;
        if !is_json(&parts.headers) {
            return Err(Failure::WrongMediaType);
        }
        Ok(JsonBody {
            value: parse(&bytes)?,
            length: bytes.len(),
        })
    }
}

impl<S: Sync> FromRequest<S> for OptionalJsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = read_whole(&parts.headers, body).await?;
        if bytes.is_empty() {
            return Ok(OptionalJsonBody(None));
        }
        if !is_json(&parts.headers) {
            return Err(Failure::WrongMediaType);
        }
        parse(&bytes).map(|value| OptionalJsonBody(Some(value)))
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(bytes).map_err(|error| Failure::Unparsable(not_json(&error)))
}

/// `application/json`, or anything that ends in `+json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(media_type)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
        || essence
            .len()
            .checked_sub("+json".len())
            .and_then(|suffix| essence.get(suffix..))
            .is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json"))
}

async fn read_whole(headers: &HeaderMap, body: Body) -> Result<Bytes, Failure> {
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > MAX_DRAINED_BYTES) {
        return Err(Failure::BodyTooLarge);
    }
    let mut chunks = body.into_data_stream();
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    let mut seen = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Failure::Unparsable("the body broke off".into()))?;
        seen = seen.saturating_add(chunk.len());
        if seen > MAX_DRAINED_BYTES {
            break;
        }
        if seen > MAX_BODY_BYTES {
            all = None;
            first = Bytes::new();
        } else if let Some(all) = &mut all {
            all.extend_from_slice(&chunk);
        } else if first.is_empty() {
            // Nearly all bodies come in one piece, which need not be copied.
            first = chunk;
        } else {
            let mut joined = BytesMut::with_capacity(announced.unwrap_or(0).max(2 * seen));
            joined.extend_from_slice(&first);
            joined.extend_from_slice(&chunk);
            all = Some(joined);
        }
    }
    if seen > MAX_BODY_BYTES {
        return Err(Failure::BodyTooLarge);
    }
    Ok(all.map_or(first, BytesMut::freeze))
}
