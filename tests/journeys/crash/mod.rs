//! Durability end to end: whatever ends or fails, what was acknowledged stands, nothing is
//! doubled, and the world goes on as if nothing had happened.

mod backup;
mod database;
mod drain;
mod failing_store;
mod full_disk;
mod hanging;
mod journal;
mod kill;
mod ledger;
mod load;
mod older;
mod place;
mod post_mortem;
mod promises;
mod puts;
mod recovery;
mod refusals;
mod retention;
mod stand;
mod sums;
mod torn;
