//! What a handshake is worth: whether it comes from where it may, and which token it shows.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use super::session::Shown;
use crate::auth::{Denied, Presented, Reach};

/// A browser's page cannot set headers, so it shows its token among the sub-protocols.
const TOKEN_ENTRY: &str = "skyhaul.token.";

/// Refuses handshakes under a name that is not this server's, and from pages that are not.
pub(super) fn check_origin(reach: &Reach, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
    let host = text_of(headers, &header::HOST);
    if !reach.knows(host) {
        let detail = "an open server on loopback answers to localhost and loopback addresses only; \
                      `serve --allow-origin` adds a name";
        return Err((StatusCode::MISDIRECTED_REQUEST, detail));
    }
    if !reach.welcomes(text_of(headers, &header::ORIGIN), host) {
        let detail = "pages of this origin may not open a session; `serve --allow-origin` lets them";
        return Err((StatusCode::FORBIDDEN, detail));
    }
    Ok(())
}

/// What cannot be read must not pass for what is not there.
fn text_of<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("unreadable"))
}

/// The token of the header, or else the one among the sub-protocols.
pub(super) fn shown(headers: &HeaderMap) -> Shown {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => {
            let value = value.to_str().map_err(|_| Denied::NotOurs)?;
            return Presented::bearer(value).map(Some);
        }
        (Some(_), Some(_)) => return Err(Denied::NotOurs),
        (None, _) => {}
    }
    let mut tokens = offered(headers).filter_map(|entry| entry.strip_prefix(TOKEN_ENTRY));
    match (tokens.next(), tokens.next()) {
        (Some(_), Some(_)) => Err(Denied::NotOurs),
        (token, _) => Ok(token.map(Presented::new)),
    }
}

/// The sub-protocols that the client speaks, in its order; tokens are none.
pub(super) fn protocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    offered(headers).filter(|entry| !entry.starts_with(TOKEN_ENTRY))
}

fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let lists = lists.filter_map(|list| list.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_token_is_shown_in_one_place() {
        let (bearer, entry) = (header::AUTHORIZATION, header::SEC_WEBSOCKET_PROTOCOL);
        let token = |text: &str| Ok(Some(Presented::new(text)));
        let both = "skyhaul.v1.json, skyhaul.token.a.b.c";
        for (pairs, expected) in [
            (vec![], Ok(None)),
            (vec![(entry.clone(), "skyhaul.v1.json")], Ok(None)),
            (vec![(entry.clone(), both)], token("a.b.c")),
            (
                vec![
                    (entry.clone(), "skyhaul.v1.json"),
                    (entry.clone(), "skyhaul.token.a"),
                ],
                token("a"),
            ),
            (
                vec![(bearer.clone(), "Bearer d.e.f"), (entry.clone(), both)],
                token("d.e.f"),
            ),
            (
                vec![(bearer.clone(), "Basic YTpi"), (entry.clone(), both)],
                Err(Denied::NotOurs),
            ),
            (
                vec![(entry.clone(), "skyhaul.token.a, skyhaul.token.b")],
                Err(Denied::NotOurs),
            ),
            (
                vec![(bearer.clone(), "Bearer a"), (bearer, "Bearer b")],
                Err(Denied::NotOurs),
            ),
        ] {
            assert_eq!(shown(&headers(&pairs)), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_token_is_no_protocol() {
        let headers = headers(&[(
            header::SEC_WEBSOCKET_PROTOCOL,
            "skyhaul.token.a.b.c, skyhaul.v1.msgpack,skyhaul.v1.json",
        )]);
        let protocols: Vec<_> = protocols(&headers).collect();
        assert_eq!(protocols, ["skyhaul.v1.msgpack", "skyhaul.v1.json"]);
    }
}
