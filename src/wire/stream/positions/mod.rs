//! Positions messages, built from rows that were written once.
//!
//! A row is `[droneId, latitude, longitude, height m, heading °, ground speed m/s,
//! battery 0–1, status]`. Its numbers are decimals with as many digits as are shown, so
//! both encodings carry the same ones: JSON writes the digits, MessagePack the number that
//! a reader of those digits gets. Written rows lie side by side, so that any run of
//! neighbours is copied into a message as it stands.

mod digits;

use std::ops::Range;

use rmp::encode as msgpack;

use super::encoding::{Encoded, Encoding};
use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use digits::{digits_of, push_decimal, push_digits};

/// Where one drone is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub drone: DroneId,
    pub at: LatLon,
    pub height_m: f64,
    pub heading_deg: f64,
    pub ground_speed_mps: f64,
    /// State of charge, 0 to 1.
    pub battery: f64,
    pub status: DroneStatus,
}

/// Where one drone is, as it is shown: equal rows look equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub drone: DroneId,
    /// Millionths of a degree.
    lat: i32,
    lon: i32,
    height_dm: i32,
    ground_speed_dmps: i32,
    /// 0 to 359.
    heading_deg: u16,
    battery_percent: i16,
    status: DroneStatus,
}

impl From<Place> for Row {
    fn from(place: Place) -> Self {
        // What is not a number becomes 0.
        let scaled = |value: f64, parts: f64| (value * parts).round() as i32;
        Row {
            drone: place.drone,
            lat: scaled(place.at.lat, 1e6),
            lon: scaled(place.at.lon, 1e6),
            height_dm: scaled(place.height_m, 10.0),
            ground_speed_dmps: scaled(place.ground_speed_mps, 10.0),
            heading_deg: place.heading_deg.rem_euclid(360.0).round() as u16 % 360,
            battery_percent: (place.battery * 100.0).round() as i16,
            status: place.status,
        }
    }
}

impl Row {
    fn write(&self, out: &mut Encoded) {
        match out {
            Encoded::Text(text) => self.write_json(text),
            Encoded::Binary(bytes) => self.write_msgpack(bytes),
        }
    }

    /// With a comma behind it.
    fn write_json(&self, text: &mut String) {
        text.push('[');
        push_drone(text, self.drone);
        push_decimal(text, self.lat, 6);
        text.push(',');
        push_decimal(text, self.lon, 6);
        text.push(',');
        push_decimal(text, self.height_dm, 1);
        text.push(',');
        push_digits(text, self.heading_deg.into(), 1);
        text.push(',');
        push_decimal(text, self.ground_speed_dmps, 1);
        text.push(',');
        push_decimal(text, self.battery_percent.into(), 2);
        text.push_str(",\"");
        text.push_str(self.status.as_str());
        text.push_str("\"],");
    }

    fn write_msgpack(&self, bytes: &mut Vec<u8>) {
        // A quotient of two whole numbers is rounded once, as a decimal is when it is read.
        let decimal = |bytes: &mut Vec<u8>, scaled: i32, parts: f64| {
            bytes.push(0xcb);
            bytes.extend_from_slice(&(f64::from(scaled) / parts).to_be_bytes());
        };
        // An array of eight.
        bytes.push(0x98);
        push_msgpack_drone(bytes, self.drone);
        decimal(bytes, self.lat, 1e6);
        decimal(bytes, self.lon, 1e6);
        decimal(bytes, self.height_dm, 10.0);
        written(msgpack::write_uint(bytes, self.heading_deg.into()));
        decimal(bytes, self.ground_speed_dmps, 10.0);
        decimal(bytes, self.battery_percent.into(), 100.0);
        written(msgpack::write_str(bytes, self.status.as_str()));
    }
}

/// `"d-17",`
fn push_drone(text: &mut String, drone: DroneId) {
    text.push_str("\"d-");
    push_digits(text, drone.0.into(), 1);
    text.push_str("\",");
}

fn push_msgpack_drone(bytes: &mut Vec<u8>, drone: DroneId) {
    // Shorter than 32 bytes: one byte tells how long.
    let head = bytes.len();
    bytes.extend_from_slice(b"\xa0d-");
    let (digits, first) = digits_of(drone.0.into(), 1);
    bytes.extend_from_slice(&digits[first..]);
    bytes[head] |= (bytes.len() - head - 1) as u8;
}

/// Rows one after the other, written once.
#[derive(Debug)]
pub struct Rows {
    written: Encoded,
    /// Where each row ends.
    ends: Vec<u32>,
}

impl Rows {
    pub fn write(encoding: Encoding, rows: &[Row]) -> Self {
        const ABOUT_A_ROW: usize = 64;
        let mut written = encoding.empty(rows.len() * ABOUT_A_ROW);
        let mut ends = Vec::with_capacity(rows.len());
        for row in rows {
            row.write(&mut written);
            ends.push(written.len() as u32);
        }
        Rows { written, ends }
    }

    /// Where these rows stand.
    fn bytes(&self, run: &Range<usize>) -> Range<usize> {
        let end = |rows: usize| rows.checked_sub(1).map_or(0, |last| self.ends[last] as usize);
        end(run.start)..end(run.end)
    }
}

/// What a positions message begins with.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    pub id: u64,
    pub tick: u64,
    pub sim_time: &'a str,
    /// Wall clock, milliseconds since 1970.
    pub sent_at_ms: u64,
    pub full: bool,
}

/// A positions message while it grows: its head, runs of rows, and who is gone.
pub struct Positions {
    message: Encoded,
}

impl Positions {
    /// Room for the head, an empty list of rows and an empty one of who is gone.
    const BARE: usize = 176;

    /// The runs' rows, which must be of this encoding, and nobody gone.
    pub fn with_runs<'a>(
        encoding: Encoding,
        head: &Head<'_>,
        runs: impl Iterator<Item = (&'a Rows, Range<usize>)>,
    ) -> Self {
        let (mut count, mut bytes) = (0, Self::BARE);
        let add = |(rows, run): (&'a Rows, Range<usize>)| {
            count += run.len();
            let place = rows.bytes(&run);
            bytes += place.len();
            (rows, place)
        };
        let runs: Vec<_> = runs.map(add).collect();
        let mut message = Self::begin(encoding, head, count, bytes);
        for (rows, bytes) in runs {
            match (&mut message, &rows.written) {
                (Encoded::Text(text), Encoded::Text(rows)) => text.push_str(&rows[bytes]),
                (Encoded::Binary(message), Encoded::Binary(rows)) => message.extend_from_slice(&rows[bytes]),
                _ => unreachable!("rows are written in the encoding of the message that they go into"),
            }
        }
        Positions { message }
    }

    /// This row, or none.
    pub fn with_row(encoding: Encoding, head: &Head<'_>, row: Option<&Row>) -> Self {
        let mut message = Self::begin(encoding, head, usize::from(row.is_some()), Self::BARE + 96);
        if let Some(row) = row {
            row.write(&mut message);
        }
        Positions { message }
    }

    fn begin(encoding: Encoding, head: &Head<'_>, rows: usize, capacity: usize) -> Encoded {
        let Head {
            id,
            tick,
            sim_time,
            sent_at_ms,
            full,
        } = *head;
        let mut message = encoding.empty(capacity);
        match &mut message {
            Encoded::Text(text) => {
                text.push_str("{\"type\":\"positions\",\"id\":");
                push_digits(text, id, 1);
                text.push_str(",\"tick\":");
                push_digits(text, tick, 1);
                text.push_str(",\"simTime\":\"");
                text.push_str(sim_time);
                text.push_str("\",\"sentAt\":");
                push_digits(text, sent_at_ms, 1);
                text.push_str(if full { ",\"full\":true" } else { ",\"full\":false" });
                text.push_str(",\"drones\":[");
            }
            Encoded::Binary(bytes) => {
                written(msgpack::write_map_len(bytes, 8));
                for (key, value) in [("type", "positions"), ("simTime", sim_time)] {
                    written(msgpack::write_str(bytes, key));
                    written(msgpack::write_str(bytes, value));
                }
                for (key, value) in [("id", id), ("tick", tick), ("sentAt", sent_at_ms)] {
                    written(msgpack::write_str(bytes, key));
                    written(msgpack::write_uint(bytes, value));
                }
                written(msgpack::write_str(bytes, "full"));
                msgpack::write_bool(bytes, full).expect("writing into memory does not fail");
                written(msgpack::write_str(bytes, "drones"));
                written(msgpack::write_array_len(bytes, rows as u32));
            }
        }
        message
    }

    /// Adds the drones that the client should no longer show.
    pub fn finish(mut self, gone: impl Iterator<Item = DroneId> + Clone) -> Encoded {
        match &mut self.message {
            Encoded::Text(text) => {
                drop_comma(text);
                text.push_str("],\"gone\":[");
                for drone in gone {
                    push_drone(text, drone);
                }
                drop_comma(text);
                text.push_str("]}");
            }
            Encoded::Binary(bytes) => {
                written(msgpack::write_str(bytes, "gone"));
                written(msgpack::write_array_len(bytes, gone.clone().count() as u32));
                for drone in gone {
                    push_msgpack_drone(bytes, drone);
                }
            }
        }
        self.message
    }
}

fn drop_comma(text: &mut String) {
    if text.ends_with(',') {
        text.pop();
    }
}

fn written<T, E: std::fmt::Debug>(result: Result<T, E>) {
    result.expect("writing into memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const HEAD: Head<'_> = Head {
        id: 7,
        tick: 812,
        sim_time: "2026-06-01T18:00:00.000Z",
        sent_at_ms: 1_732_151_000_123,
        full: true,
    };

    fn read(message: &Encoded) -> Value {
        match message {
            Encoded::Text(text) => serde_json::from_str(text).unwrap(),
            Encoded::Binary(bytes) => rmp_serde::from_slice(bytes).unwrap(),
        }
    }

    fn message(encoding: Encoding, rows: &[Row], run: Range<usize>, gone: &[u32]) -> Value {
        let rows = Rows::write(encoding, rows);
        let message = Positions::with_runs(encoding, &HEAD, [(&rows, run)].into_iter());
        read(&message.finish(gone.iter().map(|drone| DroneId(*drone))))
    }

    fn row(drone: u32, some: f64, other: f64) -> Row {
        Row::from(Place {
            drone: DroneId(drone),
            at: LatLon {
                lat: some,
                lon: other,
            },
            height_m: some,
            heading_deg: other,
            ground_speed_mps: some,
            battery: other,
            status: DroneStatus::Cruising,
        })
    }

    proptest! {
        #[test]
        fn decimals_are_those_of_the_standard_library(
            value in prop_oneof![-180.0..180.0, -0.000_002..0.000_002_f64], decimals in 1_u32..=6,
        ) {
            let (value, parts): (f64, f64) = (value, 10_i32.pow(decimals).into());
            let mut quick = String::new();
            push_decimal(&mut quick, (value * parts).round() as i32, decimals);
            let exact = format!("{value:.*}", decimals as usize);
            // Exactly between two neighbours either is right.
            let (a, b): (f64, f64) = (quick.parse().unwrap(), exact.parse().unwrap());
            prop_assert!(a == b || ((a - value).abs() - 0.5 / parts).abs() < 1e-9, "{quick} for {exact}");
            let shown = quick.rsplit_once('.').map(|(_, shown)| shown.len());
            prop_assert_eq!(shown, Some(decimals as usize));
        }

        #[test]
        fn both_encodings_say_the_same(
            drones in proptest::collection::vec((any::<u32>(), any::<f64>(), -200.0..200.0), 0..40),
            gone in proptest::collection::vec(any::<u32>(), 0..20),
            run in any::<(proptest::sample::Index, proptest::sample::Index)>(),
        ) {
            let rows: Vec<Row> = drones.iter().map(|(drone, some, other)| row(*drone, *some, *other)).collect();
            let (a, b) = (run.0.index(rows.len() + 1), run.1.index(rows.len() + 1));
            let run = a.min(b)..a.max(b);
            let said = message(Encoding::Json, &rows, run.clone(), &gone);
            prop_assert_eq!(&said, &message(Encoding::MessagePack, &rows, run.clone(), &gone));
            prop_assert_eq!(said["gone"].as_array().unwrap().len(), gone.len());
            prop_assert_eq!(said["drones"].as_array().unwrap().len(), run.len());
            for (shown, row) in said["drones"].as_array().unwrap().iter().zip(&rows[run]) {
                prop_assert_eq!(shown[0].as_str().unwrap(), row.drone.to_string());
                prop_assert!((0..360).contains(&shown[4].as_u64().unwrap()));
            }
        }
    }

    #[test]
    fn a_row_reads_as_promised() {
        let row = Row::from(Place {
            drone: DroneId(17),
            at: LatLon {
                lat: 37.779_12,
                lon: -122.414_1,
            },
            height_m: 75.04,
            heading_deg: 359.7,
            ground_speed_mps: 14.16,
            battery: 0.829,
            status: DroneStatus::Cruising,
        });
        let mut text = String::new();
        row.write_json(&mut text);
        assert_eq!(
            text,
            r#"["d-17",37.779120,-122.414100,75.0,0,14.2,0.83,"cruising"],"#
        );
        for encoding in Encoding::ALL {
            let single = Positions::with_row(encoding, &HEAD, Some(&row));
            let expected = json!({
                "type": "positions", "id": 7, "tick": 812, "simTime": "2026-06-01T18:00:00.000Z",
                "sentAt": 1_732_151_000_123_u64, "full": true, "gone": ["d-3"],
                "drones": [["d-17", 37.77912, -122.4141, 75.0, 0, 14.2, 0.83, "cruising"]],
            });
            assert_eq!(read(&single.finish([DroneId(3)].into_iter())), expected);
        }
    }
}
