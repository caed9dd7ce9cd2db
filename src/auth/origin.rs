//! Which pages may come in, and under which names this server answers.
//!
//! Browsers name a page's origin and let it ask nearly anything of any address, and whoever
//! owns a name can point it at any address. An open server on loopback has nothing else to
//! tell a page on this machine from one that is anywhere, so it looks at both.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Where a page comes from: scheme, host and port, as browsers write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    /// With the port, where it is not the scheme's own.
    authority: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an origin is a scheme and a host, and a port where it needs one: https://example.com:8443")]
pub struct NotAnOrigin;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let text = text.trim().to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://").ok_or(NotAnOrigin)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let scheme_is_one = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if !scheme_is_one || host_of(authority).is_empty() || !authority.chars().all(allowed) {
            return Err(NotAnOrigin);
        }
        let own_port = match scheme {
            "http" | "ws" => ":80",
            "https" | "wss" => ":443",
            _ => "",
        };
        let authority = match authority.strip_suffix(own_port) {
            Some(shorter) if !own_port.is_empty() => shorter,
            _ => authority,
        };
        Ok(Origin {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// Why a request is not let on, whatever token it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    #[error(
        "an open server on loopback answers to localhost and loopback addresses only; \
         `serve --allow-origin` adds a name"
    )]
    UnknownHost,
    #[error("pages of this origin may not use this server; `serve --allow-origin` lets them")]
    ForeignOrigin,
}

/// How far this server can be reached, and whom else it has to do with.
#[derive(Clone, Debug)]
pub struct Reach {
    /// It listens on loopback only.
    pub loopback: bool,
    /// Nobody needs a token.
    pub open: bool,
    pub allowed: Vec<Origin>,
}

impl Reach {
    /// Whether a request with this `Host` and `Origin` is let on.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, host: Option<&str>, origin: Option<&str>) -> Result<(), Stranger> {
        if !self.knows(host) {
            return Err(Stranger::UnknownHost);
        }
        if !self.welcomes(origin, host) {
            return Err(Stranger::ForeignOrigin);
        }
        Ok(())
    }

    /// Whether requests under this `Host` are answered. One that names none is no browser's.
    fn knows(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return true };
        !(self.open && self.loopback)
            || is_loopback(host_of(host))
            || self
                .allowed
                .iter()
                .any(|origin| origin.authority.eq_ignore_ascii_case(host))
    }

    /// Whether a request with this `Origin` and `Host` is welcome: from programs that are
    /// no browsers, from pages that this server has served, and from those that it shares
    /// with.
    fn welcomes(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        if self.shares_with(origin) {
            return true;
        }
        let Some((_, authority)) = origin.split_once("://") else {
            return false;
        };
        let own_page = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
        own_page && !(self.open && may_be_rebound(host_of(authority)))
    }

    /// Whether pages of this origin, which are not this server's own, may read what it
    /// answers.
    pub fn shares_with(&self, origin: &str) -> bool {
        let Ok(origin) = origin.parse::<Origin>() else {
            return false;
        };
        self.allowed.contains(&origin)
            || self.open && self.loopback && is_loopback(host_of(&origin.authority))
    }
}

/// Whether this could be a name that an attacker's DNS points at this machine: it would be
/// the same in both headers. An address cannot be pointed anywhere, and names without a dot
/// or below `.local` are not the public DNS's.
fn may_be_rebound(host: &str) -> bool {
    host.parse::<IpAddr>().is_err()
        && !is_loopback(host)
        && host.contains('.')
        && !host.to_ascii_lowercase().ends_with(".local")
}

fn is_loopback(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
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
    use super::*;

    fn reach(loopback: bool, open: bool, allowed: &[&str]) -> Reach {
        let allowed = allowed.iter().map(|origin| origin.parse().unwrap()).collect();
        Reach {
            loopback,
            open,
            allowed,
        }
    }

    const HERE: Option<&str> = Some("127.0.0.1:8080");

    const ELSEWHERE: [&str; 8] = [
        "https://example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com:8080",
        "http://localhost@example.com",
        "null",
        "file://",
        "",
        "http://",
    ];

    #[test]
    fn pages_from_elsewhere_are_not_welcome() {
        for reach in [
            reach(true, true, &[]),
            reach(true, false, &[]),
            reach(false, true, &[]),
        ] {
            for origin in ELSEWHERE {
                assert!(!reach.welcomes(Some(origin), HERE), "{origin}");
                assert!(!reach.shares_with(origin), "{origin}");
            }
            assert!(reach.welcomes(None, HERE), "programs name no origin");
            assert!(
                reach.welcomes(Some("http://10.0.0.5:8080"), Some("10.0.0.5:8080")),
                "our own page"
            );
        }
    }

    #[test]
    fn an_open_server_on_loopback_has_to_do_with_pages_of_this_machine() {
        let open = reach(true, true, &[]);
        let origins = [
            "http://localhost:5173",
            "http://127.0.0.1:8080",
            "http://[::1]:9",
            "https://LOCALHOST",
            "http://demo.localhost:8080",
        ];
        for origin in origins {
            assert!(open.welcomes(Some(origin), HERE), "{origin}");
            assert!(open.shares_with(origin), "{origin}");
            assert!(!reach(false, true, &[]).shares_with(origin), "{origin}");
            assert!(!reach(true, false, &[]).shares_with(origin), "{origin}");
        }
    }

    #[test]
    fn a_name_that_anybody_can_point_here_is_no_way_in_where_no_token_is_asked_for() {
        let rebound = (Some("http://rebound.example:8080"), Some("rebound.example:8080"));
        assert!(!reach(true, true, &[]).welcomes(rebound.0, rebound.1));
        assert!(!reach(false, true, &[]).welcomes(rebound.0, rebound.1));
        assert!(
            reach(false, false, &[]).welcomes(rebound.0, rebound.1),
            "tokens protect it"
        );
        let named = (Some("http://demo-box:8080"), Some("demo-box:8080"));
        assert!(reach(false, true, &[]).welcomes(named.0, named.1));

        let open = reach(true, true, &[]);
        for host in [
            "rebound.example:8080",
            "10.0.0.5",
            "demo-box",
            "127.0.0.1.example.com",
            "",
        ] {
            assert!(!open.knows(Some(host)), "{host}");
            assert!(reach(true, false, &[]).knows(Some(host)), "{host}");
            assert!(reach(false, true, &[]).knows(Some(host)), "{host}");
        }
        for host in [
            "localhost",
            "LocalHost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "127.9.9.9",
        ] {
            assert!(open.knows(Some(host)), "{host}");
        }
        assert!(open.knows(None), "browsers always say");
    }

    #[test]
    fn listed_origins_are_welcome_and_no_others() {
        let reach = reach(
            true,
            true,
            &["https://fleet.example", "http://other.example:8080/"],
        );
        for origin in [
            "https://fleet.example",
            "HTTPS://Fleet.Example:443",
            "http://other.example:8080",
        ] {
            assert!(reach.welcomes(Some(origin), HERE), "{origin}");
            assert!(reach.shares_with(origin), "{origin}");
        }
        for origin in [
            "http://fleet.example",
            "https://fleet.example:8443",
            "http://other.example",
            "https://a.fleet.example",
            "https://fleet.example.evil",
        ] {
            assert!(!reach.welcomes(Some(origin), HERE), "{origin}");
        }
        assert!(
            reach.knows(Some("fleet.example")),
            "a proxy may keep its own name"
        );
    }

    #[test]
    fn only_origins_are_origins() {
        for text in [
            "*",
            "example.com",
            "https://",
            "https://example.com/path",
            "https://a b",
            "//x",
            "1://x",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(NotAnOrigin), "{text}");
        }
        let shown = |text: &str| text.parse::<Origin>().unwrap().to_string();
        assert_eq!(shown("HTTPS://Example.com:443/"), "https://example.com");
        assert_eq!(shown("http://[::1]:80"), "http://[::1]");
    }
}
