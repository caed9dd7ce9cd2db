//! The kinds of values that a scenario file is made of.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::diagnostic::{Log, Span};
use super::fields::{Kind, kind_of, suggest};
use crate::sim::geo::{BoundingBox, LatLon};
use crate::sim::time::SimDuration;

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
fn read_number(name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<f64> {
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

/// A span of time with its units, as in `"1h30m"`.
pub(super) struct Duration(pub RangeInclusive<SimDuration>);

pub(super) const SECOND: u64 = 1_000_000;
/// Long enough for any run, short enough that no sum of times overflows.
pub(super) const LONGEST: SimDuration = SimDuration(3_660 * 24 * 3_600 * SECOND);
pub(super) const ANY_DURATION: Duration = Duration(SimDuration::ZERO..=LONGEST);

const DURATION_PATTERN: &str = "^([0-9]+(\\.[0-9]+)?(us|ms|s|m|h))+$";

impl Kind for Duration {
    type Out = SimDuration;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": DURATION_PATTERN})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<SimDuration> {
        const EXAMPLE: &str = "write a number and its unit (us, ms, s, m or h), as in \"90s\" or \"1h30m\"";
        let DeValue::String(text) = value else {
            log.error(
                span,
                format!("`{name}` is {}, not a duration", kind_of(value)),
                EXAMPLE,
            );
            return None;
        };
        let Some(duration) = parse_duration(text) else {
            log.error(
                span,
                format!("`{name}` cannot be \"{text}\", which is no duration"),
                EXAMPLE,
            );
            return None;
        };
        if !self.0.contains(&duration) {
            let (low, high) = (show_duration(*self.0.start()), show_duration(*self.0.end()));
            let remedy = format!("give a duration from {low} to {high}");
            log.error(span, format!("`{name}` cannot be \"{text}\""), remedy);
            return None;
        }
        Some(duration)
    }
}

const UNITS: [(&str, u64); 5] = [
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000),
    ("us", 1),
];

/// A duration as people write it: `2m`, `100ms`, `1h30m`, `1.5s`. Units go from large to
/// small, each at most once; less than a microsecond is refused.
pub fn parse_duration(text: &str) -> Option<SimDuration> {
    let mut rest = text.trim();
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, micros) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        if micros >= smallest {
            return None;
        }
        smallest = micros;
        total = total.checked_add(decimal_times(number, micros)?)?;
        rest = after;
    }
    Some(SimDuration(total))
}

/// `number` (digits, perhaps with a fraction) times `factor`, where that is a whole number.
fn decimal_times(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 12 || fraction.contains('.') {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let digits = whole.parse::<u128>().ok()?.checked_mul(scale)? + fraction.parse::<u128>().ok()?;
    let product = digits.checked_mul(u128::from(factor))?;
    if product % scale != 0 {
        return None;
    }
    u64::try_from(product / scale).ok()
}

/// The shortest spelling of a duration that [`parse_duration`] reads back.
pub fn show_duration(duration: SimDuration) -> String {
    let mut rest = duration.0;
    let mut text = String::new();
    for (unit, micros) in UNITS {
        if rest >= micros {
            text += &format!("{}{unit}", rest / micros);
            rest %= micros;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// So many a second, minute or hour, as in `"400/h"`; per second inside.
pub(super) struct Rate;

impl Kind for Rate {
    type Out = f64;

    fn schema(&self) -> Value {
        json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?/[smh]$"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<f64> {
        const EXAMPLE: &str = "name its unit, as in \"600/h\", \"10/m\" or \"200/s\"";
        const MOST_PER_SECOND: f64 = 1e6;
        let rate = match value {
            DeValue::String(text) => parse_rate(text),
            _ => None,
        };
        match rate {
            None => {
                log.error(span, format!("`{name}` is no rate"), EXAMPLE);
                None
            }
            Some(rate) if rate > MOST_PER_SECOND => {
                log.error(
                    span,
                    format!("`{name}` is more than a million a second"),
                    "give a smaller rate",
                );
                None
            }
            rate => rate,
        }
    }
}

/// A rate with its unit, per second: `"36/h"` is 0.01.
pub fn parse_rate(text: &str) -> Option<f64> {
    let (number, unit) = text.trim().split_once('/')?;
    if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    match unit {
        "s" => Some(number),
        "m" => Some(number / 60.0),
        "h" => Some(number / 3_600.0),
        _ => None,
    }
}

/// A date with its time and offset, RFC 3339; microseconds of Unix time inside.
pub(super) struct Moment;

impl Kind for Moment {
    type Out = i64;

    fn schema(&self) -> Value {
        json!({"type": "string", "format": "date-time"})
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<i64> {
        const EXAMPLE: &str = "write a date and time in UTC, as in \"2026-06-01T18:00:00Z\"";
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            other => {
                log.error(
                    span,
                    format!("`{name}` is {}, not a date", kind_of(other)),
                    EXAMPLE,
                );
                return None;
            }
        };
        let Ok(moment) = text.parse::<jiff::Timestamp>() else {
            log.error(
                span,
                format!("`{name}` cannot be \"{text}\", which is no date"),
                EXAMPLE,
            );
            return None;
        };
        // Identifiers hold Unix milliseconds, and years have four digits.
        const YEAR_9000: i64 = 221_845_392_000;
        if !(0..YEAR_9000).contains(&moment.as_second()) {
            log.error(span, format!("`{name}` is before 1970 or after 9000"), EXAMPLE);
            return None;
        }
        Some(moment.as_microsecond())
    }
}

/// `[latitude, longitude]`.
pub(super) struct Location;

impl Kind for Location {
    type Out = LatLon;

    fn schema(&self) -> Value {
        json!({
            "type": "array",
            "prefixItems": [
                {"type": "number", "minimum": -90, "maximum": 90},
                {"type": "number", "minimum": -180, "maximum": 180},
            ],
            "minItems": 2,
            "maxItems": 2,
        })
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<LatLon> {
        let [lat, lon] = read_numbers(
            name,
            value,
            span,
            log,
            "[latitude, longitude], as in [37.7599, -122.4148]",
        )?;
        checked_location(name, lat, lon, span, log)
    }
}

/// Latitude within ±90 and longitude within ±180, with a hint where they seem swapped.
fn checked_location(name: &str, lat: f64, lon: f64, span: &Span, log: &mut Log) -> Option<LatLon> {
    if lat.abs() <= 90.0 && lon.abs() <= 180.0 {
        return Some(LatLon { lat, lon });
    }
    let (message, remedy) = if lon.abs() <= 90.0 && lat.abs() <= 180.0 {
        (
            format!("`{name}` has latitude and longitude the wrong way round"),
            format!("latitude comes first: [{lon}, {lat}]"),
        )
    } else {
        (
            format!("`{name}` [{lat}, {lon}] is no place on earth"),
            "latitude is within ±90, longitude within ±180".to_owned(),
        )
    };
    log.error(span, message, remedy);
    None
}

/// Exactly `N` finite numbers.
fn read_numbers<const N: usize>(
    name: &str,
    value: &DeValue<'_>,
    span: &Span,
    log: &mut Log,
    shape: &str,
) -> Option<[f64; N]> {
    let items = match value {
        DeValue::Array(items) if items.len() == N => items,
        DeValue::Array(items) => {
            let message = format!("`{name}` has {} numbers, not {N}", items.len());
            log.error(span, message, format!("write {shape}"));
            return None;
        }
        other => {
            let message = format!("`{name}` is {}, not a list of {N} numbers", kind_of(other));
            log.error(span, message, format!("write {shape}"));
            return None;
        }
    };
    let mut numbers = [0.0; N];
    let mut complete = true;
    for (number, item) in numbers.iter_mut().zip(items.iter()) {
        match read_number(name, item.get_ref(), &item.span(), log) {
            Some(read) => *number = read,
            None => complete = false,
        }
    }
    complete.then_some(numbers)
}

/// `[west, south, east, north]`.
pub(super) struct Bounds;

impl Kind for Bounds {
    type Out = BoundingBox;

    fn schema(&self) -> Value {
        let longitude = json!({"type": "number", "minimum": -180, "maximum": 180});
        let latitude = json!({"type": "number", "minimum": -85, "maximum": 85});
        json!({
            "type": "array",
            "prefixItems": [longitude, latitude, longitude, latitude],
            "minItems": 4,
            "maxItems": 4,
        })
    }

    fn read(&self, name: &str, value: &DeValue<'_>, span: &Span, log: &mut Log) -> Option<BoundingBox> {
        const SHAPE: &str = "[west, south, east, north], as in [-122.52, 37.70, -122.35, 37.83]";
        let [west, south, east, north] = read_numbers(name, value, span, log, SHAPE)?;
        let in_range = |lon: f64, lat: f64| lon.abs() <= 180.0 && lat.abs() <= 85.0;
        let bounds = BoundingBox {
            west,
            south,
            east,
            north,
        };
        let problem = if !in_range(west, south) || !in_range(east, north) {
            if in_range(south, west) && in_range(north, east) {
                (
                    format!("`{name}` has latitude and longitude the wrong way round"),
                    format!("west comes first: [{south}, {west}, {north}, {east}]"),
                )
            } else {
                (
                    format!("`{name}` is not on the map"),
                    "longitudes are within ±180, latitudes within ±85".to_owned(),
                )
            }
        } else if west >= east {
            (
                format!("`{name}` has its west ({west}) not west of its east ({east})"),
                format!("write {SHAPE}"),
            )
        } else if south >= north {
            (
                format!("`{name}` has its south ({south}) not south of its north ({north})"),
                format!("write {SHAPE}"),
            )
        } else {
            return Some(bounds);
        };
        log.error(span, problem.0, problem.1);
        None
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_name_their_units() {
        let micros = |text| parse_duration(text).map(|duration| duration.0);
        assert_eq!(micros("100ms"), Some(100_000));
        assert_eq!(micros("1h30m"), Some(5_400 * SECOND));
        assert_eq!(micros("1.5s"), Some(1_500_000));
        assert_eq!(micros("0s"), Some(0));
        for wrong in [
            "",
            "5",
            "s",
            "-1h",
            "1d",
            "1m1h",
            "1s1s",
            "0.5us",
            "1..5s",
            ".5s",
            "1.s",
            "1e3s",
            "9999999999999999h",
        ] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn rates_name_their_units() {
        assert_eq!(parse_rate("36/h"), Some(0.01));
        assert_eq!(parse_rate("200/s"), Some(200.0));
        assert_eq!(parse_rate("1.5/m"), Some(0.025));
        for wrong in ["", "36", "36/d", "-1/s", "nan/s", "/s", "1e9/s", "inf/h"] {
            assert_eq!(parse_rate(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn shown_durations_read_back(micros in 0..LONGEST.0) {
            let duration = SimDuration(micros);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Some(duration));
        }
    }
}
