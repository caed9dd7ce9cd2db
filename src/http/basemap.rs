//! `--basemap`: a map to lay under the drones, from a file of the operator's own or from
//! somewhere on the network.

use std::io::Read;
use std::path::{Path, PathBuf};

use axum::http::Uri;
use axum::routing::get_service;
use tower_http::services::ServeFile;
use utoipa_axum::router::OpenApiRouter;

use super::Api;
use crate::wire::api::world as wire;

const PATH: &str = "/basemap.pmtiles";
/// What every PMTiles archive of version 3 begins with.
const MAGIC: &[u8; 8] = b"PMTiles\x03";

/// The background that a server was started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Basemap {
    File(PathBuf),
    Address { kind: wire::BasemapKind, url: String },
}

/// Why a basemap cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum BasemapError {
    #[error("the basemap {path} cannot be read: {error}")]
    Unreadable { path: String, error: std::io::Error },
    #[error("the basemap {path} is no PMTiles archive of version 3")]
    NotPmtiles { path: String },
    #[error("the basemap {url} is no address")]
    NoAddress { url: String },
}

impl Basemap {
    /// A `.pmtiles` file, or the address of an archive, of a MapLibre style, or of raster
    /// tiles with `{z}`, `{x}` and `{y}` in it.
    ///
    /// # Errors
    /// A file that is not there or is something else, or an address that is none.
    pub fn open(text: &str) -> Result<Basemap, BasemapError> {
        if text.starts_with("http://") || text.starts_with("https://") {
            return address(text);
        }
        let path = PathBuf::from(text);
        check_file(&path)?;
        Ok(Basemap::File(path))
    }

    pub(super) fn shown(&self) -> wire::Basemap {
        match self {
            Basemap::File(_) => wire::Basemap {
                kind: wire::BasemapKind::Pmtiles,
                url: PATH.into(),
            },
            Basemap::Address { kind, url } => wire::Basemap {
                kind: *kind,
                url: url.clone(),
            },
        }
    }

    /// Where a page with this background fetches from, as sources of its
    /// `Content-Security-Policy`. What a style refers to may lie anywhere.
    pub(super) fn sources(&self) -> Option<String> {
        let Basemap::Address { kind, url } = self else {
            return None;
        };
        let origin = origin_of(url)?;
        Some(match kind {
            wire::BasemapKind::Style => format!("{origin} https:"),
            wire::BasemapKind::Pmtiles | wire::BasemapKind::Raster => origin,
        })
    }
}

fn address(url: &str) -> Result<Basemap, BasemapError> {
    if origin_of(url).is_none() {
        return Err(BasemapError::NoAddress { url: url.to_owned() });
    }
    let kind = if ["{z}", "{x}", "{y}"].iter().all(|part| url.contains(part)) {
        wire::BasemapKind::Raster
    } else if url
        .split(['?', '#'])
        .next()
        .is_some_and(|path| path.ends_with(".pmtiles"))
    {
        wire::BasemapKind::Pmtiles
    } else {
        wire::BasemapKind::Style
    };
    Ok(Basemap::Address {
        kind,
        url: url.to_owned(),
    })
}

/// Scheme and host, and nothing that could end a header's source and begin another.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let origin: Uri = format!("{scheme}://{host}/").parse().ok()?;
    let authority = origin.authority()?.as_str();
    (!authority.contains([';', ',', '\'', '@', '*'])).then(|| format!("{scheme}://{authority}"))
}

fn check_file(path: &Path) -> Result<(), BasemapError> {
    let shown = path.display().to_string();
    let mut head = [0; MAGIC.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Ok(()) if head == *MAGIC => Ok(()),
        Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(BasemapError::Unreadable { path: shown, error })
        }
        _ => Err(BasemapError::NotPmtiles { path: shown }),
    }
}

/// A local archive, by ranges; no route where there is none.
pub fn routes(basemap: Option<&Basemap>) -> OpenApiRouter<Api> {
    let router = OpenApiRouter::new();
    match basemap {
        Some(Basemap::File(path)) => router.route(PATH, get_service(ServeFile::new(path))),
        _ => router,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(url: &str) -> wire::BasemapKind {
        Basemap::open(url).unwrap().shown().kind
    }

    #[test]
    fn an_address_says_what_it_is() {
        assert_eq!(kind("https://maps.example/style.json"), wire::BasemapKind::Style);
        assert_eq!(
            kind("https://maps.example/{z}/{x}/{y}.png"),
            wire::BasemapKind::Raster
        );
        assert_eq!(
            kind("http://maps.example/city.pmtiles?v=2"),
            wire::BasemapKind::Pmtiles
        );
        assert!(matches!(
            Basemap::open("https:///style"),
            Err(BasemapError::NoAddress { .. })
        ));
    }

    #[test]
    fn a_policy_opens_to_the_basemap_and_no_further() {
        let sources = |url| Basemap::open(url).ok().and_then(|basemap| basemap.sources());
        let raster = "https://tiles.example:8443/{z}/{x}/{y}.png";
        assert_eq!(sources(raster).unwrap(), "https://tiles.example:8443");
        assert_eq!(
            sources("http://a.example/style.json").unwrap(),
            "http://a.example https:"
        );
        assert_eq!(sources("https://a.example;script-src/style.json"), None);
        assert_eq!(sources("https://*/style.json"), None);
    }

    #[test]
    fn a_file_must_be_an_archive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("city.pmtiles");
        let open = || Basemap::open(path.to_str().unwrap());
        assert!(matches!(open(), Err(BasemapError::Unreadable { .. })));
        std::fs::write(&path, "PMT").unwrap();
        assert!(matches!(open(), Err(BasemapError::NotPmtiles { .. })));
        std::fs::write(&path, b"PMTiles\x03 and so on").unwrap();
        assert_eq!(open().unwrap().shown().url, "/basemap.pmtiles");
    }
}
