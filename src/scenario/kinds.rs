//! The kinds of values that a scenario file is made of; those of time are in
//! [`super::times`], those of place in [`super::locations`].

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::diagnostic::{Log, Span};
use super::fields::{Kind, kind_of, suggest};

/// Any text but an empty one.
pub(super) struct Text;

impl Kind for Text {
    type Out = String;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "\\S"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<String> {
        let text = read_text(name, value, span, log)?;
        if text.trim().is_empty() {
            log.error(span, format!("`{name}` is empty"), "give it at least one letter");
            return None;
        }
        Some(text.to_owned())
    }
}

fn read_text<'v>(name: &str, value: &'v DeValue<'_>, span: &Span, log: &mut Log) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text),
        other => {
            log.error(
                span,
                format!("`{name}` is {}, not text", kind_of(other)),
                "put it in quotes",
            );
            None
        }
    }
}

/// What stands in addresses: lower-case letters, digits, `-` and `_`.
pub(super) struct Key;

impl Kind for Key {
    type Out = String;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,63}$"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<String> {
        let text = read_text(name, value, span, log)?;
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if text.is_empty() || text.len() > 64 || text.starts_with(['-', '_']) || !text.chars().all(allowed) {
            log.error(
                span,
                format!("`{name}` is \"{text}\", which cannot stand in an address"),
                "use up to 64 lower-case letters, digits, `-` and `_`, as in \"mission-2\"",
            );
            return None;
        }
        Some(text.to_owned())
    }
}

/// One of a few words.
pub(super) struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

impl<T: Copy> Kind for Choice<T> {
    type Out = T;

    fn schema(&self) -> Value {
        let words: Vec<&str> = self.0.iter().map(|(word, _)| *word).collect();
        json!({"enum": words})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<T> {
        let text = read_text(name, value, span, log)?;
        let chosen = self.0.iter().find(|(word, _)| *word == text);
        if chosen.is_none() {
            let remedy = suggest(text, self.0.iter().map(|(word, _)| *word));
            log.error(span, format!("`{name}` cannot be \"{text}\""), remedy);
        }
        chosen.map(|(_, value)| *value)
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Kind for Flag {
    type Out = bool;

    fn schema(&self) -> Value {
        json!({"type": "boolean"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<bool> {
        let DeValue::Boolean(flag) = value else {
            log.error(
                span,
                format!("`{name}` is {}, not true or false", kind_of(value)),
                "write true or false without quotes",
            );
            return None;
        };
        Some(*flag)
    }
}

/// A number between two bounds, whole or not.
pub(super) struct Number(pub RangeInclusive<f64>);

impl Kind for Number {
    type Out = f64;

    fn schema(&self) -> Value {
        json!({"type": "number", "minimum": self.0.start(), "maximum": self.0.end()})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<f64> {
        let number = read_number(name, value, span, log)?;
        if !self.0.contains(&number) {
            let (low, high) = (self.0.start(), self.0.end());
            let remedy = format!("give a number from {low} to {high}");
            log.error(span, format!("`{name}` cannot be {number}"), remedy);
            return None;
        }
        Some(number)
    }
}

/// Not-a-number and infinity are numbers in TOML, but not here.
pub(super) fn read_number(name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<f64> {
    let number = match value {
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|number| number as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        other => {
            log.error(
                span,
                format!("`{name}` is {}, not a number", kind_of(other)),
                "give a number without quotes",
            );
            return None;
        }
    };
    let finite = number.filter(|number: &f64| number.is_finite());
    if finite.is_none() {
        log.error(
            span,
            format!("`{name}` is not a finite number"),
            "give a number like 1.5",
        );
    }
    finite
}

/// A whole number between two bounds.
pub(super) struct Integer(pub RangeInclusive<u64>);

impl Kind for Integer {
    type Out = u64;

    fn schema(&self) -> Value {
        json!({"type": "integer", "minimum": self.0.start(), "maximum": self.0.end()})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<u64> {
        let (low, high) = (self.0.start(), self.0.end());
        let remedy = format!("give a whole number from {low} to {high}");
        let DeValue::Integer(number) = value else {
            let what = match value {
                DeValue::Float(number) => number.as_str(),
                other => kind_of(other),
            };
            log.error(span, format!("`{name}` is {what}, not a whole number"), remedy);
            return None;
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let within = parsed.filter(|number| self.0.contains(number));
        if within.is_none() {
            log.error(span, format!("`{name}` cannot be {number}"), remedy);
        }
        within
    }
}

/// Two values in a list, as in `["60m", 1.5]`.
pub(super) struct Pair<A, B>(pub A, pub B);

impl<A: Kind, B: Kind> Kind for Pair<A, B> {
    type Out = (A::Out, B::Out);

    fn schema(&self) -> Value {
        json!({
            "type": "array",
            "prefixItems": [self.0.schema(), self.1.schema()],
            "minItems": 2,
            "maxItems": 2,
        })
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Self::Out> {
        let items: &[_] = match value {
            DeValue::Array(items) => items,
            _ => &[],
        };
        let [first, second] = items else {
            log.error(
                span,
                format!("an entry of `{name}` is not a pair"),
                "write two values in brackets, as in [\"60m\", 1.5]",
            );
            return None;
        };
        let first = self.0.read(name, first.get_ref(), &first.span(), log);
        let second = self.1.read(name, second.get_ref(), &second.span(), log);
        Some((first?, second?))
    }
}

/// Whatever either kind takes; which one is told by `first`.
pub(super) struct Either<A, B> {
    pub first: A,
    pub takes_first: fn(&DeValue<'_>) -> bool,
    pub second: B,
}

/// What an [`Either`] found.
#[derive(Clone, Debug)]
pub(super) enum OneOf<A, B> {
    First(A),
    Second(B),
}

impl<A: Kind, B: Kind> Kind for Either<A, B> {
    type Out = OneOf<A::Out, B::Out>;

    fn schema(&self) -> Value {
        json!({"anyOf": [self.first.schema(), self.second.schema()]})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<Self::Out> {
        if (self.takes_first)(value) {
            self.first.read(name, value, span, log).map(OneOf::First)
        } else {
            self.second.read(name, value, span, log).map(OneOf::Second)
        }
    }
}
