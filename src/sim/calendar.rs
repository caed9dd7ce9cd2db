//! Days and months of the simulated calendar, in UTC: what sums and files are kept by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ids::InvalidId;
use super::time::SimTime;
use super::world::World;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days in 400 years, after which the calendar repeats itself.
const DAYS_PER_ERA: i64 = 146_097;
/// From the first of March of the year 0 to the first of January 1970.
const EPOCH_IN_DAYS: i64 = 719_468;

/// A day, by its number since 1970; written `2026-06-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

/// A month of a year; written `2026-06`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Month {
    year: i32,
    /// 1 to 12.
    month: u8,
}

impl Day {
    pub fn of(world: &World, at: SimTime) -> Self {
        let days = world.unix_us(at).div_euclid(MICROS_PER_DAY);
        Day(i32::try_from(days).unwrap_or(i32::MAX))
    }

    /// The simulated moment at which it begins, or the start where that is later.
    pub fn begins(self, world: &World) -> SimTime {
        world.sim_time(i64::from(self.0).saturating_mul(MICROS_PER_DAY))
    }

    pub fn next(self) -> Day {
        Day(self.0.saturating_add(1))
    }

    /// Year, month and day of the month (Howard Hinnant, "chrono-compatible low-level date
    /// algorithms", civil_from_days).
    fn civil(self) -> (i32, u8, u8) {
        let days = i64::from(self.0) + EPOCH_IN_DAYS;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Years that begin in March end with the day that some of them lack.
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month as u8, day as u8)
    }

    fn of_civil(year: i32, month: u8, day: u8) -> Self {
        let year = i64::from(year) - i64::from(month <= 2);
        let era = year.div_euclid(400);
        let month_from_march = (i64::from(month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
        let year_of_era = year.rem_euclid(400);
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Day((era * DAYS_PER_ERA + day_of_era - EPOCH_IN_DAYS) as i32)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then_some(())?;
            part.parse::<u16>().ok()
        };
        let (year, month, day) = (number(4), number(2), number(2));
        let (Some(year), Some(month @ 1..=12), Some(day @ 1..=31), None) = (year, month, day, parts.next())
        else {
            return Err(InvalidId);
        };
        let found = Day::of_civil(year.into(), month as u8, day as u8);
        // The 31st of April is the 1st of May.
        let is_one = found.civil() == (year.into(), month as u8, day as u8);
        is_one.then_some(found).ok_or(InvalidId)
    }
}

impl Month {
    /// `None` where no year has such a month.
    pub fn new(year: i32, month: u8) -> Option<Self> {
        (1..=12).contains(&month).then_some(Month { year, month })
    }

    pub fn of(world: &World, at: SimTime) -> Self {
        let (year, month, _) = Day::of(world, at).civil();
        Month { year, month }
    }

    /// Months since the year 0: how a store keeps it.
    pub fn number(self) -> i32 {
        self.year * 12 + i32::from(self.month) - 1
    }

    pub fn from_number(number: i32) -> Self {
        Month {
            year: number.div_euclid(12),
            month: number.rem_euclid(12) as u8 + 1,
        }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (number, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (20_605, "2026-06-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(Day(number).to_string(), text);
            assert_eq!(text.parse(), Ok(Day(number)));
        }
        for wrong in [
            "2026-6-1",
            "2026-06-31",
            "2100-02-29",
            "2026-13-01",
            "2026-06",
            "2026-06-01-",
            "+026-06-01",
            "",
        ] {
            assert_eq!(wrong.parse::<Day>(), Err(InvalidId), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_day_follows_the_one_before(number in -700_000..2_900_000_i32) {
            let (day, next) = (Day(number), Day(number).next());
            let ((year, month, date), then) = (day.civil(), next.civil());
            prop_assert!(then == (year, month, date + 1) || then == (year, month + 1, 1) || then == (year + 1, 1, 1));
            prop_assert_eq!(Day::of_civil(year, month, date), day);
        }

        #[test]
        fn months_come_back_from_their_numbers(year in -10..9_999_i32, month in 1..=12_u8) {
            let of_year = Month::new(year, month).unwrap();
            prop_assert_eq!(Month::from_number(of_year.number()), of_year);
        }
    }

    #[test]
    fn no_year_has_a_thirteenth_month() {
        assert_eq!((Month::new(2026, 0), Month::new(2026, 13)), (None, None));
        assert_eq!(Month::new(2026, 6).unwrap().to_string(), "2026-06");
    }
}
