//! Drones that are followed: a channel each, in the message that Foxglove's map draws by itself.
//!
//! It is for others only. This program reads the same places in `positions`, and passes these
//! channels by.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, FileDescriptorSet, Timestamp,
};

use crate::sim::ids::DroneId;

use super::origin::Origin;
use super::positions::FixedRow;
use super::tape::{Tape, TapeError};

/// The name by which Foxglove knows what it can draw.
const LOCATION_FIX: &str = "foxglove.LocationFix";
const TIMESTAMP_FILE: &str = "google/protobuf/timestamp.proto";

/// Field numbers as published: <https://docs.foxglove.dev/docs/sdk/schemas/location-fix>.
#[derive(Clone, PartialEq, Message)]
struct LocationFix {
    #[prost(double, tag = "1")]
    latitude: f64,
    #[prost(double, tag = "2")]
    longitude: f64,
    /// Metres above the ellipsoid, as satellites tell it.
    #[prost(double, tag = "3")]
    altitude: f64,
    /// East, north, up, squared metres.
    #[prost(double, repeated, tag = "4")]
    position_covariance: Vec<f64>,
    #[prost(int32, tag = "5")]
    position_covariance_type: i32,
    #[prost(message, optional, tag = "6")]
    timestamp: Option<Timestamp>,
    #[prost(string, tag = "7")]
    frame_id: String,
}

/// What `position_covariance` is; the place in this list is the number.
const COVARIANCE_TYPES: [&str; 4] = ["UNKNOWN", "APPROXIMATED", "DIAGONAL_KNOWN", "KNOWN"];
const KNOWN: i32 = 3;

/// The channels of drones that are followed.
pub(super) struct Followed {
    channels: BTreeMap<DroneId, u16>,
    /// From the ground to the ellipsoid.
    lift_m: f64,
}

impl Followed {
    pub fn on(tape: &mut Tape, origin: &Origin) -> Result<Self, TapeError> {
        let mut channels = BTreeMap::new();
        let descriptors = descriptors();
        for drone in &origin.followed {
            let topic = format!("/drones/{drone}/location");
            let channel = tape.add_channel(&topic, LOCATION_FIX, &descriptors)?;
            channels.insert(*drone, channel);
        }
        Ok(Followed {
            channels,
            lift_m: origin.ground_m + origin.geoid_m,
        })
    }

    /// Where those of these drones are who are followed.
    pub fn write(&self, tape: &mut Tape, rows: &[FixedRow], time_ns: u64) -> Result<(), TapeError> {
        if self.channels.is_empty() {
            return Ok(());
        }
        for row in rows {
            if let Some(channel) = self.channels.get(&row.drone) {
                let fix = location_fix(row, time_ns, self.lift_m);
                tape.write_to(*channel, time_ns, &fix.encode_to_vec())?;
            }
        }
        Ok(())
    }
}

fn location_fix(row: &FixedRow, time_ns: u64, lift_m: f64) -> LocationFix {
    LocationFix {
        latitude: row.at().lat,
        longitude: row.at().lon,
        altitude: row.height_m() + lift_m,
        // A simulated drone is where it is said to be.
        position_covariance: vec![0.0; 9],
        position_covariance_type: KNOWN,
        timestamp: Some(Timestamp {
            seconds: (time_ns / 1_000_000_000) as i64,
            nanos: (time_ns % 1_000_000_000) as i32,
        }),
        frame_id: row.drone.to_string(),
    }
}

/// The description of the message, with what it is made of.
fn descriptors() -> Vec<u8> {
    let timestamp = FileDescriptorProto {
        name: Some(TIMESTAMP_FILE.to_owned()),
        package: Some("google.protobuf".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![DescriptorProto {
            name: Some("Timestamp".to_owned()),
            field: vec![field("seconds", 1, Type::Int64), field("nanos", 2, Type::Int32)],
            ..DescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    let fix = FileDescriptorProto {
        name: Some("foxglove/LocationFix.proto".to_owned()),
        package: Some("foxglove".to_owned()),
        syntax: Some("proto3".to_owned()),
        dependency: vec![TIMESTAMP_FILE.to_owned()],
        message_type: vec![DescriptorProto {
            name: Some("LocationFix".to_owned()),
            field: fix_fields(),
            enum_type: vec![covariance_type()],
            ..DescriptorProto::default()
        }],
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet {
        file: vec![timestamp, fix],
    }
    .encode_to_vec()
}

fn fix_fields() -> Vec<FieldDescriptorProto> {
    let covariance = FieldDescriptorProto {
        label: Some(Label::Repeated as i32),
        ..field("position_covariance", 4, Type::Double)
    };
    let of_type = |field: FieldDescriptorProto, name: &str| FieldDescriptorProto {
        type_name: Some(name.to_owned()),
        ..field
    };
    vec![
        field("latitude", 1, Type::Double),
        field("longitude", 2, Type::Double),
        field("altitude", 3, Type::Double),
        covariance,
        of_type(
            field("position_covariance_type", 5, Type::Enum),
            ".foxglove.LocationFix.PositionCovarianceType",
        ),
        of_type(field("timestamp", 6, Type::Message), ".google.protobuf.Timestamp"),
        field("frame_id", 7, Type::String),
    ]
}

fn covariance_type() -> EnumDescriptorProto {
    let value = |(number, name): (i32, &&str)| EnumValueDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(number),
        options: None,
    };
    EnumDescriptorProto {
        name: Some("PositionCovarianceType".to_owned()),
        value: (0..).zip(&COVARIANCE_TYPES).map(value).collect(),
        ..EnumDescriptorProto::default()
    }
}

fn field(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        r#type: Some(kind as i32),
        label: Some(Label::Optional as i32),
        ..FieldDescriptorProto::default()
    }
}
