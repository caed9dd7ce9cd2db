//! What one session follows, and the rules of that: each number and each topic once, and
//! not too many.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};

use crate::auth::{Viewer, What};
use crate::wire::stream::client::{Refused, Subscribe, Update};
use crate::wire::stream::{ErrorCode, ServerMessage};

use super::Shared;
use super::lag::Level;
use super::topic::{Speech, Subscription};

const MOST_TOPICS: usize = 64;

#[derive(Default)]
pub(super) struct Subscriptions {
    /// By their numbers.
    by_id: BTreeMap<u64, Subscription>,
    /// Who speaks first, or whoever comes after that.
    first: u64,
}

impl Subscriptions {
    /// Answers with the new one.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        viewer: &Viewer,
        request: Subscribe,
    ) -> Result<&mut Subscription, Refused> {
        let id = request.id;
        if self.by_id.contains_key(&id) {
            let message = format!("this session has a subscription {id} already");
            return Err(Refused::new(id, ErrorCode::DuplicateId, message));
        }
        let name = request.topic.to_string();
        if let Some(other) = self.by_id.values().find(|other| other.name == name) {
            let message = format!("subscription {} follows `{name}` already", other.id);
            return Err(Refused::new(id, ErrorCode::DuplicateTopic, message));
        }
        if self.by_id.len() == MOST_TOPICS {
            let message = format!("a session has at most {MOST_TOPICS} topics");
            return Err(Refused::new(id, ErrorCode::TooMany, message));
        }
        let subscription = Subscription::open(shared, viewer, request)?;
        Ok(self.by_id.entry(id).or_insert(subscription))
    }

    /// The answer.
    pub(super) fn update(
        &mut self,
        shared: &Shared,
        update: &Update,
    ) -> Result<ServerMessage<'static>, Refused> {
        let id = update.id;
        let subscription = self.by_id.get_mut(&id).ok_or_else(|| unknown_id(id))?;
        subscription.update(shared, update)?;
        Ok(subscription.subscribed(shared))
    }

    pub(super) fn close(&mut self, id: u64) -> Result<(), Refused> {
        self.by_id.remove(&id).map(drop).ok_or_else(|| unknown_id(id))
    }

    /// Ends what this viewer may not, or no longer, follow; answers with what to say of it.
    pub(super) fn close_forbidden(&mut self, shared: &Shared, viewer: &Viewer) -> Vec<Refused> {
        if viewer.may(&What::Everything) {
            return Vec::new();
        }
        let is_over = |subscription: &&Subscription| !subscription.is_allowed(shared, viewer);
        let over: Vec<_> = self.by_id.values().filter(is_over).map(|over| over.id).collect();
        let over = over.into_iter().filter_map(|id| self.by_id.remove(&id));
        over.map(|Subscription { id, name, .. }| {
            let message = format!("`{name}` is not, or no longer, for this token");
            Refused::new(id, ErrorCode::Forbidden, message)
        })
        .collect()
    }

    /// Tells each how slow the client is.
    pub(super) fn bear(&mut self, level: Level, speech: &mut Speech<'_>) {
        for subscription in self.by_id.values_mut() {
            subscription.bear(level, speech);
        }
    }

    /// Lets each say what is new, in turn, while there is room; whoever finds none is the
    /// first of the next round.
    pub(super) fn speak(&mut self, speech: &mut Speech<'_>) {
        for turn in [
            (Included(self.first), Unbounded),
            (Unbounded, Excluded(self.first)),
        ] {
            for (id, subscription) in self.by_id.range_mut::<u64, _>(turn) {
                if !speech.has_room() {
                    self.first = *id;
                    return;
                }
                subscription.speak(speech);
            }
        }
    }

    pub(super) fn clear(&mut self) {
        self.by_id.clear();
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.by_id.values_mut()
    }
}

fn unknown_id(id: u64) -> Refused {
    let message = format!("this session has no subscription {id}");
    Refused::new(id, ErrorCode::UnknownId, message)
}
