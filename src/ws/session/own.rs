//! A session's own moment: it may leave the one that all look at, for a show of its own, move
//! there as in a video, and come back. Its topics begin anew at each of these leaps, and its
//! rights are held against what it looks at.
//!
//! A show has beats of its own, made on the session's thread; both end with the session. While
//! one is being opened the client's next word waits.

use std::sync::Arc;

use actix::fut::wrap_future;
use actix::{ActorFutureExt, AsyncContext, Context};
use tokio::task::JoinHandle;

use super::{CustomerSession, Farewell, Session};
use crate::auth::{Client, Viewer};
use crate::sim::time::SimTime;
use crate::view::commands::PaceChange;
use crate::view::pasts::{NoShow, Show};
use crate::view::reading::{RunState, Speed};
use crate::view::shown;
use crate::wire::api::simulation as wire;
use crate::wire::stream::client::Refused;
use crate::wire::stream::{ErrorCode, ServerMessage};
use crate::wire::time::rfc3339;
use crate::ws::Shared;
use crate::ws::beat::Beat;
use crate::ws::fanout::{Audience, FanOut};
use crate::ws::moments::{MOMENTS_EACH, Pass, Share};
use crate::ws::shard::Listener;

/// A word of the client's that the clock answers, as the client numbered it. Where several come
/// between two beats, the answer to the last is one to all; where the next is under way, its moment
/// may be told already, and is told again as its own answer.
#[derive(Clone, Copy)]
pub(super) struct Asked(pub Option<u64>);

pub(super) struct Own {
    /// What all look at.
    home: Arc<Shared>,
    show: Arc<dyn Show>,
    beats: JoinHandle<()>,
    /// To read the same over HTTP.
    pass: Pass,
    /// As last told.
    told: Option<(RunState, Speed)>,
}

/// At the live world's pace, as far as recordings are played so. What is as fast as it goes is over
/// before it is seen.
fn watchable(speed: Speed) -> Speed {
    let (slowest, fastest) = wire::PLAYBACK_SPEEDS.into_inner();
    match speed {
        Speed::Times(times) => Speed::Times(times.abs().clamp(slowest, fastest).copysign(times)),
        Speed::Max => Speed::Times(1.0),
    }
}

impl Own {
    /// The session is another's from now on, and what it looks at too.
    pub(super) fn hand_to(&self, viewer: &Viewer) {
        self.pass.hand_to(viewer);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

impl Session {
    /// Whether it is this that the session looks at.
    pub(in crate::ws) fn looks_at(&self, shared: &Arc<Shared>) -> bool {
        Arc::ptr_eq(&self.shared, shared)
    }

    /// To a moment, in microseconds since 1970.
    pub(super) fn seek(&mut self, asked: Asked, unix_us: i64, context: &mut Context<CustomerSession>) {
        let at = self.shared.view.world().sim_time(unix_us);
        let change = PaceChange {
            seek: Some(at),
            ..PaceChange::default()
        };
        self.go(asked, at, change, context);
    }

    /// On from where it is; `None` stands still.
    pub(super) fn play(
        &mut self,
        asked: Asked,
        speed: Option<wire::Speed>,
        context: &mut Context<CustomerSession>,
    ) {
        let speed = speed.map(|speed| match speed {
            wire::Speed::Times(times) => Speed::Times(times),
            wire::Speed::Named(wire::NamedSpeed::Max) => Speed::Max,
        });
        let change = PaceChange {
            paused: Some(speed.is_none()),
            speed,
            ..PaceChange::default()
        };
        self.go(asked, self.shared.view.clock().at, change, context);
    }

    /// Back to what all look at.
    pub(super) fn go_home(&mut self, asked: Asked) {
        if let Some(own) = self.own.take() {
            self.look_at(Arc::clone(&own.home));
            self.is_back = true;
        }
        self.owes_clock = Some(asked);
    }

    /// In the show that it has, or in one that opens at this moment and goes on as all do.
    fn go(&mut self, asked: Asked, at: SimTime, change: PaceChange, context: &mut Context<CustomerSession>) {
        match &self.own {
            Some(own) => {
                let show = Arc::clone(&own.show);
                let changed = async move { show.change(change).await };
                let then = move |changed: Result<(), NoShow>, actor: &mut CustomerSession, _: &mut _| {
                    let mut session = actor.0.lock();
                    match changed {
                        Ok(()) => session.owes_clock = Some(asked),
                        Err(why) => session.is_not_shown(asked, why),
                    }
                    session.speak();
                };
                context.wait(wrap_future::<_, CustomerSession>(changed).map(then));
            }
            None => {
                let pace = self.shared.view.clock().pace;
                let change = PaceChange {
                    paused: change.paused.or(Some(pace.state == RunState::Paused)),
                    speed: change.speed.or(Some(watchable(pace.speed))),
                    seek: None,
                    ..change
                };
                let viewer = self.grant.as_ref().map(|grant| &grant.viewer);
                let client = Client::of(viewer, self.from);
                let Some(share) = self.shared.house.moments.share(client) else {
                    self.has_its_share(asked);
                    return;
                };
                let pasts = Arc::clone(&self.shared.house.pasts);
                let opened = async move { pasts.open(at, change).await };
                let then = move |opened: Result<_, NoShow>,
                                 actor: &mut CustomerSession,
                                 context: &mut Context<_>| {
                    let listener = Listener {
                        session: AsyncContext::<CustomerSession>::address(context).downgrade(),
                        reach: actor.reach(),
                    };
                    let mut session = actor.0.lock();
                    if !matches!(session.farewell, Farewell::NotYet) {
                        return;
                    }
                    match opened {
                        Ok(show) => session.enter_show(asked, show, share, listener),
                        Err(why) => session.is_not_shown(asked, why),
                    }
                    session.speak();
                };
                context.wait(wrap_future::<_, CustomerSession>(opened).map(then));
            }
        }
    }

    fn enter_show(&mut self, asked: Asked, show: Arc<dyn Show>, share: Share, listener: Listener) {
        let house = Arc::clone(&self.shared.house);
        let viewer = self.grant.as_ref().map(|grant| &grant.viewer);
        let Some(pass) = viewer.and_then(|viewer| house.moments.open(show.view(), viewer, share)) else {
            self.is_not_shown(asked, NoShow::Unreadable);
            return;
        };
        let shared = Arc::new(Shared::new(house, Arc::clone(show.view())));
        let fan_out = FanOut::new(Arc::clone(&shared), Audience::One(listener));
        self.own = Some(Box::new(Own {
            home: Arc::clone(&self.shared),
            show,
            beats: actix::spawn(fan_out.run()),
            pass,
            told: None,
        }));
        self.look_at(shared);
        self.is_back = false;
        self.owes_clock = Some(asked);
    }

    /// All topics begin anew there, under its epoch.
    fn look_at(&mut self, shared: Arc<Shared>) {
        self.shared = shared;
        for subscription in self.subscriptions.iter_mut() {
            subscription.look_at(&self.shared);
        }
    }

    fn has_its_share(&mut self, Asked(id): Asked) {
        let message = format!(
            "{MOMENTS_EACH} sessions of this account, or from this address, look at moments of their own \
             already; say `live` in one of them, or end it"
        );
        self.refuse(&Refused::new(id, ErrorCode::TooMany, message));
    }

    fn is_not_shown(&mut self, Asked(id): Asked, why: NoShow) {
        let world = self.shared.view.world();
        let (code, message) = match why {
            NoShow::NotRecorded => (ErrorCode::NotRecorded, why.to_string()),
            NoShow::Outside { from, to } => {
                let span = [from, to].map(|at| rfc3339(&world, at));
                let message = format!("{why}; what is goes from {} to {}", span[0], span[1]);
                (ErrorCode::NotRecorded, message)
            }
            NoShow::Full { .. } => (ErrorCode::TooMany, why.to_string()),
            // To be tried again later.
            NoShow::Unreadable => (ErrorCode::RateLimited, why.to_string()),
        };
        drop(world);
        self.refuse(&Refused::new(id, code, message));
    }

    /// A show that has come to the present makes way for it, and for its newest beat.
    pub(super) fn follow_show(&mut self) -> Option<Arc<Beat>> {
        let is_over = self.own.as_ref().is_some_and(|own| own.show.is_over());
        is_over.then(|| {
            let asked = self.owes_clock.unwrap_or(Asked(None));
            self.go_home(asked);
            Arc::clone(&self.shared.newest.read())
        })
    }

    /// How the clock goes that it looks at, where that was asked for, or changed by itself.
    pub(super) fn tell_clock(&mut self) {
        if self.own.is_none() && self.owes_clock.is_none() {
            return;
        }
        let view = Arc::clone(&self.shared.view);
        let clock = view.clock();
        // A leap is told first, at the beat that shows it.
        if clock.epoch != self.epoch {
            return;
        }
        let owed = self.owes_clock.take();
        let pace = (clock.pace.state, clock.pace.speed);
        let told = self.own.as_mut().and_then(|own| own.told.replace(pace));
        if owed.is_none() && told == Some(pace) {
            return;
        }
        let name = self.own.as_ref().map(|own| own.pass.name().to_owned());
        let world = view.world();
        let excerpt = view.excerpt();
        let time = |at| rfc3339(&world, at);
        self.reply(&ServerMessage::Clock {
            id: owed.and_then(|Asked(id)| id),
            live: self.own.is_none(),
            show: name.as_deref(),
            state: clock.pace.state.as_str(),
            speed: shown::speed(clock.pace.speed),
            tick: clock.tick,
            sim_time: &time(clock.at),
            from: excerpt.map(|excerpt| time(excerpt.from)).as_deref(),
            to: excerpt.map(|excerpt| time(excerpt.to)).as_deref(),
            frame_seconds: excerpt.map(|excerpt| excerpt.frame_period.as_secs()),
        });
    }
}
