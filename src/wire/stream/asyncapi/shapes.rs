//! Shapes that no type has: positions are written straight from their rows, and what
//! clients say is read member by member. The examples hold both to the real ones.
#![expect(dead_code, reason = "only their description is used")]

use utoipa::openapi::schema::{ArrayBuilder, ArrayItems, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::sim::drone::DroneStatus;
use crate::wire::api::simulation::Speed;
use crate::wire::drone::Drone;
use crate::wire::hub::Hub;
use crate::wire::stream::{DeliverySnapshot, Fleet};

#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ServerShapes {
    /// Where drones are: all of them, or those that changed since the message before.
    #[schema(rename_all = "camelCase")]
    Positions {
        id: u64,
        tick: u64,
        sim_time: String,
        /// Wall clock, milliseconds since 1970, when the frame left the engine.
        sent_at: u64,
        /// These are all, parked ones too: any other is not there.
        full: bool,
        drones: Vec<PositionRow>,
        /// Drones that are not to be shown any more.
        gone: Vec<String>,
    },
}

#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ClientShapes {
    /// Follows a topic: `delivery/{id}`, `drone/{id}`, `hub/{id}`, `area`, `fleet`, or
    /// `events` (every lifecycle event; operators).
    #[schema(rename_all = "camelCase")]
    Subscribe {
        /// Of the client's choice; all that is said about the topic carries it.
        id: u64,
        topic: String,
        /// Of `area`, which needs it; the server widens it to its grid.
        #[schema(nullable = false)]
        bbox: Option<Bbox>,
        /// Most positions a second; rounded down to 10, 5, 2, 1 or 0.5.
        #[schema(default = 5, exclusive_minimum = 0, nullable = false)]
        max_hz: Option<f64>,
        /// Go on after this event.
        #[schema(nullable = false)]
        since: Option<Since>,
    },
    /// Looks elsewhere, or at another rate. A `full` message follows.
    #[schema(rename_all = "camelCase")]
    Update {
        id: u64,
        #[schema(nullable = false)]
        bbox: Option<Bbox>,
        #[schema(exclusive_minimum = 0, nullable = false)]
        max_hz: Option<f64>,
    },
    /// Nothing with this id follows the answer.
    Unsubscribe { id: u64 },
    /// Asks for a `pong`.
    Ping {
        /// Comes back as it is.
        #[schema(nullable = false)]
        sent: Option<f64>,
    },
    /// Shows a token, or a newer one before the last expires.
    Auth { token: String },
    /// Goes to another moment of what is recorded, for this session alone; `clock` answers.
    #[schema(rename_all = "camelCase")]
    Seek {
        /// Of the client's choice; the `clock` or the `error` that answers carries it.
        #[schema(nullable = false)]
        id: Option<u64>,
        sim_time: String,
    },
    /// How the session's own show goes on: simulated seconds a second, below 0 backwards (positions
    /// only), 0 stands still. A session that has none gets one, at the moment that it sees.
    Play {
        /// As of `seek`.
        #[schema(nullable = false)]
        id: Option<u64>,
        speed: Speed,
    },
    /// Back to what all look at.
    Live {
        /// As of `seek`.
        #[schema(nullable = false)]
        id: Option<u64>,
    },
}

/// The last event that a client saw, and the world's past that it was numbered in.
#[derive(ToSchema)]
pub struct Since {
    pub epoch: String,
    pub seq: u32,
}

/// What a snapshot is of, under its kind: one of them, and none for `events`.
#[derive(ToSchema)]
pub struct Subject {
    #[schema(nullable = false)]
    delivery: Option<DeliverySnapshot>,
    #[schema(nullable = false)]
    drone: Option<Drone>,
    #[schema(nullable = false)]
    hub: Option<Hub>,
    #[schema(nullable = false)]
    fleet: Option<Fleet>,
}

/// A box in degrees.
pub struct Bbox;

impl PartialSchema for Bbox {
    fn schema() -> RefOr<Schema> {
        let degrees = |side| member(Type::Number, side);
        let sides = ["west", "south", "east", "north"].map(degrees);
        tuple("west, south, east, north in degrees", sides.into())
    }
}

impl ToSchema for Bbox {}

/// One drone.
pub struct PositionRow;

impl PartialSchema for PositionRow {
    fn schema() -> RefOr<Schema> {
        let RefOr::T(status) = DroneStatus::schema() else {
            unreachable!("statuses are described in place")
        };
        let members = vec![
            member(Type::String, "drone"),
            member(Type::Number, "latitude in degrees, six decimals"),
            member(Type::Number, "longitude in degrees, six decimals"),
            member(Type::Number, "height in metres above the ground"),
            member(Type::Integer, "heading in degrees clockwise from north, 0 to 359"),
            member(Type::Number, "ground speed in m/s"),
            member(Type::Number, "battery: state of charge, 0 to 1"),
            status,
        ];
        tuple(
            "drone, latitude, longitude, height, heading, ground speed, battery, status",
            members,
        )
    }
}

impl ToSchema for PositionRow {}

fn member(kind: Type, meaning: &str) -> Schema {
    let schema = ObjectBuilder::new().schema_type(SchemaType::new(kind));
    schema.description(Some(meaning)).into()
}

fn tuple(meaning: &str, members: Vec<Schema>) -> RefOr<Schema> {
    ArrayBuilder::new()
        .description(Some(meaning))
        .min_items(Some(members.len()))
        .prefix_items(members)
        .items(ArrayItems::False)
        .into()
}
