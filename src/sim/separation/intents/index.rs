//! Intents' pieces by when and where they are, so that only those are looked at who may be met.
//!
//! Time is cut into slots, and in each there is a table of the cells of space. A piece is entered
//! with the minima to spare aside, and looked up just where it is. Who is in a cell is in no
//! order. A slot that is past goes as a whole; what is forgotten before stays in it, out of reach.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use super::super::super::ids::DroneId;
use super::super::super::time::SimTime;
use super::piece::{Cell, Piece, Reach, Visit};

/// In so long parts times are known: looked at it is for longer, never for less.
const UNITS_A_SECOND: f64 = 2.0;
const UNITS_A_SLOT: i64 = 256;

#[derive(Debug, Default)]
pub struct Index {
    reach: Reach,
    /// By number. Those of nobody begin never.
    pieces: Vec<Piece>,
    /// Numbers that are in no slot.
    free: Vec<u32>,
    /// With their numbers, in order; only those in which somebody is.
    slots: VecDeque<(i64, Slot)>,
    /// What is past, for its memory.
    past: Vec<Slot>,
    /// Those before are past.
    first: i64,
    owned: BTreeMap<DroneId, Vec<u32>>,
}

/// A visit to a cell, without whoever came to it no later than some time.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub visit: Visit,
    pub since_s: f64,
}

impl Index {
    /// So far beside a piece somebody is looked for, from now on.
    pub fn set_reach(&mut self, reach: Reach) {
        self.reach = reach;
    }

    /// Nobody asks for what was before.
    pub fn go_on_to(&mut self, now: SimTime) {
        self.first = slot_of(units(now.as_secs()));
        let are_past = self.slots.partition_point(|(number, _)| *number < self.first);
        for (_, mut slot) in self.slots.drain(..are_past) {
            self.free.append(&mut slot.ending);
            slot.clear();
            self.past.push(slot);
        }
    }

    /// The drone's, which has none here yet.
    pub fn take_in(&mut self, drone: DroneId, pieces: &[Piece]) {
        let numbers = pieces.iter().filter_map(|piece| self.enter(piece)).collect();
        self.owned.insert(drone, numbers);
    }

    /// Its number, unless it is past.
    fn enter(&mut self, piece: &Piece) -> Option<u32> {
        let (visits, first) = (piece.visits(self.reach), self.first);
        let last = visits.iter().map(|visit| slot_of(units(visit.until_s))).max()?;
        if last < first {
            return None;
        }
        let number = self.free.pop().unwrap_or(self.pieces.len() as u32);
        match self.pieces.get_mut(number as usize) {
            Some(free) => *free = *piece,
            None => self.pieces.push(*piece),
        }
        for visit in visits {
            let span = span(&visit);
            for slot in slots(span).filter(|slot| *slot >= first) {
                self.slot(slot).enter(number, visit.cell, within(span, slot));
            }
        }
        self.slot(last).ending.push(number);
        Some(number)
    }

    fn slot(&mut self, number: i64) -> &mut Slot {
        let place = self.place(number).unwrap_or_else(|place| {
            let slot = self.past.pop().unwrap_or_default();
            self.slots.insert(place, (number, slot));
            place
        });
        &mut self.slots[place].1
    }

    /// Where the slot of this number is, or would be.
    fn place(&self, number: i64) -> Result<usize, usize> {
        let first = self.slots.front().map_or(number, |(first, _)| *first);
        // Mostly there are no gaps.
        let guess = usize::try_from(number - first).unwrap_or(usize::MAX);
        match self.slots.get(guess) {
            Some((found, _)) if *found == number => Ok(guess),
            _ => self.slots.binary_search_by_key(&number, |(found, _)| *found),
        }
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

    /// Whether it is so for any of those who may be met there, by number; some of them are asked
    /// about repeatedly, and nobody any more once it is.
    pub fn any_near(&self, look: Look, mut is_so: impl FnMut(u32) -> bool) -> bool {
        let slots = slots(span(&look.visit));
        let first = self.place(*slots.start()).unwrap_or_else(|place| place);
        let those = self.slots.iter().skip(first);
        those
            .take_while(|(number, _)| number <= slots.end())
            .any(|(number, slot)| slot.any_near(&look, *number, &mut is_so))
    }

    pub fn piece(&self, number: u32) -> &Piece {
        &self.pieces[number as usize]
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

/// Whole units since the scenario's start.
type Units = i64;

fn units(seconds: f64) -> Units {
    (seconds * UNITS_A_SECOND) as Units
}

/// From when until when, both included.
fn span(visit: &Visit) -> [Units; 2] {
    [units(visit.from_s), units(visit.until_s)]
}

fn slot_of(at: Units) -> i64 {
    at.div_euclid(UNITS_A_SLOT)
}

fn slots(span: [Units; 2]) -> RangeInclusive<i64> {
    slot_of(span[0])..=slot_of(span[1])
}

/// The part of a span that is in a slot in which there is some, since the slot began.
fn within(span: [Units; 2], slot: i64) -> [u8; 2] {
    span.map(|at| (at - slot * UNITS_A_SLOT).clamp(0, UNITS_A_SLOT - 1) as u8)
}

/// Some seconds: who is in which cell then, in a bucket for all cells of the same hash.
#[derive(Debug, Default)]
struct Slot {
    /// A power of two of them.
    buckets: Vec<Bucket>,
    /// What they had no room for any more.
    full: Vec<Bucket>,
    entries: usize,
    /// Pieces that are in no later slot.
    ending: Vec<u32>,
}

/// As much as comes from memory at once, which takes longer than to look through it.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket {
    entries: [Entry; 7],
    count: u32,
    /// How many full ones there were with the last of its own; 0 where it has none.
    more: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    number: u32,
    /// Of its cell. Of some cells it is the same: the geometry tells.
    mark: u16,
    /// When it is in the cell, since the slot began, both included.
    from: u8,
    until: u8,
}

const FEWEST_BUCKETS: usize = 1 << FEWEST_BITS;
const FEWEST_BITS: u32 = 8;
/// As many entries to a bucket, on average, as leave few of them full.
const ROOM: usize = 4;

/// Of a cell. Its last bits say which bucket, and its first ones are the entry's mark: so an
/// entry in some bucket tells its hash.
fn hash_of(cell: Cell) -> usize {
    const GOLDEN: u32 = 0x9e37_79b9;
    (cell.wrapping_mul(GOLDEN) >> (u32::BITS - u16::BITS - FEWEST_BITS)) as usize
}

fn mark_of(hash: usize) -> u16 {
    (hash >> FEWEST_BITS) as u16
}

impl Bucket {
    fn all(&self) -> &[Entry] {
        &self.entries[..self.count as usize]
    }
}

impl Slot {
    /// Nobody is in it any more; its buckets stay.
    fn clear(&mut self) {
        self.buckets.fill(Bucket::default());
        self.full.clear();
        self.entries = 0;
    }

    fn enter(&mut self, number: u32, cell: Cell, [from, until]: [u8; 2]) {
        if self.entries >= ROOM * self.buckets.len() {
            self.make_room();
        }
        let hash = hash_of(cell);
        let entry = Entry {
            number,
            mark: mark_of(hash),
            from,
            until,
        };
        self.push(hash, entry);
        self.entries += 1;
    }

    fn push(&mut self, hash: usize, entry: Entry) {
        let last = self.buckets.len() - 1;
        let bucket = &mut self.buckets[hash & last];
        if bucket.all().len() == bucket.entries.len() {
            self.full.push(*bucket);
            *bucket = Bucket {
                more: self.full.len() as u32,
                ..Bucket::default()
            };
        }
        bucket.entries[bucket.count as usize] = entry;
        bucket.count += 1;
    }

    fn make_room(&mut self) {
        let count = (2 * self.buckets.len()).max(FEWEST_BUCKETS);
        let buckets = std::mem::replace(&mut self.buckets, vec![Bucket::default(); count]);
        let full = std::mem::take(&mut self.full);
        for (place, bucket) in buckets.iter().enumerate() {
            for bucket in chain(bucket, &full) {
                for entry in bucket.all() {
                    let hash = (usize::from(entry.mark) << FEWEST_BITS) | (place % FEWEST_BUCKETS);
                    self.push(hash, *entry);
                }
            }
        }
    }

    fn any_near(&self, look: &Look, slot: i64, is_so: &mut impl FnMut(u32) -> bool) -> bool {
        let hash = hash_of(look.visit.cell);
        let Some(bucket) = self.buckets.get(hash & self.buckets.len().wrapping_sub(1)) else {
            return false;
        };
        let (mark, [from, until]) = (mark_of(hash), within(span(&look.visit), slot));
        // Before the slot's beginning, where nobody in it has been seen.
        let began = slot * UNITS_A_SLOT;
        let since = (units(look.since_s).clamp(began - 1, began + UNITS_A_SLOT) - began) as i16;
        chain(bucket, &self.full).any(|bucket| {
            bucket.all().iter().any(|entry| {
                // All at once: a branch for each costs more.
                let is_met = (entry.mark == mark)
                    & (entry.from <= until)
                    & (from <= entry.until)
                    & (since < i16::from(entry.from));
                is_met && is_so(entry.number)
            })
        })
    }
}

/// A bucket, and what it had no room for.
fn chain<'a>(bucket: &'a Bucket, full: &'a [Bucket]) -> impl Iterator<Item = &'a Bucket> {
    std::iter::successors(Some(bucket), move |bucket| {
        let place = bucket.more.checked_sub(1)?;
        full.get(place as usize)
    })
}
