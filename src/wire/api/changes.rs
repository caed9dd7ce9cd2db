//! What clients send to change a delivery.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sim::order::ConfirmationRequired;
use crate::wire::place::Location;

/// What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RescheduledDelivery {
    /// What the path says, where it is given at all.
    pub delivery_id: Option<String>,
    /// `altitude,latitude,longitude`, `latitude,longitude`, or a place's name.
    pub pickup_location: Option<String>,
    /// As `pickupLocation`.
    pub drop_off_location: Option<String>,
    /// Free text, kept and shown as it was given: nothing is measured by it.
    pub deadline: Option<String>,
    /// RFC 3339; one in the past means now.
    pub pickup_time: Option<String>,
}

/// What is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct DeliveryChange {
    /// What the path says, where it is given at all.
    pub id: Option<String>,
    pub pickup: Option<Location>,
    pub dropoff: Option<Location>,
    /// Free text, kept and shown as it was given: nothing is measured by it.
    pub deadline: Option<String>,
}

/// The recipient's word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationRequest {
    pub date_time: DateTime,
    pub geo_coordinates: Location,
    /// Not `None`.
    pub confirmation_type: ConfirmationRequired,
    /// The print, picture or voice as text, at most 262,144 characters.
    pub confirmation_blob: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DateTime {
    /// RFC 3339.
    #[schema(example = "2026-06-01T18:09:47Z")]
    pub date_time_value: String,
}

/// At least one of the two; an empty text is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NotifyMeRequest {
    #[schema(example = "ada@example.org")]
    pub email_address: Option<String>,
    #[schema(example = "+1 415 555 0100")]
    pub sms: Option<String>,
}
