//! What a request's headers say of who sends it: the same for both doors.

use axum::http::{HeaderMap, HeaderName, Uri, header};

/// The name under which the server was asked: `Host`, or what stands for it in HTTP/2.
pub fn host_of<'r>(headers: &'r HeaderMap, uri: &'r Uri) -> Option<&'r str> {
    let authority = || uri.authority().map(|authority| authority.as_str());
    text_of(headers, &header::HOST).or_else(authority)
}

/// The page that a browser asks for.
pub fn origin_of(headers: &HeaderMap) -> Option<&str> {
    text_of(headers, &header::ORIGIN)
}

/// What cannot be read must not pass for what is not there.
fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("unreadable"))
}
