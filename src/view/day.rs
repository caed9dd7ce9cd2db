//! All that ended on one day, a portion at a time: for its file.

use parquet::errors::ParquetError;

use super::archive::Unread;
use super::{EndFilter, View, shown};
use crate::sim::calendar::Day;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::wire::day::DayFile;

/// Deliveries that are in memory at once.
const PORTION: usize = 2_000;

/// Why a day's file cannot be written on.
#[derive(Debug, thiserror::Error)]
pub enum NoDay {
    #[error(transparent)]
    Unread(#[from] Unread),
    #[error("the file cannot be written: {0}")]
    Format(#[from] ParquetError),
}

/// A day's file in the making.
pub struct DayExport {
    filter: EndFilter,
    after: Option<(SimTime, DeliveryId)>,
    /// `None` once its end was written.
    file: Option<DayFile>,
}

impl DayExport {
    /// # Errors
    /// None that the caller could do anything about.
    pub fn of(view: &View, day: Day) -> Result<Self, NoDay> {
        let world = &view.world();
        Ok(DayExport {
            filter: EndFilter {
                owner: None,
                only: None,
                from: day.begins(world),
                until: day.next().begins(world),
            },
            after: None,
            file: Some(DayFile::begin()?),
        })
    }

    /// The file's next bytes; `None` after its end.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn next(&mut self, view: &View) -> Result<Option<Vec<u8>>, NoDay> {
        let Some(mut file) = self.file.take() else {
            return Ok(None);
        };
        let page = view.list_ended(&self.filter, self.after, PORTION).await?;
        let rows = page.items.iter();
        let rows: Vec<_> = rows
            .filter_map(|record| shown::day_row(&view.world(), record))
            .collect();
        let mut bytes = match rows.is_empty() {
            true => Vec::new(),
            false => file.write(&rows)?,
        };
        self.after = page.next;
        match self.after {
            Some(_) => self.file = Some(file),
            None => bytes.extend(file.finish()?),
        }
        Ok(Some(bytes))
    }
}
