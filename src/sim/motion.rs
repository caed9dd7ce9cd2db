//! Motion along a leg: the trapezoidal speed profile, in closed form for planners and
//! tick by tick for the sky.
//!
//! A leg is entered at one speed, flown at most at its target speed, and left at its exit
//! speed, with one acceleration limit both ways. Time spent waiting is the same thing
//! with metres read as seconds: acceleration 0, all speeds 1.

/// A leg's speed limits. Lengths and speeds are in metres and m/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    pub target: f64,
    pub exit: f64,
    pub acceleration: f64,
}

/// The speed at the end of the next `dt` seconds: as fast as acceleration, target and
/// braking distance allow. A target that has fallen is braked to, too. With v' the answer and r metres remaining, braking in time
/// means v'² ≤ exit² + 2a(r − (v + v')/2·dt), solved for v'.
#[inline(always)]
pub fn next_speed(speed: f64, remaining: f64, profile: Profile, dt: f64) -> f64 {
    let Profile {
        target,
        exit,
        acceleration,
    } = profile;
    let step = acceleration * dt;
    let half = 0.5 * step;
    let radicand = half * half + exit * exit + 2.0 * acceleration * remaining - step * speed;
    let braking = positive(radicand).sqrt() - half;
    let wanted = lesser(speed + step, greater(target, speed - step));
    positive(lesser(wanted, braking))
}

/// Seconds for `length` from `entry` speed on; infinite where nothing moves. The exit speed
/// is taken as reachable.
#[inline(always)]
pub fn duration(entry: f64, length: f64, profile: Profile) -> f64 {
    let steady = length / profile.target;
    let Plateau { speed, seconds } = plateau(entry, length, profile);
    let ramped = (2.0 * speed - entry - profile.exit) / profile.acceleration + seconds;
    if profile.acceleration > 0.0 {
        ramped
    } else {
        steady
    }
}

/// The part of a leg between its two ramps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    pub speed: f64,
    pub seconds: f64,
}

/// As [`duration`] takes it, where there is an acceleration.
#[inline(always)]
pub fn plateau(entry: f64, length: f64, profile: Profile) -> Plateau {
    let speed = peak_speed(entry, length, profile);
    let ramps = 2.0 * speed * speed - entry * entry - profile.exit * profile.exit;
    let left = positive(length - ramps / (2.0 * profile.acceleration));
    let at_speed = left / speed;
    let seconds = if left > 0.0 { at_speed } else { 0.0 };
    Plateau { speed, seconds }
}

#[inline(always)]
fn peak_speed(entry: f64, length: f64, profile: Profile) -> f64 {
    let exit = profile.exit;
    let reach = (profile.acceleration * length + 0.5 * (entry * entry + exit * exit)).sqrt();
    greater(lesser(profile.target, reach), greater(entry, exit))
}

// Plain compare and select: `f64::min` and `max` cost more for the sake of not-a-number.
#[inline(always)]
pub fn lesser(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

#[inline(always)]
pub fn greater(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline(always)]
pub fn positive(a: f64) -> f64 {
    greater(a, 0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_trapezoid_by_hand() {
        let profile = Profile {
            target: 10.0,
            exit: 0.0,
            acceleration: 2.0,
        };
        // 5 s and 25 m up, 5 s and 25 m down, 50 m at 10 m/s.
        assert_eq!(duration(0.0, 100.0, profile), 15.0);
        // Never gets to its target: 32 m are 4 s up to 8 m/s and 4 s down.
        assert_eq!(duration(0.0, 32.0, profile), 8.0);
        let flown = |speed, seconds| Plateau { speed, seconds };
        assert_eq!(plateau(0.0, 100.0, profile), flown(10.0, 5.0));
        assert_eq!(plateau(0.0, 32.0, profile), flown(8.0, 0.0));
        // Blown to a stand, and past what the wind leaves.
        let stalled = Profile {
            target: 0.0,
            ..profile
        };
        assert_eq!(duration(0.0, 100.0, stalled), f64::INFINITY);
        assert_eq!(next_speed(10.0, 100.0, stalled, 0.5), 9.0);
    }

    proptest! {
        #[test]
        fn stepping_takes_the_planned_time(
            length in 0.1..3_000.0f64, target in 1.0..35.0f64, acceleration in 0.5..5.0f64, dt in 0.02..1.0f64,
        ) {
            let profile = Profile { target, exit: 0.0, acceleration };
            let (mut speed, mut remaining, mut elapsed) = (0.0, length, 0.0);
            loop {
                let next = next_speed(speed, remaining, profile, dt);
                prop_assert!(next <= target && next - speed <= acceleration * dt * (1.0 + 1e-12));
                let moved = 0.5 * (speed + next) * dt;
                if moved >= remaining - 1e-6 {
                    elapsed += lesser(dt, 2.0 * remaining / speed);
                    break;
                }
                (speed, remaining, elapsed) = (next, remaining - moved, elapsed + dt);
            }
            let planned = duration(0.0, length, profile);
            prop_assert!((elapsed - planned).abs() <= dt, "{elapsed} against {planned}");
        }
    }
}
