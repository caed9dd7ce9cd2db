//! Dates: RFC 3339 in UTC with milliseconds, simulated unless the name says `wall`.

use jiff::Timestamp;

use crate::sim::time::SimTime;
use crate::sim::world::World;

/// `2026-06-01T18:00:00.000Z`
pub fn rfc3339(world: &World, at: SimTime) -> String {
    rfc3339_unix_us(world.unix_us(at))
}

pub fn rfc3339_unix_us(unix_us: i64) -> String {
    match Timestamp::from_microsecond(unix_us) {
        Ok(date) => format!("{date:.3}"),
        Err(_) => format!("{:.3}", Timestamp::MAX),
    }
}

/// Microseconds of Unix time; `None` where the text is no date.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    text.trim()
        .parse::<Timestamp>()
        .ok()
        .map(|date| date.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_survive_the_way_there_and_back() {
        let text = "2026-06-01T18:00:00.250Z";
        let unix_us = parse_rfc3339(text).expect("a date");
        assert_eq!(rfc3339_unix_us(unix_us), text);
        assert_eq!(parse_rfc3339("DeadlyQueueOfZombiatedDemons"), None);
        assert_eq!(
            parse_rfc3339("2019-04-05T11:00:00.000Z")
                .map(rfc3339_unix_us)
                .as_deref(),
            Some("2019-04-05T11:00:00.000Z")
        );
    }
}
