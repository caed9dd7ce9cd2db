//! What third-party transport is asked to carry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::place::Location;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "pickup": {"altitude": 0, "latitude": 37.7955, "longitude": -122.3937},
    "dropoff": {"altitude": 0, "latitude": 37.4316, "longitude": -78.6569}
}))]
#[serde(rename_all = "camelCase")]
pub struct ThirdPartyDelivery {
    /// What the path says, where it is given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_id: Option<String>,
    pub pickup: Location,
    pub dropoff: Location,
}
