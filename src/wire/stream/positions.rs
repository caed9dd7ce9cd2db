//! Positions messages, built from rows that were written once.
//!
//! A row is `[droneId, latitude, longitude, height m, heading °, ground speed m/s,
//! battery 0–1, status]`. Rows are kept as text, each with a comma behind it, so that any
//! run of neighbours is copied into a message as it stands.

use std::fmt::Write;

use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;

/// Where one drone is, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    pub drone: DroneId,
    pub at: LatLon,
    pub height_m: f64,
    pub heading_deg: f64,
    pub ground_speed_mps: f64,
    /// State of charge, 0 to 1.
    pub battery: f64,
    pub status: DroneStatus,
}

impl Row {
    /// Appends the row and a comma.
    pub fn write(&self, text: &mut String) {
        text.push_str("[\"d-");
        push_digits(text, self.drone.0.into(), 1);
        text.push_str("\",");
        push_decimal(text, self.at.lat, 6);
        text.push(',');
        push_decimal(text, self.at.lon, 6);
        text.push(',');
        push_decimal(text, self.height_m, 1);
        text.push(',');
        push_digits(text, whole_heading(self.heading_deg), 1);
        text.push(',');
        push_decimal(text, self.ground_speed_mps, 1);
        text.push(',');
        push_decimal(text, self.battery, 2);
        text.push_str(",\"");
        text.push_str(self.status.as_str());
        text.push_str("\"],");
    }
}

/// 0 to 359.
fn whole_heading(degrees: f64) -> u64 {
    degrees.rem_euclid(360.0).round() as u64 % 360
}

/// `value` with this many decimals; what is not a number becomes 0. Much quicker than
/// the standard library's exact way, and right to the last decimal shown for anything
/// that can stand in a row.
fn push_decimal(text: &mut String, value: f64, decimals: u32) {
    let parts = 10_u64.pow(decimals);
    let scaled = (value * parts as f64).round() as i64;
    if scaled < 0 {
        text.push('-');
    }
    let scaled = scaled.unsigned_abs();
    push_digits(text, scaled / parts, 1);
    text.push('.');
    push_digits(text, scaled % parts, decimals as usize);
}

/// `value` with at least this many digits.
fn push_digits(text: &mut String, mut value: u64, at_least: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while value > 0 || digits.len() - first < at_least {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
    }
    text.push_str(std::str::from_utf8(&digits[first..]).expect("digits are ASCII"));
}

/// A positions message while it grows: rows, then [`Positions::finish`].
pub struct Positions {
    text: String,
}

impl Positions {
    /// `sent_at_ms`: wall clock, milliseconds since 1970.
    pub fn begin(id: u64, tick: u64, sim_time: &str, sent_at_ms: u64, full: bool) -> Self {
        let mut text = String::with_capacity(160);
        write!(
            text,
            r#"{{"type":"positions","id":{id},"tick":{tick},"simTime":"{sim_time}","sentAt":{sent_at_ms},"full":{full},"drones":["#
        )
        .expect("writing into a string does not fail");
        Positions { text }
    }

    /// Copies rows as [`Row::write`] left them.
    pub fn push_rows(&mut self, rows: &str) {
        self.text.push_str(rows);
    }

    /// Adds the drones that the client should no longer show.
    pub fn finish(mut self, gone: impl Iterator<Item = DroneId>) -> String {
        self.drop_comma();
        self.text.push_str("],\"gone\":[");
        for drone in gone {
            self.text.push_str("\"d-");
            push_digits(&mut self.text, drone.0.into(), 1);
            self.text.push_str("\",");
        }
        self.drop_comma();
        self.text.push_str("]}");
        self.text
    }

    fn drop_comma(&mut self) {
        if self.text.ends_with(',') {
            self.text.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn decimals_are_those_of_the_standard_library(
            value in prop_oneof![-180.0..180.0, -0.000_002..0.000_002, -5000.0..5000.0_f64],
            decimals in 1_u32..=6,
        ) {
            let mut quick = String::new();
            push_decimal(&mut quick, value, decimals);
            let exact = format!("{value:.*}", decimals as usize);
            // Exactly between two neighbours either is right.
            let (a, b): (f64, f64) = (quick.parse().unwrap(), exact.parse().unwrap());
            let half = 0.5 / 10_u64.pow(decimals) as f64;
            prop_assert!(a == b || ((a - value).abs() - half).abs() < 1e-9, "{quick} for {exact}");
            let shown = quick.rsplit_once('.').map(|(_, shown)| shown.len());
            prop_assert_eq!(shown, Some(decimals as usize));
        }

        #[test]
        fn every_message_is_json_with_the_rows_put_in(
            drones in proptest::collection::vec((any::<u32>(), any::<f64>(), any::<f64>()), 0..4),
            gone in proptest::collection::vec(any::<u32>(), 0..3),
        ) {
            let mut message = Positions::begin(7, 812, "2026-06-01T18:00:00.000Z", 1_732_151_000_123, true);
            let mut rows = String::new();
            for (drone, some, other) in &drones {
                let row = Row {
                    drone: DroneId(*drone),
                    at: LatLon { lat: *some, lon: *other },
                    height_m: *some,
                    heading_deg: *other,
                    ground_speed_mps: *some,
                    battery: *other,
                    status: DroneStatus::Cruising,
                };
                row.write(&mut rows);
            }
            message.push_rows(&rows);
            let text = message.finish(gone.iter().map(|drone| DroneId(*drone)));
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["drones"].as_array().unwrap().len(), drones.len());
            prop_assert_eq!(read["gone"].as_array().unwrap().len(), gone.len());
            for (row, (drone, _, _)) in read["drones"].as_array().unwrap().iter().zip(&drones) {
                prop_assert_eq!(row[0].as_str().unwrap(), DroneId(*drone).to_string());
                prop_assert!((0..360).contains(&row[4].as_u64().unwrap()));
            }
        }
    }

    #[test]
    fn a_row_reads_as_promised() {
        let mut text = String::new();
        Row {
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
        }
        .write(&mut text);
        assert_eq!(
            text,
            r#"["d-17",37.779120,-122.414100,75.0,0,14.2,0.83,"cruising"],"#
        );
    }
}
