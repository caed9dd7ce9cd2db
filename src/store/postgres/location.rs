//! Where a database is: read from a URL, and said again without its password.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::store::StoreError;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];
/// Holds the password where the URL has none.
const PASSWORD_VARIABLE: &str = "PGPASSWORD";
const DEFAULT_PORT: u16 = 5432;

/// How long one address may take to answer, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// After this time without a sign of life the other side is taken for gone.
const SILENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Location {
    pub config: Config,
    /// For people: no password in it.
    pub words: String,
}

impl Location {
    /// # Errors
    /// `BadLocation`, which shows nothing of a URL that cannot be taken apart: what stands in
    /// it could be a password.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        let refused = |cause| StoreError::BadLocation {
            place: scheme_of(url),
            cause,
        };
        if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
            return Err(refused("no store is known by this scheme".to_owned()));
        }
        let mut config: Config = url.parse().map_err(|error| refused(what_is_wrong(&error)))?;
        if config.get_password().is_none()
            && let Ok(password) = std::env::var(PASSWORD_VARIABLE)
        {
            config.password(password);
        }
        let words = words(&config);
        if config.get_ssl_mode() == SslMode::Require {
            return Err(StoreError::BadLocation {
                place: words,
                cause: "this program does not encrypt its connection to PostgreSQL: sslmode=require \
                        cannot be kept, only disable and prefer"
                    .to_owned(),
            });
        }
        config.ssl_mode(SslMode::Disable);
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        config
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE)
            .keepalives_interval(SILENCE / 4)
            .keepalives_retries(3)
            .application_name(format!("skyhaul (process {})", std::process::id()));
        Ok(Location { config, words })
    }
}

/// What may be shown of a location.
pub fn without_password(url: &str) -> String {
    match Location::parse(url) {
        Ok(location) => location.words,
        Err(_) => scheme_of(url),
    }
}

/// Of a location that nobody understands, since the rest may be secret.
fn scheme_of(url: &str) -> String {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{scheme}://…")
}

fn what_is_wrong(error: &tokio_postgres::Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    // This one names an option of ours, all others may quote the URL.
    let harmless = source.filter(|text| text.starts_with("invalid value for option"));
    harmless.unwrap_or_else(|| "the URL cannot be understood".to_owned())
}

fn words(config: &Config) -> String {
    let user = config.get_user().map(|user| format!("{user}@"));
    let ports = config.get_ports();
    let named = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let hosts: Vec<String> = if config.get_hosts().is_empty() {
        config.get_hostaddrs().iter().map(ToString::to_string).collect()
    } else {
        named.collect()
    };
    let addresses: Vec<String> = hosts
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or(ports.first()).copied();
            format!("{host}:{}", port.unwrap_or(DEFAULT_PORT))
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!(
        "postgres://{}{}/{database}",
        user.unwrap_or_default(),
        addresses.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> StoreError {
        Location::parse(url).err().expect("it must be refused")
    }

    #[test]
    fn a_place_is_named_without_its_password() {
        for (url, words) in [
            (
                "postgres://ada:s3cret@db.example:5433/world?connect_timeout=2",
                "postgres://ada@db.example:5433/world",
            ),
            (
                "postgresql://ada@db.example?password=s3cret",
                "postgres://ada@db.example:5432/ada",
            ),
            (
                "postgres://ada:s3cret@one:1,two:2/world",
                "postgres://ada@one:1,two:2/world",
            ),
            (
                "postgres://ada:s3cret@%2Fvar%2Frun%2Fpostgresql/world",
                "postgres://ada@/var/run/postgresql:5432/world",
            ),
        ] {
            let location = Location::parse(url).unwrap();
            assert_eq!(location.words, words);
            assert_eq!(location.config.get_password(), Some(&b"s3cret"[..]));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused_and_shown_to_nobody() {
        for url in [
            "mysql://ada:s3cret@db/world",
            "postgres://ada:s3cret@db/world?port=s3cret",
            "postgres://ada:s3cret@db/world?s3cret=on",
            "postgres://ada:s3cret@db:s3cret/world",
            "postgres://ada@db/world?s3cret",
        ] {
            let error = Location::parse(url).err().expect(url);
            let shown = format!("{error} {error:?} {}", error.remedy().unwrap());
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(matches!(error, StoreError::BadLocation { .. }), "{error:?}");
            assert!(!without_password(url).contains("s3cret"));
        }
    }

    #[test]
    fn encryption_is_not_promised_where_there_is_none() {
        let error = refusal("postgres://ada@db/world?sslmode=require");
        assert!(error.to_string().contains("sslmode=require"), "{error}");
        let location = Location::parse("postgres://ada@db/world?sslmode=prefer").unwrap();
        assert_eq!(location.config.get_ssl_mode(), SslMode::Disable);
    }
}
