//! A delivery request read straight off its body, for the many that are as they should be: no
//! tree of values between, and the answer is the body itself with another id in it.
//!
//! It judges nothing: whatever it does not take at once, be it wrong or only unusual (numbers for
//! names, escapes, fields that nobody asked for), is for [`super::order`], which reads the same
//! fields by the same rules and can say what is wrong. What both take they take alike.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::fields;
use super::order::{CONFIRMATIONS, MAX_TAG, MAX_TEXT, SIZES, kg_of_pounds, moment_named, stop_named};
use crate::sim::order::{ConfirmationRequired, Order, Owner, Package};
use crate::sim::time::SimTime;
use crate::sim::world::World;

/// A text without escapes lies in the body as it is; one with them is not read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body<'b> {
    #[serde(default, borrow, deserialize_with = "present")]
    delivery_id: Option<&'b str>,
    owner_id: &'b str,
    pickup_location: &'b str,
    drop_off_location: &'b str,
    #[serde(borrow)]
    package_info: PackageInfo<'b>,
    #[serde(default)]
    confirmation_required: Option<&'b str>,
    #[serde(default)]
    deadline: Option<&'b str>,
    #[serde(default)]
    expedited: Option<bool>,
    #[serde(default)]
    pickup_time: Option<&'b str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PackageInfo<'b> {
    package_id: &'b str,
    size: &'b str,
    weight: Pounds,
    #[serde(default)]
    tag: Option<&'b str>,
}

/// A number, or a text that is one.
struct Pounds(f64);

/// What was read.
pub struct Quick {
    pub order: Order,
    /// Where in the body its `deliveryId` stands, quotes included; `None` where it has none.
    pub id_at: Option<Range<usize>>,
}

impl Quick {
    /// `None` is no judgement: somebody else must look.
    pub fn read(world: &World, body: &[u8]) -> Option<Quick> {
        let text = str::from_utf8(body).ok()?;
        let read: Body = serde_json::from_str(text).ok()?;
        let confirmation = match read.confirmation_required {
            Some(name) => fields::by_name(name, &CONFIRMATIONS)?,
            None => ConfirmationRequired::None,
        };
        let not_before = match read.pickup_time {
            Some(moment) => moment_named(world, moment)?,
            None => SimTime::START,
        };
        let order = Order {
            owner: Owner::account(fields::named(read.owner_id).ok()?),
            pickup: stop_named(world, read.pickup_location).ok()?,
            dropoff: stop_named(world, read.drop_off_location).ok()?,
            package: read.package_info.read()?,
            expedited: read.expedited.unwrap_or(false),
            confirmation,
            deadline: fields::at_most(read.deadline.unwrap_or_default(), MAX_TEXT)
                .ok()?
                .to_owned(),
            not_before,
        };
        let id_at = match read.delivery_id {
            Some(id) => Some(within(text, id)?),
            None => None,
        };
        Some(Quick { order, id_at })
    }
}

/// The body that an order was read from, under the server's id.
pub fn echo(body: &[u8], id_at: Option<Range<usize>>, id: &str) -> Vec<u8> {
    const AROUND_ID: usize = 20;
    // A body without an id has other fields, so a comma and one more may follow them.
    let end = body.trim_ascii_end().len() - 1;
    let (before, prefix, suffix, after) = match id_at {
        Some(at) => (&body[..at.start], "\"", "\"", &body[at.end..]),
        None => (&body[..end], ",\"deliveryId\":\"", "\"}", &body[body.len()..]),
    };
    let mut echo = Vec::with_capacity(body.len() + id.len() + AROUND_ID);
    for part in [before, prefix.as_bytes(), id.as_bytes(), suffix.as_bytes(), after] {
        echo.extend_from_slice(part);
    }
    echo
}

impl PackageInfo<'_> {
    fn read(&self) -> Option<Package> {
        let tag = match self.tag {
            Some(tag) => Some(fields::at_most(tag, MAX_TAG).ok()?.to_owned()),
            None => None,
        };
        Some(Package {
            id: fields::named(self.package_id).ok()?.to_owned(),
            size: fields::by_name(self.size, &SIZES)?,
            weight_kg: kg_of_pounds(self.weight.0)?,
            tag,
        })
    }
}

/// Where a text without escapes stands in the whole, quotes included.
fn within(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr() + 1)?;
    let range = start..start + part.len() + 2;
    let found = whole.get(range.clone())?;
    (found.starts_with('"') && found.ends_with('"')).then_some(range)
}

/// Null is for others to judge: in the answer it must not stand beside an id.
fn present<'b, D: Deserializer<'b>>(deserializer: D) -> Result<Option<&'b str>, D::Error> {
    <&str>::deserialize(deserializer).map(Some)
}

impl<'b> Deserialize<'b> for Pounds {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;

        impl Visitor<'_> for NumberOrText {
            type Value = Pounds;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("a number, or a text that is one")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Pounds, E> {
                Ok(Pounds(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Pounds, E> {
                Ok(Pounds(number as f64))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Pounds, E> {
                Ok(Pounds(number as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Pounds, E> {
                text.trim().parse().map(Pounds).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(NumberOrText)
    }
}

#[cfg(test)]
mod tests;
