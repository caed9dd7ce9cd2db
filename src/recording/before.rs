//! What had ended before a live world's recording began: the recording does not have it, and the
//! world's own archive does.

use std::sync::Arc;

use crate::sim::calendar::Day;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::view::archive::{Archive, Unread};
use crate::view::{DeliveryFilter, DeliveryRecord, EndFilter};

/// Looked through at a time for those that are early enough.
const PAGE: usize = 1_000;

/// Answers as an [`Archive`] does of what had ended by then.
pub(super) struct Before {
    archive: Arc<dyn Archive>,
    begun: SimTime,
}

impl Before {
    pub fn new(archive: Arc<dyn Archive>, begun: SimTime) -> Self {
        Before { archive, begun }
    }

    fn has(&self, record: &DeliveryRecord) -> bool {
        record.ended.is_some_and(|ended| ended <= self.begun)
    }

    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, Unread> {
        let found = self.archive.delivery(id).await?;
        Ok(found.filter(|record| self.has(record)))
    }

    /// Those beyond `last` are not wanted, where there is one.
    pub async fn by_id(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
        last: Option<DeliveryId>,
    ) -> Result<Vec<DeliveryRecord>, Unread> {
        let mut found = Vec::new();
        let mut after = after;
        let at_once = limit.max(PAGE);
        loop {
            let page = self.archive.by_id(filter, after, at_once).await?;
            let is_all = page.len() < at_once;
            after = page.last().map(|record| record.id);
            found.extend(page.into_iter().filter(|record| self.has(record)));
            if is_all || found.len() >= limit || last.is_some_and(|last| after >= Some(last)) {
                return Ok(found);
            }
        }
    }

    pub async fn by_end(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Result<Vec<DeliveryRecord>, Unread> {
        let filter = EndFilter {
            until: filter.until.min(SimTime(self.begun.0 + 1)),
            ..filter.clone()
        };
        self.archive.by_end(&filter, after, limit).await
    }

    /// Where the newest of all is one of them.
    pub async fn of_package(
        &self,
        package: &str,
        owner: Option<&str>,
    ) -> Result<Option<DeliveryRecord>, Unread> {
        let newest = self.archive.of_package(package, owner).await?;
        Ok(newest.filter(|record| self.has(record)))
    }

    pub async fn is_moved(&self, day: Day) -> Result<bool, Unread> {
        self.archive.is_moved(day).await
    }
}
