//! The keys of a scenario file that speak of deliveries: `[demand]`, `[[request]]` and
//! `[dispatch]`.

use super::diagnostic::At;
use super::fields::{Fields, List, Table, defaults_of};
use super::kinds::{Choice, Either, Flag, Integer, Number, OneOf, Pair, Text};
use super::locations::Location;
use super::times::{ANY_DURATION, Duration, Rate, SECOND};
use crate::sim::geo::LatLon;
use crate::sim::time::SimDuration;
use crate::sim::world::{DropoffSpread, PickupAt, PolicyKind, Positioning, WhenFull};
use toml::de::DeValue;

/// Times and factors.
pub(super) type Profile = Vec<At<(SimDuration, f64)>>;

pub(super) struct Demand {
    pub rate: Option<At<f64>>,
    pub profile: Option<At<Profile>>,
    pub pickup_at: Option<At<PickupAt>>,
    pub prep: Option<At<Prep>>,
    pub dropoff: Dropoff,
    pub payload: Option<At<Payload>>,
    pub expedited: f64,
    pub trace: Option<At<String>>,
}

pub(super) fn demand(f: &mut Fields<'_>) -> Demand {
    let rate = f.optional("rate", "how many requests arrive, by chance (Poisson)", Rate);
    let profile = f.optional(
        "profile",
        "pairs of a time and a factor to the rate, linear between them and held before and after",
        List {
            of: Pair(ANY_DURATION, Number(0.0..=1_000.0)),
            at_least: 1,
        },
    );
    let pickup = f
        .optional("pickup", "where goods are picked up", Table(pickup))
        .map(|at| at.value);
    let dropoff = f
        .optional("dropoff", "where goods go", Table(dropoff))
        .map(|at| at.value);
    let payload = f.optional(
        "payload",
        "weights, evenly spread; 0.2 to 1.1 kg where it is left out",
        Table(payload),
    );
    let expedited = f
        .or(
            "expedited",
            "share of expedited requests",
            Number(0.0..=1.0),
            "0.0",
        )
        .value;
    let trace = f.optional(
        "trace",
        "a CSV file of requests, instead of or besides arrivals, with the columns at (from the start on), pickup, dropoff, payload (kg), and if wanted owner, expedited, deadline, tag",
        Text,
    );
    if !f.has("rate") && !f.has("trace") {
        let span = f.span();
        f.log().missing(
            &span,
            "`demand` has no `rate`",
            "add `rate = \"400/h\"`, or leave [demand] out",
        );
    }
    let (pickup_at, prep) = pickup.map_or((None, None), |pickup| (pickup.at, pickup.prep));
    Demand {
        rate,
        profile,
        pickup_at,
        prep,
        dropoff: dropoff.unwrap_or_default(),
        payload,
        expedited,
        trace,
    }
}

struct Pickup {
    at: Option<At<PickupAt>>,
    prep: Option<At<Prep>>,
}

fn pickup(f: &mut Fields<'_>) -> Pickup {
    Pickup {
        at: f.optional(
            "at",
            "at the listed places, or at the hubs; places where there are any",
            Choice(&[("places", PickupAt::Places), ("hub", PickupAt::Hub)]),
        ),
        prep: f.optional(
            "prep",
            "how long goods take to be ready (log-normal); a drone is looked for when they are",
            Table(prep),
        ),
    }
}

pub(super) struct Prep {
    pub median: Option<At<SimDuration>>,
    pub p95: Option<At<SimDuration>>,
}

fn prep(f: &mut Fields<'_>) -> Prep {
    Prep {
        median: f.required("median", "half of them are ready by then", ANY_DURATION),
        p95: f.required("p95", "95 of 100 are ready by then", ANY_DURATION),
    }
}

#[derive(Default)]
pub(super) struct Dropoff {
    pub spread: Option<At<DropoffSpread>>,
    pub points: Option<At<String>>,
    pub within: Option<At<f64>>,
}

fn dropoff(f: &mut Fields<'_>) -> Dropoff {
    Dropoff {
        spread: f.optional(
            "spread",
            "anywhere on land, anywhere in the area, or at the listed places; land where it is left out",
            Choice(&[
                ("land", DropoffSpread::Land),
                ("area", DropoffSpread::Area),
                ("places", DropoffSpread::Places),
            ]),
        ),
        points: f.optional("points", "a CSV file of addresses with the columns latitude and longitude, each as likely as the others, instead of `spread`", Text),
        within: f.optional("within", "farthest from the pick-up, metres, where they are spread over the land or the area", Number(10.0..=1e6)),
    }
}

pub(super) struct Payload {
    pub min: Option<At<f64>>,
    pub max: Option<At<f64>>,
}

/// Grams to what no drone here would lift, kg.
const PAYLOADS: Number = Number(0.001..=1_000.0);

fn payload(f: &mut Fields<'_>) -> Payload {
    Payload {
        min: f.required("min", "the lightest, kg", PAYLOADS),
        max: f.required("max", "the heaviest, kg", PAYLOADS),
    }
}

/// A place by its name (or its coordinates as text), or by its coordinates.
pub(super) type Spot = OneOf<String, LatLon>;

const SPOT: Either<Text, Location> = Either {
    first: Text,
    takes_first: |value| matches!(value, DeValue::String(_)),
    second: Location,
};

pub(super) struct Request {
    pub at: Option<At<SimDuration>>,
    pub pickup: Option<At<Spot>>,
    pub dropoff: Option<At<Spot>>,
    pub payload: Option<At<f64>>,
    pub tag: Option<At<String>>,
    pub owner: At<String>,
    pub expedited: bool,
}

pub(super) fn request(f: &mut Fields<'_>) -> Request {
    Request {
        at: f.required("at", "when it is made, from the start on", ANY_DURATION),
        pickup: f.required("pickup", "a place's name, or latitude, longitude", SPOT),
        dropoff: f.required("dropoff", "a place's name, or latitude, longitude", SPOT),
        payload: f.required("payload", "its weight, kg", PAYLOADS),
        tag: f.optional("tag", "a word to know it by", Text),
        owner: f.or("owner", "the account that pays", Text, "\"scenario\""),
        expedited: f.or("expedited", "whether it goes first", Flag, "false").value,
    }
}

pub(super) struct Dispatch {
    pub policy: PolicyKind,
    pub batch_every: SimDuration,
    pub positioning: Positioning,
    pub backlog: u64,
    pub scheduled: u64,
    pub max_wait: SimDuration,
    pub when_full: WhenFull,
}

/// What `[dispatch]` means where it is left out: each of its keys' default.
impl Default for Dispatch {
    fn default() -> Self {
        defaults_of(dispatch)
    }
}

pub(super) fn dispatch(f: &mut Fields<'_>) -> Dispatch {
    Dispatch {
        policy: f
            .or(
                "policy",
                "which drone a delivery gets: the nearest that is free, the one that is first at the pick-up, \
                 or at intervals the best for all who wait",
                Choice(&[
                    ("nearest", PolicyKind::Nearest),
                    ("earliest-pickup", PolicyKind::EarliestPickup),
                    ("batch", PolicyKind::Batch),
                ]),
                "\"earliest-pickup\"",
            )
            .value,
        batch_every: f
            .or(
                "batch_every",
                "how far apart the rounds of `batch` are",
                Duration(SimDuration(100_000)..=SimDuration(60 * SECOND)),
                "\"5s\"",
            )
            .value,
        positioning: f
            .or(
                "positioning",
                "where idle drones wait: at their own hubs, or where demand is expected, among hubs that fly their type",
                Choice(&[("none", Positioning::None), ("demand", Positioning::Demand)]),
                "\"none\"",
            )
            .value,
        backlog: f
            .or(
                "backlog",
                "how many deliveries may wait for a drone",
                Integer(0..=10_000_000),
                "10000",
            )
            .value,
        scheduled: f
            .or(
                "scheduled",
                "how many deliveries may wait for a pickup time that is still to come; one more fails",
                Integer(0..=10_000_000),
                "10000",
            )
            .value,
        max_wait: f
            .or("max_wait", "how long each of them waits", ANY_DURATION, "\"20m\"")
            .value,
        when_full: f
            .or(
                "when_full",
                "what becomes of a delivery that finds no room or waited too long",
                Choice(&[("third_party", WhenFull::ThirdParty), ("fail", WhenFull::Fail)]),
                "\"third_party\"",
            )
            .value,
    }
}
