//! Polygons from GeoJSON files: land and no-fly zones. What is wrong with one feature hides nothing
//! of the others.

use std::path::Path;

use ::geojson::{Geometry, GeometryValue, Position};
use geo::{Coord, LineString, MultiPolygon, Polygon};
use serde_json::{Map, Value};

use super::diagnostic::{At, Log};

/// Why a file gives nothing at all; each text goes on after "the land file ".
#[derive(Debug, thiserror::Error)]
enum GeoError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is not GeoJSON: {0}")]
    NotGeoJson(#[from] serde_json::Error),
    #[error("has no polygon")]
    Empty,
}

/// What is the matter with a feature; each text goes on after "feature 3 ".
#[derive(Debug, thiserror::Error)]
enum Flaw {
    #[error("is not GeoJSON: {0}")]
    NotGeoJson(#[from] serde_json::Error),
    #[error("has a place that is no longitude and latitude, {0:?}")]
    NoPlace(Vec<f64>),
    #[error("has a ring of {0} positions")]
    ShortRing(usize),
    #[error("has a polygon without a ring")]
    NoRing,
    #[error("is a {0}, and no polygon: nothing is made of it")]
    NoPolygon(&'static str),
    #[error("has no geometry: nothing is made of it")]
    NoGeometry,
}

impl Flaw {
    fn is_doubt(&self) -> bool {
        matches!(self, Flaw::NoPolygon(_) | Flaw::NoGeometry)
    }

    fn remedy(&self) -> String {
        match self {
            Flaw::NoPlace(place) => match place[..] {
                [lat, lon, ..] if is_place(lon, lat) => format!("longitude comes first: [{lon}, {lat}]"),
                _ => "give degrees, longitude first".to_owned(),
            },
            Flaw::ShortRing(_) => "give at least four, the last the same as the first".to_owned(),
            Flaw::NotGeoJson(_) | Flaw::NoRing | Flaw::NoPolygon(_) | Flaw::NoGeometry => {
                "give a Polygon or a MultiPolygon, or leave it out".to_owned()
            }
        }
    }
}

/// What can be read of a feature.
pub(super) struct Feature {
    /// In the file, from 1.
    pub number: usize,
    pub properties: Map<String, Value>,
    /// None where nothing is made of it.
    pub polygons: Vec<Polygon>,
    flaws: Vec<Flaw>,
}

impl Feature {
    fn of(number: usize, value: &Value) -> Self {
        let properties = value.get("properties").and_then(Value::as_object);
        let mut feature = Feature {
            number,
            properties: properties.cloned().unwrap_or_default(),
            polygons: Vec::new(),
            flaws: Vec::new(),
        };
        match value.get("geometry") {
            None | Some(Value::Null) => feature.flaws.push(Flaw::NoGeometry),
            Some(geometry) => match serde_json::from_value::<Geometry>(geometry.clone()) {
                Ok(geometry) => feature.take(&geometry.value),
                Err(error) => feature.flaws.push(error.into()),
            },
        }
        feature
    }

    /// Whether something is made of it, or would be if it were right.
    pub fn counts(&self) -> bool {
        !self.polygons.is_empty() || !self.is_right()
    }

    pub fn is_right(&self) -> bool {
        self.flaws.iter().all(Flaw::is_doubt)
    }

    fn take(&mut self, value: &GeometryValue) {
        match value {
            GeometryValue::Polygon { coordinates } => self.take_polygon(coordinates),
            GeometryValue::MultiPolygon { coordinates } => {
                for rings in coordinates {
                    self.take_polygon(rings);
                }
            }
            GeometryValue::GeometryCollection { geometries } => {
                for geometry in geometries {
                    self.take(&geometry.value);
                }
            }
            other => self.flaws.push(Flaw::NoPolygon(other.type_name())),
        }
    }

    fn take_polygon(&mut self, rings: &[Vec<Position>]) {
        let mut lines = Vec::new();
        for ring in rings {
            match line(ring) {
                Ok(line) => lines.push(line),
                Err(flaw) => return self.flaws.push(flaw),
            }
        }
        let mut lines = lines.into_iter();
        match lines.next() {
            Some(exterior) => self.polygons.push(Polygon::new(exterior, lines.collect())),
            None => self.flaws.push(Flaw::NoRing),
        }
    }

    fn tell(&self, file: &At<String>, log: &mut Log) {
        for flaw in &self.flaws {
            let what = format!("in \"{}\", feature {} {flaw}", file.value, self.number);
            match flaw.is_doubt() {
                true => log.warn(&file.span, what, flaw.remedy()),
                false => log.error(&file.span, what, flaw.remedy()),
            }
        }
    }
}

fn line(ring: &[Position]) -> Result<LineString, Flaw> {
    let coordinates = ring.iter().map(|position| match position.as_slice() {
        [lon, lat, ..] if is_place(*lon, *lat) => Ok(Coord { x: *lon, y: *lat }),
        other => Err(Flaw::NoPlace(other.to_vec())),
    });
    let line = LineString(coordinates.collect::<Result<Vec<_>, _>>()?);
    match line.0.len() {
        count @ 0..4 => Err(Flaw::ShortRing(count)),
        _ => Ok(line),
    }
}

fn is_place(lon: f64, lat: f64) -> bool {
    lon.abs() <= 180.0 && lat.abs() <= 90.0
}

/// All features of a file, whatever they are wrapped in. What is wrong with them, or doubtful, is
/// told; none where the file gives nothing.
pub(super) fn read_features(base_dir: &Path, file: &At<String>, what: &str, log: &mut Log) -> Vec<Feature> {
    let features = match features_of(&base_dir.join(&file.value)) {
        Ok(features) => features,
        Err(error) => {
            refuse(file, what, &error, log);
            return Vec::new();
        }
    };
    features.iter().for_each(|feature| feature.tell(file, log));
    if !features.iter().any(Feature::counts) {
        refuse(file, what, &GeoError::Empty, log);
    }
    features
}

fn refuse(file: &At<String>, what: &str, error: &GeoError, log: &mut Log) {
    log.error(
        &file.span,
        format!("the {what} \"{}\" {error}", file.value),
        "paths are relative to the scenario file; give a GeoJSON file with polygons",
    );
}

fn features_of(path: &Path) -> Result<Vec<Feature>, GeoError> {
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| GeoError::NotText)?;
    let value: Value = serde_json::from_str(&text)?;
    let kind = value.get("type").and_then(Value::as_str);
    Ok(match (kind, value.get("features")) {
        (Some("FeatureCollection"), Some(Value::Array(all))) => {
            let numbered = (1..).zip(all);
            numbered
                .map(|(number, value)| Feature::of(number, value))
                .collect()
        }
        (Some("Feature"), _) => vec![Feature::of(1, &value)],
        _ => {
            let geometry: Geometry = serde_json::from_value(value)?;
            let mut only = Feature::of(1, &Value::Null);
            only.flaws.clear();
            only.take(&geometry.value);
            vec![only]
        }
    })
}

/// All polygons of a file as one; `None` where it is not right, which is told.
pub(super) fn read_land(base_dir: &Path, file: &At<String>, log: &mut Log) -> Option<MultiPolygon> {
    let features = read_features(base_dir, file, "land file", log);
    let is_right = features.iter().all(Feature::is_right) && features.iter().any(Feature::counts);
    is_right.then(|| {
        features
            .into_iter()
            .flat_map(|feature| feature.polygons)
            .collect()
    })
}
