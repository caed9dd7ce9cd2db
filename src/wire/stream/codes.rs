//! What went wrong, and why a session ends, in words that programs read.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

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
    Forbidden,
    Unauthorized,
    RateLimited,
    NotRecorded,
}

impl ErrorCode {
    pub const ALL: [ErrorCode; 12] = [
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
        ErrorCode::NotRecorded,
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
            ErrorCode::NotRecorded => "not_recorded",
        }
    }
    pub fn meaning(self) -> &'static str {
        match self {
            ErrorCode::BadMessage => "not readable, or a member is wrong or missing",
            ErrorCode::UnknownType => "no such type of message",
            ErrorCode::UnknownTopic => "no such kind of topic",
            ErrorCode::DuplicateId => "the session has a subscription with this id",
            ErrorCode::DuplicateTopic => "the session follows this topic already",
            ErrorCode::UnknownId => "the session has no subscription with this id",
            ErrorCode::TooMany => {
                "the session has as many topics as it may, or as many look at moments of their own"
            }
            ErrorCode::NotFound => "there is no such delivery, drone or hub",
            ErrorCode::Forbidden => "somebody else's, or beyond what the session's role may",
            ErrorCode::Unauthorized => "no valid token was shown, or it has expired",
            ErrorCode::RateLimited => "too many messages a second; this one was not followed",
            ErrorCode::NotRecorded => "nothing is recorded, or not that moment",
        }
    }
}

/// Why the server ends a session in good order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ByeCode {
    ServerShutdown,
}

impl ByeCode {
    pub const ALL: [ByeCode; 1] = [ByeCode::ServerShutdown];

    pub fn meaning(self) -> &'static str {
        match self {
            ByeCode::ServerShutdown => "the server shuts down; come again",
        }
    }
}

/// One schema a code, so that each can say what it means.
fn one_of<T: Serialize>(codes: impl Iterator<Item = (T, &'static str)>) -> RefOr<Schema> {
    let schemas = codes.map(|(code, meaning)| {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .enum_values(Some([serde_json::to_value(code).expect("codes are strings")]))
            .description(Some(meaning))
    });
    schemas.fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        one_of(ErrorCode::ALL.into_iter().map(|code| (code, code.meaning())))
    }
}

impl ToSchema for ErrorCode {}

impl PartialSchema for ByeCode {
    fn schema() -> RefOr<Schema> {
        one_of(ByeCode::ALL.into_iter().map(|code| (code, code.meaning())))
    }
}

impl ToSchema for ByeCode {}
