//! The pass over a block, for whatever registers the processor has.

use std::ops::Range;

use super::columns::Chunk;
use super::passes::{self, Law};
use super::step::BLOCK_ROWS;
use super::winds::Blown;

/// A block's pass, compiled for wider registers beside those that every processor has. Which
/// of the two runs changes no bit: nothing is fused or added up in another order.
pub struct Fly<'a> {
    pub chunk: &'a mut Chunk,
    pub block: Range<usize>,
    pub blown: &'a Blown,
    pub dt: f32,
}

impl pulp::NullaryFnOnce for Fly<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        pass(self.chunk, self.block, self.blown, self.dt);
    }
}

/// Marks the rows of a block that are to be stepped alone; answers how many they are.
pub struct Watch<'a> {
    pub chunk: &'a Chunk,
    pub block: Range<usize>,
    pub dt: f32,
    pub marks: &'a mut Marks,
}

impl pulp::NullaryFnOnce for Watch<'_> {
    type Output = usize;

    #[inline(always)]
    fn call(self) -> usize {
        let Watch {
            chunk,
            block,
            dt,
            marks,
        } = self;
        let b = || block.clone();
        let (remaining, speed, watch) = (&chunk.remaining[b()], &chunk.speed[b()], &chunk.watch[b()]);
        passes::mark_watched(&mut marks.0[..block.len()], remaining, speed, watch, dt)
    }
}

/// Counts the rows of a block whose battery must be told of.
pub struct Alarms<'a> {
    pub chunk: &'a Chunk,
    pub block: Range<usize>,
}

impl pulp::NullaryFnOnce for Alarms<'_> {
    type Output = usize;

    #[inline(always)]
    fn call(self) -> usize {
        let block = self.block;
        passes::count_alarms(&self.chunk.energy_wh[block.clone()], &self.chunk.alarm_wh[block])
    }
}

/// One byte a row of a block: 1 where it is marked.
pub struct Marks([u8; BLOCK_ROWS]);

impl Marks {
    pub fn none() -> Self {
        Marks([0; BLOCK_ROWS])
    }

    /// Which of the first `rows` are marked; most are not, so eight at a time are passed over.
    pub fn marked(&self, rows: usize) -> impl Iterator<Item = usize> + '_ {
        const AT_ONCE: usize = 8;
        let groups = self.0[..rows].chunks(AT_ONCE).enumerate();
        let some = groups.filter(|(_, group)| **group != [0; AT_ONCE][..group.len()]);
        some.flat_map(|(i, group)| {
            let rows = group.iter().enumerate().filter(|(_, mark)| **mark != 0);
            rows.map(move |(row, _)| i * AT_ONCE + row)
        })
    }
}

/// Every row of the block as if none came to the end of its leg.
#[inline(always)]
fn pass(chunk: &mut Chunk, block: Range<usize>, blown: &Blown, dt: f32) {
    let rows = block.len();
    let [mut along, mut across, mut target, mut moved] = [[0.0; BLOCK_ROWS]; 4];
    let (along, across) = (&mut along[..rows], &mut across[..rows]);
    let (target, moved) = (&mut target[..rows], &mut moved[..rows]);
    let b = || block.clone();
    let course = [&chunk.east[b()], &chunk.north[b()], &chunk.windage[b()]];
    passes::blow([&mut *along, &mut *across], blown.of(rows), course);
    passes::reach(target, &chunk.airspeed[b()], along, across);
    passes::accelerate(
        &mut chunk.speed[b()],
        &mut chunk.remaining[b()],
        moved,
        target,
        [&chunk.exit[b()], &chunk.acceleration[b()]],
        dt,
    );
    passes::shift(&mut chunk.x[b()], &chunk.east[b()], moved);
    passes::shift(&mut chunk.y[b()], &chunk.north[b()], moved);
    passes::rise(&mut chunk.height[b()], &chunk.up[b()], moved);
    let law = Law {
        slow_w: &chunk.slow_w[b()],
        transition_mps: &chunk.transition_mps[b()],
        base_w: &chunk.base_w[b()],
        slope_w_per_mps: &chunk.slope_w_per_mps[b()],
    };
    passes::discharge(&mut chunk.energy_wh[b()], law, moved, along, across, dt);
    passes::turn(
        &mut chunk.heading[b()],
        &chunk.course[b()],
        &chunk.yaw_rate[b()],
        dt,
    );
}

#[cfg(test)]
mod tests {
    use super::super::eta;
    use super::*;

    #[test]
    fn wider_registers_change_no_bit() {
        let mut chunk = Chunk::default();
        let number =
            |i: usize, from: f32, to: f32| from + (to - from) * ((i * 7_919) % 1_009) as f32 / 1_009.0;
        let rows = BLOCK_ROWS - 3;
        let narrow_to_wide = |low, high| {
            (0..rows)
                .map(|i| f64::from(number(i, low, high)))
                .collect::<Vec<_>>()
        };
        let narrow = |low, high| (0..rows).map(|i| number(i, low, high)).collect::<Vec<_>>();
        (chunk.x, chunk.y) = (narrow_to_wide(-9e3, 9e3), narrow_to_wide(9e3, -9e3));
        (chunk.remaining, chunk.energy_wh) = (narrow_to_wide(5.0, 7e3), narrow_to_wide(0.0, 500.0));
        (chunk.height, chunk.up) = (narrow(0.0, 110.0), narrow(-1.0, 1.0));
        (chunk.east, chunk.north) = (narrow(-0.7, 0.7), narrow(0.9, -0.9));
        (chunk.speed, chunk.airspeed) = (narrow(0.0, 35.0), narrow(3.0, 31.0));
        (chunk.windage, chunk.exit) = (narrow(0.0, 1.7), narrow(0.0, 9.0));
        (chunk.acceleration, chunk.target) = (narrow(0.0, 3.0), narrow(1.0, 30.0));
        (chunk.slow_w, chunk.transition_mps) = (narrow(500.0, 900.0), narrow(0.0, 16.0));
        (chunk.base_w, chunk.slope_w_per_mps) = (narrow(20.0, 80.0), narrow(-3.0, 30.0));
        (chunk.heading, chunk.course) = (narrow(-3.1, 3.1), narrow(3.1, -3.1));
        chunk.yaw_rate = narrow(0.5, 2.0);
        let blown = Blown::steady(7.0, -4.0);
        let flown = |processor: pulp::Arch| {
            let mut chunk = chunk.clone();
            for _ in 0..20 {
                processor.dispatch(Fly {
                    chunk: &mut chunk,
                    block: 0..rows,
                    blown: &blown,
                    dt: 0.1,
                });
            }
            let mut left = [0.0; BLOCK_ROWS];
            eta::seconds_left(&chunk, 0..rows, processor, &mut left);
            (chunk, left)
        };
        let (plain, plain_left) = flown(pulp::Arch::Scalar);
        let (wide, wide_left) = flown(pulp::Arch::new());
        let bytes = |chunk: &Chunk| postcard::to_stdvec(chunk).unwrap();
        assert!(bytes(&plain) == bytes(&wide));
        assert_eq!(plain_left.map(f64::to_bits), wide_left.map(f64::to_bits));
        assert!(bytes(&plain) != bytes(&chunk));
    }
}
