//! Why somebody who knocks gets no session. The answer is a status alone, with this beside
//! it: its body is the front door's, which words all problems.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::auth::Stranger;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoSession {
    /// No upgrade to a WebSocket, or to none that is spoken here.
    NotAHandshake {
        status: StatusCode,
        why: String,
    },
    Stranger(Stranger),
    /// All seats are taken.
    Full,
    ShuttingDown,
}

impl IntoResponse for NoSession {
    fn into_response(self) -> Response {
        let status = match self {
            NoSession::NotAHandshake { status, .. } => status,
            NoSession::Stranger(Stranger::UnknownHost) => StatusCode::MISDIRECTED_REQUEST,
            NoSession::Stranger(Stranger::ForeignOrigin) => StatusCode::FORBIDDEN,
            NoSession::Full | NoSession::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
