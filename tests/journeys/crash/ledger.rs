//! What customers were told of their deliveries, held against what the server knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use skyhaul::sim::delivery::Stage;

use super::promises::Said;
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
    /// As it was changed; the request's mark is its first word.
    deadline: Said<String>,
    /// How it has ended, or, called off, will end: what is held for it is let go of first.
    end: Option<Stage>,
    has_ended: bool,
    /// How often somebody was promised to be told, and whether that was looked up since.
    told: u32,
    told_is_known: bool,
}

/// What a customer does about a delivery that was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    CalledOff,
    Confirmed,
    AskedToBeTold,
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
        self.new_request_with(keyed, None)
    }

    /// One whose recipient must give their word.
    pub fn new_request_with(&self, keyed: bool, confirmation: Option<&'static str>) -> Request {
        let mut entries = self.0.lock();
        let mark = format!("order-{}", entries.len());
        let request = Request {
            owner: OWNER.to_owned(),
            key: keyed.then(|| format!("key-of-{mark}")),
            mark: mark.clone(),
            confirmation,
        };
        let entry = Entry {
            request: request.clone(),
            id: None,
            open: true,
            deadline: Said::new(mark.clone()),
            end: None,
            has_ended: false,
            told: 0,
            told_is_known: true,
        };
        entries.insert(mark, entry);
        request
    }

    pub fn note(&self, request: &Request, acknowledged: Option<String>) {
        self.with(request, |entry| match (&entry.id, acknowledged) {
            (Some(known), Some(id)) => assert_eq!(*known, id, "{} has one id", request.mark),
            (None, Some(id)) => (entry.id, entry.open) = (Some(id), false),
            (_, None) => {}
        });
    }

    /// This was acknowledged.
    pub fn note_done(&self, request: &Request, did: Did) {
        self.with(request, |entry| entry.note_done(did));
    }

    /// The same of a delivery that nobody here may have ordered.
    pub fn note_confirmed(&self, id: &str) {
        let mut entries = self.0.lock();
        let mut of_id = entries
            .values_mut()
            .filter(|entry| entry.id.as_deref() == Some(id));
        if let Some(entry) = of_id.next() {
            entry.note_done(Did::Confirmed);
        }
    }

    pub fn send_deadline(&self, request: &Request, deadline: String) {
        self.with(request, |entry| entry.deadline.send(deadline));
    }

    pub fn hear_deadline(&self, request: &Request, taken: Option<bool>) {
        self.with(request, |entry| entry.deadline.hear(taken));
    }

    fn with(&self, request: &Request, change: impl FnOnce(&mut Entry)) {
        let mut entries = self.0.lock();
        change(entries.get_mut(&request.mark).expect("it was made here"));
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
        self.check_told(server).await;
    }

    async fn check_list(&self, server: &Operator) {
        let mut listed = BTreeMap::new();
        for found in server.deliveries(Some(OWNER)).await {
            let mark = found.delivery.deadline.split(' ').next().map(str::to_owned);
            let mark = mark.expect("a text has a first word");
            let twice = listed.insert(mark, found);
            assert!(twice.is_none(), "a delivery is doubled: {twice:?}");
        }
        let mut entries = self.0.lock();
        for (mark, entry) in &mut *entries {
            match (&entry.id, listed.remove(mark)) {
                (Some(known), found) => {
                    let found = found.unwrap_or_else(|| panic!("{mark} was acknowledged, and is gone"));
                    assert_eq!(found.delivery.id, *known, "{mark} was acknowledged");
                    entry.deadline.check(found.delivery.deadline, mark);
                    entry.check_stage(found.stage);
                }
                (None, Some(found)) => {
                    assert!(entry.open, "{mark} was not there before, and nobody repeated it");
                    entry.id = Some(found.delivery.id);
                }
                (None, None) => {}
            }
            entry.open = false;
        }
        assert!(listed.is_empty(), "nobody ordered {listed:?}");
    }

    /// Whoever is to be told is in the delivery's past, and that has no holes.
    async fn check_told(&self, server: &Operator) {
        let told: Vec<_> = {
            let mut entries = self.0.lock();
            let news = entries.values_mut().filter(|entry| !entry.told_is_known);
            let known = news.map(|entry| {
                entry.told_is_known = true;
                (entry.id.clone(), entry.told)
            });
            known.collect()
        };
        for (id, told) in told {
            let id = id.expect("it was acknowledged before");
            let history = server.json(&format!("/api/deliveryhistory/{id}")).await;
            let events = history["events"].as_array().expect("events");
            for (seq, event) in (1..).zip(events) {
                assert_eq!(event["seq"], seq, "{history}");
            }
            let noted = events.iter().filter(|event| event["kind"] == "NotifyMeRequested");
            let noted = noted.count() as u32;
            assert!(
                noted >= told,
                "{told} of {id} were promised to be told, {noted} are"
            );
        }
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
                if !delivery.stage.is_terminal() {
                    return None;
                }
                *stages.entry(delivery.stage.as_str().to_owned()).or_default() += 1;
            }
            Some(stages)
        };
        server.until("all workflows have ended", ended).await
    }
}

impl Entry {
    fn note_done(&mut self, did: Did) {
        match did {
            Did::CalledOff => self.will_end(Stage::Cancelled),
            Did::Confirmed => self.check_stage(Stage::Completed),
            Did::AskedToBeTold => {
                self.told += 1;
                self.told_is_known = false;
            }
        }
    }

    fn will_end(&mut self, end: Stage) {
        let known = *self.end.get_or_insert(end);
        assert_eq!(known, end, "{} ends in one way", self.request.mark);
    }

    /// What has ended does not go on, nor end in another way.
    fn check_stage(&mut self, found: Stage) {
        assert!(
            found.is_terminal() || !self.has_ended,
            "{} had ended, and is {found:?}",
            self.request.mark
        );
        if found.is_terminal() {
            self.will_end(found);
            self.has_ended = true;
        }
    }
}
