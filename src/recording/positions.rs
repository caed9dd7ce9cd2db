//! Positions as fixed-point numbers, and as the differences that files hold.
//!
//! Numbers are cut off, not rounded, to parts of whatever is shown; what is read back lies in
//! the middle of the part. So it is rounded to the same digits, for every listener, as what was
//! recorded.

use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::roster::DRONES_MOST;
use crate::sim::time::{SimTime, Tick};
use crate::view::frame::DroneRow;

use super::layout::Positions;

const COLUMNS: usize = 8;
/// Parts of one degree, metre, metre a second, battery or kilogram, in the order of the columns.
const PARTS: [f64; COLUMNS] = [1e7, 1e7, 100.0, 100.0, 1_000.0, 1_000.0, 1e5, 1e4];
/// Whether a value's last step is likely to be made again.
const IS_STEADY: [bool; COLUMNS] = [true, true, true, false, false, false, true, false];

/// One airborne drone as a file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FixedRow {
    pub drone: DroneId,
    pub status: DroneStatus,
    /// Latitude, longitude, height, heading, ground speed, vertical speed, battery, payload.
    values: [i32; COLUMNS],
}

impl From<&DroneRow> for FixedRow {
    fn from(row: &DroneRow) -> Self {
        let exact = [
            row.at.lat,
            row.at.lon,
            row.height_m.into(),
            row.heading_deg.into(),
            row.ground_speed_mps.into(),
            row.vertical_speed_mps.into(),
            row.battery.into(),
            row.payload_kg.into(),
        ];
        let mut values = [0; COLUMNS];
        for (column, value) in exact.into_iter().enumerate() {
            // What is not a number becomes 0.
            values[column] = (value * PARTS[column]) as i32;
        }
        FixedRow {
            drone: row.drone,
            status: row.status,
            values,
        }
    }
}

impl FixedRow {
    /// As listeners are to see it: each value in the middle of its part.
    pub fn shown(&self) -> DroneRow {
        let middle = |column: usize| {
            let value = self.values[column];
            (f64::from(value) + 0.5 * f64::from(value.signum())) / PARTS[column]
        };
        DroneRow {
            drone: self.drone,
            status: self.status,
            at: LatLon {
                lat: middle(0),
                lon: middle(1),
            },
            height_m: middle(2) as f32,
            heading_deg: middle(3) as f32,
            ground_speed_mps: middle(4) as f32,
            vertical_speed_mps: middle(5) as f32,
            battery: middle(6) as f32,
            payload_kg: middle(7) as f32,
        }
    }

    /// As it is written down for other programs: with no more digits than the file has.
    fn plain(&self, column: usize) -> f64 {
        f64::from(self.values[column]) / PARTS[column]
    }

    pub fn at(&self) -> LatLon {
        LatLon {
            lat: self.plain(0),
            lon: self.plain(1),
        }
    }

    pub fn height_m(&self) -> f64 {
        self.plain(2)
    }

    pub fn heading_deg(&self) -> f64 {
        self.plain(3)
    }

    pub fn ground_speed_mps(&self) -> f64 {
        self.plain(4)
    }

    pub fn vertical_speed_mps(&self) -> f64 {
        self.plain(5)
    }

    pub fn battery(&self) -> f64 {
        self.plain(6)
    }

    pub fn payload_kg(&self) -> f64 {
        self.plain(7)
    }
}

/// Which file has a byte for a status, and which it is.
fn status_of(byte: u8) -> Option<DroneStatus> {
    DroneStatus::ALL.get(usize::from(byte)).copied()
}

/// What is predicted of one drone.
#[derive(Clone, Copy, Default)]
struct Course {
    /// The number of the frame in which it was seen last.
    frame: u64,
    values: [i32; COLUMNS],
    steps: [i32; COLUMNS],
}

/// What is predicted of all drones: the same for who writes and who reads.
#[derive(Default)]
struct Predictor {
    /// Frames since the last one that began anew, which is number 1.
    frame: u64,
    courses: Vec<Course>,
}

impl Predictor {
    fn begin(&mut self, anew: bool) {
        // Whoever was seen before counts as not seen.
        self.frame += if anew { 2 } else { 1 };
    }

    /// The drone's course as it was in the frame before.
    fn course(&mut self, drone: DroneId) -> &mut Course {
        if self.courses.len() <= drone.index() {
            self.courses.resize(drone.index() + 1, Course::default());
        }
        let course = &mut self.courses[drone.index()];
        if course.frame + 1 != self.frame {
            *course = Course::default();
        }
        course.frame = self.frame;
        course
    }
}

impl Course {
    fn predicted(&self, column: usize) -> i32 {
        match IS_STEADY[column] {
            true => self.values[column].wrapping_add(self.steps[column]),
            false => self.values[column],
        }
    }

    fn is_seen_first(&self) -> bool {
        self.values == [0; COLUMNS] && self.steps == [0; COLUMNS]
    }

    fn moves_to(&mut self, column: usize, value: i32, is_first: bool) {
        // A first value is no step.
        self.steps[column] = match is_first {
            true => 0,
            false => value.wrapping_sub(self.values[column]),
        };
        self.values[column] = value;
    }
}

/// Makes messages of frames, one after the other.
#[derive(Default)]
pub struct Encoder(Predictor);

impl Encoder {
    /// `anew`: without what came before; the first of a chunk is.
    pub fn encode(&mut self, tick: Tick, at: SimTime, mut rows: Vec<FixedRow>, anew: bool) -> Positions {
        rows.sort_unstable_by_key(|row| row.drone);
        self.0.begin(anew);
        let mut columns: [Vec<i32>; COLUMNS] = std::array::from_fn(|_| Vec::with_capacity(rows.len()));
        let (mut drone, mut before) = (Vec::with_capacity(rows.len()), 0);
        for row in &rows {
            drone.push(row.drone.0 - before);
            before = row.drone.0;
            let course = self.0.course(row.drone);
            let is_first = course.is_seen_first();
            for (column, &value) in row.values.iter().enumerate() {
                columns[column].push(value.wrapping_sub(course.predicted(column)));
                course.moves_to(column, value, is_first);
            }
        }
        let [
            latitude,
            longitude,
            height,
            heading,
            ground_speed,
            vertical_speed,
            battery,
            payload,
        ] = columns;
        Positions {
            tick,
            sim_time_us: at.0,
            anew,
            drone,
            latitude,
            longitude,
            height,
            heading,
            ground_speed,
            vertical_speed,
            battery,
            payload,
            status: rows.iter().map(|row| row.status as u8).collect(),
        }
    }
}

/// The columns of a message are not of one length, or name a status that there is none of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its positions do not fit together")]
pub struct Misfit;

/// Makes frames of messages, in their order, from one that is `anew` on.
#[derive(Default)]
pub struct Decoder(Predictor);

impl Decoder {
    /// The rows in the order of their drones.
    ///
    /// # Errors
    /// See [`Misfit`].
    pub fn decode(&mut self, message: &Positions) -> Result<Vec<FixedRow>, Misfit> {
        let columns = [
            &message.latitude,
            &message.longitude,
            &message.height,
            &message.heading,
            &message.ground_speed,
            &message.vertical_speed,
            &message.battery,
            &message.payload,
        ];
        let count = message.drone.len();
        let fits = columns.iter().all(|column| column.len() == count);
        if !fits || message.status.len() != count {
            return Err(Misfit);
        }
        self.0.begin(message.anew);
        let mut rows = Vec::with_capacity(count);
        let mut number = 0_u32;
        for (index, (step, status)) in message.drone.iter().zip(&message.status).enumerate() {
            number = number.checked_add(*step).ok_or(Misfit)?;
            // No world has more.
            if number > DRONES_MOST {
                return Err(Misfit);
            }
            let drone = DroneId(number);
            let course = self.0.course(drone);
            let is_first = course.is_seen_first();
            let mut values = [0; COLUMNS];
            for (column, value) in values.iter_mut().enumerate() {
                *value = columns[column][index].wrapping_add(course.predicted(column));
                course.moves_to(column, *value, is_first);
            }
            rows.push(FixedRow {
                drone,
                status: status_of(*status).ok_or(Misfit)?,
                values,
            });
        }
        Ok(rows)
    }
}
