//! Shapes of HTTP bodies and WebSocket messages, used by server and clients alike.
//!
//! Shapes and encodings only: no routes, no sockets, no rules.

pub mod api;
pub mod columns;
pub mod day;
pub mod discreet;
pub mod drone;
pub mod event;
pub mod hub;
pub mod place;
pub mod stream;
pub mod telemetry;
pub mod time;

/// Where a text stops being JSON, in words for whoever sent it.
pub fn not_json(error: &serde_json::Error) -> String {
    match error.is_eof() {
        true => "it ends too soon".to_owned(),
        false => format!(
            "it goes wrong at line {}, column {}",
            error.line(),
            error.column()
        ),
    }
}
