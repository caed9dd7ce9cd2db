//! What a handshake says for itself: which token it shows, and what it would speak.

use axum::http::{HeaderMap, header};

use super::session::Shown;
use crate::auth::{Denied, Presented, bearer_of};

/// A browser's page cannot set headers, so it shows its token among the sub-protocols.
const TOKEN_ENTRY: &str = "skyhaul.token.";

/// The token of the header, or else the one among the sub-protocols.
pub(super) fn shown(headers: &HeaderMap) -> Shown {
    if let Some(token) = bearer_of(headers)? {
        return Ok(Some(token));
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
    use axum::http::{HeaderName, HeaderValue};

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
