//! Which web pages may open a session. Browsers name a page's origin in the handshake and
//! do not ask first, so a page from anywhere could otherwise follow a server on loopback.

use std::net::IpAddr;

/// Whether a handshake with this `Origin` and `Host` is welcome: from programs that are no
/// browsers, from pages of this machine, and from pages that this server has served.
pub fn is_welcome(origin: Option<&str>, host: Option<&str>) -> bool {
    let Some(origin) = origin else { return true };
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    host.is_some_and(|host| host.eq_ignore_ascii_case(authority)) && !rebound(authority)
        || is_loopback(host_of(authority))
}

/// A name that an attacker's DNS may point at this machine is the same in both headers;
/// an address cannot be pointed anywhere.
fn rebound(authority: &str) -> bool {
    host_of(authority).parse::<IpAddr>().is_err()
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `[::1]:8080` → `::1`
fn host_of(authority: &str) -> &str {
    if let Some((host, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::is_welcome;

    #[test]
    fn pages_from_elsewhere_are_not_welcome() {
        let host = Some("127.0.0.1:8080");
        for origin in [
            "http://localhost:5173",
            "http://127.0.0.1:8080",
            "http://[::1]:9",
            "https://LOCALHOST",
        ] {
            assert!(is_welcome(Some(origin), host), "{origin}");
        }
        let elsewhere = [
            "https://example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com:8080",
            "null",
            "file://",
            "",
        ];
        for origin in elsewhere {
            assert!(!is_welcome(Some(origin), host), "{origin}");
        }
        assert!(is_welcome(None, host), "programs name no origin");
        assert!(
            is_welcome(Some("http://10.0.0.5:8080"), Some("10.0.0.5:8080")),
            "our own page"
        );
        assert!(!is_welcome(
            Some("http://rebound.example:8080"),
            Some("rebound.example:8080")
        ));
    }
}
