//! Bodies as they come in: each is read whole before anybody looks at it, within a size and a
//! time; then its media type and its syntax are looked at. What the fields mean is the
//! resources' own business.
//!
//! A connection can be used again only when what was sent over it has been read. So the body of a
//! request that is refused is read as well, and dropped.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, poll};
use serde_json::Value;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::Api;
use super::failure::Failure;
use crate::wire::not_json;

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A client that still sends when the answer comes may lose the answer, so bodies that
/// are too large are read and dropped up to this size.
const MAX_DRAINED_BYTES: usize = 8 * 1024 * 1024;

/// A body that must be there and be JSON.
pub struct JsonBody {
    pub value: Value,
}

/// The body of a change to the world, that must be there and says that it is JSON, as it came. Where
/// nothing can be changed nobody looks at it.
pub struct ChangeText(pub Bytes);

/// The same as JSON.
pub struct ChangeBody {
    pub value: Value,
}

/// A body that may be empty.
pub struct OptionalJsonBody(pub Option<Value>);

/// Reads the body whole; after it the request has it at hand.
pub async fn receive(request: &mut Request, patience: Duration) -> Result<(), Failure> {
    if request.body().is_end_stream() {
        return Ok(());
    }
    let body = std::mem::take(request.body_mut());
    let mut reading = pin!(read_whole(announced(request.headers()), body));
    let mut read = poll!(&mut reading);
    if read.is_pending() {
        // Most bodies are there with their heads, and need no alarm.
        yield_now().await;
        read = poll!(&mut reading);
    }
    let read = match read {
        Poll::Ready(read) => read,
        Poll::Pending => timeout(patience, reading)
            .await
            .unwrap_or(Err(Failure::BodyTooSlow)),
    };
    *request.body_mut() = Body::from(read?);
    Ok(())
}

/// Reads and drops the body of a request that is refused. Whether all of it came: if not, the
/// connection is of no more use.
pub async fn pass_over(request: &mut Request, patience: Duration) -> bool {
    let body = std::mem::take(request.body_mut());
    if body.is_end_stream() {
        return true;
    }
    // Who waits for word before they send need not send it at all.
    let expects_word = request.headers().contains_key(EXPECT);
    if expects_word || announced(request.headers()).is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return false;
    }
    let mut chunks = body.into_data_stream();
    let reading = async {
        let mut seen = 0_usize;
        while let Some(chunk) = chunks.next().await {
            seen = seen.saturating_add(chunk.map_or(usize::MAX, |chunk| chunk.len()));
            if seen > MAX_DRAINED_BYTES {
                return false;
            }
        }
        true
    };
    timeout(patience, reading).await.unwrap_or(false)
}

/// The same without a wait: what is not there with the head is read and dropped while the answer is
/// on its way, since a client that still sends might lose the answer otherwise.
pub async fn leave(request: &mut Request, patience: Duration) -> bool {
    if request.body().is_end_stream() {
        return true;
    }
    let mut rest = std::mem::take(request);
    if rest.headers().contains_key(EXPECT) {
        return false;
    }
    let mut reading = Box::pin(async move { pass_over(&mut rest, patience).await });
    if let Poll::Ready(is_read) = poll!(&mut reading) {
        return is_read;
    }
    tokio::spawn(reading);
    false
}

impl FromRequest<Api> for ChangeText {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Failure> {
        api.commands.can_change()?;
        Ok(ChangeText(json_text(request).await?))
    }
}

impl FromRequest<Api> for ChangeBody {
    type Rejection = Failure;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Failure> {
        let ChangeText(bytes) = ChangeText::from_request(request, api).await?;
        Ok(ChangeBody {
            value: parse(&bytes)?,
        })
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        Ok(JsonBody {
            value: parse(&json_text(request).await?)?,
        })
    }
}

impl<S: Sync> FromRequest<S> for OptionalJsonBody {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        let (parts, body) = request.into_parts();
        let bytes = at_hand(body).await;
        if bytes.is_empty() {
            return Ok(OptionalJsonBody(None));
        }
        if !is_json(&parts.headers) {
            return Err(Failure::WrongMediaType);
        }
        parse(&bytes).map(|value| OptionalJsonBody(Some(value)))
    }
}

async fn json_text(request: Request) -> Result<Bytes, Failure> {
    let (parts, body) = request.into_parts();
    let bytes = at_hand(body).await;
    match is_json(&parts.headers) {
        true => Ok(bytes),
        false => Err(Failure::WrongMediaType),
    }
}

/// What [`receive`] left there, in one piece.
async fn at_hand(body: Body) -> Bytes {
    match body.into_data_stream().next().await {
        Some(Ok(bytes)) => bytes,
        _ => Bytes::new(),
    }
}

pub fn parse(bytes: &[u8]) -> Result<Value, Failure> {
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

fn announced(headers: &HeaderMap) -> Option<usize> {
    let length = headers.get(CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

async fn read_whole(announced: Option<usize>, body: Body) -> Result<Bytes, Failure> {
    if announced.is_some_and(|length| length > MAX_DRAINED_BYTES) {
        return Err(Failure::BodyTooLarge);
    }
    let mut chunks = body.into_data_stream();
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    let mut seen = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Failure::BodyBrokeOff)?;
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
            let whole = announced.unwrap_or(0).min(MAX_BODY_BYTES);
            let mut joined = BytesMut::with_capacity(whole.max(2 * seen));
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
