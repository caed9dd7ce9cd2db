//! Intents' pieces by where and when they are, so that only those are looked at who may be met.
//!
//! Each cell of space has a list of who comes to it, in order of when. A piece is entered with the
//! minima to spare aside, and looked up just where it is; whoever looks goes through a list once,
//! however often it comes back later. What is past leaves a list before that grows; what is
//! forgotten before stays, out of reach.

use std::collections::BTreeMap;

use super::super::super::fetch::Fetch;
use super::super::super::ids::DroneId;
use super::super::super::time::SimTime;
use super::piece::{CELLS, Piece, Reach, Visit};

/// In so long parts times are known: looked at it is for longer, never for less.
const UNITS_A_SECOND: f64 = 2.0;
/// Whoever is in a cell for longer is entered several times: so nobody has to be looked for who
/// came long before. Leaves room for 67 million pieces in an entry's number.
const UNITS_AN_ENTRY: Units = 64;
/// A new one's place is among the last of its list, mostly.
const ENTRIES_A_LINE: usize = 8;
const LINES_FROM_THE_END: usize = 4;

#[derive(Debug, Default)]
pub struct Index {
    reach: Reach,
    /// By number. Those of nobody begin never.
    pieces: Vec<Piece>,
    /// Numbers that nobody comes upon any more.
    free: Vec<u32>,
    /// Those that will be free, by the last time that they are entered for.
    ending: BTreeMap<Units, Vec<u32>>,
    /// By cell; none before somebody is entered.
    lists: Vec<Vec<Entry>>,
    now: Units,
    owned: BTreeMap<DroneId, Vec<u32>>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// From when on it is in the cell.
    from: Units,
    /// For how long, and which number it has, in one: lists are as long as memory is slow.
    rest: u32,
}

impl Entry {
    /// From when until when, both included.
    fn new([from, until]: [Units; 2], number: u32) -> Self {
        let rest = number * UNITS_AN_ENTRY + (until - from);
        Entry { from, rest }
    }

    fn until(&self) -> Units {
        self.from + self.rest % UNITS_AN_ENTRY
    }

    fn number(&self) -> u32 {
        self.rest / UNITS_AN_ENTRY
    }

    /// Whether all that came no later are gone by then, however long they stayed.
    fn is_past_at(&self, at: Units) -> bool {
        self.from + UNITS_AN_ENTRY <= at
    }
}

/// How far somebody has looked through a list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen(Option<u32>);

impl Index {
    /// So far beside a piece somebody is looked for, from now on.
    pub fn set_reach(&mut self, reach: Reach) {
        self.reach = reach;
    }

    /// Nobody asks for what was before.
    pub fn go_on_to(&mut self, now: SimTime) {
        self.now = units(now.as_secs());
        while let Some(are_past) = self.ending.first_entry().filter(|last| *last.key() < self.now) {
            self.free.append(&mut are_past.remove());
        }
    }

    /// The drone's, which has none here yet.
    pub fn take_in(&mut self, drone: DroneId, pieces: &[Piece]) {
        if self.lists.is_empty() {
            self.lists.resize_with(CELLS, Vec::new);
        }
        let visits: Vec<Vec<Visit>> = pieces.iter().map(|piece| piece.visits(self.reach)).collect();
        self.fetch_ends(&visits);
        let entered = pieces.iter().zip(visits);
        let numbers = entered.filter_map(|(piece, visits)| self.enter(piece, visits));
        let numbers = numbers.collect();
        self.owned.insert(drone, numbers);
    }

    /// The lists of all these cells lie far apart in memory: asked for together, their ends are
    /// there when somebody is entered.
    fn fetch_ends(&self, visits: &[Vec<Visit>]) {
        let fetch = Fetch::of_processor();
        let lists = || {
            visits
                .iter()
                .flatten()
                .filter_map(|visit| self.lists.get(visit.cell))
        };
        lists().for_each(|list| fetch.all(Some(list)));
        for list in lists() {
            let lines = list.rchunks(ENTRIES_A_LINE).take(LINES_FROM_THE_END);
            lines.for_each(|line| fetch.all(line.last()));
        }
    }

    /// Its number, unless it is past.
    fn enter(&mut self, piece: &Piece, visits: Vec<Visit>) -> Option<u32> {
        let now = self.now;
        let last = visits.iter().map(|visit| units(visit.until_s)).max()?;
        if last < now {
            return None;
        }
        let number = self.free.pop().unwrap_or(self.pieces.len() as u32);
        match self.pieces.get_mut(number as usize) {
            Some(free) => *free = *piece,
            None => self.pieces.push(*piece),
        }
        for visit in visits {
            let [mut from, until] = span(&visit);
            let list = &mut self.lists[visit.cell];
            while from <= until {
                let last = until.min(from + UNITS_AN_ENTRY - 1);
                if last >= now {
                    insert(list, Entry::new([from, last], number), now);
                }
                from = last + 1;
            }
        }
        self.ending.entry(last).or_default().push(number);
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

    /// Finds where each of these looks begins. A look waits for memory several times, one after the
    /// other; so all take each step together.
    pub fn begin<'a>(&self, looks: impl Iterator<Item = (&'a Visit, &'a mut Seen)>) {
        let mut looks: Vec<Look> = looks.map(|(visit, seen)| Look::new(self, visit, seen)).collect();
        let longest = looks.iter().map(|look| look.left).max().unwrap_or(0);
        for _ in 0..usize::BITS - longest.leading_zeros() {
            looks.iter_mut().for_each(Look::halve);
        }
        for look in looks {
            look.seen.0 = Some(look.first as u32);
        }
    }

    /// Whether it is so for any of those who may be met there, by number, and have not been seen;
    /// nobody is asked about any more once it is. Who looks again does so for no earlier time.
    pub fn any_near(&self, seen: &mut Seen, visit: &Visit, mut is_so: impl FnMut(u32) -> bool) -> bool {
        let Some(list) = self.lists.get(visit.cell) else {
            return false;
        };
        let [from, until] = span(visit);
        let mut next = match seen.0 {
            Some(next) => next as usize,
            None => list.partition_point(|entry| entry.is_past_at(from)),
        };
        let mut is_any = false;
        while let Some(entry) = list.get(next).filter(|entry| entry.from <= until && !is_any) {
            next += 1;
            is_any = from <= entry.until() && is_so(entry.number());
        }
        seen.0 = Some(next as u32);
        is_any
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

/// The search for who came last before somebody looks: in so many from the first on.
struct Look<'a> {
    list: &'a [Entry],
    from: Units,
    first: usize,
    left: usize,
    seen: &'a mut Seen,
}

impl<'a> Look<'a> {
    fn new(index: &'a Index, visit: &Visit, seen: &'a mut Seen) -> Self {
        let list = index.lists.get(visit.cell).map_or(&[][..], Vec::as_slice);
        Look {
            list,
            from: units(visit.from_s),
            first: 0,
            left: list.len(),
            seen,
        }
    }

    fn halve(&mut self) {
        let half = self.left / 2;
        let Some(middle) = self.list.get(self.first + half).filter(|_| self.left > 0) else {
            return;
        };
        let is_past = middle.is_past_at(self.from);
        self.first += if is_past { half + 1 } else { 0 };
        self.left = if is_past { self.left - half - 1 } else { half };
    }
}

/// Whole units since the scenario's start.
type Units = u32;

fn units(seconds: f64) -> Units {
    (seconds * UNITS_A_SECOND) as Units
}

/// From when until when, both included.
fn span(visit: &Visit) -> [Units; 2] {
    [units(visit.from_s), units(visit.until_s)]
}

/// In the list's order, behind all that come no later; where it has no more room, what is past
/// goes, if that is most of it.
fn insert(list: &mut Vec<Entry>, entry: Entry, now: Units) {
    let is_full = list.len() == list.capacity();
    if is_full
        && list
            .get(list.len() / 2)
            .is_some_and(|middle| middle.is_past_at(now))
    {
        let are_past = list.partition_point(|entry| entry.is_past_at(now));
        list.drain(..are_past);
    }
    // From its end: those behind have to move anyway, and so come from memory once.
    let before = list.iter().rposition(|other| other.from <= entry.from);
    list.insert(before.map_or(0, |place| place + 1), entry);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_what_it_was_made_of() {
        for (from, until, number) in [
            (0, 0, 0),
            (7, 7 + UNITS_AN_ENTRY - 1, 3),
            (99, 120, u32::MAX >> 6),
        ] {
            let entry = Entry::new([from, until], number);
            assert_eq!((entry.from, entry.until(), entry.number()), (from, until, number));
        }
    }

    fn entry(from: Units) -> Entry {
        Entry::new([from, from + 9], from)
    }

    #[test]
    fn a_list_is_in_order_and_lets_go_of_what_is_past() {
        let mut list = Vec::new();
        for turn in 0..1_000 {
            // Some come later than the next.
            insert(&mut list, entry(turn + turn % 7 * 3), turn);
            assert!(list.is_sorted_by_key(|entry| entry.from), "turn {turn}");
        }
        let last = list.last().map(|entry| entry.from);
        assert_eq!(last, Some(999 + 999 % 7 * 3));
        assert!(list.len() < 4 * UNITS_AN_ENTRY as usize, "{}", list.len());
        let are_there = (0..1_000).filter(|turn| !entry(turn + turn % 7 * 3).is_past_at(999));
        let are_kept = list.iter().filter(|entry| !entry.is_past_at(999));
        assert_eq!(are_kept.count(), are_there.count());
    }
}
