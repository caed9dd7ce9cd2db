//! Airborne drones as columns: one chunk holds up to 4,096 rows, dense, in no order but
//! that of their history.
//!
//! A chunk's columns are cut into blocks, and a block's columns lie side by side: so no two
//! columns fight for the same lines of a cache, as they do where each begins a page.

use super::super::drone::DroneStatus;
use super::super::flight::{FlightPlan, Leg};
use super::super::ids::{DroneId, ModelId};
use serde::{Deserialize, Serialize};

/// Rows of a chunk: what one thread steps at a time.
pub const CHUNK_ROWS: usize = 4_096;
/// Rows of a strip: what a pass goes over at a time, so that its columns stay in the nearest
/// cache from pass to pass.
pub const STRIP_ROWS: usize = 128;
/// Rows of a block: long enough for processors to see where reading goes on, and no power of two.
/// A chunk's last block may have fewer; what is in it behind them means nothing.
pub const BLOCK_STRIPS: usize = 9;
pub const BLOCK_ROWS: usize = BLOCK_STRIPS * STRIP_ROWS;
/// Rows that turn their noses together, or not at all: as many headings as a line of a cache holds.
pub const TURN_ROWS: usize = 16;

/// A strip's rows of a column.
pub type Column<T> = [T; STRIP_ROWS];

/// Declares columns, a block of them and, with the same names, one row of them.
macro_rules! columns {
    ($(
        $(#[$group_doc:meta])* $one:ident: $group:ident, $all:ident: $block:ident, $strip:ident {
            $($(#[$doc:meta])* $name:ident: $type:ty,)*
        }
    )*) => {
        $(
            $(#[$group_doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $group {
                $($(#[$doc])* pub $name: $type,)*
            }

            /// A block's rows of them, column by column.
            #[derive(Clone, Debug)]
            #[repr(align(64))]
            pub struct $block {
                $(pub $name: [$type; BLOCK_ROWS],)*
            }

            /// A strip of them.
            #[allow(dead_code, reason = "passes take what they need")]
            pub struct $strip<'a> {
                $(pub $name: &'a mut Column<$type>,)*
            }

            impl $block {
                /// All rows alike.
                pub fn of(row: &$group) -> Self {
                    $block { $($name: [row.$name; BLOCK_ROWS],)* }
                }

                #[inline(always)]
                pub fn strip(&mut self, strip: usize) -> $strip<'_> {
                    $strip { $($name: &mut self.$name.as_chunks_mut().0[strip],)* }
                }

                #[inline(always)]
                pub fn get(&self, i: usize) -> $group {
                    $group { $($name: self.$name[i],)* }
                }

                #[inline(always)]
                pub fn set(&mut self, i: usize, row: &$group) {
                    $(self.$name[i] = row.$name;)*
                }
            }
        )*

        /// One drone's columns.
        #[derive(Clone, Copy, Debug)]
        pub struct Row {
            $(pub $one: $group,)*
        }

        #[derive(Clone, Debug, Default)]
        pub struct Chunk {
            $(pub $all: Vec<$block>,)*
            /// Touched only at the ends of legs.
            pub flights: Vec<Flight>,
            /// Of so many rows together, whether some nose may not point where it should. Follows
            /// from the rows.
            pub turning: Vec<bool>,
        }

        impl Chunk {
            pub fn row(&self, i: usize) -> Row {
                Row { $($one: self.$all[i / BLOCK_ROWS].get(i % BLOCK_ROWS),)* }
            }

            pub fn set_row(&mut self, i: usize, row: &Row) {
                $(self.$all[i / BLOCK_ROWS].set(i % BLOCK_ROWS, &row.$one);)*
                self.note_turn(i, &row.motion);
            }

            pub fn push(&mut self, row: &Row, flight: Flight) {
                let i = self.len();
                if i.is_multiple_of(TURN_ROWS) {
                    self.turning.push(false);
                }
                if i.is_multiple_of(BLOCK_ROWS) {
                    $(self.$all.push($block::of(&row.$one));)*
                }
                self.set_row(i, row);
                self.flights.push(flight);
            }

            pub fn pop(&mut self) -> Option<(Row, Flight)> {
                let flight = self.flights.pop()?;
                let row = self.row(self.len());
                $(self.$all.truncate(self.flights.len().div_ceil(BLOCK_ROWS));)*
                self.turning.truncate(self.flights.len().div_ceil(TURN_ROWS));
                Some((row, flight))
            }
        }

        /// A chunk as snapshots hold it: column by column.
        #[derive(Serialize, Deserialize)]
        #[serde(rename = "Chunk")]
        struct Columns<F> {
            $($($name: Vec<$type>,)*)*
            flights: F,
        }

        impl Serialize for Chunk {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut columns = Columns {
                    $($($name: Vec::with_capacity(self.len()),)*)*
                    flights: &self.flights,
                };
                $(for (block, of) in self.$all.iter().enumerate() {
                    let rows = self.rows_of(block);
                    $(columns.$name.extend_from_slice(&of.$name[..rows]);)*
                })*
                columns.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for Chunk {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let columns = Columns::<Vec<Flight>>::deserialize(deserializer)?;
                let mut chunk = Chunk::default();
                for (i, flight) in columns.flights.into_iter().enumerate() {
                    let missing = || serde::de::Error::custom("a column is too short");
                    let row = Row {
                        $($one: $group {
                            $($name: *columns.$name.get(i).ok_or_else(missing)?,)*
                        },)*
                    };
                    chunk.push(&row, flight);
                }
                Ok(chunk)
            }
        }
    };
}

columns! {
    /// How a drone moves: what every tick reads, or changes.
    motion: Motion, motions: Motions, MotionStrip {
        drone: DroneId,
        /// Metres east and north of the area's middle, and above ground.
        x: f64,
        y: f64,
        height: f32,
        /// The unit vector of motion; zero while holding.
        east: f32,
        north: f32,
        up: f32,
        /// Along the path over the ground, m/s, and what is left of it, m (s while holding).
        speed: f32,
        remaining: f64,
        /// Commanded, m/s. What of the 10 m wind of its weather cell gets at it: the factor of
        /// its height; none on vertical legs and holds.
        airspeed: f32,
        windage: f32,
        /// As of the last ETA pass.
        cell: u16,
        /// The leg's [`super::super::motion::Profile`] as planned: the target is the speed over
        /// the ground in the forecast wind.
        target: f32,
        exit: f32,
        acceleration: f32,
        energy_wh: f64,
        /// The battery level that must be told of next: the reserve, then 0.
        alarm_wh: f32,
        /// The leg's [`super::super::energy::PowerLaw`].
        slow_w: f32,
        transition_mps: f32,
        base_w: f32,
        slope_w_per_mps: f32,
        /// Where the nose points and where it should, clockwise from north, −π to π.
        heading: f32,
        course: f32,
        yaw_rate: f32,
        /// With no more than this and a tick's way left the leg may end within a tick, and the
        /// row is stepped on its own; infinite in turns.
        watch: f32,
    }
    /// What is told of a drone: changes with its legs, and with its expected times.
    outlook: Outlook, outlooks: Outlooks, OutlookStrip {
        status: DroneStatus,
        payload_kg: f64,
        /// Seconds from the end of this leg; not a number once passed.
        pickup_after_leg: f64,
        delivery_after_leg: f64,
        /// Expected times in seconds since the start, as of the last ETA pass, and as last
        /// told. Once passed they stay at what came true.
        pickup_at: f64,
        delivery_at: f64,
        told_pickup_at: f64,
        told_delivery_at: f64,
    }
}

/// What a row's flight is, beyond its present leg.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Flight {
    pub plan: FlightPlan,
    /// Index of the present leg in the plan.
    pub leg: u32,
    pub model: ModelId,
    pub energy_at_start_wh: f64,
    /// Seconds since the scenario's start; loading on the ground does not count.
    pub airborne_since: f64,
    /// Metres over the ground on all legs before the present one.
    pub distance_before_m: f64,
}

impl Flight {
    pub fn present_leg(&self) -> &Leg {
        &self.plan.legs()[self.leg as usize]
    }
}

impl Chunk {
    pub fn len(&self) -> usize {
        self.flights.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() == CHUNK_ROWS
    }

    /// How many rows a block has.
    pub fn rows_of(&self, block: usize) -> usize {
        BLOCK_ROWS.min(self.len() - block * BLOCK_ROWS)
    }

    #[inline(always)]
    pub fn motion(&self, i: usize) -> Motion {
        self.motions[i / BLOCK_ROWS].get(i % BLOCK_ROWS)
    }

    #[inline(always)]
    pub fn set_motion(&mut self, i: usize, motion: &Motion) {
        self.motions[i / BLOCK_ROWS].set(i % BLOCK_ROWS, motion);
        self.note_turn(i, motion);
    }

    #[inline(always)]
    fn note_turn(&mut self, i: usize, motion: &Motion) {
        // A turn would make a plain nought of one below nought.
        let is_steady = motion.heading == motion.course && motion.heading != 0.0;
        self.turning[i / TURN_ROWS] |= !is_steady;
    }

    pub fn change_motion(&mut self, i: usize, change: impl FnOnce(&mut Motion)) {
        let mut motion = self.motion(i);
        change(&mut motion);
        self.set_motion(i, &motion);
    }

    #[inline(always)]
    pub fn outlook(&self, i: usize) -> Outlook {
        self.outlooks[i / BLOCK_ROWS].get(i % BLOCK_ROWS)
    }

    pub fn change_outlook(&mut self, i: usize, change: impl FnOnce(&mut Outlook)) {
        let mut outlook = self.outlook(i);
        change(&mut outlook);
        self.outlooks[i / BLOCK_ROWS].set(i % BLOCK_ROWS, &outlook);
    }

    /// As the flight's present leg begins.
    pub fn begin_outlook(&mut self, i: usize) {
        let mut outlook = self.outlook(i);
        outlook.begin_leg(&self.flights[i]);
        self.outlooks[i / BLOCK_ROWS].set(i % BLOCK_ROWS, &outlook);
    }
}
