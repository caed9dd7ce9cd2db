//! What one session follows, and the rules of that: each number and each topic once, and
//! not too many.

use std::collections::BTreeMap;

use crate::auth::{Viewer, What};
use crate::wire::stream::client::{Refused, Subscribe, Update};
use crate::wire::stream::{ErrorCode, ServerMessage};

use super::Shared;
use super::topic::Subscription;

const MOST_TOPICS: usize = 64;

/// By their numbers.
#[derive(Default)]
pub(super) struct Subscriptions(BTreeMap<u64, Subscription>);

impl Subscriptions {
    /// Answers with the new one.
    pub(super) fn open(
        &mut self,
        shared: &Shared,
        viewer: &Viewer,
        request: Subscribe,
    ) -> Result<&mut Subscription, Refused> {
        let id = request.id;
        if self.0.contains_key(&id) {
            let message = format!("this session has a subscription {id} already");
            return Err(Refused::new(id, ErrorCode::DuplicateId, message));
        }
        let name = request.topic.to_string();
        if let Some(other) = self.0.values().find(|other| other.name == name) {
            let message = format!("subscription {} follows `{name}` already", other.id);
            return Err(Refused::new(id, ErrorCode::DuplicateTopic, message));
        }
        if self.0.len() == MOST_TOPICS {
            let message = format!("a session has at most {MOST_TOPICS} topics");
            return Err(Refused::new(id, ErrorCode::TooMany, message));
        }
        let subscription = Subscription::open(shared, viewer, request)?;
        Ok(self.0.entry(id).or_insert(subscription))
    }

    /// The answer.
    pub(super) fn update(
        &mut self,
        shared: &Shared,
        update: &Update,
    ) -> Result<ServerMessage<'static>, Refused> {
        let id = update.id;
        let subscription = self.0.get_mut(&id).ok_or_else(|| unknown_id(id))?;
        subscription.update(shared, update)?;
        Ok(subscription.subscribed(shared))
    }

    pub(super) fn close(&mut self, id: u64) -> Result<(), Refused> {
        self.0.remove(&id).map(drop).ok_or_else(|| unknown_id(id))
    }

    /// Ends what this viewer may not, or no longer, follow; answers with what to say of it.
    pub(super) fn close_forbidden(&mut self, shared: &Shared, viewer: &Viewer) -> Vec<Refused> {
        if viewer.may(&What::Everything) {
            return Vec::new();
        }
        let is_over = |subscription: &&Subscription| !subscription.is_allowed(shared, viewer);
        let over: Vec<_> = self.0.values().filter(is_over).map(|over| over.id).collect();
        let over = over.into_iter().filter_map(|id| self.0.remove(&id));
        over.map(|Subscription { id, name, .. }| {
            let message = format!("`{name}` is not, or no longer, for this token");
            Refused::new(id, ErrorCode::Forbidden, message)
        })
        .collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.0.values_mut()
    }
}

fn unknown_id(id: u64) -> Refused {
    let message = format!("this session has no subscription {id}");
    Refused::new(id, ErrorCode::UnknownId, message)
}
