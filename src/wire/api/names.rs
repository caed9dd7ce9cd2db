//! How the rules' own enums are described in the interface's documents, so that the
//! rules know nothing of documents and no enum exists twice.

use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::sim::account::{AccountKind, AccountStatus};
use crate::sim::breaker::BreakerState;
use crate::sim::delivery::Stage;
use crate::sim::drone::DroneStatus;
use crate::sim::fault::FlightFault;
use crate::sim::order::{ConfirmationRequired, ContainerSize};
use crate::sim::weather::Breach;
use crate::sim::workflow::{FailureReason, Step, WaitingFor};

fn one_of<T: Serialize>(values: &[T]) -> RefOr<Schema> {
    let names = values
        .iter()
        .map(|value| serde_json::to_value(value).expect("unit variants are strings"));
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .enum_values(Some(names))
        .into()
}

macro_rules! described {
    ($type:ty, $values:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                one_of(&$values)
            }
        }
        impl ToSchema for $type {}
    };
}

described!(Stage, Stage::ALL);
described!(DroneStatus, DroneStatus::ALL);
described!(
    ContainerSize,
    [ContainerSize::Small, ContainerSize::Medium, ContainerSize::Large]
);
described!(
    ConfirmationRequired,
    [
        ConfirmationRequired::FingerPrint,
        ConfirmationRequired::Picture,
        ConfirmationRequired::Voice,
        ConfirmationRequired::None
    ]
);
described!(Step, Step::ALL);
described!(BreakerState, BreakerState::ALL);
described!(WaitingFor, WaitingFor::ALL);
described!(AccountKind, [AccountKind::Business, AccountKind::Customer]);
described!(AccountStatus, [AccountStatus::Active, AccountStatus::Suspended]);
described!(
    FailureReason,
    [
        FailureReason::NoDroneInTime,
        FailureReason::BacklogFull,
        FailureReason::DroneLost,
        FailureReason::CarrierFailed,
        FailureReason::CarrierRefused,
        FailureReason::AccountSuspended,
        FailureReason::AccountUnknown,
        FailureReason::AccountsFull,
        FailureReason::StepUnavailable,
        FailureReason::NotConfirmed,
        FailureReason::TooManyAttempts,
        FailureReason::CarrierFull,
        FailureReason::ScheduleFull,
        FailureReason::InternalError
    ]
);
described!(
    FlightFault,
    [
        FlightFault::RotorOut,
        FlightFault::BatteryCell,
        FlightFault::LinkLost
    ]
);
described!(Breach, Breach::ALL);
