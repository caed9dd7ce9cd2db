//! What losses and predictions come to for the pairs that they are of: what is counted of each.

use rayon::prelude::*;

use super::super::ids::DroneId;
use super::body::{Body, Minima, Pair};
use super::encounters::{Sign, Signed};
use super::grid::{ENOUGH_FOR_THREADS, Lost};
use super::sweep::Predicted;
use super::terminals::Terminals;

/// Says what a loss or a prediction comes to, by what it takes to know.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    pub bodies: &'a [Body],
    pub terminals: &'a Terminals,
    pub minima: Minima,
}

impl Judge<'_> {
    /// Where all pairs were looked at: whoever has lost separation is among those who are predicted
    /// to. In order of the pairs; a loss before a prediction.
    pub fn of_all(self, predicted: &[Predicted], pool: Option<&rayon::ThreadPool>, signs: &mut Vec<Signed>) {
        signs.clear();
        let of_part = |part: &[Predicted]| {
            let signs = part.iter().flat_map(|predicted| self.of_one(predicted));
            signs.collect::<Vec<_>>()
        };
        match pool.filter(|_| predicted.len() >= ENOUGH_FOR_THREADS) {
            Some(pool) => {
                let parts = predicted.par_chunks(ENOUGH_FOR_THREADS).map(of_part);
                let parts: Vec<_> = pool.install(|| parts.collect());
                parts.into_iter().for_each(|part| signs.extend(part));
            }
            None => signs.extend(predicted.iter().flat_map(|predicted| self.of_one(predicted))),
        }
    }

    /// Where losses were looked for apart; in the same order.
    pub fn of(self, lost: &[Lost], predicted: &[Predicted], signs: &mut Vec<Signed>) {
        signs.clear();
        let mut lost = lost.iter().peekable();
        let sign_of = |lost: &Lost| (lost.pair, Sign::Lost(lost.closeness), lost.rows);
        for Predicted { pair, rows, in_s } in predicted {
            while let Some(before) = lost.next_if(|lost| lost.pair <= *pair) {
                signs.push(sign_of(before));
            }
            if !self.in_terminal(*rows, *in_s) {
                signs.push((*pair, Sign::Predicted, *rows));
            }
        }
        signs.extend(lost.map(sign_of));
    }

    /// Those around hubs to whom anybody is too close, in between; still in order.
    pub fn add_crowded(self, rows: &[u32], signs: &mut Vec<Signed>) {
        let drones = rows.iter().map(|row| (self.bodies[*row as usize].drone, *row));
        let mut crowded: Vec<(DroneId, u32)> = drones.collect();
        crowded.sort_unstable();
        let mut rest = signs.len();
        signs.extend(crowded.iter().copied().map(in_terminal));
        // From the end, so that each sign is moved once, and none before the first of these.
        let mut end = signs.len();
        while let Some(last) = crowded.last().copied().map(in_terminal) {
            end -= 1;
            match rest > 0 && signs[rest - 1].0 > last.0 {
                true => {
                    rest -= 1;
                    signs[end] = signs[rest];
                }
                false => {
                    signs[end] = last;
                    crowded.pop();
                }
            }
        }
    }

    fn of_one(self, &Predicted { pair, rows, in_s }: &Predicted) -> impl Iterator<Item = Signed> {
        let [one, other] = rows.map(|row| &self.bodies[row as usize]);
        let lost = one.lost(other, self.minima).map(Sign::Lost);
        let is_predicted = !self.in_terminal(rows, in_s);
        let signs = lost.into_iter().chain(is_predicted.then_some(Sign::Predicted));
        signs.map(move |sign| (pair, sign, rows))
    }

    fn in_terminal(self, rows: [u32; 2], in_s: f32) -> bool {
        let place = |row: u32| self.bodies[row as usize].after(in_s);
        rows.iter().any(|row| self.terminals.contain(place(*row)))
    }
}

fn in_terminal((drone, row): (DroneId, u32)) -> Signed {
    (Pair::of(drone, drone), Sign::LostInTerminal, [row, row])
}
