//! `--to`: what it may say, and what is shown of it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use axum::http::Uri;
use percent_encoding::percent_decode_str;

/// Before topics and subjects, unless the address has a path.
const PREFIX: &str = "skyhaul";

#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    Ndjson(Place),
    Http(Uri),
    Mqtt(Broker),
    Nats(Broker),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    StandardOutput,
    File(PathBuf),
}

#[derive(Clone, PartialEq, Eq)]
pub struct Broker {
    pub host: String,
    pub port: u16,
    pub login: Option<Login>,
    /// Its parts, without separators.
    pub prefix: Vec<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadDestination {
    #[error("a destination begins with ndjson:, http://, https://, mqtt:// or nats://")]
    Kind,
    #[error("ndjson: wants a file after it, or - for the standard output")]
    NoFile,
    #[error("a host is wanted after the //")]
    NoHost,
    #[error("the port is no number from 1 to 65535")]
    Port,
    #[error("names and passwords do not go into an http address; give a token in SKYHAUL_TOKEN")]
    Login,
    #[error("this is no address")]
    Address,
    #[error("a prefix is letters, digits, - and _, with / between its parts")]
    Prefix,
}

impl FromStr for Destination {
    type Err = BadDestination;

    fn from_str(text: &str) -> Result<Self, BadDestination> {
        if let Some(place) = text.strip_prefix("ndjson:") {
            return match place {
                "" => Err(BadDestination::NoFile),
                "-" => Ok(Destination::Ndjson(Place::StandardOutput)),
                path => Ok(Destination::Ndjson(Place::File(path.into()))),
            };
        }
        match text.split_once("://") {
            Some(("http" | "https", rest)) => {
                if rest.split('/').next().is_some_and(|host| host.contains('@')) {
                    return Err(BadDestination::Login);
                }
                let uri: Uri = text.parse().map_err(|_| BadDestination::Address)?;
                match uri.host() {
                    None | Some("") => Err(BadDestination::NoHost),
                    Some(_) => Ok(Destination::Http(uri)),
                }
            }
            Some(("mqtt", rest)) => Broker::read(rest, 1883).map(Destination::Mqtt),
            Some(("nats", rest)) => Broker::read(rest, 4222).map(Destination::Nats),
            _ => Err(BadDestination::Kind),
        }
    }
}

impl Broker {
    /// `[USER:PASSWORD@]HOST[:PORT][/PREFIX]`, names and passwords percent-encoded.
    fn read(text: &str, usual_port: u16) -> Result<Self, BadDestination> {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(Login::read(login)?), address),
            None => (None, authority),
        };
        let (host, port) = match address.rsplit_once(':') {
            // The colons of an IPv6 address stand in brackets.
            Some((host, port)) if !port.contains(']') => {
                let port = port.parse().ok().filter(|port| *port > 0);
                (host, port.ok_or(BadDestination::Port)?)
            }
            _ => (address, usual_port),
        };
        if host.is_empty() {
            return Err(BadDestination::NoHost);
        }
        let path = path.trim_end_matches('/');
        let prefix = if path.is_empty() { PREFIX } else { path };
        let prefix: Vec<String> = prefix.split('/').map(str::to_owned).collect();
        let is_fine = |part: &String| {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !part.is_empty() && part.chars().all(fits)
        };
        match prefix.iter().all(is_fine) {
            false => Err(BadDestination::Prefix),
            true => Ok(Broker {
                host: host.to_owned(),
                port,
                login,
                prefix,
            }),
        }
    }

    /// Where a record of this key goes, in the broker's spelling.
    pub fn topic(&self, separator: &str, key: &str) -> String {
        let parts = self.prefix.iter().map(String::as_str).chain(key.split('/'));
        parts.collect::<Vec<_>>().join(separator)
    }
}

impl Login {
    fn read(text: &str) -> Result<Self, BadDestination> {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        let decoded = |text| {
            let decoded = percent_decode_str(text).decode_utf8();
            decoded.map(String::from).map_err(|_| BadDestination::Address)
        };
        Ok(Login {
            user: decoded(user)?,
            password: decoded(password)?,
        })
    }
}

/// Without a password, and without what follows a question mark, which could hold a key.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Ndjson(Place::StandardOutput) => f.write_str("the standard output"),
            Destination::Ndjson(Place::File(path)) => write!(f, "{}", path.display()),
            Destination::Http(uri) => {
                let (scheme, authority) = (uri.scheme_str(), uri.authority());
                let authority = authority.map_or("", |authority| authority.as_str());
                write!(f, "{}://{authority}{}", scheme.unwrap_or("http"), uri.path())
            }
            Destination::Mqtt(broker) => write!(f, "mqtt://{broker:?}"),
            Destination::Nats(broker) => write!(f, "nats://{broker:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Destination, BadDestination> {
        text.parse()
    }

    #[test]
    fn each_kind_of_destination_is_read_and_shown_without_its_password() {
        let shown = |text| read(text).expect("a destination").to_string();
        assert_eq!(shown("ndjson:-"), "the standard output");
        assert_eq!(shown("ndjson:out/fleet.ndjson"), "out/fleet.ndjson");
        assert_eq!(
            shown("https://ingest.example.com/v1/positions?key=secret"),
            "https://ingest.example.com/v1/positions"
        );
        assert_eq!(
            shown("mqtt://me:hunter2@broker.example.com"),
            "mqtt://broker.example.com:1883"
        );
        assert_eq!(shown("nats://[::1]:4333/city/fleet"), "nats://[::1]:4333");
    }

    #[test]
    fn topics_begin_with_the_path_and_logins_are_decoded() {
        let Ok(Destination::Nats(broker)) = read("nats://me:p%40ss@localhost/city/west/") else {
            panic!("a destination");
        };
        let login = broker.login.as_ref().expect("a login");
        assert_eq!((login.user.as_str(), login.password.as_str()), ("me", "p@ss"));
        assert_eq!(broker.topic(".", "drones/d-1"), "city.west.drones.d-1");
        let Ok(Destination::Mqtt(broker)) = read("mqtt://localhost:2883") else {
            panic!("a destination");
        };
        assert_eq!(broker.topic("/", "drones/d-1"), "skyhaul/drones/d-1");
    }

    #[test]
    fn what_is_no_destination_is_refused_with_words() {
        use BadDestination as B;
        for (text, expected) in [
            ("", B::Kind),
            ("kafka://localhost", B::Kind),
            ("localhost:8080", B::Kind),
            ("ndjson:", B::NoFile),
            ("http://", B::Address),
            ("http://me:secret@localhost/", B::Login),
            ("mqtt://", B::NoHost),
            ("mqtt://:1883", B::NoHost),
            ("mqtt://localhost:0", B::Port),
            ("nats://localhost:99999", B::Port),
            ("nats://localhost/a//b", B::Prefix),
            ("nats://localhost/a.*", B::Prefix),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
