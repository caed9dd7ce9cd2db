//! What one session follows, and the rules of that: each number and each topic once, and
//! not too many.

use crate::auth::{Viewer, What};
use crate::wire::stream::client::{Refused, Subscribe, Update};
use crate::wire::stream::{ErrorCode, ServerMessage};

use super::Shared;
use super::lag::Level;
use super::topic::{Speech, Subscription};

const MOST_TOPICS: usize = 64;

#[derive(Default)]
pub(super) struct Subscriptions {
    /// In order of their numbers; side by side, as a beat looks at all of them.
    by_id: Vec<Subscription>,
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
        let Err(place) = self.place_of(id) else {
            let message = format!("this session has a subscription {id} already");
            return Err(Refused::new(id, ErrorCode::DuplicateId, message));
        };
        let name = request.topic.to_string();
        if let Some(other) = self.by_id.iter().find(|other| other.name == name) {
            let message = format!("subscription {} follows `{name}` already", other.id);
            return Err(Refused::new(id, ErrorCode::DuplicateTopic, message));
        }
        if self.by_id.len() == MOST_TOPICS {
            let message = format!("a session has at most {MOST_TOPICS} topics");
            return Err(Refused::new(id, ErrorCode::TooMany, message));
        }
        let subscription = Subscription::open(shared, viewer, request)?;
        self.by_id.insert(place, subscription);
        Ok(&mut self.by_id[place])
    }

    /// The answer.
    pub(super) fn update(
        &mut self,
        shared: &Shared,
        update: &Update,
    ) -> Result<ServerMessage<'static>, Refused> {
        let id = update.id;
        let place = self.place_of(id).map_err(|_| unknown_id(id))?;
        let subscription = &mut self.by_id[place];
        subscription.update(shared, update)?;
        Ok(subscription.subscribed(shared))
    }

    pub(super) fn close(&mut self, id: u64) -> Result<(), Refused> {
        let place = self.place_of(id).map_err(|_| unknown_id(id))?;
        self.by_id.remove(place);
        Ok(())
    }

    /// Ends what this viewer may not, or no longer, follow; answers with what to say of it.
    pub(super) fn close_forbidden(&mut self, shared: &Shared, viewer: &Viewer) -> Vec<Refused> {
        if viewer.may(&What::Everything) {
            return Vec::new();
        }
        let is_over = |subscription: &mut Subscription| !subscription.is_allowed(shared, viewer);
        let over = self.by_id.extract_if(.., is_over);
        over.map(|Subscription { id, name, .. }| {
            let message = format!("`{name}` is not, or no longer, for this token");
            Refused::new(id, ErrorCode::Forbidden, message)
        })
        .collect()
    }

    /// Tells each how slow the client is.
    pub(super) fn bear(&mut self, level: Level, speech: &mut Speech<'_>) {
        for subscription in self.by_id.iter_mut() {
            subscription.bear(level, speech);
        }
    }

    /// Lets each say what is new, in turn, while there is room; whoever finds none is the
    /// first of the next round.
    pub(super) fn speak(&mut self, speech: &mut Speech<'_>) {
        let first = self
            .by_id
            .partition_point(|subscription| subscription.id < self.first);
        let (later, sooner) = self.by_id.split_at_mut(first);
        for subscription in sooner.iter_mut().chain(later) {
            if !speech.has_room() {
                self.first = subscription.id;
                return;
            }
            subscription.speak(speech);
        }
    }

    /// Where it is, or would be.
    fn place_of(&self, id: u64) -> Result<usize, usize> {
        self.by_id
            .binary_search_by_key(&id, |subscription| subscription.id)
    }

    pub(super) fn clear(&mut self) {
        self.by_id.clear();
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.by_id.iter_mut()
    }
}

fn unknown_id(id: u64) -> Refused {
    let message = format!("this session has no subscription {id}");
    Refused::new(id, ErrorCode::UnknownId, message)
}
