//! Airborne drones as columns: one chunk holds up to 4,096 rows, dense, in no order but
//! that of their history.

use serde::{Deserialize, Serialize};

use super::super::drone::DroneStatus;
use super::super::flight::{FlightPlan, Leg};
use super::super::ids::{DroneId, ModelId};

/// Rows of a chunk: what one thread steps at a time.
pub const CHUNK_ROWS: usize = 4_096;

/// Declares a chunk's columns and, with the same names, one row of them.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        /// One drone's columns side by side, for the few that need more than a pass.
        #[derive(Clone, Copy, Debug)]
        pub struct Row {
            $($(#[$doc])* pub $name: $type,)*
        }

        #[derive(Clone, Debug, Default, Serialize, Deserialize)]
        pub struct Chunk {
            $(pub $name: Vec<$type>,)*
            /// Touched only at the ends of legs.
            pub flights: Vec<Flight>,
        }

        impl Chunk {
            pub fn row(&self, i: usize) -> Row {
                Row { $($name: self.$name[i],)* }
            }

            pub fn set_row(&mut self, i: usize, row: &Row) {
                $(self.$name[i] = row.$name;)*
            }

            pub fn push(&mut self, row: &Row, flight: Flight) {
                $(self.$name.push(row.$name);)*
                self.flights.push(flight);
            }

            pub fn pop(&mut self) -> Option<(Row, Flight)> {
                let flight = self.flights.pop()?;
                let row = self.row(self.flights.len());
                $(self.$name.pop();)*
                Some((row, flight))
            }
        }
    };
}

columns! {
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
}
