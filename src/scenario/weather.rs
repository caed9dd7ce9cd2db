//! `[weather]`: the wind over the area, how it changes, and how well it is known.

use super::diagnostic::{At, Log, Span};
use super::fields::{Fields, List, Table};
use super::kinds::{Integer, Number, Pair};
use super::times::{ANY_DURATION, Duration, LONGEST, SECOND};
use crate::sim::geo::{Area, LatLon};
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::units::AIR_DENSITY_KGPM3;
use crate::sim::weather::{Change, Field, Grid, Weather, Wind};

#[derive(Default)]
pub(super) struct WeatherKeys {
    wind: Option<WindKeys>,
    rain: f64,
    grid: Option<(u64, u64)>,
    changes: Vec<At<ChangeKeys>>,
    air_density: Option<f64>,
}

pub(super) fn weather(f: &mut Fields<'_>) -> WeatherKeys {
    let most = 100;
    WeatherKeys {
        wind: f
            .optional("wind", "the wind at 10 m above ground", Table(wind))
            .map(|at| at.value),
        rain: f
            .or(
                "rain",
                "mm/h over the whole area from the start on; forecasts are off by the wind's `forecast_error`",
                RAIN(),
                "0.0",
            )
            .value,
        grid: f
            .optional(
                "grid",
                "weather cells, so many from west to east and from south to north, each with its own gusts and forecast error; one where it is left out",
                Pair(Integer(1..=most), Integer(1..=most)),
            )
            .map(|at| at.value),
        changes: f
            .optional(
                "change",
                "how the mean wind and the rain change: `[[weather.change]]`, linear from one to the next that says anything of them",
                List { of: Table(change), at_least: 0 },
            )
            .map_or_else(Vec::new, |at| at.value),
        air_density: f
            .optional("air_density", "kg/m³; 1.225 where it is left out", Number(0.5..=1.6))
            .map(|at| at.value),
    }
}

const SPEED: fn() -> Number = || Number(0.0..=60.0);
const RAIN: fn() -> Number = || Number(0.0..=500.0);
const FROM: fn() -> Number = || Number(0.0..=360.0);
const FROM_DOC: &str = "where it comes from, degrees clockwise from north";

struct WindKeys {
    speed: Option<f64>,
    from: Option<f64>,
    gust: f64,
    gust_time: SimDuration,
    forecast_error: f64,
}

fn wind(f: &mut Fields<'_>) -> WindKeys {
    WindKeys {
        speed: f.required("speed", "the mean, m/s", SPEED()).map(|at| at.value),
        from: f.required("from", FROM_DOC, FROM()).map(|at| at.value),
        gust: f
            .or(
                "gust",
                "standard deviation around the mean, m/s",
                Number(0.0..=30.0),
                "0.0",
            )
            .value,
        gust_time: f
            .or(
                "gust_time",
                "how long a gust lasts",
                Duration(SimDuration(SECOND)..=LONGEST),
                "\"30s\"",
            )
            .value,
        forecast_error: f
            .or(
                "forecast_error",
                "standard deviation of the speed that planners know around the mean, as a share of it; drawn anew every ten minutes",
                Number(0.0..=1.0),
                "0.0",
            )
            .value,
    }
}

struct ChangeKeys {
    at: Option<SimDuration>,
    speed: Option<f64>,
    from: Option<f64>,
    cells: Option<Vec<At<(f64, f64)>>>,
    rain: Option<f64>,
    rain_cells: Option<Vec<At<f64>>>,
    /// Has a wrong value somewhere, which the log knows; then nothing is said of what seems
    /// missing.
    flawed: bool,
}

fn change(f: &mut Fields<'_>) -> ChangeKeys {
    let read = |at: Option<At<f64>>| at.map(|at| at.value);
    let errors_before = f.log().error_count();
    let keys = ChangeKeys {
        at: f
            .required(
                "at",
                "when the mean is this, from the start on; \"0s\" begins with it",
                ANY_DURATION,
            )
            .map(|at| at.value),
        speed: read(f.optional("speed", "the mean over the whole area, m/s", SPEED())),
        from: read(f.optional("from", FROM_DOC, FROM())),
        cells: f
            .optional(
                "cells",
                "instead of `speed` and `from`: such a pair for each cell of `grid`, eastwards, row after row from the south-west on",
                List { of: Pair(SPEED(), FROM()), at_least: 1 },
            )
            .map(|at| at.value),
        rain: read(f.optional("rain", "over the whole area, mm/h", RAIN())),
        rain_cells: f
            .optional(
                "rain_cells",
                "instead of `rain`: mm/h in each cell of `grid`, in the order of `cells`",
                List { of: RAIN(), at_least: 1 },
            )
            .map(|at| at.value),
        flawed: false,
    };
    ChangeKeys {
        flawed: f.log().error_count() > errors_before,
        ..keys
    }
}

/// The weather that the keys describe; the log holds what is wrong with them.
pub(super) fn build(keys: &WeatherKeys, area: Option<&Area>, log: &mut Log) -> Weather {
    let (columns, rows) = keys.grid.unwrap_or((1, 1));
    let grid = match area {
        Some(area) if columns * rows > 1 => grid_over(area, columns, rows),
        _ => Grid::WHOLE,
    };
    let cells = (columns * rows) as usize;
    let (mut winds, mut rains) = (Vec::new(), Vec::new());
    doubt_order(&keys.changes, log);
    for change in keys.changes.iter().filter(|change| !change.value.flawed) {
        let said = said(change, cells, log);
        let (Some(at), Some(_)) = (change.value.at, area) else {
            continue;
        };
        let at = SimTime::START + at;
        winds.extend(said.wind.map(|values| Change { at, values }));
        rains.extend(said.rain.map(|values| Change { at, values }));
    }
    let wind = keys.wind.as_ref();
    let start = wind.and_then(|wind| Some(blowing(wind.speed?, wind.from?)));
    let steady = Weather::steady(0.0, 0.0, keys.air_density.unwrap_or(AIR_DENSITY_KGPM3));
    Weather {
        mean: Field::new(start.unwrap_or_default(), winds, grid),
        rain: Field::new(keys.rain, rains, grid),
        gust_mps: wind.map_or(steady.gust_mps, |wind| wind.gust),
        gust_time_s: wind.map_or(steady.gust_time_s, |wind| wind.gust_time.as_secs()),
        forecast_error: wind.map_or(steady.forecast_error, |wind| wind.forecast_error),
        ..steady
    }
}

/// Changes that are not in the order of their times, in which they are taken; or two at one time
/// about the same, between which it jumps.
fn doubt_order(changes: &[At<ChangeKeys>], log: &mut Log) {
    let timed = || {
        let at = |change: &At<ChangeKeys>| change.value.at.filter(|_| !change.value.flawed);
        changes
            .iter()
            .filter_map(move |change| at(change).map(|at| (at, change)))
    };
    for (index, (at, change)) in timed().enumerate() {
        let before = || timed().take(index);
        let twice = before().find(|(other, earlier)| *other == at && change.value.says_as(&earlier.value));
        if twice.is_some() {
            log.warn(
                &change.span,
                "two changes of the weather are at the same time: it goes to what the first says, and jumps to what this one says",
                "drop one of them, or give them different times, unless it is to jump",
            );
        } else if before().any(|(other, _)| other > at) {
            log.warn(
                &change.span,
                "a change of the weather comes after one that is later than it",
                "write changes in the order of their times; they are taken in that order wherever they stand",
            );
        }
    }
}

impl ChangeKeys {
    /// About the wind, or the rain, as that one is.
    fn says_as(&self, other: &ChangeKeys) -> bool {
        let of_wind = |keys: &ChangeKeys| keys.speed.is_some() || keys.cells.is_some();
        let of_rain = |keys: &ChangeKeys| keys.rain.is_some() || keys.rain_cells.is_some();
        of_wind(self) && of_wind(other) || of_rain(self) && of_rain(other)
    }
}

/// Where a wind of this speed, which comes from this many degrees, blows to.
fn blowing(speed_mps: f64, from_deg: f64) -> Wind {
    let from = from_deg.to_radians();
    (
        0.0 - speed_mps * libm::sin(from),
        0.0 - speed_mps * libm::cos(from),
    )
}

fn grid_over(area: &Area, columns: u64, rows: u64) -> Grid {
    let bounds = area.bounds;
    let corner = |lat, lon| area.point(LatLon { lat, lon });
    let (low, high) = (
        corner(bounds.south, bounds.west),
        corner(bounds.north, bounds.east),
    );
    Grid {
        west_m: low.x,
        south_m: low.y,
        cell_width_m: (high.x - low.x) / columns as f64,
        cell_height_m: (high.y - low.y) / rows as f64,
        columns: columns as u16,
        rows: rows as u16,
    }
}

/// What a change says: of either one for the whole area, or one for each cell.
#[derive(Default)]
struct Said {
    wind: Option<Vec<Wind>>,
    rain: Option<Vec<f64>>,
}

fn said(keys: &At<ChangeKeys>, cells: usize, log: &mut Log) -> Said {
    let change = &keys.value;
    let wind = match (&change.cells, change.speed, change.from) {
        (None, None, None) => None,
        (None, Some(speed), Some(from)) => Some(vec![blowing(speed, from)]),
        (Some(winds), None, None) => {
            let winds = winds.iter().map(|wind| blowing(wind.value.0, wind.value.1));
            one_for_each(winds.collect(), cells, ("cells", "winds"), &keys.span, log)
        }
        _ => {
            log.error(
                &keys.span,
                "a change of the wind has either `speed` and `from`, or `cells`",
                "write `speed = 8.0` and `from = 240`, or `cells = [[8.0, 240], …]`",
            );
            return Said::default();
        }
    };
    let rain = match (&change.rain_cells, change.rain) {
        (None, rain) => rain.map(|rain| vec![rain]),
        (Some(rains), None) => {
            let rains = rains.iter().map(|rain| rain.value).collect();
            one_for_each(rains, cells, ("rain_cells", "values"), &keys.span, log)
        }
        (Some(_), Some(_)) => {
            log.error(
                &keys.span,
                "a change of the rain has either `rain` or `rain_cells`",
                "drop one of them",
            );
            None
        }
    };
    let says_nothing = change.speed.is_none()
        && change.from.is_none()
        && change.cells.is_none()
        && change.rain.is_none()
        && change.rain_cells.is_none();
    if says_nothing {
        log.error(
            &keys.span,
            "a change of the weather says nothing of wind or rain",
            "write `speed = 8.0` and `from = 240`, `cells = [[8.0, 240], …]`, `rain = 4.0`, or `rain_cells = [4.0, …]`",
        );
    }
    Said { wind, rain }
}

fn one_for_each<T>(
    values: Vec<T>,
    cells: usize,
    (key, what): (&str, &str),
    span: &Span,
    log: &mut Log,
) -> Option<Vec<T>> {
    if values.len() == cells {
        return Some(values);
    }
    log.error(
        span,
        format!("`{key}` has {} {what}, and `grid` {cells} cells", values.len()),
        "give each cell its own, or the whole area one",
    );
    None
}
