//! The first message of a recording: which world it is of, so that the file alone is enough to
//! make that world again.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::scenario;
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;
use crate::sim::world::{PolicyKind, World};
use crate::wire::time::rfc3339_unix_us;

use super::layout::FORMAT;

/// What a scenario's author wrote: the text, and the files that it names.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub toml: String,
    /// By their names in the text.
    pub files: BTreeMap<String, String>,
}

impl Sources {
    /// Reads a scenario file once more, with all that it names.
    ///
    /// # Errors
    /// A file that is not there any more.
    pub fn of_file(path: &Path) -> std::io::Result<Self> {
        let toml = std::fs::read_to_string(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let named = scenario::files_named(&toml).into_iter();
        let read = |name: String| {
            let text = std::fs::read_to_string(folder.join(&name))?;
            Ok((name, text))
        };
        let files = named.map(read).collect::<std::io::Result<_>>()?;
        Ok(Sources { toml, files })
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    pub format: u32,
    /// The program that wrote it.
    pub version: String,
    pub name: String,
    pub seed: u64,
    pub policy: String,
    /// For people; [`Origin::start_unix_us`] is exact.
    pub start: String,
    pub start_unix_us: i64,
    pub tick_us: u64,
    /// Recorded positions a simulated second.
    pub hz: f64,
    /// Metres above the sea, and of the sea above the ellipsoid.
    pub ground_m: f64,
    pub geoid_m: f64,
    /// Drones with a channel of their own, for Foxglove's map; here so that branches have them too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub followed: Vec<DroneId>,
    pub toml: String,
    pub files: BTreeMap<String, String>,
}

/// A recorded scenario makes no world, or not the one that was recorded.
#[derive(Debug, thiserror::Error)]
#[error("its scenario cannot be read: {0}")]
pub struct NoWorld(String);

impl Origin {
    pub fn of(world: &World, sources: Sources, hz: f64) -> Self {
        Origin {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            name: world.name.clone(),
            seed: world.seed,
            policy: world.dispatch.policy.as_str().to_owned(),
            start: rfc3339_unix_us(world.start_unix_us),
            start_unix_us: world.start_unix_us,
            tick_us: world.tick.0,
            hz,
            ground_m: world.area.ground_m,
            geoid_m: world.area.geoid_m,
            followed: Vec::new(),
            toml: sources.toml,
            files: sources.files,
        }
    }

    /// The same in a file that this program writes.
    pub fn anew(&self) -> Self {
        Origin {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..self.clone()
        }
    }

    /// Simulated, as messages' times are.
    pub fn time_ns(&self, at: SimTime) -> u64 {
        let unix_us = u64::try_from(self.start_unix_us).unwrap_or(0);
        unix_us.saturating_add(at.0).saturating_mul(1_000)
    }

    /// The moment of a message.
    pub fn at(&self, time_ns: u64) -> SimTime {
        let unix_us = u64::try_from(self.start_unix_us).unwrap_or(0);
        SimTime((time_ns / 1_000).saturating_sub(unix_us))
    }

    pub fn unix_us(&self, at: SimTime) -> i64 {
        let at = i64::try_from(at.0).unwrap_or(i64::MAX);
        self.start_unix_us.saturating_add(at)
    }

    /// The same scenario with other values at some dotted keys, as `demand.rate`.
    ///
    /// # Errors
    /// Values that make no scenario.
    pub fn with(&self, set: &[(String, String)]) -> Result<Self, NoWorld> {
        let toml = scenario::with_values(&self.toml, set);
        let toml = toml.map_err(|cause| NoWorld(cause.to_string()))?;
        let mut origin = Origin { toml, ..self.clone() };
        if let Some((_, policy)) = set.iter().rfind(|(key, _)| key == "dispatch.policy") {
            origin.policy.clone_from(policy);
        }
        Ok(origin)
    }

    /// The world as it was at its beginning.
    ///
    /// # Errors
    /// See [`NoWorld`].
    pub fn world(&self) -> Result<World, NoWorld> {
        let read = scenario::parse_with_files(&self.toml, &self.files);
        let mut world = read.map_err(|cause| NoWorld(cause.to_string()))?.world;
        world.seed = self.seed;
        let named = PolicyKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == self.policy);
        world.dispatch.policy =
            named.ok_or_else(|| NoWorld(format!("there is no policy {:?}", self.policy)))?;
        Ok(world)
    }
}
