//! The door of a server, live or playing: where it listens, whom it lets in, and the map that its
//! page lays under the drones. `serve` and `replay` have the same flags for it.

use std::net::{SocketAddr, ToSocketAddrs};

use clap::ValueEnum;
use tokio::net::TcpListener;

use super::Failure;
use super::token::given_key;
use crate::auth::{self, Mode, Origin};
use crate::http::Basemap;

#[derive(clap::Args)]
#[group(id = "door")]
pub(super) struct Args {
    /// Where to listen; other addresses than loopback need --auth as well
    #[arg(
        long,
        value_name = "ADDR",
        env = "SKYHAUL_LISTEN",
        default_value = "127.0.0.1:8080",
        value_parser = parse_listen
    )]
    listen: SocketAddr,
    /// A map under the drones: a .pmtiles file, or the address of a MapLibre style, of a PMTiles archive or of raster tiles ({z}/{x}/{y})
    #[arg(long, value_name = "FILE.pmtiles|URL", env = "SKYHAUL_BASEMAP")]
    basemap: Option<String>,
    /// Who may come in; loopback is open where this is left out. The key of tokens is
    /// SKYHAUL_TOKEN_KEY, or token.key where --data is a folder
    #[arg(long, value_enum, env = "SKYHAUL_AUTH")]
    auth: Option<Auth>,
    /// Lets pages of another server use this one (https://example.com); may be repeated
    #[arg(long, value_name = "URL", env = "SKYHAUL_ALLOW_ORIGIN", value_delimiter = ',')]
    allow_origin: Vec<Origin>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Auth {
    /// Anybody who can reach the address
    Open,
    /// Who shows a token: see `skyhaul token`
    Required,
}

impl Args {
    /// Who may come in. Nobody opens a server to a network by accident.
    pub(super) fn access(&self) -> Result<auth::Settings, Failure> {
        if !self.listen.ip().is_loopback() && self.auth.is_none() {
            return Err(Failure::bad_input(
                format!(
                    "{} can be reached from other machines, and nobody would be asked for a token",
                    self.listen
                ),
                "say --auth required (`skyhaul token` makes tokens), or --auth open if that is what you want, \
                 or listen on 127.0.0.1",
            ));
        }
        Ok(auth::Settings {
            mode: match self.auth {
                Some(Auth::Required) => Mode::Required,
                Some(Auth::Open) | None => Mode::Open,
            },
            key: given_key()?,
            allowed_origins: self.allow_origin.clone(),
        })
    }

    /// Nobody said who may come in, and so whoever runs on this machine may.
    pub(super) fn is_open_to_this_machine(&self) -> bool {
        self.auth.is_none()
    }

    pub(super) fn basemap(&self) -> Result<Option<Basemap>, Failure> {
        let basemap = self.basemap.as_deref().map(Basemap::open).transpose();
        basemap.map_err(|error| {
            let remedy = "give a .pmtiles file of version 3, or an address that begins with https://";
            Failure::bad_input(error.to_string(), remedy)
        })
    }

    pub(super) async fn listen(&self) -> Result<TcpListener, Failure> {
        let address = self.listen;
        TcpListener::bind(address).await.map_err(|error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "stop what listens there, or choose another address with --listen"
                }
                _ => "choose another address with --listen",
            };
            Failure::bad_input(format!("cannot listen on {address}: {error}"), remedy)
        })
    }
}

/// An address, or a name of this machine such as localhost.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let wrong = |why: std::io::Error| format!("{why}; give an address and a port, such as 127.0.0.1:8080");
    let addresses: Vec<SocketAddr> = text.to_socket_addrs().map_err(wrong)?.collect();
    let preferred = addresses.iter().find(|address| address.is_ipv4());
    let chosen = preferred.or(addresses.first()).copied();
    chosen.ok_or_else(|| "this name has no address".to_owned())
}
