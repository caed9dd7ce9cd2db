//! Texts with places in them that each request fills in its own way: `{package}`.
//!
//! A place is a name in braces; braces around anything else, as JSON is full of, are text.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::diagnostic::{Log, Span};
use super::fields::{Kind, suggest};
use super::kinds::Text;

/// What stands in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The request's own, from 0.
    Number,
    /// The same in every request of a run, and another in each run.
    Run,
    /// The time at which the request is sent, RFC 3339.
    Now,
    /// What `--token` gave.
    Token,
    /// Unlike any other of the run.
    Package,
    Owner,
    Size,
    Tag,
    Expedited,
    WeightKg,
    WeightPounds,
    PickupLatitude,
    PickupLongitude,
    PickupAltitude,
    DropoffLatitude,
    DropoffLongitude,
    DropoffAltitude,
    /// What the target calls the delivery.
    Id,
}

impl Field {
    pub const ALL: [(&'static str, Field); 18] = [
        ("number", Field::Number),
        ("run", Field::Run),
        ("now", Field::Now),
        ("token", Field::Token),
        ("package", Field::Package),
        ("owner", Field::Owner),
        ("size", Field::Size),
        ("tag", Field::Tag),
        ("expedited", Field::Expedited),
        ("weight_kg", Field::WeightKg),
        ("weight_pounds", Field::WeightPounds),
        ("pickup_latitude", Field::PickupLatitude),
        ("pickup_longitude", Field::PickupLongitude),
        ("pickup_altitude", Field::PickupAltitude),
        ("dropoff_latitude", Field::DropoffLatitude),
        ("dropoff_longitude", Field::DropoffLongitude),
        ("dropoff_altitude", Field::DropoffAltitude),
        ("id", Field::Id),
    ];

    /// Of an order: known before its request is sent.
    pub fn is_of_order(self) -> bool {
        !matches!(
            self,
            Field::Number | Field::Run | Field::Now | Field::Token | Field::Package | Field::Id
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Field(Field),
}

/// Text and places, one behind the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// # Errors
    /// The first name in braces that stands for nothing.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some(at) = rest.find('{') {
            plain += &rest[..at];
            rest = &rest[at + 1..];
            let Some(name) = name_in_braces(rest) else {
                plain.push('{');
                continue;
            };
            let known = Field::ALL.iter().find(|(known, _)| *known == name);
            let (_, field) = known.ok_or(name)?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Field(*field));
            rest = &rest[name.len() + 1..];
        }
        plain += rest;
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template(pieces))
    }

    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(field) => Some(*field),
            Piece::Text(_) => None,
        })
    }

    /// Whether its text has signs that are none.
    pub(super) fn has_control(&self) -> bool {
        let is_control = |piece: &Piece| match piece {
            Piece::Text(text) => text.contains(|sign: char| sign.is_control()),
            Piece::Field(_) => false,
        };
        self.0.iter().any(is_control)
    }

    pub fn has(&self, field: Field) -> bool {
        self.fields().any(|there| there == field)
    }
}

fn name_in_braces(text: &str) -> Option<&str> {
    let name = &text[..text.find('}')?];
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    is_name.then_some(name)
}

/// A template in a scenario file.
pub(super) struct Filled {
    /// Whether this field is known where the text is used.
    pub knows: fn(Field) -> bool,
}

impl Kind for Filled {
    type Out = Template;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "\\S"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Template> {
        let text = Text.read(name, value, span, log)?;
        let known = Field::ALL.iter().filter(|(_, field)| (self.knows)(*field));
        let remedy = |wrong| suggest(wrong, known.clone().map(|(name, _)| *name));
        let wrong = match Template::parse(&text) {
            Ok(template) => {
                let unknown = template.fields().find(|field| !(self.knows)(*field));
                let Some(unknown) = unknown else {
                    return Some(template);
                };
                Field::ALL.iter().find(|(_, field)| *field == unknown)?.0
            }
            Err(wrong) => wrong,
        };
        log.error(
            span,
            format!("nothing stands for {{{wrong}}} in `{name}`"),
            remedy(wrong),
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_names_in_braces_and_all_else_is_text() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let parsed = Template::parse("{\"a\":{\"ref\":\"{package}\",\"n\":{number}},{}}");
        let pieces = vec![
            text("{\"a\":{\"ref\":\""),
            Piece::Field(Field::Package),
            text("\",\"n\":"),
            Piece::Field(Field::Number),
            text("},{}}"),
        ];
        assert_eq!(parsed, Ok(Template(pieces)));
        assert_eq!(Template::parse("{colour}"), Err("colour"));
        assert_eq!(
            Template::parse("{ {{id}"),
            Ok(Template(vec![text("{ {"), Piece::Field(Field::Id)]))
        );
    }
}
