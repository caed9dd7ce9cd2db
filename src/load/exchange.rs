//! One kept-alive connection, and one request at a time on it: HTTP/1.1 by hyper.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::Body;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;

use super::target::{Dial, Target};

/// More than this of an answer is read and not kept.
const KEPT_BYTES: usize = 64 * 1024;

/// What every request says alike.
#[derive(Clone)]
pub(super) struct Manner {
    host: HeaderValue,
    bearer: Option<HeaderValue>,
}

impl Manner {
    pub fn of(target: &Target) -> Self {
        Manner {
            host: target.host(),
            bearer: target.bearer(),
        }
    }

    pub fn request(&self, method: Method, path: &PathAndQuery, body: String) -> Request<String> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from(path.clone());
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(bearer) = &self.bearer {
            headers.insert(AUTHORIZATION, bearer.clone());
        }
        request
    }
}

/// An answer, as far as anybody asks.
pub(super) struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// Why there was no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// Nobody listens there.
    Refused,
    /// It cannot be reached, or this machine has no socket left for it.
    Unreachable,
    /// The connection ended before the answer did.
    Broken,
    /// What came is not HTTP.
    NotHttp,
    /// Nothing came for [`PATIENCE`].
    Silent,
}

/// Whatever is no part of the load is answered by then, or counts as unanswered.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

impl NoAnswer {
    pub fn as_str(self) -> &'static str {
        match self {
            NoAnswer::Refused => "connection refused",
            NoAnswer::Unreachable => "unreachable",
            NoAnswer::Broken => "connection broken",
            NoAnswer::NotHttp => "not http",
            NoAnswer::Silent => "no answer within 10 s",
        }
    }

    pub(super) fn of_dialling(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => NoAnswer::Refused,
            io::ErrorKind::ConnectionReset => NoAnswer::Broken,
            _ => NoAnswer::Unreachable,
        }
    }

    fn of_asking(error: &hyper::Error) -> Self {
        if error.is_parse() {
            NoAnswer::NotHttp
        } else {
            NoAnswer::Broken
        }
    }
}

/// An open connection. Dropping it closes it.
pub(super) struct Connection {
    sender: SendRequest<String>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    pub async fn open<D: Dial>(dial: &D) -> Result<Self, NoAnswer> {
        let io = dial.dial().await.map_err(|error| NoAnswer::of_dialling(&error))?;
        let shaken = handshake(TokioIo::new(io)).await;
        let (sender, connection) = shaken.map_err(|error| NoAnswer::of_asking(&error))?;
        // How it ends, whoever asked hears from their request.
        let driver = tokio::task::spawn_local(async move { drop(connection.await) });
        Ok(Connection {
            sender,
            driver: driver.abort_handle(),
        })
    }

    /// The other side has not closed it, as far as is known.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub async fn ask(&mut self, request: Request<String>) -> Result<Answer, NoAnswer> {
        self.ask_for(request, KEPT_BYTES).await
    }

    /// The same, with all of the answer.
    pub async fn ask_for_all(&mut self, request: Request<String>) -> Result<Answer, NoAnswer> {
        self.ask_for(request, usize::MAX).await
    }

    async fn ask_for(&mut self, request: Request<String>, kept_bytes: usize) -> Result<Answer, NoAnswer> {
        let answered = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            read(response, kept_bytes).await
        };
        answered.await.map_err(|error| NoAnswer::of_asking(&error))
    }
}

async fn read<B>(response: Response<B>, kept_bytes: usize) -> Result<Answer, B::Error>
where
    B: Body<Data = hyper::body::Bytes> + Unpin,
{
    let status = response.status();
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            let room = kept_bytes.saturating_sub(body.len());
            body.extend_from_slice(&data[..data.len().min(room)]);
        }
    }
    Ok(Answer { status, body })
}
