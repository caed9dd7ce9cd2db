//! From one leg to the next: what a row needs to know of its flight and present leg.

use super::super::air::Air;
use super::super::drone::DroneStatus;
use super::super::flight::{AT_REST_MPS, FlightPlan, Leg, Milestone, Path, Velocity};
use super::super::geo::Point;
use super::super::ids::{DroneId, ModelId};
use super::super::motion::{greater, lesser, positive};
use super::super::time::SimTime;
use super::super::weather::windage;
use super::super::world::{Model, World};
use super::columns::{Flight, Motion, Outlook, Row};

/// A plan may begin so much otherwise than the drone moves, m/s.
const VELOCITY_TOLERANCE_MPS: f64 = 2.0 * AT_REST_MPS;

/// A flight and its row at the plan's start; its first leg has yet to begin.
pub fn new_flight(
    world: &World,
    drone: DroneId,
    model: ModelId,
    plan: FlightPlan,
    energy_wh: f64,
    now: SimTime,
) -> (Flight, Row) {
    let Model {
        battery,
        yaw_rate_radps,
        ..
    } = world.model(model);
    let now_s = now.as_secs();
    let (start, height) = plan.start();
    let expected = |milestone| now_s + plan.time_to(milestone, 0).unwrap_or(f64::NAN);
    let pickup_at = expected(Milestone::PickedUp);
    let delivery_at = expected(Milestone::Delivered);
    let motion = Motion {
        drone,
        x: start.x,
        y: start.y,
        height: height as f32,
        energy_wh: energy_wh.clamp(0.0, battery.capacity_wh),
        alarm_wh: (battery.reserve * battery.capacity_wh) as f32,
        yaw_rate: *yaw_rate_radps as f32,
        ..Motion::AT_REST
    };
    let outlook = Outlook {
        status: DroneStatus::Parked,
        payload_kg: 0.0,
        pickup_after_leg: f64::NAN,
        delivery_after_leg: f64::NAN,
        pickup_at,
        delivery_at,
        told_pickup_at: pickup_at,
        told_delivery_at: delivery_at,
    };
    let flight = Flight {
        plan,
        leg: 0,
        model,
        energy_at_start_wh: motion.energy_wh,
        airborne_since: now_s,
        distance_before_m: 0.0,
    };
    (flight, Row { motion, outlook })
}

impl Motion {
    /// Of nobody, on no leg.
    pub const AT_REST: Motion = Motion {
        drone: DroneId(0),
        x: 0.0,
        y: 0.0,
        height: 0.0,
        east: 0.0,
        north: 0.0,
        up: 0.0,
        speed: 0.0,
        remaining: 0.0,
        airspeed: 0.0,
        windage: 0.0,
        cell: 0,
        target: 0.0,
        exit: 0.0,
        acceleration: 0.0,
        energy_wh: 0.0,
        alarm_wh: 0.0,
        slow_w: 0.0,
        transition_mps: 0.0,
        base_w: 0.0,
        slope_w_per_mps: 0.0,
        heading: 0.0,
        course: 0.0,
        yaw_rate: 0.0,
        watch: 0.0,
    };
}

impl Row {
    /// Enters the flight's present leg at `speed`.
    pub fn begin_leg(&mut self, flight: &Flight, world: &World, model: &Model, air: &Air<'_>, speed: f64) {
        begin_leg(&mut self.motion, flight, world, model, air, speed);
        self.outlook.begin_leg(flight);
    }
}

/// Fills the columns of motion from the flight's present leg, entered at `speed`.
///
/// `model` is the type as this drone flies it. The forecast (`air`) says where the nose points;
/// what the wind does to its speed the row finds out tick by tick.
pub fn begin_leg(row: &mut Motion, flight: &Flight, world: &World, model: &Model, air: &Air<'_>, speed: f64) {
    let leg = flight.present_leg();
    let profile = leg.profile(model);
    row.head_for(leg.path.direction(0.0));
    row.target = profile.target as f32;
    row.exit = profile.exit as f32;
    row.acceleration = profile.acceleration as f32;
    let slower = |airspeed_mps: f64| lesser(airspeed_mps, model.cruise_airspeed_mps) as f32;
    (row.airspeed, row.windage) = match leg.path {
        Path::Line { height_m, .. } | Path::Arc { height_m, .. } => {
            (model.cruise_airspeed_mps as f32, windage(height_m) as f32)
        }
        Path::Slope {
            airspeed_mps, from_m, ..
        } => (slower(airspeed_mps), windage(from_m) as f32),
        // Out of a slope it bends by the wind that it had there: slowing down all at once for
        // another would come on top of what the bend takes.
        Path::Bend {
            airspeed_mps,
            pitch_rad,
            ..
        } if pitch_rad != 0.0 && flight.leg > 0 => (slower(airspeed_mps), row.windage),
        Path::Bend {
            airspeed_mps, from_m, ..
        } => (slower(airspeed_mps), windage(from_m) as f32),
        Path::Vertical { .. } | Path::Hold { .. } | Path::Stop { .. } => (row.target, 0.0),
    };
    let (at, _) = leg.path.start();
    row.cell = world.weather.cell_of(at) as u16;
    row.remaining = leg.path.length();
    row.speed = if leg.path.is_hold() { 1.0 } else { speed as f32 };

    let power = leg.power(model, air);
    row.slow_w = power.slow_w as f32;
    row.transition_mps = power.transition_mps as f32;
    row.base_w = power.base_w as f32;
    row.slope_w_per_mps = power.slope_w_per_mps as f32;

    row.course = course(flight, air).unwrap_or(row.course);
    row.watch = if leg.path.is_bound() {
        f32::INFINITY
    } else {
        let tick_s = world.tick.as_secs();
        (1.001 * profile.acceleration * tick_s * tick_s + 1e-3) as f32
    };
}

impl Outlook {
    pub fn begin_leg(&mut self, flight: &Flight) {
        let [present, later @ ..] = &flight.plan.legs()[flight.leg as usize..] else {
            return;
        };
        self.status = present.status();
        self.payload_kg = present.payload_kg;
        let after = |milestone| match present.milestone == Some(milestone) {
            true => 0.0,
            false => f64::NAN,
        };
        let mut seconds = 0.0;
        (self.pickup_after_leg, self.delivery_after_leg) =
            (after(Milestone::PickedUp), after(Milestone::Delivered));
        for leg in later {
            seconds += leg.duration_s;
            match leg.milestone {
                Some(Milestone::PickedUp) if self.pickup_after_leg.is_nan() => {
                    self.pickup_after_leg = seconds
                }
                Some(Milestone::Delivered) if self.delivery_after_leg.is_nan() => {
                    self.delivery_after_leg = seconds
                }
                _ => {}
            }
        }
    }

    /// What was expected has come true.
    pub fn reached(&mut self, milestone: Milestone, at_s: f64) {
        match milestone {
            Milestone::PickedUp => {
                (self.pickup_at, self.told_pickup_at, self.pickup_after_leg) = (at_s, at_s, f64::NAN);
            }
            Milestone::Delivered => {
                (self.delivery_at, self.told_delivery_at, self.delivery_after_leg) = (at_s, at_s, f64::NAN);
            }
            Milestone::OverHub | Milestone::Landed => {}
        }
    }

    /// Nobody waits any more.
    pub fn give_up(&mut self) {
        (self.pickup_after_leg, self.delivery_after_leg) = (f64::NAN, f64::NAN);
    }
}

/// Where the nose should point: along the leg, or while climbing along the one to come.
/// `None`: as before.
fn course(flight: &Flight, air: &Air<'_>) -> Option<f32> {
    let present = flight.present_leg();
    let looks_ahead = match present.path {
        Path::Line { .. } | Path::Arc { .. } | Path::Slope { .. } | Path::Bend { .. } => {
            return Some(nose(present, 0.0, air));
        }
        // It turns when it has come to rest.
        Path::Stop { .. } => return None,
        Path::Vertical { from_m, to_m, .. } => to_m >= from_m || flight.leg == 0,
        Path::Hold { .. } => flight.leg == 0,
    };
    if !looks_ahead {
        return None;
    }
    let ahead = &flight.plan.legs()[flight.leg as usize..];
    let cruise = ahead.iter().find(|leg| matches!(leg.path, Path::Line { .. }))?;
    Some(nose(cruise, 0.0, air))
}

/// Clockwise from north: the air's velocity past the drone, so the nose holds against
/// the cross-wind.
pub fn nose(leg: &Leg, along: f64, air: &Air<'_>) -> f32 {
    let (east, north, _) = leg.path.direction(along);
    let (at, height_m) = leg.path.at(along);
    let wind = air.wind(at, height_m);
    let air = (leg.target_mps * east - wind.0, leg.target_mps * north - wind.1);
    libm::atan2(air.0, air.1) as f32
}

/// How fast a row begins another plan, which must begin as it moves. `None` where it does not.
pub fn speed_onto(old: &Motion, plan: &FlightPlan) -> Option<f64> {
    let velocity = old.velocity();
    let direction = plan.legs()[0].path.direction(0.0);
    let speed = positive(velocity.dot(direction));
    let off_mps = velocity.off_mps(Velocity::along(direction, speed));
    (off_mps <= VELOCITY_TOLERANCE_MPS).then_some(speed)
}

/// Metres over the ground on the present leg so far.
pub fn distance_on_leg_m(row: &Motion, flight: &Flight) -> f64 {
    greater(flight.present_leg().path.ground_length() - row.remaining, 0.0)
}

/// Puts a row at a place on its present leg.
pub fn put(row: &mut Motion, (at, height_m): (Point, f64)) {
    row.x = at.x;
    row.y = at.y;
    row.height = height_m as f32;
}
