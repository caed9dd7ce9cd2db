//! What a recording is made of: its channels, and the messages in them that are protobuf.
//!
//! The descriptions of these messages are embedded in the file, so that Foxglove and the public
//! MCAP libraries read positions, numbers and digests without this program. What only this
//! program reads (`bytes` below) is postcard, by [`FORMAT`].

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Changes with every change of what stands in a file; higher ones are refused.
pub const FORMAT: u32 = 2;
/// The MCAP profile that says that a file is one of ours.
pub const PROFILE: &str = "skyhaul";

/// What a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The world: one JSON message, the first of the file.
    Scenario,
    /// Writes from outside, as the journal has them.
    Commands,
    /// Events as the stream tells them, numbered; a JSON message each.
    Events,
    /// All airborne drones at the recorded ticks.
    Positions,
    /// What else a tick changed, for playback.
    Journal,
    /// The whole state, to go on from.
    Keyframes,
    /// Deliveries that ended and left the world's memory.
    History,
    /// Ticks that are missing, and why; a JSON message each.
    Gaps,
}

impl Topic {
    pub const ALL: [Topic; 8] = [
        Topic::Scenario,
        Topic::Commands,
        Topic::Events,
        Topic::Positions,
        Topic::Journal,
        Topic::Keyframes,
        Topic::History,
        Topic::Gaps,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Topic::Scenario => "scenario",
            Topic::Commands => "commands",
            Topic::Events => "events",
            Topic::Positions => "positions",
            Topic::Journal => "journal",
            Topic::Keyframes => "keyframes",
            Topic::History => "history",
            Topic::Gaps => "gaps",
        }
    }

    pub fn of_name(name: &str) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// The protobuf message, where it is one; the others are JSON.
    pub fn message(self) -> Option<&'static str> {
        match self {
            Topic::Commands => Some("skyhaul.Command"),
            Topic::Positions => Some("skyhaul.Positions"),
            Topic::Journal => Some("skyhaul.Journal"),
            Topic::Keyframes => Some("skyhaul.Keyframe"),
            Topic::History => Some("skyhaul.History"),
            Topic::Scenario | Topic::Events | Topic::Gaps => None,
        }
    }
}

/// A write from outside, at the tick that admitted it.
#[derive(Clone, PartialEq, Message)]
pub struct Command {
    #[prost(uint64, tag = "1")]
    pub tick: u64,
    #[prost(uint64, tag = "2")]
    pub number: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub command: Vec<u8>,
}

/// All airborne drones at one tick, a column a field, in the order of their numbers.
///
/// A value is what is predicted plus what stands here. Predicted is, in a message with `anew`
/// and for a drone that the message before does not have, 0; else the drone's value in the
/// message before, and for latitude, longitude, height and battery also its last step again (none
/// after its first value).
/// Sums are 32 bits wide and wrap. The first message of a chunk has `anew`.
#[derive(Clone, PartialEq, Message)]
pub struct Positions {
    #[prost(uint64, tag = "1")]
    pub tick: u64,
    #[prost(uint64, tag = "2")]
    pub sim_time_us: u64,
    #[prost(bool, tag = "3")]
    pub anew: bool,
    /// Steps from one drone's number to the next; the first counts from 0.
    #[prost(uint32, repeated, tag = "4")]
    pub drone: Vec<u32>,
    /// 1e-7 degree.
    #[prost(sint32, repeated, tag = "5")]
    pub latitude: Vec<i32>,
    /// 1e-7 degree.
    #[prost(sint32, repeated, tag = "6")]
    pub longitude: Vec<i32>,
    /// Centimetres above the ground.
    #[prost(sint32, repeated, tag = "7")]
    pub height: Vec<i32>,
    /// 1e-2 degree from north.
    #[prost(sint32, repeated, tag = "8")]
    pub heading: Vec<i32>,
    /// Millimetres a second.
    #[prost(sint32, repeated, tag = "9")]
    pub ground_speed: Vec<i32>,
    /// Millimetres a second, upwards.
    #[prost(sint32, repeated, tag = "10")]
    pub vertical_speed: Vec<i32>,
    /// 1e-5 of its type's capacity.
    #[prost(sint32, repeated, tag = "11")]
    pub battery: Vec<i32>,
    /// 1e-4 kilogram.
    #[prost(sint32, repeated, tag = "12")]
    pub payload: Vec<i32>,
    /// A byte each: 2 climbing, 3 cruising, 4 descending, 5 hovering, 6 returning, 7 holding.
    #[prost(bytes = "vec", tag = "13")]
    pub status: Vec<u8>,
}

/// What a tick changed besides positions.
#[derive(Clone, PartialEq, Message)]
pub struct Journal {
    #[prost(uint64, tag = "1")]
    pub tick: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
    /// The highest number of a command admitted up to and including this tick.
    #[prost(uint64, tag = "3")]
    pub admitted_through: u64,
    /// The number that this tick's first event has, or would have.
    #[prost(uint64, tag = "4")]
    pub first_event: u64,
    #[prost(bytes = "vec", tag = "5")]
    pub changes: Vec<u8>,
}

/// The state after a tick: `state` by itself, or `difference`, a zstd frame that has the `state`
/// of that earlier moment for its prefix (format 2).
#[derive(Clone, PartialEq, Message)]
pub struct Keyframe {
    #[prost(uint64, tag = "1")]
    pub tick: u64,
    #[prost(bytes = "vec", tag = "2")]
    pub digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub state: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub difference: Vec<u8>,
    #[prost(uint64, tag = "5")]
    pub to_sim_time_us: u64,
}

/// Deliveries that were over for good at a tick.
#[derive(Clone, PartialEq, Message)]
pub struct History {
    #[prost(uint64, tag = "1")]
    pub tick: u64,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub records: Vec<Vec<u8>>,
}

/// One field as the embedded description has it.
struct Field(&'static str, i32, Type, Label);

const ONE: Label = Label::Optional;
const MANY: Label = Label::Repeated;

/// The description of all messages, as protobuf's own `FileDescriptorSet`.
pub fn descriptors() -> Vec<u8> {
    let message = |name: &str, fields: &[Field]| DescriptorProto {
        name: Some(name.to_owned()),
        field: fields.iter().map(describe).collect(),
        ..DescriptorProto::default()
    };
    let tick = || Field("tick", 1, Type::Uint64, ONE);
    let digest = || Field("digest", 2, Type::Bytes, ONE);
    let file = FileDescriptorProto {
        name: Some("skyhaul.proto".to_owned()),
        package: Some("skyhaul".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![
            message(
                "Command",
                &[
                    tick(),
                    Field("number", 2, Type::Uint64, ONE),
                    Field("command", 3, Type::Bytes, ONE),
                ],
            ),
            message("Positions", &positions_fields()),
            message(
                "Journal",
                &[
                    tick(),
                    digest(),
                    Field("admitted_through", 3, Type::Uint64, ONE),
                    Field("first_event", 4, Type::Uint64, ONE),
                    Field("changes", 5, Type::Bytes, ONE),
                ],
            ),
            message(
                "Keyframe",
                &[
                    tick(),
                    digest(),
                    Field("state", 3, Type::Bytes, ONE),
                    Field("difference", 4, Type::Bytes, ONE),
                    Field("to_sim_time_us", 5, Type::Uint64, ONE),
                ],
            ),
            message("History", &[tick(), Field("records", 2, Type::Bytes, MANY)]),
        ],
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![file] }.encode_to_vec()
}

fn positions_fields() -> [Field; 13] {
    [
        Field("tick", 1, Type::Uint64, ONE),
        Field("sim_time_us", 2, Type::Uint64, ONE),
        Field("anew", 3, Type::Bool, ONE),
        Field("drone", 4, Type::Uint32, MANY),
        Field("latitude", 5, Type::Sint32, MANY),
        Field("longitude", 6, Type::Sint32, MANY),
        Field("height", 7, Type::Sint32, MANY),
        Field("heading", 8, Type::Sint32, MANY),
        Field("ground_speed", 9, Type::Sint32, MANY),
        Field("vertical_speed", 10, Type::Sint32, MANY),
        Field("battery", 11, Type::Sint32, MANY),
        Field("payload", 12, Type::Sint32, MANY),
        Field("status", 13, Type::Bytes, ONE),
    ]
}

fn describe(Field(name, number, kind, label): &Field) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(*number),
        r#type: Some(*kind as i32),
        label: Some(*label as i32),
        ..FieldDescriptorProto::default()
    }
}
