//! Packages, in the reference's spelling and in its pounds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::delivery_requests::NameOrNumber;
use crate::sim::order::{self, ContainerSize};
use crate::sim::units;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Package {
    #[schema(example = "mypackage")]
    pub id: String,
    pub size: ContainerSize,
    /// Pounds.
    pub weight: f64,
    #[schema(required)]
    pub tag: Option<String>,
}

impl From<order::Package> for Package {
    fn from(package: order::Package) -> Self {
        let order::Package {
            id,
            size,
            weight_kg,
            tag,
        } = package;
        // Pounds that were converted on the way in come out as they came.
        let pounds = units::kg_to_pounds(weight_kg);
        let weight = (pounds * 1e9).round() / 1e9;
        Package {
            id,
            size,
            weight,
            tag,
        }
    }
}

/// A package to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"size": "Small", "weight": 4, "tag": "mytag"}))]
pub struct NewPackage {
    /// What the path says, where it is given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `Small`, `Medium` or `Large` in any case, or the reference's number (0 to 2).
    #[schema(value_type = NameOrNumber)]
    pub size: ContainerSize,
    /// Pounds, above 0; a number or a numeric string.
    #[schema(value_type = NameOrNumber)]
    pub weight: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// What is to be different; what is left out stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"weight": 5}))]
pub struct PackageChange {
    /// What the path says, where it is given at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NameOrNumber>)]
    pub size: Option<ContainerSize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NameOrNumber>)]
    pub weight: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}
