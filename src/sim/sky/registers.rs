//! The passes over a chunk, for whatever registers the processor has.

use super::columns::{BLOCK_STRIPS, Column, MotionStrip, Motions, STRIP_ROWS, TURN_ROWS};
use super::passes::{self, Given, Law, Stepped};
use super::winds::{Blown, Winds};

/// A chunk's passes, compiled for wider registers beside those that every processor has. Which
/// of the two runs changes no bit: nothing is fused or added up in another order.
///
/// Every row goes on as if none came to the end of its leg, but those that may: they stay as
/// they are.
pub struct Fly<'a> {
    pub motions: &'a mut [Motions],
    /// Which of them may have to turn.
    pub turning: &'a mut [bool],
    pub rows: usize,
    pub winds: &'a Winds,
    pub dt: f32,
    pub found: &'a mut Found,
}

/// What needs more than a pass, in order. Of the last strip it may name rows behind the last.
#[derive(Default)]
pub struct Found {
    /// Rows to be stepped alone.
    pub alone: Vec<usize>,
    /// Strips in which some battery must be told of.
    pub low: Vec<usize>,
}

impl pulp::NullaryFnOnce for Fly<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Fly {
            motions,
            turning,
            rows,
            winds,
            dt,
            found,
        } = self;
        let mut stepped = Stepped::NONE;
        let mut blown = Blown::new(winds);
        let turning = turning.chunks_mut(STRIP_ROWS / TURN_ROWS);
        for (strip, turning) in (0..rows.div_ceil(STRIP_ROWS)).zip(turning) {
            let motions = motions[strip / BLOCK_STRIPS].strip(strip % BLOCK_STRIPS);
            blown.over(winds, motions.cell);
            if pass(motions, turning, &blown, &mut stepped, dt) > 0 {
                found.low.push(strip);
            }
            found.note_alone(strip, &stepped.seconds);
        }
    }
}

impl Found {
    /// Most rows are not; so eight at a time are passed over.
    #[inline(always)]
    fn note_alone(&mut self, strip: usize, seconds: &Column<f32>) {
        const AT_ONCE: usize = 8;
        for (group, seconds) in seconds.as_chunks::<AT_ONCE>().0.iter().enumerate() {
            if seconds
                .iter()
                .fold(false, |some, seconds| some | (*seconds == 0.0))
            {
                let first = strip * STRIP_ROWS + group * AT_ONCE;
                let rows = (first..).zip(seconds);
                self.alone
                    .extend(rows.filter(|(_, seconds)| **seconds == 0.0).map(|(row, _)| row));
            }
        }
    }
}

/// Answers in how many rows the battery must be told of.
#[inline(always)]
fn pass(
    motions: MotionStrip<'_>,
    turning: &mut [bool],
    blown: &Blown,
    stepped: &mut Stepped,
    dt: f32,
) -> u64 {
    let mut left = [0.0; STRIP_ROWS];
    passes::narrow(&mut left, motions.remaining);
    let given = Given {
        left: &left,
        wind_east: &blown.east,
        wind_north: &blown.north,
        east: motions.east,
        north: motions.north,
        windage: motions.windage,
        airspeed: motions.airspeed,
        exit: motions.exit,
        acceleration: motions.acceleration,
        watch: motions.watch,
        law: Law {
            slow_w: motions.slow_w,
            transition_mps: motions.transition_mps,
            base_w: motions.base_w,
            slope_w_per_mps: motions.slope_w_per_mps,
        },
    };
    passes::accelerate(motions.speed, stepped, &given, dt);
    let Stepped {
        seconds,
        moved,
        watts,
    } = stepped;
    passes::travel(
        motions.x,
        motions.y,
        motions.remaining,
        motions.east,
        motions.north,
        moved,
    );
    passes::rise(motions.height, motions.up, moved);
    passes::turn(
        motions.heading,
        motions.course,
        motions.yaw_rate,
        seconds,
        turning,
    );
    passes::discharge(motions.energy_wh, watts, motions.alarm_wh, dt)
}

#[cfg(test)]
mod tests {
    use super::super::super::drone::DroneStatus;
    use super::super::super::ids::DroneId;
    use super::super::columns::{BLOCK_ROWS, Motion, Outlook, Outlooks};
    use super::super::eta;
    use super::*;

    /// Rows of all kinds, over the edge of a block.
    const ROWS: usize = BLOCK_ROWS + STRIP_ROWS + 3;

    fn motion(i: usize) -> Motion {
        let wide = |from: f64, to: f64| from + (to - from) * ((i * 7_919) % 1_009) as f64 / 1_009.0;
        let number = |from: f32, to: f32| wide(from.into(), to.into()) as f32;
        Motion {
            drone: DroneId(i as u32),
            x: wide(-9e3, 9e3),
            y: wide(9e3, -9e3),
            height: number(0.0, 110.0),
            east: number(-0.7, 0.7),
            north: number(0.9, -0.9),
            up: number(-1.0, 1.0),
            speed: number(0.0, 35.0),
            remaining: wide(5.0, 7e3),
            airspeed: number(3.0, 31.0),
            windage: number(0.0, 1.7),
            cell: 0,
            target: number(1.0, 30.0),
            exit: number(0.0, 9.0),
            acceleration: number(0.0, 3.0),
            energy_wh: wide(0.0, 500.0),
            alarm_wh: number(-5.0, 5.0),
            slow_w: number(500.0, 900.0),
            transition_mps: number(0.0, 16.0),
            base_w: number(20.0, 80.0),
            slope_w_per_mps: number(-3.0, 30.0),
            heading: number(-3.1, 3.1),
            course: number(3.1, -3.1),
            yaw_rate: number(0.5, 2.0),
            watch: if i.is_multiple_of(97) { f32::INFINITY } else { 0.01 },
        }
    }

    fn blocks() -> Vec<Motions> {
        let mut blocks = Vec::new();
        for first in (0..ROWS).step_by(BLOCK_ROWS) {
            let mut block = Motions::of(&motion(first));
            for i in first..ROWS.min(first + BLOCK_ROWS) {
                block.set(i - first, &motion(i));
            }
            blocks.push(block);
        }
        blocks
    }

    fn turning() -> Vec<bool> {
        vec![true; ROWS.div_ceil(TURN_ROWS)]
    }

    fn fly(processor: pulp::Arch, motions: &mut [Motions], turning: &mut [bool]) -> Found {
        let mut found = Found::default();
        processor.dispatch(Fly {
            motions,
            turning,
            rows: ROWS,
            winds: &Winds::steady(7.0, -4.0),
            dt: 0.1,
            found: &mut found,
        });
        found
    }

    #[test]
    fn wider_registers_change_no_bit() {
        let flown = |processor: pulp::Arch| {
            let (mut motions, mut found) = (blocks(), Vec::new());
            for _ in 0..20 {
                let Found { alone, low } = fly(processor, &mut motions, &mut turning());
                found.push((alone, low));
            }
            let left = eta::seconds_left(&motions[0].strip(0)).map(f64::to_bits);
            // Every bit that was flown, told apart from all others by how it is written.
            (format!("{motions:?}"), found, left)
        };
        let (plain, wide) = (flown(pulp::Arch::Scalar), flown(pulp::Arch::new()));
        assert!(plain == wide);
        assert!(plain.0 != format!("{:?}", blocks()));
    }

    /// Some have picked up, and some have delivered too.
    fn outlook(i: usize) -> Outlook {
        let wide = |from: f64, to: f64| from + (to - from) * ((i * 6_007) % 1_013) as f64 / 1_013.0;
        let passed = |every: usize, ahead_s: f64| {
            if i.is_multiple_of(every) {
                f64::NAN
            } else {
                ahead_s
            }
        };
        Outlook {
            status: DroneStatus::Cruising,
            payload_kg: 1.0,
            pickup_after_leg: passed(3, wide(0.0, 300.0)),
            delivery_after_leg: passed(12, wide(300.0, 900.0)),
            pickup_at: wide(900.0, 1_500.0),
            delivery_at: wide(1_300.0, 2_500.0),
            told_pickup_at: wide(900.0, 1_500.0),
            told_delivery_at: wide(1_300.0, 2_500.0),
        }
    }

    #[test]
    fn expected_times_are_the_same_to_the_bit_too() {
        const NOW_S: f64 = 1_000.0;
        let winds = Winds::steady(7.0, -4.0);
        let expected = |processor: pulp::Arch| {
            let (mut all, mut blown) = (Vec::new(), Blown::new(&winds));
            for (block, motions) in blocks().iter_mut().enumerate() {
                let mut outlooks = Outlooks::of(&outlook(0));
                (0..BLOCK_ROWS).for_each(|i| outlooks.set(i, &outlook(block * BLOCK_ROWS + i)));
                for strip in 0..BLOCK_STRIPS {
                    let motions = motions.strip(strip);
                    blown.over(&winds, motions.cell);
                    let to_tell = processor.dispatch(eta::Refresh {
                        motions: &motions,
                        blown: &blown,
                        gust_time_s: 30.0,
                        outlooks: &mut outlooks.strip(strip),
                        now_s: NOW_S,
                    });
                    all.push(to_tell);
                }
                let times = outlooks.pickup_at.iter().chain(&outlooks.delivery_at);
                all.extend(times.map(|at| at.to_bits()));
            }
            all
        };
        let plain = expected(pulp::Arch::Scalar);
        assert!(plain == expected(pulp::Arch::new()));
        let finite = plain
            .iter()
            .map(|bits| f64::from_bits(*bits))
            .filter(|at| *at > NOW_S);
        assert!(finite.count() > ROWS, "times that lie ahead");
        assert!(
            plain[..BLOCK_STRIPS]
                .iter()
                .all(|to_tell| (1..=128).contains(to_tell))
        );
    }

    #[test]
    fn noses_are_left_alone_once_they_would_not_turn_any_more() {
        let (mut motions, mut all_looked_at, mut some) = (blocks(), blocks(), turning());
        for _ in 0..150 {
            fly(pulp::Arch::new(), &mut motions, &mut some);
            fly(pulp::Arch::new(), &mut all_looked_at, &mut turning());
        }
        assert!(format!("{motions:?}") == format!("{all_looked_at:?}"));
        assert!(some.iter().all(|turning| !turning), "{some:?}");
    }

    #[test]
    fn those_to_be_stepped_alone_stay_as_they_are() {
        let mut motions = blocks();
        let found = fly(pulp::Arch::new(), &mut motions, &mut turning());
        let due = (0..ROWS).filter(|i| i.is_multiple_of(97));
        assert!(due.clone().all(|i| found.alone.contains(&i)), "in a turn");
        for i in 0..ROWS {
            let (before, after) = (motion(i), motions[i / BLOCK_ROWS].get(i % BLOCK_ROWS));
            let has_moved = before.remaining.to_bits() != after.remaining.to_bits();
            let is_same = format!("{before:?}") == format!("{after:?}");
            match found.alone.contains(&i) {
                true => assert!(is_same, "{before:?} {after:?}"),
                false => assert!(has_moved || before.speed == 0.0, "{after:?}"),
            }
        }
    }
}
