//! The archive of a recording: deliveries that had ended and left memory, as its `history` channel
//! has them; of a live world's recording also those of before.
//!
//! Where each is, is found out when somebody first asks, and kept: some 50 bytes a delivery.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock, Weak};

use prost::Message;

use parking_lot::Mutex;

use crate::sim::calendar::Day;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::view::archive::{Archive, Unread};
use crate::view::commands::Answer;
use crate::view::{DeliveryFilter, DeliveryRecord, EndFilter, View};

use super::before::Before;
use super::file::{Chunk, FileError, Recording};
use super::layout::{self, Topic};

pub(super) struct Past {
    reader: Arc<Mutex<Arc<Reader>>>,
    view: Weak<View>,
    /// Who knows what had ended before the recording began.
    before: Option<Before>,
}

/// Of its own: requests do not wait for what is shown.
struct Reader {
    recording: Recording,
    index: OnceLock<Index>,
}

impl Reader {
    fn of(recording: Recording) -> Arc<Self> {
        Arc::new(Reader {
            recording,
            index: OnceLock::new(),
        })
    }

    fn index(&self) -> Result<&Index, FileError> {
        match self.index.get() {
            Some(index) => Ok(index),
            None => {
                let made = Index::of(&self.recording)?;
                Ok(self.index.get_or_init(|| made))
            }
        }
    }
}

/// The chunk, and the number of the record in its message.
type Spot = (usize, usize);

#[derive(Default)]
struct Index {
    by_id: BTreeMap<DeliveryId, (SimTime, Spot)>,
    by_end: BTreeMap<(SimTime, DeliveryId), Spot>,
}

impl Past {
    pub(super) fn open(
        recording: &Recording,
        view: &Arc<View>,
        before: Option<Before>,
    ) -> Result<Self, FileError> {
        let reader = Reader::of(recording.another()?);
        Ok(Past {
            reader: Arc::new(Mutex::new(reader)),
            view: Arc::downgrade(view),
            before,
        })
    }

    /// Asks on a thread where it may block.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Recording, &Index, SimTime) -> Result<T, FileError> + Send + 'static,
    ) -> Answer<'_, T, Unread> {
        let reader = Arc::clone(&self.reader);
        let now = self.view.upgrade().map_or(SimTime::START, |view| view.clock().at);
        Box::pin(async move {
            let asked = tokio::task::spawn_blocking(move || {
                let reader = newest(&reader)?;
                question(&reader.recording, reader.index()?, now)
            });
            match asked.await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => {
                    tracing::error!(%error, "what the recording has of past deliveries cannot be read");
                    Err(Unread::Unavailable)
                }
                Err(_) => Err(Unread::Unavailable),
            }
        })
    }
}

/// The reader, or a new one where more was written since.
fn newest(reader: &Mutex<Arc<Reader>>) -> Result<Arc<Reader>, FileError> {
    let mut reader = reader.lock();
    if reader.recording.is_behind() {
        *reader = Reader::of(reader.recording.another()?);
    }
    Ok(Arc::clone(&reader))
}

impl Index {
    fn of(recording: &Recording) -> Result<Self, FileError> {
        let mut index = Index::default();
        for (number, chunk) in recording.chunks().iter().enumerate() {
            if !chunk.topics.contains(&Topic::History) {
                continue;
            }
            for (place, record) in records_of(recording, chunk)?.iter().enumerate() {
                let record = DeliveryRecord::from_bytes(record)?;
                if let Some(ended) = record.ended {
                    index.by_id.insert(record.id, (ended, (number, place)));
                    index.by_end.insert((ended, record.id), (number, place));
                }
            }
        }
        Ok(index)
    }
}

pub(super) fn records_of(recording: &Recording, chunk: &Chunk) -> Result<Vec<Vec<u8>>, FileError> {
    let mut records = Vec::new();
    for message in recording.messages(chunk)? {
        if message.topic == Topic::History {
            records.extend(layout::History::decode(message.data.as_slice())?.records);
        }
    }
    Ok(records)
}

/// At most `limit` of those at these spots that are wanted.
fn some(
    recording: &Recording,
    spots: impl Iterator<Item = Spot>,
    limit: usize,
    is_wanted: impl Fn(&DeliveryRecord) -> bool,
) -> Result<Vec<DeliveryRecord>, FileError> {
    let mut found = Vec::new();
    // Neighbours are mostly in one chunk.
    let mut held: Option<(usize, Vec<Vec<u8>>)> = None;
    for (chunk, place) in spots {
        if held.as_ref().is_none_or(|(number, _)| *number != chunk) {
            held = Some((chunk, records_of(recording, &recording.chunks()[chunk])?));
        }
        let bytes = held.as_ref().and_then(|(_, records)| records.get(place));
        let Some(bytes) = bytes else { continue };
        let record = DeliveryRecord::from_bytes(bytes)?;
        if is_wanted(&record) {
            found.push(record);
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

fn is_theirs(owner: Option<&String>, record: &DeliveryRecord) -> bool {
    owner.is_none_or(|owner| *owner == record.order.owner.account)
}

/// The first of these in their order, each once.
fn first<K: Ord>(
    records: Vec<DeliveryRecord>,
    limit: usize,
    place: impl Fn(&DeliveryRecord) -> K,
) -> Vec<DeliveryRecord> {
    let ordered: BTreeMap<K, DeliveryRecord> = records
        .into_iter()
        .map(|record| (place(&record), record))
        .collect();
    ordered.into_values().take(limit).collect()
}

impl Archive for Past {
    fn delivery(&self, id: DeliveryId) -> Answer<'_, Option<DeliveryRecord>, Unread> {
        let recorded = self.ask(move |recording, index, now| {
            let spot = index.by_id.get(&id).filter(|(ended, _)| *ended <= now);
            let spots = spot.map(|(_, spot)| *spot).into_iter();
            Ok(some(recording, spots, 1, |_| true)?.pop())
        });
        Box::pin(async move {
            match (recorded.await?, &self.before) {
                (None, Some(before)) => before.delivery(id).await,
                (recorded, _) => Ok(recorded),
            }
        })
    }

    fn by_id(
        &self,
        filter: &DeliveryFilter,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread> {
        let wanted = filter.clone();
        let filter = filter.clone();
        let recorded = self.ask(move |recording, index, now| {
            let later = index
                .by_id
                .iter()
                .filter(|(id, _)| after.is_none_or(|after| **id > after));
            let ended = later.filter(|(_, (ended, _))| *ended <= now);
            let is_wanted = |record: &DeliveryRecord| {
                let in_stage = filter.stage.is_none_or(|stage| stage == record.stage);
                in_stage && is_theirs(filter.owner.as_ref(), record)
            };
            some(recording, ended.map(|(_, (_, spot))| *spot), limit, is_wanted)
        });
        Box::pin(async move {
            let mut found = recorded.await?;
            if let Some(before) = &self.before {
                let last = found.last().filter(|_| found.len() == limit);
                let last = last.map(|record| record.id);
                found.extend(before.by_id(&wanted, after, limit, last).await?);
            }
            Ok(first(found, limit, |record| record.id))
        })
    }

    fn by_end(
        &self,
        filter: &EndFilter,
        after: Option<(SimTime, DeliveryId)>,
        limit: usize,
    ) -> Answer<'_, Vec<DeliveryRecord>, Unread> {
        let wanted = filter.clone();
        let filter = filter.clone();
        let recorded = self.ask(move |recording, index, now| {
            let in_time = |(mark, _): &(&(SimTime, DeliveryId), &Spot)| {
                let (ended, _) = **mark;
                let is_later = after.is_none_or(|after| **mark > after);
                is_later && ended <= now && (filter.from..filter.until).contains(&ended)
            };
            let spots = index.by_end.iter().filter(in_time).map(|(_, spot)| *spot);
            some(recording, spots, limit, |record| {
                is_theirs(filter.owner.as_ref(), record)
            })
        });
        Box::pin(async move {
            let mut found = recorded.await?;
            if let Some(before) = &self.before {
                found.extend(before.by_end(&wanted, after, limit).await?);
            }
            Ok(first(found, limit, |record| (record.ended, record.id)))
        })
    }

    fn of_package(&self, package: &str, owner: Option<&str>) -> Answer<'_, Option<DeliveryRecord>, Unread> {
        let (package, owner) = (package.to_owned(), owner.map(str::to_owned));
        let wanted = (package.clone(), owner.clone());
        let recorded = self.ask(move |recording, index, now| {
            let ended = index.by_end.iter().rev().filter(|((ended, _), _)| *ended <= now);
            let is_wanted = |record: &DeliveryRecord| {
                record.order.package.id == package && is_theirs(owner.as_ref(), record)
            };
            Ok(some(recording, ended.map(|(_, spot)| *spot), 1, is_wanted)?.pop())
        });
        Box::pin(async move {
            match (recorded.await?, &self.before) {
                (None, Some(before)) => before.of_package(&wanted.0, wanted.1.as_deref()).await,
                (recorded, _) => Ok(recorded),
            }
        })
    }

    fn is_moved(&self, day: Day) -> Answer<'_, bool, Unread> {
        Box::pin(async move {
            match &self.before {
                Some(before) => before.is_moved(day).await,
                None => Ok(false),
            }
        })
    }
}
