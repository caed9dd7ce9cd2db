//! Messages that wait in snapshots and what stands in journals are read by position, so their shapes
//! may only grow: enums by variants at their end, and nothing else at all.
//!
//! The shapes that were released stand beside this file, a line each. Whoever changes one on
//! purpose makes another format of snapshots that goes on to read this one, then records the new
//! shapes: `RECORD_SHAPES=1 cargo test --lib shapes`. A journal's never change.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_reflection::{ContainerFormat, Registry, Samples, Tracer, TracerConfig};

use super::FORMAT;
use crate::actors::Mail;
use crate::actors::accounts::AccountMessage;
use crate::actors::delivery::DeliveryMessage;
use crate::actors::drone::{DroneMessage, Purpose, Trouble};
use crate::actors::fleet::FleetMessage;
use crate::actors::packages::PackageMessage;
use crate::actors::scheduler::{Heard, Lost, SchedulerMessage};
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::transport::TransportMessage;
use crate::sim::account::{AccountKind, AccountStatus};
use crate::sim::actor::Actor;
use crate::sim::breaker::BreakerState;
use crate::sim::carrier;
use crate::sim::command::{AccountWrite, Command, DeliveryWrite, Objection};
use crate::sim::event::{
    AccountEvent, DeliveryEvent, DroneEvent, Event, Happening, HubEvent, SupervisorEvent,
};
use crate::sim::fault::{Fault, FlightFault, StepFault, Victim};
use crate::sim::flight::{Milestone, Path, Phase};
use crate::sim::ids::DeliveryId;
use crate::sim::notice::{Addressee, Moment, Notice};
use crate::sim::order::{ConfirmationRequired, ContainerSize};
use crate::sim::roster::Change;
use crate::sim::weather::{self, Breach};
use crate::sim::workflow::{FailureReason, Step, StepAnswer, Then, WaitingFor};

/// What a type and its parts look like to who reads them; each enum among them has to be traced by
/// itself.
struct Shapes {
    tracer: Tracer,
    samples: Samples,
}

impl Shapes {
    fn new() -> Self {
        let mut tracer = Tracer::new(TracerConfig::default().record_samples_for_newtype_structs(true));
        let mut samples = Samples::new();
        // Not any bytes are an id.
        let id = DeliveryId::from_bytes([7; 16]);
        tracer.trace_value(&mut samples, &id).unwrap();
        Shapes { tracer, samples }
    }

    fn with<T: DeserializeOwned>(mut self) -> Self {
        let traced = self.tracer.trace_type::<T>(&self.samples);
        traced.unwrap_or_else(|error| panic!("{error}: {}", error.explanation()));
        self
    }

    fn all(self) -> Registry {
        let registry = self.tracer.registry();
        registry.unwrap_or_else(|error| panic!("trace these too: {error}: {}", error.explanation()))
    }
}

fn of_orders(shapes: Shapes) -> Shapes {
    shapes
        .with::<AccountKind>()
        .with::<AccountStatus>()
        .with::<ConfirmationRequired>()
        .with::<ContainerSize>()
        .with::<FlightFault>()
        .with::<Step>()
        .with::<StepFault>()
        .with::<Victim>()
}

fn of_journals() -> Registry {
    of_orders(Shapes::new().with::<Command>().with::<Event>().with::<Notice>())
        .with::<AccountWrite>()
        .with::<DeliveryWrite>()
        .with::<Change>()
        .with::<Fault>()
        .with::<Happening>()
        .with::<AccountEvent>()
        .with::<DeliveryEvent>()
        .with::<DroneEvent>()
        .with::<HubEvent>()
        .with::<SupervisorEvent>()
        .with::<Actor>()
        .with::<BreakerState>()
        .with::<Breach>()
        .with::<FailureReason>()
        .with::<WaitingFor>()
        .with::<weather::Turn>()
        .with::<Addressee>()
        .with::<Moment>()
        .all()
}

fn of_mail() -> Registry {
    of_orders(Shapes::new().with::<Mail>())
        .with::<AccountMessage>()
        .with::<AccountWrite>()
        .with::<Actor>()
        .with::<Breach>()
        .with::<BreakerState>()
        .with::<DeliveryMessage>()
        .with::<DeliveryWrite>()
        .with::<DroneMessage>()
        .with::<FailureReason>()
        .with::<FleetMessage>()
        .with::<Heard>()
        .with::<Lost>()
        .with::<Milestone>()
        .with::<Objection>()
        .with::<PackageMessage>()
        .with::<Path>()
        .with::<Phase>()
        .with::<Purpose>()
        .with::<SchedulerMessage>()
        .with::<StepAnswer>()
        .with::<SupervisorMessage>()
        .with::<Then>()
        .with::<TransportMessage>()
        .with::<Trouble>()
        .with::<carrier::Turn>()
        .all()
}

/// Whether what was written in the one shape is read in the other.
fn still_reads(was: &ContainerFormat, is: &ContainerFormat) -> bool {
    match (was, is) {
        (ContainerFormat::Enum(was), ContainerFormat::Enum(is)) => {
            was.iter().all(|(place, variant)| is.get(place) == Some(variant))
        }
        _ => was == is,
    }
}

/// A line for each, so that changes are easily seen.
fn as_text(shapes: &Registry) -> String {
    let line = |(name, shape): (&String, &ContainerFormat)| {
        let shape = serde_json::to_string(shape).unwrap();
        format!("{name:?}:{shape}")
    };
    let lines: Vec<String> = shapes.iter().map(line).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn holds(name: &str, shapes: &Registry) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("src/engine/snapshot/{name}.json"));
    if std::env::var_os("RECORD_SHAPES").is_some() {
        std::fs::write(&path, as_text(shapes)).unwrap();
    }
    let recorded = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let released: Registry = serde_json::from_str(&recorded).unwrap();
    for (of, was) in &released {
        let is = shapes.get(of);
        assert!(
            is.is_some_and(|is| still_reads(was, is)),
            "{of} cannot be read as {name} has it: {was:?} has become {is:?}"
        );
    }
}

#[test]
fn what_stands_in_journals_is_read_for_ever() {
    holds("journal", &of_journals());
}

#[test]
fn messages_of_this_format_of_snapshots_are_read() {
    holds(&format!("mail-{FORMAT}"), &of_mail());
}

#[test]
fn a_variant_may_come_last_and_nowhere_else() {
    #[derive(serde::Deserialize)]
    #[serde(rename = "Fruit")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    enum Before {
        Apple(u32),
        Pear,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename = "Fruit")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    enum Longer {
        Apple(u32),
        Pear,
        Plum,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename = "Fruit")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    enum Sorted {
        Apple(u32),
        Fig,
        Pear,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename = "Fruit")]
    #[expect(dead_code, reason = "only its shape is looked at")]
    enum Wider {
        Apple(u64),
        Pear,
    }
    fn shape<T: DeserializeOwned>() -> ContainerFormat {
        Shapes::new().with::<T>().all()["Fruit"].clone()
    }
    assert!(still_reads(&shape::<Before>(), &shape::<Longer>()));
    assert!(!still_reads(&shape::<Longer>(), &shape::<Before>()));
    assert!(!still_reads(&shape::<Before>(), &shape::<Sorted>()));
    assert!(!still_reads(&shape::<Before>(), &shape::<Wider>()));
}
