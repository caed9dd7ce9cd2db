//! Intents' pieces by when and where they are, so that only those are looked at who may be met.
//!
//! Time is cut into slots, and in each there is a table of the cells of space. A piece is entered
//! with the minima to spare aside, and looked up just where it is. Who is in a cell is in no
//! order. A slot that is past goes as a whole; what is forgotten before stays in it, out of reach.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::super::super::ids::DroneId;
use super::super::super::time::SimTime;
use super::piece::{Cell, Piece, Reach, Visit};

const SLOT_S: f64 = 64.0;

#[derive(Debug, Default)]
pub struct Index {
    reach: Reach,
    /// By number. Those of nobody begin never.
    pieces: Vec<Piece>,
    /// Numbers that are in no slot.
    free: Vec<u32>,
    slots: BTreeMap<i64, Slot>,
    /// Those before are past.
    first: i64,
    owned: BTreeMap<DroneId, Vec<u32>>,
}

impl Index {
    /// So far beside a piece somebody is looked for, from now on.
    pub fn set_reach(&mut self, reach: Reach) {
        self.reach = reach;
    }

    /// Nobody asks for what was before.
    pub fn go_on_to(&mut self, now: SimTime) {
        self.first = slot_of(now.as_secs());
        while let Some(slot) = self.slots.first_entry().filter(|slot| *slot.key() < self.first) {
            self.free.extend(slot.remove().ending);
        }
    }

    /// The drone's, which has none here yet.
    pub fn take_in(&mut self, drone: DroneId, pieces: &[Piece]) {
        let numbers = pieces.iter().filter_map(|piece| self.enter(piece)).collect();
        self.owned.insert(drone, numbers);
    }

    /// Its number, unless it is past.
    fn enter(&mut self, piece: &Piece) -> Option<u32> {
        let visits = piece.visits(self.reach);
        let last = visits.iter().map(|visit| *slots(visit).end()).max()?;
        if last < self.first {
            return None;
        }
        let number = self.free.pop().unwrap_or(self.pieces.len() as u32);
        match self.pieces.get_mut(number as usize) {
            Some(free) => *free = *piece,
            None => self.pieces.push(*piece),
        }
        for visit in visits {
            for slot in slots(&visit).filter(|slot| *slot >= self.first) {
                self.slots.entry(slot).or_default().enter(number, &visit, slot);
            }
        }
        self.slots.entry(last).or_default().ending.push(number);
        Some(number)
    }

    pub fn forget(&mut self, drone: DroneId) {
        for number in self.owned.remove(&drone).unwrap_or_default() {
            let piece = &mut self.pieces[number as usize];
            // What was past may be another's by now.
            if piece.body.drone == drone {
                piece.begins_s = f64::INFINITY;
            }
        }
    }

    /// Whoever may be met in this cell in this time, with its number; some of them repeatedly.
    pub fn near(&self, visit: Visit) -> impl Iterator<Item = (u32, &Piece)> {
        let slots = self.slots.range(slots(&visit));
        let numbers = slots.flat_map(move |(began, slot)| slot.near(visit, *began));
        numbers.map(|number| (number, &self.pieces[number as usize]))
    }

    /// Numbers are lower.
    pub fn end(&self) -> usize {
        self.pieces.len()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.owned.is_empty() && self.pieces.iter().all(|piece| piece.begins_s.is_infinite())
    }
}

fn slot_of(seconds: f64) -> i64 {
    (seconds / SLOT_S).floor() as i64
}

fn slots(visit: &Visit) -> RangeInclusive<i64> {
    slot_of(visit.from_s)..=slot_of(visit.until_s)
}

/// Some seconds: who is in which cell then, in a bucket for all cells of the same hash.
#[derive(Debug, Default)]
struct Slot {
    /// A power of two of them.
    buckets: Vec<Vec<Entry>>,
    entries: usize,
    /// Pieces that are in no later slot.
    ending: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    cell: Cell,
    number: u32,
    /// When it is in the cell, seconds since the slot began.
    from_s: f32,
    until_s: f32,
}

const FEWEST_BUCKETS: usize = 64;
/// As many entries to a bucket, on average, as are looked through in no time.
const ROOM: usize = 4;

impl Slot {
    fn enter(&mut self, number: u32, visit: &Visit, slot: i64) {
        if self.entries >= ROOM * self.buckets.len() {
            self.make_room();
        }
        let [from_s, until_s] = within(visit, slot);
        let bucket = self.bucket(visit.cell);
        self.buckets[bucket].push(Entry {
            cell: visit.cell,
            number,
            from_s,
            until_s,
        });
        self.entries += 1;
    }

    fn make_room(&mut self) {
        let count = (4 * self.buckets.len()).max(FEWEST_BUCKETS);
        let before = std::mem::replace(&mut self.buckets, vec![Vec::new(); count]);
        for entry in before.into_iter().flatten() {
            let bucket = self.bucket(entry.cell);
            self.buckets[bucket].push(entry);
        }
    }

    fn bucket(&self, cell: Cell) -> usize {
        const GOLDEN: u32 = 0x9e37_79b9;
        (cell.wrapping_mul(GOLDEN) >> 8) as usize & (self.buckets.len() - 1)
    }

    fn near(&self, visit: Visit, slot: i64) -> impl Iterator<Item = u32> {
        let (cell, [from_s, until_s]) = (visit.cell, within(&visit, slot));
        // All at once: a branch for each costs more.
        let is_met = move |entry: &&Entry| {
            (entry.cell == cell) & (entry.from_s <= until_s) & (from_s <= entry.until_s)
        };
        let bucket = self.buckets.get(self.bucket(cell)).into_iter().flatten();
        bucket.filter(is_met).map(|entry| entry.number)
    }
}

/// Seconds since the slot began.
fn within(visit: &Visit, slot: i64) -> [f32; 2] {
    let began_s = slot as f64 * SLOT_S;
    [visit.from_s, visit.until_s].map(|at_s| (at_s - began_s) as f32)
}
