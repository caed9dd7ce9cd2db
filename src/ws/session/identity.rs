//! Whom a session serves, and until when: it begins with what the handshake showed, or
//! waits a little for the client's first word, which must be a token; it ends when the
//! token does, not only when the client says something next.
//!
//! A later token makes the session its bearer's: what was followed and is not theirs ends,
//! and nothing becomes more than it was.

use std::time::Duration;

use actix::{AsyncContext, Context};

use super::{CustomerSession, Ending, Farewell, Session, Subscriptions};
use crate::auth::{Denied, Grant, Presented};
use crate::wire::stream::ErrorCode;
use crate::wire::stream::ServerMessage;
use crate::wire::stream::client::Refused;
use crate::wire::time::rfc3339_unix_us;

/// A clock that is set meanwhile is noticed after this long.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);
const MICROS: u64 = 1_000_000;

/// What the handshake showed: nothing, a token, or what can be none.
pub(in crate::ws) type Shown = Result<Option<Presented>, Denied>;

impl Session {
    /// Nothing is told of the world before this has let somebody in.
    pub(super) fn introduce(&mut self, shown: Shown, context: &mut Context<CustomerSession>) {
        let granted = shown.and_then(|presented| self.shared.house.guard.admit(presented.as_ref()));
        match granted {
            Ok(grant) => {
                if self.enter(grant, context) {
                    self.welcome();
                }
            }
            Err(Denied::Missing) => {
                let within = self.shared.house.config.token_within;
                context.run_later(within, |actor, _| {
                    let mut session = actor.0.lock();
                    if session.grant.is_none() {
                        session.turn_away(Denied::Missing);
                        session.speak();
                    }
                });
            }
            Err(denied) => self.turn_away(denied),
        }
    }

    /// Somebody who was let in already, and what they follow.
    pub(super) fn begin(
        &mut self,
        grant: Grant,
        mut subscriptions: Subscriptions,
        context: &mut Context<CustomerSession>,
    ) {
        if !self.enter(grant, context) {
            return;
        }
        self.welcome();
        for subscription in subscriptions.iter_mut() {
            let subscribed = subscription.subscribed(&self.shared);
            self.reply(&subscribed);
        }
        self.subscriptions = subscriptions;
    }

    /// The client shows a token, or another one.
    pub(super) fn authorize(&mut self, presented: &Presented, context: &mut Context<CustomerSession>) {
        match self.shared.house.guard.admit(Some(presented)) {
            Ok(grant) => {
                let is_first = self.grant.is_none();
                if self.enter(grant, context) {
                    self.confirm();
                    if is_first {
                        self.welcome();
                    }
                }
            }
            Err(denied) => self.turn_away(denied),
        }
    }

    /// False where the token ended just now.
    fn enter(&mut self, grant: Grant, context: &mut Context<CustomerSession>) -> bool {
        if let Some(own) = &self.own {
            own.hand_to(&grant.viewer);
        }
        self.grant = Some(grant);
        self.await_expiry(context);
        matches!(self.farewell, Farewell::NotYet)
    }

    fn confirm(&mut self) {
        let Some(Grant { viewer, expires }) = &self.grant else {
            return;
        };
        let expires_us = expires.map_or(0, |expires| expires.saturating_mul(MICROS));
        let message = ServerMessage::Authorized {
            role: viewer.role().as_str(),
            account: viewer.account(),
            delivery: viewer.only().map(|id| id.to_string()).as_deref(),
            expires: &rfc3339_unix_us(i64::try_from(expires_us).unwrap_or(i64::MAX)),
        }
        .encode(self.encoding);
        self.replies.push_back(message);
    }

    fn await_expiry(&mut self, context: &mut Context<CustomerSession>) {
        if let Some(before) = self.expiry.take() {
            context.cancel_future(before);
        }
        let Some(left) = self.grant.as_ref().and_then(Grant::left) else {
            return;
        };
        if left.is_zero() {
            self.turn_away(Denied::Expired);
            return;
        }
        let sleep = left.min(LONGEST_SLEEP);
        self.expiry = Some(context.run_later(sleep, |actor, context| {
            let mut session = actor.0.lock();
            session.expiry = None;
            session.await_expiry(context);
            session.speak();
        }));
    }

    /// Says why, and ends the session; nothing else is said any more.
    pub(super) fn turn_away(&mut self, denied: Denied) {
        if !matches!(self.farewell, Farewell::NotYet) {
            return;
        }
        self.subscriptions.clear();
        self.refuse(&Refused::new(None, ErrorCode::Unauthorized, denied.to_string()));
        self.farewell = Farewell::Due(Ending::Unauthorized);
    }

    /// Ends what the viewer may not, or no longer, follow.
    pub(super) fn review(&mut self) {
        let Some(Grant { viewer, .. }) = &self.grant else {
            return;
        };
        for refused in self.subscriptions.close_forbidden(&self.shared, viewer) {
            self.refuse(&refused);
            if let Some(id) = refused.id {
                self.reply(&ServerMessage::Unsubscribed { id });
            }
        }
    }
}
