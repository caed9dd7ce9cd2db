//! Who may see and do what: tokens, roles, and the rules between them.
//!
//! A request or a session shows what it has ([`Presented`]); the [`Guard`] makes a
//! [`Grant`] of it, whose [`Viewer`] every handler asks before it tells anything. What a
//! viewer may is decided in `access` alone, by pure functions of (viewer, what). Tokens
//! are JWTs that this server or whoever has its key signs (`token`, `key`); which pages
//! may come in, and under which names this server is known, is `origin`'s.
//!
//! Nothing here knows HTTP's statuses or a WebSocket's close codes, and nothing here ever
//! shows a token or a key: their types have no readable `Debug`.

mod access;
mod client;
mod guard;
mod headers;
mod key;
mod origin;
mod sight;
mod token;
mod viewer;

pub use access::{Carriage, Detail, Parcel, What};
pub use client::Client;
pub use guard::{Guard, Mode, Settings};
pub use headers::{bearer_of, host_of, origin_of};
pub use key::{KEY_FILE, KEY_VARIABLE, KeyError, TokenKey};
pub use origin::{NotAnOrigin, Origin, Reach, Stranger};
pub use sight::Sight;
pub use token::{Denied, Issued, LONGEST_TOKEN, Presented, Tokens};
pub use viewer::{Grant, NotAViewer, Role, Viewer};

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since 1970, which is how tokens count.
pub type UnixSeconds = u64;

/// By the wall clock: tokens expire in the world of people, not in the simulated one.
pub fn now() -> UnixSeconds {
    since_1970().as_secs()
}

#[expect(clippy::disallowed_methods, reason = "tokens expire by the wall clock")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
