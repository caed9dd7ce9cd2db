//! What customers were told, held against what the server knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use skyhaul::sim::delivery::Stage;

use crate::support::operator::{Operator, Request};

const OWNER: &str = "crash";

#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<BTreeMap<String, Entry>>>);

struct Entry {
    request: Request,
    /// Once somebody was told, or saw it in a list.
    id: Option<String>,
    /// Sent, and the server was killed before it answered: it stands or it does not, and the
    /// next list tells which.
    open: bool,
}

impl Ledger {
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    /// Ids of all that somebody was told of so far.
    pub fn acknowledged(&self) -> Vec<String> {
        let entries = self.0.lock();
        entries.values().filter_map(|entry| entry.id.clone()).collect()
    }

    pub fn new_request(&self, keyed: bool) -> Request {
        let mut entries = self.0.lock();
        let mark = format!("order-{}", entries.len());
        let request = Request {
            owner: OWNER.to_owned(),
            key: keyed.then(|| format!("key-of-{mark}")),
            mark: mark.clone(),
        };
        let entry = Entry {
            request: request.clone(),
            id: None,
            open: true,
        };
        entries.insert(mark, entry);
        request
    }

    pub fn note(&self, request: &Request, acknowledged: Option<String>) {
        let mut entries = self.0.lock();
        let entry = entries.get_mut(&request.mark).expect("it was made here");
        match (&entry.id, acknowledged) {
            (Some(known), Some(id)) => assert_eq!(*known, id, "{} has one id", request.mark),
            (None, Some(id)) => (entry.id, entry.open) = (Some(id), false),
            (_, None) => {}
        }
    }

    /// Nothing that was acknowledged is missing, nothing is doubled, nothing comes from
    /// nowhere, and who repeats a request with its key is told the first id.
    pub async fn check(&self, server: &Operator) {
        self.check_list(server).await;
        for request in self.worth_repeating() {
            let repeated = server.order(&request).await;
            assert!(repeated.is_some(), "{} can be repeated", request.mark);
            self.note(&request, repeated);
        }
        self.check_list(server).await;
    }

    async fn check_list(&self, server: &Operator) {
        let mut listed = BTreeMap::new();
        for delivery in server.deliveries(Some(OWNER)).await {
            let twice = listed.insert(delivery.delivery.deadline, delivery.delivery.id);
            assert_eq!(twice, None, "a delivery is doubled");
        }
        let mut entries = self.0.lock();
        for (mark, entry) in &mut *entries {
            match (&entry.id, listed.remove(mark)) {
                (Some(known), found) => assert_eq!(found.as_ref(), Some(known), "{mark} was acknowledged"),
                (None, Some(found)) => {
                    assert!(entry.open, "{mark} was not there before, and nobody repeated it");
                    entry.id = Some(found);
                }
                (None, None) => {}
            }
            entry.open = false;
        }
        assert!(listed.is_empty(), "nobody ordered {listed:?}");
    }

    /// All that were never answered, and the latest of the others.
    fn worth_repeating(&self) -> Vec<Request> {
        const OF_THE_OTHERS: usize = 20;
        let entries = self.0.lock();
        let keyed = entries.values().filter(|entry| entry.request.key.is_some());
        let (answered, unanswered): (Vec<_>, Vec<_>) = keyed.partition(|entry| entry.id.is_some());
        let latest = answered.into_iter().rev().take(OF_THE_OTHERS);
        let both = unanswered.into_iter().chain(latest);
        both.map(|entry| entry.request.clone()).collect()
    }

    /// Waits until every workflow has come to its end; how many ended how.
    pub async fn stages_at_the_end(&self, server: &Operator) -> BTreeMap<String, usize> {
        let ended = async || {
            let mut stages = BTreeMap::new();
            for delivery in server.deliveries(Some(OWNER)).await {
                if !matches!(delivery.stage, Stage::Completed | Stage::Failed) {
                    return None;
                }
                *stages.entry(delivery.stage.as_str().to_owned()).or_default() += 1;
            }
            Some(stages)
        };
        server.until("all workflows have ended", ended).await
    }
}
