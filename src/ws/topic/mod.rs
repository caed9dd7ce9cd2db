//! What a subscription follows and has told so far: one file a kind of topic.

mod area;
mod delivery;
mod density;
mod drone;
mod events;
mod fleet;
mod hub;
mod numbered;
mod single;

use crate::auth::{Detail, Sight, Viewer, What};
use crate::view::shown;
use crate::wire::stream::client::{Refused, Since, Subscribe, Topic, Update};
use crate::wire::stream::{Encoded, Encoding, ErrorCode, ServerMessage};

use super::Shared;
use super::beat::{Beat, Rate, TierBeat};
use super::lag::Level;
use super::tier::Tier;

pub(super) struct Subscription {
    pub(super) id: u64,
    /// Two of the same name on one connection are refused.
    pub(super) name: String,
    follow: Follow,
    /// The first `subscribed` says so.
    recovered: bool,
    /// As last told.
    level: Level,
}

enum Follow {
    Delivery(delivery::Follow),
    Drone(drone::Follow),
    Hub(hub::Follow),
    Area(area::Follow),
    Density(density::Follow),
    Fleet(fleet::Follow),
    Events(events::Follow),
}

/// What a subscription speaks with: the world as it is now, and where its words go.
pub(super) struct Speech<'a> {
    pub(super) shared: &'a Shared,
    /// Who hears it.
    pub(super) viewer: &'a Viewer,
    pub(super) beat: &'a Beat,
    pub(super) encoding: Encoding,
    pub(super) messages: &'a mut Vec<Encoded>,
    /// Bytes of messages that may still be said; the last may go beyond.
    pub(super) room: u64,
    /// Whether positions may be among what is said.
    pub(super) takes_positions: bool,
    /// Some topic has more to say when these are written and read.
    pub(super) has_more: bool,
}

impl Speech<'_> {
    fn say(&mut self, message: &ServerMessage<'_>) {
        self.push(message.encode(self.encoding));
    }

    fn push(&mut self, message: Encoded) {
        self.room = self.room.saturating_sub(message.len() as u64);
        self.messages.push(message);
    }

    /// Where there is none left, the topic has to wait for another round.
    pub(super) fn has_room(&mut self) -> bool {
        self.has_more |= self.room == 0;
        self.room > 0
    }
}

impl Subscription {
    pub(super) fn open(shared: &Shared, viewer: &Viewer, request: Subscribe) -> Result<Self, Refused> {
        let name = request.topic.to_string();
        let not_found = || Refused::new(request.id, ErrorCode::NotFound, format!("there is no `{name}`"));
        let rate = || Rate::new(&shared.interest, Tier::at_most(request.max_hz));
        let since = request
            .since
            .as_ref()
            .and_then(|since| recoverable(shared, since));
        let forbidden = || {
            let message = format!("`{name}` is not for this token");
            Refused::new(request.id, ErrorCode::Forbidden, message)
        };
        let (follow, recovered) = match &request.topic {
            Topic::Delivery(id) => {
                let follow = delivery::Follow::open(shared, *id, rate(), since).ok_or_else(not_found)?;
                let recovered = follow.recovers();
                (Follow::Delivery(follow), recovered)
            }
            Topic::Drone(id) => {
                // What a drone did before it was somebody's is nothing to them.
                let since = since.filter(|_| viewer.may(&What::Everything));
                let follow = drone::Follow::open(shared, *id, rate(), since).ok_or_else(not_found)?;
                let recovered = follow.recovers();
                (Follow::Drone(follow), recovered)
            }
            Topic::Hub(key) => {
                let follow = hub::Follow::open(shared, key, since).ok_or_else(not_found)?;
                let recovered = follow.recovers();
                (Follow::Hub(follow), recovered)
            }
            Topic::Area(bounds) => {
                let cells = shared.grid.widen(*bounds);
                let follow = match viewer.area() {
                    Detail::Rows => Follow::Area(area::Follow::new(cells, rate())),
                    Detail::Density if shared.view.world().density_shown => {
                        Follow::Density(density::Follow::new(cells))
                    }
                    Detail::Density => return Err(forbidden()),
                };
                (follow, false)
            }
            Topic::Fleet => (Follow::Fleet(fleet::Follow::default()), false),
            Topic::Events => {
                let follow = events::Follow::open(shared, since);
                let recovered = follow.recovers();
                (Follow::Events(follow), recovered)
            }
        };
        if !follow.is_allowed(shared, viewer) {
            return Err(forbidden());
        }
        Ok(Subscription {
            id: request.id,
            name,
            follow,
            recovered,
            level: Level::Fine,
        })
    }

    /// Whether it begins with what was missed, and not with a snapshot.
    pub(super) fn is_recovered(&self) -> bool {
        self.recovered
    }

    /// Whether this viewer may follow it, now: rights come and go with what a drone carries.
    pub(super) fn is_allowed(&self, shared: &Shared, viewer: &Viewer) -> bool {
        self.follow.is_allowed(shared, viewer)
    }

    /// What was told is of another past: a snapshot comes first, or a full message.
    pub(super) fn start_over(&mut self, shared: &Shared) {
        match &mut self.follow {
            Follow::Delivery(delivery) => delivery.start_over(shared),
            Follow::Drone(drone) => drone.start_over(),
            Follow::Hub(hub) => hub.start_over(),
            Follow::Area(area) => area.rate().start_over(),
            Follow::Density(density) => density.start_over(),
            Follow::Fleet(fleet) => fleet.start_over(),
            Follow::Events(events) => events.start_over(),
        }
    }

    /// The same where the view went to another moment; `has_leapt`: events are told from the moment
    /// it went to, not from where it is by now.
    pub(super) fn leap(&mut self, shared: &Shared, has_leapt: bool) {
        self.start_over(shared);
        if let (Follow::Events(events), true) = (&mut self.follow, has_leapt) {
            events.begin_with_leap();
        }
    }

    /// What it follows is shown elsewhere from now on.
    pub(super) fn look_at(&mut self, shared: &Shared) {
        if let Some(rate) = self.rate() {
            rate.look_at(&shared.interest);
        }
        self.start_over(shared);
    }

    /// Another box, another rate, or both.
    pub(super) fn update(&mut self, shared: &Shared, change: &Update) -> Result<(), Refused> {
        if let Some(bounds) = change.bounds {
            let cells = shared.grid.widen(bounds);
            match &mut self.follow {
                Follow::Area(area) => area.look_at(cells),
                Follow::Density(density) => density.look_at(cells),
                _ => {
                    let message = format!("`{}` has no `bbox`", self.name);
                    return Err(Refused::new(self.id, ErrorCode::BadMessage, message));
                }
            }
        }
        if let Some(rate) = self.rate() {
            let tier = change
                .max_hz
                .map_or(rate.wanted(), |max_hz| Tier::at_most(Some(max_hz)));
            rate.want(&shared.interest, tier);
        }
        self.recovered = false;
        Ok(())
    }

    /// The answer to `subscribe` and `update`.
    pub(super) fn subscribed(&mut self, shared: &Shared) -> ServerMessage<'static> {
        let bbox = match &self.follow {
            Follow::Area(area) => Some(shared.grid.bounds_of(area.cells())),
            Follow::Density(density) => Some(shared.grid.bounds_of(density.cells())),
            _ => None,
        };
        ServerMessage::Subscribed {
            id: self.id,
            recovered: self.recovered,
            hz: self.rate().map_or(1.0, |rate| rate.wanted().hz()),
            bbox,
        }
    }

    /// Gets less while its session's client is slow, or more again, and says so.
    pub(super) fn bear(&mut self, level: Level, speech: &mut Speech<'_>) {
        if self.level == level {
            return;
        }
        self.level = level;
        let (effective_hz, conflated) = match self.rate() {
            Some(rate) => rate.limit(&speech.shared.interest, level, speech.beat),
            None => (self.gauges_hz(), 0),
        };
        speech.say(&ServerMessage::Pressure {
            id: self.id,
            level: level as u8,
            effective_hz,
            conflated,
        });
    }

    /// Says what is new since the last time.
    pub(super) fn speak(&mut self, speech: &mut Speech<'_>) {
        let apart_s = self.level.gauges_apart_s();
        match &mut self.follow {
            Follow::Delivery(delivery) => delivery.speak(self.id, speech),
            Follow::Drone(drone) => drone.speak(self.id, speech),
            Follow::Hub(hub) => hub.speak(self.id, apart_s, speech),
            Follow::Area(area) => area.speak(self.id, speech),
            Follow::Density(density) => density.speak(self.id, apart_s, speech),
            Follow::Fleet(fleet) => fleet.speak(self.id, apart_s, speech),
            Follow::Events(events) => events.speak(self.id, speech),
        }
    }

    /// How often gauges come at most; 0 where there are none.
    fn gauges_hz(&self) -> f64 {
        match &self.follow {
            Follow::Events(_) => 0.0,
            _ => 1.0 / self.level.gauges_apart_s() as f64,
        }
    }

    /// `None` where positions are not what the topic is about.
    fn rate(&mut self) -> Option<&mut Rate> {
        match &mut self.follow {
            Follow::Delivery(delivery) => Some(delivery.rate()),
            Follow::Drone(drone) => Some(drone.rate()),
            Follow::Area(area) => Some(area.rate()),
            Follow::Density(_) | Follow::Hub(_) | Follow::Fleet(_) | Follow::Events(_) => None,
        }
    }
}

impl Follow {
    fn is_allowed(&self, shared: &Shared, viewer: &Viewer) -> bool {
        let view = &shared.view;
        match self {
            // In the past it may not have been ordered yet: nothing is told of it until it is.
            Follow::Delivery(delivery) => viewer.sight_of_delivery(view, delivery.id()) != Sight::Forbidden,
            Follow::Drone(drone) => drone.is_allowed(shared, viewer),
            Follow::Hub(_) | Follow::Fleet(_) | Follow::Events(_) => viewer.may(&What::Everything),
            Follow::Area(_) => viewer.area() == Detail::Rows,
            Follow::Density(_) => true,
        }
    }
}

/// The number to go on from, where it was counted in the past that this world has.
fn recoverable(shared: &Shared, since: &Since) -> Option<u64> {
    let epoch = shown::epoch(&shared.view.clock());
    (epoch == since.epoch).then_some(since.seq)
}

/// A newer beat of the rate's tier, and where it was seen too late to be told as changes.
fn newer<'a>(rate: &mut Rate, speech: &mut Speech<'a>) -> Option<(&'a TierBeat, bool)> {
    if !speech.takes_positions || !speech.has_room() {
        return None;
    }
    let look = rate.look(speech.beat)?;
    speech.shared.house.telemetry.skipped(look.skipped);
    Some((look.beat, look.full))
}
