//! The archive of the read side: history as the store has it.

use std::time::Duration;

use tokio::time::timeout;

use crate::sim::calendar::Day;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::store::writer::Refused;
use crate::store::{Found, HistoryQuery, HistoryRow, Reader};
use crate::view::archive::{Archive, Unread};
use crate::view::commands::Answer;
use crate::view::{DeliveryFilter, DeliveryRecord, EndFilter};

/// Nobody waits longer for the past.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct StoredPast {
    reader: Reader,
}

impl StoredPast {
    pub(super) fn new(reader: Reader) -> Self {
        StoredPast { reader }
    }

    async fn ask(&self, query: HistoryQuery) -> Result<Found, Unread> {
        match timeout(PATIENCE, self.reader.ask(query)).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(Refused::Busy)) => Err(Unread::Busy),
            Ok(Err(Refused::Unavailable | Refused::OutOfSequence { .. })) | Err(_) => {
                Err(Unread::Unavailable)
            }
        }
    }

    async fn records(&self, query: HistoryQuery) -> Result<Vec<DeliveryRecord>, Unread> {
        let found = self.ask(query).await?;
        found.rows.iter().map(record).collect()
    }
}

fn record(row: &HistoryRow) -> Result<DeliveryRecord, Unread> {
    DeliveryRecord::from_bytes(&row.record).map_err(|error| {
        tracing::error!(delivery = %row.id, %error, "what the store has of a past delivery is no record");
        Unread::Unavailable
    })
}

impl Archive for StoredPast {
    fn delivery(&self, id: DeliveryId) -> Answer<'_, Option<DeliveryRecord>, Unread> {
        Box::pin(async move {
            let found = self.ask(HistoryQuery::Delivery(id)).await?;
            match (found.rows.first(), found.moved) {
                (Some(row), _) => record(row).map(Some),
                (None, Some(day)) => Err(Unread::Moved(day)),
                (None, None) => Ok(None),
            }
        })
    }

    fn by_id(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread> {
        Box::pin(self.records(HistoryQuery::ById {
            owner: filter.owner.clone(),
            stage: filter.stage,
            after,
            limit,
        }))
    }

    fn by_end(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread> {
        Box::pin(self.records(HistoryQuery::ByEnd {
            owner: filter.owner.clone(),
            from: filter.from,
            until: filter.until,
            after,
            limit,
        }))
    }

    fn of_package(&self, package: &str, owner: Option<&str>) -> Answer<'_, Option<DeliveryRecord>, Unread> {
        let query = HistoryQuery::Package {
            id: package.to_owned(),
            owner: owner.map(str::to_owned),
        };
        Box::pin(async move { Ok(self.records(query).await?.pop()) })
    }

    fn is_moved(&self, day: Day) -> Answer<'_, bool, Unread> {
        Box::pin(async move { Ok(self.ask(HistoryQuery::Day(day)).await?.moved.is_some()) })
    }
}
