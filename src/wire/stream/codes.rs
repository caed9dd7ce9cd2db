//! What went wrong, and why a session ends, in words that programs read.

use serde::Serialize;

/// Why a request was not taken; the connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    BadMessage,
    UnknownType,
    UnknownTopic,
    DuplicateId,
    DuplicateTopic,
    UnknownId,
    TooMany,
    NotFound,
    /// Somebody else's, or beyond what the session's role may.
    Forbidden,
    /// No valid token was shown.
    Unauthorized,
    RateLimited,
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 11] = [
        ErrorCode::BadMessage,
        ErrorCode::UnknownType,
        ErrorCode::UnknownTopic,
        ErrorCode::DuplicateId,
        ErrorCode::DuplicateTopic,
        ErrorCode::UnknownId,
        ErrorCode::TooMany,
        ErrorCode::NotFound,
        ErrorCode::Forbidden,
        ErrorCode::Unauthorized,
        ErrorCode::RateLimited,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::BadMessage => "bad_message",
            ErrorCode::UnknownType => "unknown_type",
            ErrorCode::UnknownTopic => "unknown_topic",
            ErrorCode::DuplicateId => "duplicate_id",
            ErrorCode::DuplicateTopic => "duplicate_topic",
            ErrorCode::UnknownId => "unknown_id",
            ErrorCode::TooMany => "too_many",
            ErrorCode::NotFound => "not_found",
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::Unauthorized => "unauthorized",
            ErrorCode::RateLimited => "rate_limited",
        }
    }
}

/// Why the server ends a session in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    ServerShutdown,
}
