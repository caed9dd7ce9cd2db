//! Whose way a no-fly zone has come to close.

use super::super::flight::{Leg, Path};
use super::super::geo::Point;
use super::super::ids::DroneId;
use super::super::time::SimTime;
use super::super::world::World;
use super::Sky;
use super::columns::Chunk;

impl Sky {
    /// Those in the air with a no-fly zone on what is left of their plan, in drone order.
    pub fn closed_ways(&self, world: &World, now: SimTime) -> Vec<DroneId> {
        let is_closed = |chunk: &Chunk, i: usize| {
            let flight = &chunk.flights[i];
            let place = Point {
                x: chunk.x[i],
                y: chunk.y[i],
            };
            let ahead = &flight.plan.legs()[flight.leg as usize..];
            let mut present = Some((place, f64::from(chunk.height[i])));
            ahead.iter().any(|leg| {
                let from = present.take().unwrap_or_else(|| leg.path.start());
                is_closed(leg, from, world, now)
            })
        };
        let mut closed = Vec::new();
        for chunk in &self.chunks {
            let rows = (0..chunk.len()).filter(|i| is_closed(chunk, *i));
            closed.extend(rows.map(|i| chunk.drone[i]));
        }
        closed.sort_unstable();
        closed
    }
}

/// Arcs are short: their chords stand for them.
fn is_closed(leg: &Leg, (from, from_m): (Point, f64), world: &World, now: SimTime) -> bool {
    let (to, to_m) = leg.end();
    match leg.path {
        Path::Line { .. } | Path::Arc { .. } => !world.airspace.is_open(now, from, to, to_m),
        Path::Slope { .. } | Path::Bend { .. } => {
            let is_open = |level_m| world.airspace.is_open(now, from, to, level_m);
            !is_open(from_m) || !is_open(to_m)
        }
        // It cannot but brake.
        Path::Stop { .. } => false,
        Path::Vertical { .. } | Path::Hold { .. } => {
            world
                .airspace
                .is_shut(now, to, from_m.min(to_m), from_m.max(to_m))
        }
    }
}
