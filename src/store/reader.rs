//! Questions about history, answered beside the writer: a thread with a connection of its own,
//! or the writer's where the store has no other way.
//!
//! **When full** a question is refused as [`Refused::Busy`]. What fails is [`Refused::Unavailable`]:
//! the next question may find the store back.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use tokio::sync::oneshot;

use super::writer::Refused;
use super::{Found, HistoryQuery, HistoryReader, StoreError, Writer};

/// Questions that may wait for the thread.
pub const QUESTIONS_WAITING: usize = 1_024;

/// The handle: clone it freely. The thread ends with the last of them.
#[derive(Clone)]
pub struct Reader {
    way: Way,
}

#[derive(Clone)]
enum Way {
    Beside {
        questions: SyncSender<Question>,
        waiting: Arc<AtomicUsize>,
    },
    Through(Writer),
}

struct Question {
    query: HistoryQuery,
    answer: oneshot::Sender<Result<Found, Refused>>,
}

impl Reader {
    /// `beside` is what [`super::Store::reader`] gave, before the writer took the store.
    ///
    /// # Errors
    /// `Io` where no thread can be had.
    pub fn start(beside: Option<Box<dyn HistoryReader>>, writer: &Writer) -> Result<Self, StoreError> {
        let Some(store) = beside else {
            return Ok(Reader {
                way: Way::Through(writer.clone()),
            });
        };
        let (questions, asked) = sync_channel(QUESTIONS_WAITING);
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&waiting);
        thread::Builder::new()
            .name("store-reader".to_owned())
            .spawn(move || read(store, &asked, &left))
            .map_err(|cause: io::Error| StoreError::Io {
                cause: cause.to_string(),
            })?;
        Ok(Reader {
            way: Way::Beside { questions, waiting },
        })
    }

    /// # Errors
    /// `Busy` where too many wait, `Unavailable` where the store does not answer.
    pub async fn ask(&self, query: HistoryQuery) -> Result<Found, Refused> {
        let (questions, waiting) = match &self.way {
            Way::Through(writer) => return writer.history(query).await,
            Way::Beside { questions, waiting } => (questions, waiting),
        };
        let (answer, answered) = oneshot::channel();
        // Counted first: the thread may have taken it before this goes on.
        waiting.fetch_add(1, Ordering::Relaxed);
        if let Err(refused) = questions.try_send(Question { query, answer }) {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(match refused {
                TrySendError::Full(_) => Refused::Busy,
                TrySendError::Disconnected(_) => Refused::Unavailable,
            });
        }
        answered.await.unwrap_or(Err(Refused::Unavailable))
    }

    /// Its name, what waits now, and the bound; none of its own where it asks the writer.
    pub fn queue(&self) -> Option<(&'static str, usize, usize)> {
        match &self.way {
            Way::Beside { waiting, .. } => {
                Some(("store_reads", waiting.load(Ordering::Relaxed), QUESTIONS_WAITING))
            }
            Way::Through(_) => None,
        }
    }
}

fn read(mut store: Box<dyn HistoryReader>, asked: &Receiver<Question>, waiting: &AtomicUsize) {
    while let Ok(Question { query, answer }) = asked.recv() {
        waiting.fetch_sub(1, Ordering::Relaxed);
        // Who has gone away need not be looked for.
        if answer.is_closed() {
            continue;
        }
        let found = store.history(&query).map_err(|error| {
            tracing::warn!(%error, "history could not be read");
            Refused::Unavailable
        });
        let _caller_gone = answer.send(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{Faults, FaultyStore};
    use crate::store::testing::{Model, WORLD, delivery};
    use crate::store::{Store, sqlite};
    use tempfile::TempDir;

    /// A store with something in its history, and its two handles.
    fn started(mut store: Box<dyn Store>) -> (Writer, Reader, Model) {
        let mut model = Model::default();
        let flush = model.next_flush(&[3], 4, true);
        store.append(&flush).unwrap();
        model.apply(&flush);
        let beside = store.reader().unwrap();
        let writer = Writer::start(store).unwrap();
        let reader = Reader::start(beside, &writer).unwrap();
        (writer, reader, model)
    }

    #[tokio::test]
    async fn history_is_read_beside_the_writer_or_through_it() {
        let dir = TempDir::new().unwrap();
        let faults = Faults::default();
        let on_disk = Box::new(sqlite::open(dir.path(), &WORLD, false).unwrap());
        let on_disk = Box::new(FaultyStore::new(on_disk, faults.clone()));
        let in_memory = Box::new(sqlite::in_memory(&WORLD).unwrap());
        let newest = || HistoryQuery::Newest { limit: 9 };
        for store in [on_disk as Box<dyn Store>, in_memory] {
            let (writer, reader, _) = started(store);
            assert_eq!(reader.ask(newest()).await.unwrap().rows.len(), 2);
            let never = reader.ask(HistoryQuery::Delivery(delivery(77))).await;
            assert_eq!(never, Ok(Found::default()));
            let Some((_, waiting, _)) = reader.queue() else {
                continue;
            };
            assert_eq!(waiting, 0);
            // A writer that is busy keeps no reader waiting.
            let held = faults.hold_appends();
            let pending = writer.commit_tick(crate::store::testing::tick(5, 3), None).await;
            while !faults.is_append_held() {
                tokio::task::yield_now().await;
            }
            assert_eq!(reader.ask(newest()).await.unwrap().rows.len(), 2);
            drop(held);
            pending.await.unwrap();
            faults.fail_reads(Some(StoreError::Io {
                cause: "on purpose".to_owned(),
            }));
            assert_eq!(reader.ask(newest()).await, Err(Refused::Unavailable));
            faults.fail_reads(None);
            assert!(reader.ask(newest()).await.is_ok(), "it comes back by itself");
        }
    }
}
