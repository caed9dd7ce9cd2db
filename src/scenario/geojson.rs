//! Polygons from GeoJSON files: land and no-fly zones.

use std::path::Path;

use ::geojson::{Feature, GeoJson, GeometryValue, Position};
use geo::{Coord, LineString, MultiPolygon, Polygon};

/// Why a file gives no polygons; each text goes on after "the land file ".
#[derive(Debug, thiserror::Error)]
pub(super) enum GeoError {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is not GeoJSON: {0}")]
    NotGeoJson(String),
    #[error("has no polygon")]
    Empty,
    #[error("has a place that is no longitude and latitude")]
    NoPlace,
}

/// A polygon and the feature that it came from.
pub(super) struct Shape {
    pub polygon: Polygon,
    /// Number of the feature in the file, from 1; one may have several polygons.
    pub feature: usize,
    pub properties: serde_json::Map<String, serde_json::Value>,
}

/// All polygons of a file, whatever they are wrapped in; other shapes are passed over.
pub(super) fn read_shapes(path: &Path) -> Result<Vec<Shape>, GeoError> {
    let bytes = std::fs::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| GeoError::NotText)?;
    let parsed: GeoJson = text
        .parse()
        .map_err(|error: ::geojson::Error| GeoError::NotGeoJson(error.to_string()))?;
    let features = match parsed {
        GeoJson::FeatureCollection(collection) => collection.features,
        GeoJson::Feature(feature) => vec![feature],
        GeoJson::Geometry(geometry) => vec![Feature {
            geometry: Some(geometry),
            ..Feature::default()
        }],
    };
    let mut shapes = Vec::new();
    for (number, feature) in (1..).zip(features) {
        let Some(geometry) = feature.geometry else {
            continue;
        };
        let mut polygons = Vec::new();
        collect(&geometry.value, &mut polygons)?;
        let properties = feature.properties.unwrap_or_default();
        shapes.extend(polygons.into_iter().map(|polygon| Shape {
            polygon,
            feature: number,
            properties: properties.clone(),
        }));
    }
    if shapes.is_empty() {
        return Err(GeoError::Empty);
    }
    Ok(shapes)
}

/// All polygons of a file as one.
pub(super) fn read_land(path: &Path) -> Result<MultiPolygon, GeoError> {
    let shapes = read_shapes(path)?;
    Ok(shapes.into_iter().map(|shape| shape.polygon).collect())
}

fn collect(value: &GeometryValue, polygons: &mut Vec<Polygon>) -> Result<(), GeoError> {
    match value {
        GeometryValue::Polygon { coordinates } => polygons.push(polygon(coordinates)?),
        GeometryValue::MultiPolygon { coordinates } => {
            for rings in coordinates {
                polygons.push(polygon(rings)?);
            }
        }
        GeometryValue::GeometryCollection { geometries } => {
            for geometry in geometries {
                collect(&geometry.value, polygons)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn polygon(rings: &[Vec<Position>]) -> Result<Polygon, GeoError> {
    let mut rings = rings.iter().map(|ring| line(ring));
    let exterior = rings.next().ok_or(GeoError::Empty)??;
    let interiors = rings.collect::<Result<Vec<_>, _>>()?;
    Ok(Polygon::new(exterior, interiors))
}

fn line(ring: &[Position]) -> Result<LineString, GeoError> {
    let coordinates = ring.iter().map(|position| match position.as_slice() {
        [x, y, ..] if x.abs() <= 180.0 && y.abs() <= 90.0 => Ok(Coord { x: *x, y: *y }),
        _ => Err(GeoError::NoPlace),
    });
    let line = LineString(coordinates.collect::<Result<Vec<_>, _>>()?);
    if line.0.len() < 4 {
        return Err(GeoError::NotGeoJson(
            "a ring has fewer than four positions".to_owned(),
        ));
    }
    Ok(line)
}
