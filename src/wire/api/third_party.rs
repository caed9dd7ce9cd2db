//! What third-party transport is asked to carry.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::wire::place::Location;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "pickup": {"altitude": 0, "latitude": 37.7955, "longitude": -122.3937},
    "dropoff": {"altitude": 0, "latitude": 37.4316, "longitude": -78.6569}
}))]
pub struct ThirdPartyDelivery {
    pub pickup: Location,
    pub dropoff: Location,
}
