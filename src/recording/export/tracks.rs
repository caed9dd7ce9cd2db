//! Flights as GeoJSON, CZML and GPX: one after the other, each written when it is over.

use std::io::Write;

use serde_json::{Value, json};

use crate::recording::origin::Origin;
use crate::recording::positions::FixedRow;
use crate::sim::time::SimTime;
use crate::wire::time::rfc3339_unix_us;

use super::ExportError;
use super::flights::{Fix, Flight, Flights};
use super::sinks::Sink;

/// How a flight is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Geojson,
    Czml,
    Gpx,
}

pub(super) struct Tracks<'a, W> {
    style: Style,
    origin: &'a Origin,
    flights: Flights,
    is_first: bool,
    out: W,
}

impl<'a, W: Write> Tracks<'a, W> {
    fn begin(style: Style, origin: &'a Origin, out: W) -> Self {
        Tracks {
            style,
            origin,
            flights: Flights::default(),
            is_first: true,
            out,
        }
    }

    pub(super) fn geojson(origin: &'a Origin, mut out: W) -> Result<Self, ExportError> {
        out.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")?;
        Ok(Tracks::begin(Style::Geojson, origin, out))
    }

    pub(super) fn czml(
        origin: &'a Origin,
        from: SimTime,
        to: SimTime,
        mut out: W,
    ) -> Result<Self, ExportError> {
        let (from, to) = (date(origin, from), date(origin, to));
        let document = json!({
            "id": "document",
            "name": origin.name,
            "version": "1.0",
            "clock": {
                "interval": format!("{from}/{to}"),
                "currentTime": from,
                "multiplier": 10,
                "range": "LOOP_STOP",
            },
        });
        write!(out, "[{document}")?;
        let tracks = Tracks::begin(Style::Czml, origin, out);
        Ok(Tracks {
            is_first: false,
            ..tracks
        })
    }

    pub(super) fn gpx(origin: &'a Origin, mut out: W) -> Result<Self, ExportError> {
        write!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <gpx version=\"1.1\" creator=\"skyhaul\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n"
        )?;
        Ok(Tracks::begin(Style::Gpx, origin, out))
    }

    fn write(&mut self, flights: Vec<Flight>) -> Result<(), ExportError> {
        for flight in flights {
            let text = match self.style {
                Style::Geojson => feature(self.origin, &flight).to_string(),
                Style::Czml => packet(self.origin, &flight).to_string(),
                Style::Gpx => track(self.origin, &flight),
            };
            if !self.is_first && self.style != Style::Gpx {
                self.out.write_all(b",")?;
            }
            self.is_first = false;
            writeln!(self.out, "{text}")?;
        }
        Ok(())
    }
}

impl<W: Write> Sink for Tracks<'_, W> {
    fn frame(&mut self, at: SimTime, rows: &[FixedRow]) -> Result<(), ExportError> {
        let over = self.flights.frame(at, rows);
        self.write(over)
    }

    fn gap(&mut self) -> Result<(), ExportError> {
        let over = self.flights.end();
        self.write(over)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.gap()?;
        let end: &[u8] = match self.style {
            Style::Geojson => b"]}\n",
            Style::Czml => b"]\n",
            Style::Gpx => b"</gpx>\n",
        };
        self.out.write_all(end)?;
        Ok(self.out.flush()?)
    }
}

fn date(origin: &Origin, at: SimTime) -> String {
    rfc3339_unix_us(origin.unix_us(at))
}

fn ends(flight: &Flight) -> (SimTime, SimTime) {
    let at = |fix: Option<&Fix>| fix.map_or(SimTime::START, |fix| fix.at);
    (at(flight.fixes.first()), at(flight.fixes.last()))
}

/// Heights are above the ground.
fn feature(origin: &Origin, flight: &Flight) -> Value {
    let position = |fix: &Fix| {
        let unix_ms = origin.unix_us(fix.at) / 1_000;
        json!([fix.place.lon, fix.place.lat, fix.height_m, unix_ms])
    };
    let mut positions: Vec<Value> = flight.fixes.iter().map(position).collect();
    let geometry = match positions.len() {
        // A line has two ends.
        1 => json!({"type": "Point", "coordinates": positions.remove(0)}),
        _ => json!({"type": "LineString", "coordinates": positions}),
    };
    let (from, to) = ends(flight);
    json!({
        "type": "Feature",
        "id": name(flight),
        "geometry": geometry,
        "properties": {
            "drone": flight.drone.to_string(),
            "flight": flight.number,
            "from": date(origin, from),
            "to": date(origin, to),
        },
    })
}

fn name(flight: &Flight) -> String {
    format!("{}/{}", flight.drone, flight.number)
}

/// Heights are above the ellipsoid.
fn packet(origin: &Origin, flight: &Flight) -> Value {
    let (from, to) = ends(flight);
    let mut samples = Vec::with_capacity(flight.fixes.len() * 4);
    for fix in &flight.fixes {
        let height_m = fix.height_m + origin.ground_m + origin.geoid_m;
        // Without the digits that a sum makes up.
        let height_m = (height_m * 100.0).round() / 100.0;
        samples.extend([
            fix.at.since(from).as_secs(),
            fix.place.lon,
            fix.place.lat,
            height_m,
        ]);
    }
    json!({
        "id": name(flight),
        "name": flight.drone.to_string(),
        "availability": format!("{}/{}", date(origin, from), date(origin, to)),
        "position": {
            "epoch": date(origin, from),
            "cartographicDegrees": samples,
            "interpolationAlgorithm": "LINEAR",
            "interpolationDegree": 1,
        },
        "point": {
            "pixelSize": 6,
            "color": {"rgba": [0, 180, 255, 255]},
        },
        "path": {
            "width": 2,
            "leadTime": 0,
            "trailTime": 60,
            "material": {"solidColor": {"color": {"rgba": [0, 180, 255, 160]}}},
        },
    })
}

/// Heights are above the sea.
fn track(origin: &Origin, flight: &Flight) -> String {
    use std::fmt::Write;
    let mut text = format!("<trk><name>{}</name><trkseg>\n", name(flight));
    for fix in &flight.fixes {
        let (lat, lon) = (fix.place.lat, fix.place.lon);
        let height_m = fix.height_m + origin.ground_m;
        let date = date(origin, fix.at);
        let _a_string_takes_all = writeln!(
            text,
            "<trkpt lat=\"{lat:.7}\" lon=\"{lon:.7}\"><ele>{height_m:.2}</ele><time>{date}</time></trkpt>"
        );
    }
    text + "</trkseg></trk>"
}
