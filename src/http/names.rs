//! What clients call things that they put: in the path, and once more in the body, where both
//! must mean the same.

use serde_json::Value;

use super::fields::{self, Complaint, Complaints, Fields};
use crate::sim::ids::DeliveryName;

/// The path's name for a delivery that may be new; `None` once its complaint is noted.
pub fn of_delivery(text: Option<String>, complaints: &mut Complaints) -> Option<DeliveryName> {
    of_anything("deliveryId", text, complaints).map(|text| DeliveryName::new(&text))
}

/// The path's name for something that may be new; `None` once its complaint is noted.
pub fn of_anything(
    parameter: &'static str,
    text: Option<String>,
    complaints: &mut Complaints,
) -> Option<String> {
    let text = text.map(Value::String);
    let name = text.as_ref().map_or(Err("must be text".into()), fields::name);
    let name = complaints.note(|| parameter.into(), name);
    name.map(str::to_owned)
}

impl Fields<'_, '_> {
    /// A delivery that the body names too must be the path's.
    pub fn same_delivery(&mut self, key: &str, path: DeliveryName) {
        self.optional(key, |value| {
            let named = value.as_str().map(DeliveryName::new);
            let is_same =
                named.is_some_and(|named| named.ids().any(|id| path.ids().any(|other| id == other)));
            same(is_same)
        });
    }

    /// As [`Fields::same_delivery`], of what has a name and no id.
    pub fn same_name(&mut self, key: &str, path: &str) {
        self.optional(key, |value| same(value.as_str() == Some(path)));
    }
}

fn same(is_same: bool) -> Result<(), Complaint> {
    match is_same {
        true => Ok(()),
        false => Err("must be the path's, or left out".into()),
    }
}
