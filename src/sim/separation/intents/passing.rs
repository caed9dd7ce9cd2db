//! Two pieces that pass each other: with which delays of the one they may meet, and whether they do.

use super::super::super::motion;
use super::super::body::Minima;
use super::super::terminals::Terminals;
use super::piece::Piece;

/// Slower than this, m/s, delays say little about places.
const SLOW_MPS: f64 = 0.1;
/// Room for what single precision leaves out, metres.
const SPARE_M: f64 = 2.0;

/// East and north; or from and until.
type Vector = (f64, f64);

fn dot(a: Vector, b: Vector) -> f64 {
    a.0 * b.0 + a.1 * b.1
}

fn cross(a: Vector, b: Vector) -> f64 {
    a.0 * b.1 - a.1 * b.0
}

/// A piece of the flight that may be delayed, with what it is asked for time and again.
pub struct Own {
    pub piece: Piece,
    velocity: Vector,
    speed_mps: f64,
    /// One by its speed, and by the square of that.
    slowness: f64,
    slowness_squared: f64,
    heights_m: [f64; 2],
}

impl Own {
    pub fn of(piece: Piece) -> Self {
        let velocity = piece.velocity();
        let speed_mps = dot(velocity, velocity).sqrt();
        let slowness = 1.0 / speed_mps;
        Own {
            piece,
            velocity,
            speed_mps,
            slowness,
            slowness_squared: slowness * slowness,
            heights_m: piece.heights_m(),
        }
    }

    /// With no other of these delays, seconds, the two are in the air at once and come near each
    /// other: in height, as this one flies, and across the line on which it flies past the other.
    /// Answers with the first and the last.
    pub fn delays_that_may_meet(&self, other: &Piece, minima: Minima, of: Vector) -> Option<Vector> {
        let at_once = narrowed(
            of,
            other.begins_s - self.piece.ends_s(),
            other.ends_s() - self.piece.begins_s,
        )?;
        let [low_m, high_m] = other.heights_m();
        let upright_m = f64::from(minima.vertical_m) + SPARE_M;
        if low_m > self.heights_m[1] + upright_m || high_m < self.heights_m[0] - upright_m {
            return None;
        }
        match self.speed_mps > SLOW_MPS {
            true => self.flying_past(other, minima, at_once),
            false => self.passed_by(other, minima, at_once),
        }
    }

    fn flying_past(&self, other: &Piece, minima: Minima, delays: Vector) -> Option<Vector> {
        let reach_m = f64::from(minima.horizontal_m) + SPARE_M;
        let own = self.velocity;
        let past = (own.0 - other.velocity().0, own.1 - other.velocity().1);
        // From the other to this one, if it had no delay, when the other begins.
        let since_s = other.begins_s - self.piece.begins_s;
        let (x, y) = self.piece.away_from(other);
        let apart = (x + own.0 * since_s, y + own.1 * since_s);

        let along = self.slowness_squared;
        let (ahead_s, reach_s) = (dot(own, apart) * along, reach_m * self.slowness);
        let gains_s = dot(own, past) * along * f64::from(other.body.lasts_s);
        let delays = narrowed(
            delays,
            ahead_s + motion::lesser(gains_s, 0.0) - reach_s,
            ahead_s + motion::positive(gains_s) + reach_s,
        )?;
        // How fast a delay moves that line aside, times how fast it is flown.
        let aside = cross(past, own);
        let past_mps = dot(past, past).sqrt();
        if aside.abs() <= past_mps * SLOW_MPS {
            return Some(delays);
        }
        let middle_s = cross(past, apart) / aside;
        let half_s = reach_m * past_mps / aside.abs();
        narrowed(delays, middle_s - half_s, middle_s + half_s)
    }

    /// This one stays where it is, nearly.
    fn passed_by(&self, other: &Piece, minima: Minima, delays: Vector) -> Option<Vector> {
        let moves_m = SLOW_MPS * f64::from(self.piece.body.lasts_s);
        let reach_m = f64::from(minima.horizontal_m) + SPARE_M + moves_m;
        let (from, velocity) = (self.piece.away_from(other), other.velocity());
        let speed_mps = dot(velocity, velocity).sqrt();
        if speed_mps <= SLOW_MPS {
            let reach_m = reach_m + SLOW_MPS * f64::from(other.body.lasts_s);
            return (dot(from, from) <= reach_m * reach_m).then_some(delays);
        }
        if cross(velocity, from).abs() > reach_m * speed_mps {
            return None;
        }
        let passes_s = dot(velocity, from) / (speed_mps * speed_mps);
        let half_s = reach_m / speed_mps;
        narrowed(
            delays,
            other.begins_s + passes_s - half_s - self.piece.ends_s(),
            other.begins_s + passes_s + half_s - self.piece.begins_s,
        )
    }
}

/// `None` where nothing is left.
fn narrowed((first_s, last_s): Vector, from_s: f64, until_s: f64) -> Option<Vector> {
    let (first_s, last_s) = (motion::greater(first_s, from_s), motion::lesser(last_s, until_s));
    (first_s <= last_s).then_some((first_s, last_s))
}

/// Outside of terminal volumes.
pub fn meet(one: &Piece, other: &Piece, minima: Minima, terminals: &Terminals) -> bool {
    let from_s = motion::greater(one.begins_s, other.begins_s);
    let until_s = motion::lesser(one.ends_s(), other.ends_s());
    if until_s < from_s {
        return false;
    }
    let lasts_s = (until_s - from_s) as f32;
    let (one, other) = (one.at(from_s, lasts_s), other.at(from_s, lasts_s));
    let Some((enters, leaves)) = one.too_close(&other, minima) else {
        return false;
    };
    if enters > lasts_s || leaves < 0.0 {
        return false;
    }
    let in_terminal = |in_s: f32| {
        let in_s = in_s.clamp(0.0, lasts_s);
        terminals.contain(one.after(in_s)) || terminals.contain(other.after(in_s))
    };
    !in_terminal(enters) || !in_terminal(leaves)
}
