//! Terminal volumes: upright cylinders around hubs, in which drones come close to each other
//! as they take off and land.

use super::super::world::World;

/// The world's hubs by cell; made anew when there are more of them.
#[derive(Clone, Debug, Default)]
pub struct Terminals {
    hubs: usize,
    radius_m: f32,
    cell_m: f32,
    /// Each hub in all cells that its volume touches, sorted.
    entries: Vec<(u64, f32, f32)>,
}

impl Terminals {
    pub fn follow(&mut self, world: &World) {
        let radius_m = world.separation.terminal_m as f32;
        if (self.hubs, self.radius_m) == (world.hubs.len(), radius_m) && self.cell_m > 0.0 {
            return;
        }
        let cell_m = (2.0 * radius_m).max(100.0);
        let mut entries = Vec::new();
        for hub in &world.hubs {
            let (x, y) = (hub.at.x as f32, hub.at.y as f32);
            let span = |at: f32| (index(at - radius_m, cell_m), index(at + radius_m, cell_m));
            let (rows, columns) = (span(y), span(x));
            for row in rows.0..=rows.1 {
                let of_row = (columns.0..=columns.1).map(|column| (key(column, row), x, y));
                entries.extend(of_row);
            }
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
        *self = Terminals {
            hubs: world.hubs.len(),
            radius_m,
            cell_m,
            entries,
        };
    }

    pub fn contain(&self, (x, y): (f32, f32)) -> bool {
        if self.entries.is_empty() || self.radius_m <= 0.0 {
            return false;
        }
        let cell = key(index(x, self.cell_m), index(y, self.cell_m));
        let first = self.entries.partition_point(|entry| entry.0 < cell);
        let here = self.entries[first..].iter().take_while(|entry| entry.0 == cell);
        let mut away = here.map(|(_, east, north)| (east - x, north - y));
        away.any(|(dx, dy)| dx * dx + dy * dy <= self.radius_m * self.radius_m)
    }
}

fn index(metres: f32, cell_m: f32) -> i32 {
    (metres / cell_m).floor() as i32
}

fn key(column: i32, row: i32) -> u64 {
    u64::from(row.cast_unsigned()) << 32 | u64::from(column.cast_unsigned())
}
