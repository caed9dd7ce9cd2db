//! Terminal volumes: upright cylinders around hubs, in which drones come close to each other
//! as they take off and land.

use super::super::world::World;
use super::grid::column;

/// The world's hubs by cell; made anew when there are more of them.
#[derive(Clone, Debug, Default)]
pub struct Terminals {
    hubs: usize,
    radius_m: f32,
    /// Cells.
    per_metre: f32,
    /// Each hub in all cells that its volume touches, sorted.
    entries: Vec<(u32, f32, f32)>,
    /// A bit for each hash that one of those cells has: most places are in none of them.
    marks: Vec<u64>,
}

const MARKS: u32 = 8_192;

/// The word and the bit of a cell.
fn mark(cell: u32) -> (usize, u64) {
    const GOLDEN: u32 = 0x9e37_79b9;
    let hash = cell.wrapping_mul(GOLDEN) / (u32::MAX / MARKS + 1);
    ((hash / u64::BITS) as usize, 1 << (hash % u64::BITS))
}

impl Terminals {
    pub fn follow(&mut self, world: &World) {
        let radius_m = world.separation.terminal_m as f32;
        if (self.hubs, self.radius_m) == (world.hubs.len(), radius_m) && self.per_metre > 0.0 {
            return;
        }
        let per_metre = 1.0 / (2.0 * radius_m).max(100.0);
        let mut entries = Vec::new();
        for hub in &world.hubs {
            let (x, y) = (hub.at.x as f32, hub.at.y as f32);
            let span = |at: f32| column((at - radius_m) * per_metre)..=column((at + radius_m) * per_metre);
            for row in span(y) {
                entries.extend(span(x).map(|column| (key(column, row), x, y)));
            }
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
        let mut marks = vec![0; (MARKS / u64::BITS) as usize];
        for (cell, ..) in &entries {
            let (word, bit) = mark(*cell);
            marks[word] |= bit;
        }
        *self = Terminals {
            hubs: world.hubs.len(),
            radius_m,
            per_metre,
            entries,
            marks,
        };
    }

    pub fn contain(&self, (x, y): (f32, f32)) -> bool {
        if self.entries.is_empty() || self.radius_m <= 0.0 {
            return false;
        }
        let cell = key(column(x * self.per_metre), column(y * self.per_metre));
        let (word, bit) = mark(cell);
        if self.marks[word] & bit == 0 {
            return false;
        }
        let first = self.entries.partition_point(|entry| entry.0 < cell);
        let here = self.entries[first..].iter().take_while(|entry| entry.0 == cell);
        let mut away = here.map(|(_, east, north)| (east - x, north - y));
        away.any(|(dx, dy)| dx * dx + dy * dy <= self.radius_m * self.radius_m)
    }
}

fn key(column: u16, row: u16) -> u32 {
    u32::from(row) << 16 | u32::from(column)
}
