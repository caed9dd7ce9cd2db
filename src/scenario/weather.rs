//! `[weather]`: the wind over the area, how it changes, and how well it is known.

use super::diagnostic::{At, Log, Span, counted};
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
    /// There is one, and it cannot be read.
    has_wrong_grid: bool,
    changes: Vec<At<ChangeKeys>>,
    air_density: Option<f64>,
}

pub(super) fn weather(f: &mut Fields<'_>) -> WeatherKeys {
    let most = 100;
    let wind = f
        .optional("wind", "the wind at 10 m above ground", Table(wind))
        .map(|at| at.value);
    let rain = f
        .or(
            "rain",
            "mm/h over the whole area from the start on; forecasts are off by the wind's `forecast_error`",
            RAIN(),
            "0.0",
        )
        .value;
    let grid = f
        .optional(
            "grid",
            "weather cells, so many from west to east and from south to north, each with its own gusts and forecast error; one where it is left out",
            Pair(Integer(1..=most), Integer(1..=most)),
        )
        .map(|at| at.value);
    WeatherKeys {
        wind,
        rain,
        grid,
        has_wrong_grid: grid.is_none() && f.has("grid"),
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
    at: Option<At<SimDuration>>,
    speed: Option<f64>,
    from: Option<f64>,
    cells: Option<Vec<At<(f64, f64)>>>,
    rain: Option<f64>,
    rain_cells: Option<Vec<At<f64>>>,
    given: Given,
}

/// What the file says of a change, right or wrong.
#[derive(Clone, Copy)]
struct Given {
    speed: bool,
    from: bool,
    cells: bool,
    rain: bool,
    rain_cells: bool,
}

fn change(f: &mut Fields<'_>) -> ChangeKeys {
    let read = |at: Option<At<f64>>| at.map(|at| at.value);
    ChangeKeys {
        at: f.required(
            "at",
            "when the mean is this, from the start on; \"0s\" begins with it",
            ANY_DURATION,
        ),
        speed: read(f.optional("speed", "the mean over the whole area, m/s", SPEED())),
        from: read(f.optional("from", FROM_DOC, FROM())),
        cells: whole(f, |f| {
            f.optional(
                "cells",
                "instead of `speed` and `from`: such a pair for each cell of `grid`, eastwards, row after row from the south-west on",
                List { of: Pair(SPEED(), FROM()), at_least: 1 },
            )
        }),
        rain: read(f.optional("rain", "over the whole area, mm/h", RAIN())),
        rain_cells: whole(f, |f| {
            f.optional(
                "rain_cells",
                "instead of `rain`: mm/h in each cell of `grid`, in the order of `cells`",
                List {
                    of: RAIN(),
                    at_least: 1,
                },
            )
        }),
        given: Given {
            speed: f.has("speed"),
            from: f.has("from"),
            cells: f.has("cells"),
            rain: f.has("rain"),
            rain_cells: f.has("rain_cells"),
        },
    }
}

/// A list of which every entry could be read; of any other it cannot be told how many it has.
fn whole<T>(f: &mut Fields<'_>, read: impl FnOnce(&mut Fields<'_>) -> Option<At<Vec<T>>>) -> Option<Vec<T>> {
    let errors_before = f.log().error_count();
    let list = read(f)?.value;
    (f.log().error_count() == errors_before).then_some(list)
}

/// The weather that the keys describe; the log holds what is wrong with them. `run`: how long one
/// takes.
pub(super) fn build(
    keys: &WeatherKeys,
    area: Option<&Area>,
    run: Option<SimDuration>,
    log: &mut Log,
) -> Weather {
    let (columns, rows) = keys.grid.unwrap_or((1, 1));
    let grid = match area {
        Some(area) if columns * rows > 1 => grid_over(area, columns, rows),
        _ => Grid::WHOLE,
    };
    let cells = Some((columns * rows) as usize).filter(|_| !keys.has_wrong_grid);
    let (mut winds, mut rains) = (Vec::new(), Vec::new());
    doubt_order(&keys.changes, log);
    for change in &keys.changes {
        let said = said(change, cells, log);
        let Some(at) = &change.value.at else {
            continue;
        };
        doubt_late(at, run, log);
        if area.is_none() {
            continue;
        }
        let at = SimTime::START + at.value;
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
        let at = |change: &At<ChangeKeys>| change.value.at.as_ref().map(|at| at.value);
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

/// Until then it only goes some of the way there.
fn doubt_late(at: &At<SimDuration>, run: Option<SimDuration>, log: &mut Log) {
    if run.is_some_and(|run| at.value > run) {
        log.warn(
            &at.span,
            "this change of the weather is complete after the end of a run only",
            "move it, or give a longer `duration`",
        );
    }
}

impl Given {
    fn of_wind(self) -> bool {
        self.speed || self.from || self.cells
    }

    fn of_rain(self) -> bool {
        self.rain || self.rain_cells
    }
}

impl ChangeKeys {
    /// About the wind, or the rain, as that one is.
    fn says_as(&self, other: &ChangeKeys) -> bool {
        let (own, others) = (self.given, other.given);
        own.of_wind() && others.of_wind() || own.of_rain() && others.of_rain()
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

/// What is wrong in it is in the log already, or is put there; the rest is read all the same.
fn said(keys: &At<ChangeKeys>, cells: Option<usize>, log: &mut Log) -> Said {
    let (change, given) = (&keys.value, keys.value.given);
    if !given.of_wind() && !given.of_rain() {
        log.error(
            &keys.span,
            "a change of the weather says nothing of wind or rain",
            "write `speed = 8.0` and `from = 240`, `cells = [[8.0, 240], …]`, `rain = 4.0`, or `rain_cells = [4.0, …]`",
        );
    }
    let speaks_twice = change.cells.is_some() && (given.speed || given.from);
    let is_half = !given.cells && given.speed != given.from;
    if speaks_twice || is_half {
        log.error(
            &keys.span,
            "a change of the wind has either `speed` and `from`, or `cells`",
            "write `speed = 8.0` and `from = 240`, or `cells = [[8.0, 240], …]`",
        );
    }
    if change.rain.is_some() && change.rain_cells.is_some() {
        log.error(
            &keys.span,
            "a change of the rain has either `rain` or `rain_cells`",
            "drop one of them",
        );
    }
    let winds = change.cells.as_ref().and_then(|winds| {
        let winds = winds.iter().map(|wind| blowing(wind.value.0, wind.value.1));
        one_for_each(winds.collect(), cells, ("cells", "wind"), &keys.span, log)
    });
    let rains = change.rain_cells.as_ref().and_then(|rains| {
        let rains = rains.iter().map(|rain| rain.value);
        one_for_each(rains.collect(), cells, ("rain_cells", "value"), &keys.span, log)
    });
    let wind = change.speed.zip(change.from);
    Said {
        wind: winds.or_else(|| wind.map(|(speed, from)| vec![blowing(speed, from)])),
        rain: rains.or_else(|| change.rain.map(|rain| vec![rain])),
    }
}

/// `cells`: of the grid, where it is known.
fn one_for_each<T>(
    values: Vec<T>,
    cells: Option<usize>,
    (key, what): (&str, &str),
    span: &Span,
    log: &mut Log,
) -> Option<Vec<T>> {
    let cells = cells?;
    if values.len() == cells {
        return Some(values);
    }
    let (values, cells) = (counted(values.len(), what), counted(cells, "cell"));
    log.error(
        span,
        format!("`{key}` has {values}, and `grid` {cells}"),
        "give each cell its own, or the whole area one",
    );
    None
}
