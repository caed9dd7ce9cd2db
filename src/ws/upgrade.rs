//! From an HTTP request to a bare socket: the handshake's answer, and the TCP connection
//! without the HTTP server around it, on the arbiter where its session lives. What the
//! HTTP server had around it would cost each write more than all the rest of a session.

use std::io;
use std::net;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::LONGEST_MESSAGE;
use super::connection::Connection;
use super::seat::Seat;
use super::socket::WebSocket;

/// A request for a WebSocket, well formed.
pub(super) struct Upgrade {
    on_upgrade: OnUpgrade,
    accept: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Upgrade {
    type Rejection = (StatusCode, String);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let on_upgrade = parts.extensions.get::<OnUpgrade>().cloned();
        // Takes the original away, and checks all that there is to check.
        let checked = WebSocketUpgrade::from_request_parts(parts, state).await;
        drop(checked.map_err(|wrong| (wrong.status(), wrong.body_text()))?);
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY);
        match (on_upgrade, key) {
            (Some(on_upgrade), Some(key)) => Ok(Upgrade {
                on_upgrade,
                accept: derive_accept_key(key.as_bytes()),
            }),
            _ => Err((
                StatusCode::UPGRADE_REQUIRED,
                "this connection cannot be upgraded".into(),
            )),
        }
    }
}

impl Upgrade {
    /// The answer; when it is sent, `then` gets the connection.
    pub(super) fn accept(
        self,
        protocol: Option<HeaderValue>,
        then: impl FnOnce(Taken) + Send + 'static,
    ) -> Response {
        tokio::spawn(async move {
            match self.on_upgrade.await.map(Taken::from_upgraded) {
                Ok(Ok(taken)) => then(taken),
                Ok(Err(error)) => tracing::warn!(%error, "a connection could not be taken over"),
                // The client has left already.
                Err(_) => {}
            }
        });
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if let Some(protocol) = protocol {
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        response
    }
}

/// A connection on its way from one runtime to another.
pub(super) struct Taken {
    stream: net::TcpStream,
    /// What the client sent right behind its handshake: a copy, for the HTTP server's buffer
    /// would be kept for it.
    read: Vec<u8>,
}

impl Taken {
    fn from_upgraded(upgraded: Upgraded) -> io::Result<Self> {
        let not_ours = |_| io::Error::other("it is no TCP connection");
        let parts = upgraded.downcast::<TokioIo<TcpStream>>().map_err(not_ours)?;
        Ok(Taken {
            stream: parts.io.into_inner().into_std()?,
            read: parts.read_buf.to_vec(),
        })
    }

    /// The address at its other end.
    pub(super) fn from(&self) -> Option<net::IpAddr> {
        self.stream.peer_addr().ok().map(|peer| peer.ip())
    }

    /// On the runtime where it is to live.
    pub(super) async fn open(self, seat: &Seat) -> io::Result<WebSocket> {
        let stream = TcpStream::from_std(self.stream)?;
        let connection = Connection::new(
            stream,
            Arc::clone(&seat.shared.house.telemetry),
            seat.shard_number(),
        );
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0)
            .max_frame_size(Some(LONGEST_MESSAGE))
            .max_message_size(Some(LONGEST_MESSAGE));
        Ok(WebSocketStream::from_partially_read(connection, self.read, Role::Server, Some(config)).await)
    }
}
