//! The keys of a scenario file: what each is called, means, and may be.
//!
//! Values are checked one by one here; what one value means for another is
//! [`super::build`]'s. Keys that a required value lacks are `None`, and the log says so.

use super::accounts::{self, AccountKeys, AccountsKeys};
use super::audience::Audience;
use super::diagnostic::At;
use super::faults::{self, FaultKeys};
use super::fields::{Fields, List, Named, NamedEntry, Table};
use super::kinds::{Choice, Flag, Integer, Key, Number, Text};
use super::locations::{Bounds, Location};
use super::model::{self, ModelKeys};
use super::order_keys::{self, Demand, Dispatch, Request};
use super::stages::Load;
use super::target::Mapping;
use super::third_party::third_party;
use super::times::{ANY_DURATION, Duration, LONGEST, Moment, SECOND};
use super::weather::{WeatherKeys, weather};
use super::workflow::workflow;
use super::{audience, objectives, recipient, separation, stages, target};
use crate::sim::carrier::Carrier;
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::separation::Rules;
use crate::sim::time::SimDuration;
use crate::sim::workflow::WorkflowRules;
use crate::sim::world::{HeightReference, Recipient, UnknownPlaces};

pub(super) struct Document {
    pub name: Option<At<String>>,
    pub description: Option<At<String>>,
    pub seed: Option<At<u64>>,
    pub start: Option<At<i64>>,
    pub duration: Option<At<SimDuration>>,
    pub tick: At<SimDuration>,
    pub area: Option<At<Area>>,
    pub hubs: Option<At<Vec<At<Hub>>>>,
    pub fleets: Option<At<Vec<At<Fleet>>>>,
    /// `None` where they cannot be read.
    pub models: Option<Vec<NamedEntry<ModelKeys>>>,
    /// The same.
    pub places: Option<Vec<At<Place>>>,
    pub zones: Vec<At<Zone>>,
    pub zone_file: Option<At<String>>,
    pub weather: WeatherKeys,
    pub demand: Option<At<Demand>>,
    pub requests: Vec<At<Request>>,
    pub dispatch: Dispatch,
    pub accounts: AccountsKeys,
    pub account_list: Vec<At<AccountKeys>>,
    pub carrier: Carrier,
    pub recipient: Recipient,
    pub separation: Rules,
    pub workflow: WorkflowRules,
    pub faults: Vec<At<FaultKeys>>,
    pub audience: Option<At<Audience>>,
    /// `None` inside where its stages are wrong.
    pub load: Option<At<Option<Load>>>,
    /// The same.
    pub target: Option<At<Option<Mapping>>>,
    pub slos: Vec<At<Option<objectives::Written>>>,
}

pub(super) fn document(f: &mut Fields<'_>) -> Document {
    let shortest = SimDuration(1);
    Document {
        name: f.required("name", "the world's name, for stores and reports", Text),
        description: f.optional("description", "what the scenario shows, in a sentence", Text),
        seed: f.required("seed", "a whole number that all randomness comes from", Integer(0..=i64::MAX as u64)),
        start: f.required("start", "the date and time at which the simulation starts, in UTC", Moment),
        duration: f.required(
            "duration",
            "how much simulated time a run takes; a server goes on after it",
            Duration(shortest..=LONGEST),
        ),
        tick: f.or("tick", "the simulation's fixed step", Duration(SimDuration(1_000)..=SimDuration(10 * SECOND)), "\"100ms\""),
        area: f.required("area", "the part of the globe that is simulated", Table(area)),
        hubs: f.required("hub", "where drones live: `[[hub]]`, at least one", List { of: Table(hub), at_least: 1 }),
        fleets: f.required(
            "fleet",
            "drones of one type at one hub: `[[fleet]]`, at least one",
            List { of: Table(fleet), at_least: 1 },
        ),
        models: match f.optional("model", "drone types of your own: `[model.NAME]`", Named(Table(model::model))) {
            None if f.has("model") => None,
            read => Some(list(read)),
        },
        places: match f.optional(
            "place",
            "names that a delivery request may use: `[[place]]`",
            List { of: Table(place), at_least: 0 },
        ) {
            None if f.has("place") => None,
            read => Some(list(read)),
        },
        zones: list(f.optional("zone", "no-fly zones: `[[zone]]`", List { of: Table(zone), at_least: 0 })),
        zone_file: f.optional(
            "zones",
            "a GeoJSON file with more no-fly zones as polygons, with the properties name, floor, ceiling, reference, from and until",
            Text,
        ),
        weather: f
            .optional("weather", "the air over the area", Table(weather))
            .map(|at| at.value)
            .unwrap_or_default(),
        demand: f.optional("demand", "the scenario's own customers", Table(order_keys::demand)),
        requests: list(f.optional("request", "scripted delivery requests: `[[request]]`", List { of: Table(order_keys::request), at_least: 0 })),
        dispatch: f
            .optional("dispatch", "how drones are chosen and what waits for them", Table(order_keys::dispatch))
            .map(|at| at.value)
            .unwrap_or_default(),
        accounts: f
            .optional("accounts", "what is known of who orders", Table(accounts::accounts))
            .map_or_else(AccountsKeys::default, |at| at.value),
        account_list: list(f.optional(
            "account",
            "businesses and customers that are there from the start: `[[account]]`",
            List { of: Table(accounts::account), at_least: 0 },
        )),
        workflow: f
            .optional("workflow", "how often and how fast requests' workflows try again", Table(workflow))
            .map(|at| at.value)
            .unwrap_or_default(),
        carrier: f
            .optional("third_party", "the carrier with vans for what no drone can take", Table(third_party))
            .map_or_else(Carrier::default, |at| at.value),
        recipient: f
            .optional("recipient", "how receivers confirm", Table(recipient::recipient))
            .map_or_else(recipient::default, |at| at.value),
        separation: f
            .optional("separation", "how far drones must be apart", Table(separation::separation))
            .map_or_else(separation::default, |at| at.value),
        faults: list(f.optional("fault", "what breaks and when: `[[fault]]`", List { of: Table(faults::fault), at_least: 0 })),
        audience: f.optional("audience", "who is watching, for `skyhaul load`", Table(audience::audience)),
        load: f.optional("load", "the load that `skyhaul load` makes", Table(stages::load)),
        target: f.optional(
            "target",
            "the interface of another server that `skyhaul load` is to drive",
            Table(target::target),
        ),
        slos: list(f.optional(
            "slo",
            "what `skyhaul load` must find: `[[slo]]`",
            List { of: Table(objectives::slo), at_least: 0 },
        )),
    }
}

/// A list that may be left out is then empty.
fn list<T>(read: Option<At<Vec<T>>>) -> Vec<T> {
    read.map(|at| at.value).unwrap_or_default()
}

pub(super) struct Area {
    pub bounds: Option<At<BoundingBox>>,
    pub land: Option<At<String>>,
    pub ground: f64,
    pub geoid: f64,
    pub unknown_places: UnknownPlaces,
    pub density: bool,
}

fn area(f: &mut Fields<'_>) -> Area {
    Area {
        bounds: f.required("bbox", "west, south, east, north in degrees", Bounds),
        land: f.optional("land", "a GeoJSON file with the land as polygons; without it all of the area is land", Text),
        ground: f.or("ground", "height of the ground above sea level, m", Number(-500.0..=6_000.0), "0.0").value,
        geoid: f.or("geoid", "height of the geoid above the ellipsoid, m", Number(-120.0..=100.0), "0.0").value,
        unknown_places: f
            .or(
                "unknown_places",
                "what becomes of a place name that the file does not list: refused, or a fixed point on land made from its letters",
                Choice(&[("refuse", UnknownPlaces::Refuse), ("scatter", UnknownPlaces::Scatter)]),
                "\"refuse\"",
            )
            .value,
        density: f
            .or(
                "density",
                "whether businesses and customers may follow how many drones there are in each 300 m cell",
                Flag,
                "false",
            )
            .value,
    }
}

pub(super) struct Hub {
    pub id: Option<At<String>>,
    pub name: Option<At<String>>,
    pub location: Option<At<LatLon>>,
    pub pads: At<u64>,
    pub chargers: At<u64>,
    pub turnaround: SimDuration,
}

fn hub(f: &mut Fields<'_>) -> Hub {
    Hub {
        id: f.required("id", "a short name for addresses", Key),
        name: f.optional(
            "name",
            "the name that people see; the id where it is left out",
            Text,
        ),
        location: f.required("location", "latitude, longitude", Location),
        pads: f.or(
            "pads",
            "how many drones can take off and land at once",
            Integer(1..=10_000),
            "8",
        ),
        chargers: f.or(
            "chargers",
            "how many drones can charge at once",
            Integer(1..=1_000_000),
            "16",
        ),
        turnaround: f
            .or(
                "turnaround",
                "how long a landed drone takes its pad up, until it is moved off",
                Duration(SimDuration(0)..=SimDuration(3_600 * SECOND)),
                "\"30s\"",
            )
            .value,
    }
}

pub(super) struct Fleet {
    pub hub: Option<At<String>>,
    pub model: Option<At<String>>,
    pub count: Option<At<u64>>,
    pub aloft: f64,
    pub cycles: Option<At<Cycles>>,
}

/// That batteries have behind them.
pub(super) struct Cycles {
    pub min: Option<At<f64>>,
    pub max: Option<At<f64>>,
}

pub(super) const MOST_DRONES: u64 = 10_000_000;

fn fleet(f: &mut Fields<'_>) -> Fleet {
    Fleet {
        hub: f.required("hub", "the id of the hub where these drones live", Text),
        model: f.required(
            "model",
            "the drone type: from the catalogue, or a `[model.NAME]` of this file",
            Text,
        ),
        count: f.required("count", "how many drones", Integer(1..=MOST_DRONES)),
        aloft: f
            .or(
                "aloft",
                "share of them in the air at the start, on the way home",
                Number(0.0..=1.0),
                "0.0",
            )
            .value,
        cycles: f.optional(
            "cycles",
            "full cycles that their batteries have behind them at the start, each drone's between these; none where this is left out",
            Table(cycles),
        ),
    }
}

fn cycles(f: &mut Fields<'_>) -> Cycles {
    let mut bound = |name, doc| f.required(name, doc, Number(0.0..=1e6));
    Cycles {
        min: bound("min", "the fewest"),
        max: bound("max", "the most"),
    }
}

pub(super) struct Place {
    pub name: Option<At<String>>,
    pub location: Option<At<LatLon>>,
}

fn place(f: &mut Fields<'_>) -> Place {
    Place {
        name: f.required("name", "the place's name; capitals do not matter", Text),
        location: f.required("location", "latitude, longitude", Location),
    }
}

pub(super) struct Zone {
    pub name: Option<At<String>>,
    pub polygon: Option<At<Vec<At<LatLon>>>>,
    pub floor: At<f64>,
    pub ceiling: At<f64>,
    pub reference: HeightReference,
    pub from: Option<At<SimDuration>>,
    pub until: Option<At<SimDuration>>,
}

pub(super) const REFERENCES: Choice<HeightReference> =
    Choice(&[("AGL", HeightReference::Agl), ("AMSL", HeightReference::Amsl)]);
pub(super) const ZONE_HEIGHTS: Number = Number(-500.0..=20_000.0);

fn zone(f: &mut Fields<'_>) -> Zone {
    Zone {
        name: f.required("name", "the zone's name", Text),
        polygon: f.required(
            "polygon",
            "its corners, each latitude, longitude",
            List {
                of: Location,
                at_least: 3,
            },
        ),
        floor: f.or("floor", "where it begins, m", ZONE_HEIGHTS, "0.0"),
        ceiling: f.or("ceiling", "where it ends, m", ZONE_HEIGHTS, "120.0"),
        reference: f
            .or(
                "reference",
                "whether heights are above ground or above sea level",
                REFERENCES,
                "\"AGL\"",
            )
            .value,
        from: f.optional(
            "from",
            "in force from then on; from the start where it is left out",
            ANY_DURATION,
        ),
        until: f.optional(
            "until",
            "and no more from then on; for good where it is left out",
            ANY_DURATION,
        ),
    }
}
