//! The customer's session: one actor per WebSocket, or per stream of server-sent events.
//!
//! It owns its customer's subscriptions, how far each was told, and how far the client
//! lags ([`Lag`]). It hears what the client said (`Heard`, one at a time: the socket reads
//! on when it is answered), that its socket has written the last batch (`Written`, only when
//! it asked), that it is to end (`End`), and that the server shuts down (`Leave`). At each
//! beat its shard lets it speak. It answers through its [`Outlet`], one batch at a time: waiting replies
//! first, then what each subscription has to say. While the outlet is taken, or too much
//! is unread, it composes nothing; events wait in the view's logs, positions are replaced
//! by newer ones. A client that reads nothing for too long is closed (1013).
//!
//! How messages reach it is in [`actor`], whom it serves, and what ends with their token, in
//! [`identity`], and how it looks at another moment than all others in [`own`].
//!
//! Bounds: 64 subscriptions; 64 waiting replies, beyond which the socket reads no more;
//! a mailbox of 16, which a beat does not go through. A failure ends the actor, and its
//! socket with it; the client may come again.

mod actor;
mod allowance;
mod identity;
mod own;
mod recall;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use actix::{Context, SpawnHandle};
use axum::extract::ws::{CloseFrame, close_code};
use tokio::time::Instant;

use crate::auth::{Denied, Grant, Presented};
use crate::wire::stream::client::{ClientMessage, Refused, Subscribe};
use crate::wire::stream::{ByeCode, Encoded, Encoding, ErrorCode, PROTOCOL, ServerMessage};
use crate::wire::time::rfc3339;

use super::Shared;
use super::beat::Beat;
use super::lag::{Lag, Level, Sign};
use super::outlet::{Batch, Letter, Outlet};
use super::subscriptions::Subscriptions;
use super::topic::Speech;
use crate::view::shown;
pub(super) use actor::{CustomerSession, Heard, Reading, Written};
use allowance::Allowance;
pub(super) use identity::Shown;
use own::{Asked, Own};

/// Of a session that shows no valid token.
const UNAUTHORIZED: u16 = 4401;

pub(super) struct Session {
    shared: Arc<Shared>,
    outlet: Outlet,
    lag: Lag,
    /// As the gauge of slow sessions has it.
    counted: Level,
    encoding: Encoding,
    number: u64,
    /// The address that it is from; unknown of a stream, which has no moment of its own.
    from: Option<IpAddr>,
    /// Until the session starts.
    opening: Option<Opening>,
    /// `None` while nobody has been let in.
    grant: Option<Grant>,
    /// The timer of the grant's end.
    expiry: Option<SpawnHandle>,
    subscriptions: Subscriptions,
    /// While it looks at another moment than all others.
    own: Option<Box<Own>>,
    /// How the clock goes is to be said, to whoever asked last.
    owes_clock: Option<Asked>,
    /// The past that they were told of.
    epoch: u64,
    /// It came back to what all look at, which has gone on since its own last leap.
    is_back: bool,
    /// Answers that wait for the outlet.
    replies: VecDeque<Encoded>,
    allowance: Allowance,
    farewell: Farewell,
}

/// How a session begins.
pub(super) enum Opening {
    /// A client that talks, and is to be let in yet.
    Handshake {
        shown: Shown,
        encoding: Encoding,
        from: Option<IpAddr>,
    },
    /// Somebody who was let in, follows this, and says nothing more; in JSON.
    Stream {
        grant: Grant,
        subscriptions: Subscriptions,
    },
}

enum Farewell {
    NotYet,
    Due(Ending),
    Said,
}

#[derive(Clone, Copy)]
enum Ending {
    Shutdown,
    /// The error that says why is among the replies.
    Unauthorized,
}

impl Session {
    fn new(shared: Arc<Shared>, outlet: Outlet, number: u64, opening: Opening) -> Self {
        let (encoding, sign) = match &opening {
            Opening::Handshake { encoding, .. } => (*encoding, Sign::Pongs),
            Opening::Stream { .. } => (Encoding::Json, Sign::Writes),
        };
        let epoch = shared.newest.read().epoch;
        Session {
            allowance: Allowance::full(shared.house.config.messages_per_second),
            lag: Lag::new(shared.house.config.patience, sign, Instant::now()),
            counted: Level::Fine,
            epoch,
            shared,
            outlet,
            encoding,
            number,
            from: None,
            opening: Some(opening),
            grant: None,
            expiry: None,
            subscriptions: Subscriptions::default(),
            own: None,
            owes_clock: None,
            is_back: false,
            replies: VecDeque::new(),
            farewell: Farewell::NotYet,
        }
    }

    fn welcome(&mut self) {
        let clock = self.shared.view.clock();
        self.epoch = clock.epoch;
        let message = ServerMessage::Welcome {
            session: &format!("s-{}", self.number),
            version: env!("CARGO_PKG_VERSION"),
            protocol: PROTOCOL,
            epoch: &shown::epoch(&clock),
            tick: clock.tick,
            sim_time: &rfc3339(&self.shared.view.world(), clock.at),
            speed: shown::speed(clock.pace.speed),
            playback: self.shared.view.is_playback(),
        };
        self.reply(&message);
    }

    fn reply(&mut self, message: &ServerMessage<'_>) {
        self.replies.push_back(message.encode(self.encoding));
    }

    fn refuse(&mut self, refused: &Refused) {
        self.shared.house.telemetry.error(refused.code);
        self.reply(&ServerMessage::Error {
            id: refused.id,
            code: refused.code,
            message: &refused.message,
        });
    }

    fn hear(&mut self, read: Result<ClientMessage, Refused>, context: &mut Context<CustomerSession>) {
        if !matches!(self.farewell, Farewell::NotYet) {
            return;
        }
        if self.grant.is_none() && !matches!(read, Ok(ClientMessage::Auth { .. })) {
            self.turn_away(Denied::Missing);
            return;
        }
        let followed = match (self.allowance.take(), read) {
            (true, Ok(message)) => self.follow(message, context),
            (true, Err(refused)) => Err(refused),
            (false, read) => Err(Refused::new(
                read.map_or_else(|refused| refused.id, |message| message.id()),
                ErrorCode::RateLimited,
                format!(
                    "at most {} messages a second",
                    self.shared.house.config.messages_per_second
                ),
            )),
        };
        if let Err(refused) = followed {
            self.refuse(&refused);
        }
    }

    fn follow(
        &mut self,
        message: ClientMessage,
        context: &mut Context<CustomerSession>,
    ) -> Result<(), Refused> {
        match message {
            ClientMessage::Subscribe(subscribe) => match self.past(&subscribe) {
                Some(delivery) => {
                    self.recall(delivery, subscribe, context);
                    Ok(())
                }
                None => self.subscribe(subscribe),
            },
            ClientMessage::Update(update) => {
                let subscribed = self.subscriptions.update(&self.shared, &update)?;
                self.reply(&subscribed);
                Ok(())
            }
            ClientMessage::Unsubscribe { id } => {
                self.subscriptions.close(id)?;
                self.reply(&ServerMessage::Unsubscribed { id });
                Ok(())
            }
            ClientMessage::Ping { sent } => {
                self.reply(&ServerMessage::Pong { sent });
                Ok(())
            }
            ClientMessage::Seek { id, unix_us } => {
                self.seek(Asked(id), unix_us, context);
                Ok(())
            }
            ClientMessage::Play { id, speed } => {
                self.play(Asked(id), speed, context);
                Ok(())
            }
            ClientMessage::Live { id } => {
                self.go_home(Asked(id));
                Ok(())
            }
            ClientMessage::Auth { token } => {
                self.authorize(&Presented::new(token.as_str()), context);
                Ok(())
            }
        }
    }

    fn subscribe(&mut self, request: Subscribe) -> Result<(), Refused> {
        let Some(Grant { viewer, .. }) = &self.grant else {
            let missing = Denied::Missing.to_string();
            return Err(Refused::new(request.id, ErrorCode::Unauthorized, missing));
        };
        let subscription = self.subscriptions.open(&self.shared, viewer, request)?;
        let subscribed = subscription.subscribed(&self.shared);
        self.reply(&subscribed);
        Ok(())
    }

    /// Sends all there is to say, where the outlet is free and the client follows.
    fn speak(&mut self) {
        let beat = Arc::clone(&self.shared.newest.read());
        if let Some(letter) = self.speak_at(&beat, Instant::now()) {
            letter.deliver(&mut Vec::new());
        }
    }

    /// The same, but for the sending; this is the newest beat.
    pub(super) fn speak_at(&mut self, beat: &Beat, now: Instant) -> Option<Letter> {
        if matches!(self.farewell, Farewell::Said) {
            return None;
        }
        let writing_since = self.outlet.writing_since();
        if writing_since.is_none() {
            self.lag.has_written(now);
        }
        self.lag.settle(writing_since, now);
        self.count_level(self.lag.level());
        if writing_since.is_some() {
            return None;
        }
        let mut batch = Batch::default();
        let mut has_more = false;
        if self.lag.is_hopeless(now) {
            self.give_up(&mut batch);
        } else {
            let home = self.follow_show();
            let beat = home.as_deref().unwrap_or(beat);
            self.review();
            let is_overtaken = self.is_overtaken(beat);
            if !is_overtaken {
                self.follow_epoch(beat);
            }
            self.tell_clock();
            batch.messages.extend(self.replies.drain(..));
            if !is_overtaken {
                has_more = self.compose(beat, &mut batch);
            }
            if let Farewell::Due(ending) = self.farewell {
                self.farewell = Farewell::Said;
                say_goodbye(ending, self.encoding, &mut batch);
            }
        }
        batch.ping = self.lag.sends(batch.bytes(), now);
        let is_told = has_more || self.lag.waits_for_writes();
        (!batch.is_empty()).then(|| self.outlet.letter(batch, is_told, now))
    }

    /// A recording went to another moment since this beat: what it has would be taken for what is
    /// there. The next beat has that.
    fn is_overtaken(&self, beat: &Beat) -> bool {
        let view = &self.shared.view;
        view.is_playback() && view.clock().epoch != beat.epoch
    }

    /// What it looks at went to another moment: all topics begin anew there, however far it has
    /// been played since.
    fn follow_epoch(&mut self, beat: &Beat) {
        if beat.epoch == self.epoch {
            return;
        }
        self.epoch = beat.epoch;
        let clock = self.shared.view.clock();
        let has_leapt = !std::mem::take(&mut self.is_back) && self.shared.view.is_playback();
        let (tick, at, _) = match has_leapt {
            true => self.shared.view.leapt_to(),
            false => self.shared.view.events_so_far(),
        };
        self.reply(&ServerMessage::Discontinuity {
            epoch: &shown::epoch(&clock),
            tick,
            sim_time: &rfc3339(&self.shared.view.world(), at),
            discontinuity: true,
        });
        for subscription in self.subscriptions.iter_mut() {
            subscription.leap(&self.shared, has_leapt);
        }
    }

    /// The gauge of slow sessions follows the level.
    fn count_level(&mut self, level: Level) {
        let before = std::mem::replace(&mut self.counted, level);
        if before != level {
            self.shared
                .house
                .telemetry
                .is_slow(before as usize, level as usize);
        }
    }

    /// What each subscription has to say; true where one has more than fits into a batch.
    fn compose(&mut self, beat: &Beat, batch: &mut Batch) -> bool {
        let Some(Grant { viewer, .. }) = &self.grant else {
            return false;
        };
        let mut speech = Speech {
            room: self.lag.room().saturating_sub(batch.bytes()),
            shared: &self.shared,
            viewer,
            beat,
            encoding: self.encoding,
            messages: &mut batch.messages,
            takes_positions: self.lag.takes_positions(),
            has_more: false,
        };
        self.subscriptions.bear(self.lag.level(), &mut speech);
        self.subscriptions.speak(&mut speech);
        speech.has_more
    }

    fn give_up(&mut self, batch: &mut Batch) {
        self.farewell = Farewell::Said;
        self.shared.house.telemetry.was_slow();
        batch.close = Some(CloseFrame {
            code: close_code::AGAIN,
            reason: "nothing was read for too long".into(),
        });
    }
}

fn say_goodbye(ending: Ending, encoding: Encoding, batch: &mut Batch) {
    let message = match ending {
        Ending::Shutdown => "the server shuts down",
        Ending::Unauthorized => {
            batch.close = Some(CloseFrame {
                code: UNAUTHORIZED,
                reason: "no valid token".into(),
            });
            return;
        }
    };
    let bye = ServerMessage::Bye {
        code: ByeCode::ServerShutdown,
        message,
    };
    batch.messages.push(bye.encode(encoding));
    batch.close = Some(CloseFrame {
        code: close_code::AWAY,
        reason: message.into(),
    });
}

impl Drop for Session {
    fn drop(&mut self) {
        self.count_level(Level::Fine);
    }
}
