//! Durations, rates and dates as people write them.

use std::ops::RangeInclusive;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::diagnostic::{Log, Span};
use super::fields::{Kind, kind_of};
use crate::sim::time::SimDuration;

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
