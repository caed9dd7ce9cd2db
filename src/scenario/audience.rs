//! `[audience]`: who watches while `skyhaul load` puts a server to the test.

use std::time::Duration as Span;

use super::diagnostic::At;
use super::fields::{Fields, Table};
use super::kinds::{Integer, Number};
use super::times::{ANY_DURATION, Duration, LONGEST, SECOND};
use crate::sim::time::SimDuration;

/// Watchers, each with a WebSocket of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Audience {
    pub sessions: usize,
    /// They come one after the other over this time, counted from the warm-up's beginning.
    pub ramp: Span,
    /// Positions a second that each asks for, at most.
    pub hz: f64,
    pub follow: Shares,
    /// Who watches the map looks elsewhere this often; never where it is nothing.
    pub moves_every: Span,
    /// Each loses its connection this often, and resumes; never where it is nothing.
    pub drops_every: Span,
}

/// Which share of the watchers follows what; who is left over follows a piece of the map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    pub delivery: f64,
    pub drone: f64,
    pub hub: f64,
    pub area: f64,
    pub fleet: f64,
    pub events: f64,
}

pub(super) fn audience(f: &mut Fields<'_>) -> Audience {
    let sessions = f.or("sessions", "how many connections", Integer(0..=10_000_000), "0");
    let follow = f.optional("follow", "which share of them follows what", Table(follow));
    let ramp = f.or("ramp", "they come over this time", ANY_DURATION, "\"10s\"");
    let hz = f.or(
        "hz",
        "positions a second that each asks for",
        Number(0.1..=10.0),
        "5.0",
    );
    let now_and_then = || Duration(SimDuration(100_000)..=LONGEST);
    let moves_every = f.optional(
        "move",
        "who watches the map looks elsewhere this often",
        now_and_then(),
    );
    let drops_every = f.optional(
        "drop",
        "each loses its connection this often, and resumes",
        now_and_then(),
    );
    let often = |every: Option<At<SimDuration>>| every.map_or(Span::ZERO, |every| span(every.value));
    Audience {
        sessions: usize::try_from(sessions.value).unwrap_or(usize::MAX),
        ramp: span(ramp.value),
        hz: hz.value,
        follow: follow.map_or_else(Shares::default, |at| at.value),
        moves_every: often(moves_every),
        drops_every: often(drops_every),
    }
}

fn follow(f: &mut Fields<'_>) -> Shares {
    let topics = [
        (
            "delivery",
            "one delivery each, from its acceptance to its end, then the next",
        ),
        ("drone", "one drone each"),
        ("hub", "one hub each"),
        ("area", "a piece of the map"),
        ("fleet", "the fleet's counts"),
        ("events", "every lifecycle event"),
    ];
    let shares = topics.map(|(topic, doc)| f.optional(topic, doc, Number(0.0..=1.0)));
    let shares = shares.map(|share| share.map_or(0.0, |share| share.value));
    let sum: f64 = shares.iter().sum();
    let whole = f.span();
    if sum > 1.0 + 1e-9 {
        f.log().error(
            &whole,
            format!("the shares of `follow` add up to {sum}"),
            "let them add up to 1 at most",
        );
    }
    let [delivery, drone, hub, area, fleet, events] = shares;
    Shares {
        delivery,
        drone,
        hub,
        area,
        fleet,
        events,
    }
}

/// These times are of the wall clock.
pub(super) fn span(duration: SimDuration) -> Span {
    const _: () = assert!(SECOND == 1_000_000);
    Span::from_micros(duration.0)
}
