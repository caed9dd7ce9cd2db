//! What is kept for good of deliveries that have ended: rows, and what may be asked of them.

use super::StoreError;
use crate::sim::calendar::{Day, Month};
use crate::sim::delivery::Stage;
use crate::sim::ids::DeliveryId;
use crate::sim::sums::Sums;
use crate::sim::time::SimTime;

/// A delivery that has ended; nothing of it changes any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    pub id: DeliveryId,
    /// The account.
    pub owner: String,
    /// When it came into the world. At the start of time where that was not noted yet: before all
    /// others, as it was.
    pub accepted: SimTime,
    pub ended: SimTime,
    /// How; one of the last.
    pub stage: Stage,
    /// Its package's id, as the client gave it.
    pub package: String,
    /// All there is to tell, in the read side's own bytes.
    pub record: Vec<u8>,
}

/// One account's sums of one month, as they are after the snapshot's tick.
#[derive(Clone, Debug, PartialEq)]
pub struct SumRow {
    pub owner: String,
    pub month: Month,
    pub sums: Sums,
}

/// A question that an index answers, whatever the number of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryQuery {
    /// This one.
    Delivery(DeliveryId),
    /// In order of ids, from the first after `after` on.
    ById {
        owner: Option<String>,
        stage: Option<Stage>,
        after: Option<DeliveryId>,
        limit: usize,
    },
    /// In order of their ends, and of ids where they ended at once: those that ended at
    /// `from` or later, and before `until`; from the first after `after` on.
    ByEnd {
        owner: Option<String>,
        from: SimTime,
        until: SimTime,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    },
    /// The last that ended, the newest first.
    Newest { limit: usize },
    /// The last delivery to be accepted that has a package of this id: this account's, or else of
    /// all. Of two at once the one with the larger id.
    Package { id: String, owner: Option<String> },
    /// No rows: only whether this day was moved out.
    Day(Day),
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub rows: Vec<HistoryRow>,
    /// Of [`HistoryQuery::Delivery`]: it was there, and was moved out to the file of this day.
    /// Of [`HistoryQuery::Day`]: that day, or the first of it, was moved out.
    pub moved: Option<Day>,
}

/// What is moved out of the store: all that ended on one day. It is in that day's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MovedDay {
    pub day: Day,
    /// When it begins.
    pub from: SimTime,
    /// When the next begins.
    pub until: SimTime,
}

/// Reads beside the writer: history only, which never changes under a reader.
pub trait HistoryReader: Send {
    /// # Errors
    /// The retryable ones, and [`StoreError::Corrupt`].
    fn history(&mut self, query: &HistoryQuery) -> Result<Found, StoreError>;
}
