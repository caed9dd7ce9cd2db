//! Deliveries that have left memory, and the questions that are answered from memory and
//! archive together: memory first, so that none is overlooked on its way from one to the
//! other, and each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::View;
use super::commands::Answer;
use super::deliveries::{DeliveryFilter, DeliveryHandle, DeliveryRecord, EndFilter};
use super::reading::Page;
use crate::sim::calendar::Day;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;

/// Whoever keeps what has ended. Object-safe; nothing in it changes but by being added to, and
/// by being moved out when it is old.
pub trait Archive: Send + Sync {
    /// That delivery, where it is here.
    fn delivery(&self, id: DeliveryId) -> Answer<'_, Option<DeliveryRecord>, Unread>;

    /// At most `limit` in order of ids, from the first after `after` on. Of one alone only
    /// [`Archive::delivery`] is asked.
    fn by_id(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread>;

    /// At most `limit` in the order of their ends, from the first after `after` on.
    fn by_end(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread>;

    /// The last accepted with a package of this id: this account's, or else of all.
    fn of_package(&self, package: &str, owner: Option<&str>) -> Answer<'_, Option<DeliveryRecord>, Unread>;

    /// Whether what ended on this day was moved out.
    fn is_moved(&self, day: Day) -> Answer<'_, bool, Unread>;
}

/// Why the archive does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("too many questions about past deliveries wait for their answers")]
    Busy,
    #[error("past deliveries cannot be read at the moment")]
    Unavailable,
    /// It was here, and is in that day's file now.
    #[error("the delivery ended long ago, and was moved to the file history/{0}.parquet")]
    Moved(Day),
}

impl View {
    /// Where deliveries are looked for that are not in memory; once and for all.
    pub fn look_into(&self, archive: Arc<dyn Archive>) {
        let _there_is_one = self.archive.set(archive);
    }

    pub fn archive(&self) -> Option<Arc<dyn Archive>> {
        self.archive.get().cloned()
    }

    /// A delivery, in memory or not; `None` where there never was one. While somebody has the
    /// handle, all that asks for it by its id finds it.
    ///
    /// # Errors
    /// An archive that does not answer, or has moved it out.
    pub async fn find(&self, id: DeliveryId) -> Result<Option<DeliveryHandle>, Unread> {
        if let Some(handle) = self.handle(id) {
            return Ok(Some(handle));
        }
        let Some(archive) = self.archive.get() else {
            return Ok(None);
        };
        let record = archive.delivery(id).await?;
        Ok(record.map(|record| self.deliveries.recall(record)))
    }

    /// Deliveries in order of their ids, from the first after `after` on.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn list(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Page<DeliveryRecord, DeliveryId>, Unread> {
        let here = self.deliveries(filter, after, limit);
        let Some(archive) = self.archive.get() else {
            return Ok(here);
        };
        // The archive has none that goes on.
        let has_some = filter.stage.is_none_or(|stage| stage.is_terminal());
        let kept = match filter.only {
            _ if !has_some => Vec::new(),
            Some(only) => match after.is_none_or(|after| after < only) && here.items.is_empty() {
                true => found(archive.delivery(only).await)?,
                false => Vec::new(),
            },
            None => archive.by_id(filter, after, limit + 1).await?,
        };
        let kept = kept.into_iter().filter(|record| admits(filter, record));
        Ok(merged(here, kept, limit, |record| Some(record.id)))
    }

    /// Those that have ended, in the order in which they did, from the first after `after` on.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn list_ended(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Result<Page<DeliveryRecord, (SimTime, DeliveryId)>, Unread> {
        let here = self.ended_deliveries(filter, after, limit);
        let Some(archive) = self.archive.get() else {
            return Ok(here);
        };
        let mark = |record: &DeliveryRecord| record.ended.map(|ended| (ended, record.id));
        let kept = match filter.only {
            Some(only) if here.items.is_empty() => found(archive.delivery(only).await)?,
            Some(_) => Vec::new(),
            None => archive.by_end(filter, after, limit + 1).await?,
        };
        let is_wanted = |record: &DeliveryRecord| {
            let is_theirs = filter
                .owner
                .as_ref()
                .is_none_or(|owner| *owner == record.order.owner.account);
            let in_time = record
                .ended
                .is_some_and(|ended| (filter.from..filter.until).contains(&ended));
            is_theirs && in_time && after.is_none_or(|after| mark(record) > Some(after))
        };
        Ok(merged(here, kept.into_iter().filter(is_wanted), limit, mark))
    }

    /// The deliveries of dead letters, in order of their ids, from the first after `after` on.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn of_dead_letters(
        &self,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Page<DeliveryRecord, DeliveryId>, Unread> {
        let letters = self.dead_letters(after, limit);
        let mut items = Vec::with_capacity(letters.items.len());
        for letter in letters.items {
            match self.find(letter.id).await {
                Ok(found) => items.extend(found.map(|handle| handle.look().clone())),
                Err(Unread::Moved(_)) => {}
                Err(unread) => return Err(unread),
            }
        }
        Ok(Page {
            items,
            next: letters.next,
        })
    }

    /// The newest delivery with a package of this id: this account's, or else of all.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn of_package(
        &self,
        package: &str,
        owner: Option<&str>,
    ) -> Result<Option<DeliveryHandle>, Unread> {
        let here = self.deliveries.newest_of_package(package, owner);
        let Some(archive) = self.archive.get() else {
            return Ok(here);
        };
        let age_of = |handle: &DeliveryHandle| {
            let record = handle.look();
            (record.accepted().unwrap_or(SimTime::NEVER), record.id)
        };
        let kept = archive.of_package(package, owner).await?;
        let kept = kept.map(|record| self.deliveries.recall(record));
        Ok(here.into_iter().chain(kept).max_by_key(age_of))
    }

    /// When the first of these ended that the archive has.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn oldest_kept(&self, filter: &EndFilter) -> Result<Option<SimTime>, Unread> {
        let Some(archive) = self.archive.get() else {
            return Ok(None);
        };
        let oldest = archive.by_end(filter, None, 1).await?;
        Ok(oldest.first().and_then(|record| record.ended))
    }

    /// Whether what ended on this day is no longer here, but in that day's file.
    ///
    /// # Errors
    /// An archive that does not answer.
    pub async fn is_moved(&self, day: Day) -> Result<bool, Unread> {
        match self.archive.get() {
            Some(archive) => archive.is_moved(day).await,
            None => Ok(false),
        }
    }
}

fn admits(filter: &DeliveryFilter, record: &DeliveryRecord) -> bool {
    let is_theirs = filter
        .owner
        .as_ref()
        .is_none_or(|owner| *owner == record.order.owner.account);
    is_theirs && filter.stage.is_none_or(|stage| stage == record.stage)
}

/// In a list, what was moved out is not missing: it is not there.
fn found(answer: Result<Option<DeliveryRecord>, Unread>) -> Result<Vec<DeliveryRecord>, Unread> {
    match answer {
        Ok(record) => Ok(Vec::from_iter(record)),
        Err(Unread::Moved(_)) => Ok(Vec::new()),
        Err(unread) => Err(unread),
    }
}

/// One page of two: what is in both counts once, as memory has it. Neither is shown beyond
/// where the other was looked through.
fn merged<C: Ord + Copy>(
    here: Page<DeliveryRecord, C>,
    kept: impl Iterator<Item = DeliveryRecord>,
    limit: usize,
    mark_of: impl Fn(&DeliveryRecord) -> Option<C>,
) -> Page<DeliveryRecord, C> {
    let mut all = BTreeMap::new();
    for record in kept.chain(here.items) {
        if let Some(mark) = mark_of(&record) {
            all.insert(mark, record);
        }
    }
    let end = here.next;
    let mut items = Vec::new();
    let mut last = None;
    for (mark, record) in all {
        if end.is_some_and(|end| mark > end) {
            break;
        }
        if items.len() == limit {
            return Page { items, next: last };
        }
        last = Some(mark);
        items.push(record);
    }
    Page { items, next: end }
}
