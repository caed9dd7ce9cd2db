//! CSV files that `[demand]` names: addresses to deliver to, and a trace of orders. Their first
//! line names the columns, in any order; columns that are not known here are ignored.

use std::path::Path;

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::diagnostic::{At, Log};
use super::orders::size_of;
use super::times::parse_duration;
use crate::sim::geo::LatLon;
use crate::sim::order::{ConfirmationRequired, Order, Owner, Package, Stop};
use crate::sim::places;
use crate::sim::time::SimTime;
use crate::sim::world::{ScriptedRequest, World};

/// A mistake in every line would drown all others.
const MOST_MISTAKES: usize = 10;

/// The addresses of a file with the columns `latitude` and `longitude`.
pub(super) fn read_points(file: &At<String>, base_dir: &Path, log: &mut Log) -> Option<Vec<LatLon>> {
    let columns = ["latitude", "longitude"];
    let points = read(file, base_dir, &columns, &[], log, |cells| {
        let degrees = |cell: &str, limit: f64| {
            let number: f64 = cell.parse().map_err(|_| format!("\"{cell}\" is no number"))?;
            match number.abs() <= limit {
                true => Ok(number),
                false => Err(format!("{number} is not within -{limit} and {limit}")),
            }
        };
        Ok(LatLon {
            lat: degrees(cells[0], 90.0)?,
            lon: degrees(cells[1], 180.0)?,
        })
    })?;
    if points.is_empty() {
        log.error(
            &file.span,
            format!("the file \"{}\" has no addresses", file.value),
            "give one a line",
        );
    }
    Some(points)
}

/// The orders of a file with the columns `at` (from the start on), `pickup`, `dropoff` and
/// `payload` (kg), and where it has them `owner`, `expedited`, `deadline` and `tag`.
pub(super) fn read_trace(
    file: &At<String>,
    base_dir: &Path,
    world: &World,
    log: &mut Log,
) -> Vec<ScriptedRequest> {
    let columns = ["at", "pickup", "dropoff", "payload"];
    let more = ["owner", "expedited", "deadline", "tag"];
    let mut number = 0;
    let requests = read(file, base_dir, &columns, &more, log, |cells| {
        number += 1;
        let at = parse_duration(cells[0]).ok_or_else(|| {
            format!(
                "\"{}\" is no time from the start on, such as 90s or 1h5m",
                cells[0]
            )
        })?;
        let stop = |text: &str| -> Result<Stop, String> {
            places::resolve_place(world, text).map_err(|error| error.to_string())
        };
        let weight_kg: f64 = match cells[3].parse() {
            Ok(kg @ 0.001..=1_000.0) => kg,
            _ => return Err(format!("\"{}\" is no payload in kg", cells[3])),
        };
        let expedited = match cells[5] {
            "true" | "1" => true,
            "" | "false" | "0" => false,
            other => return Err(format!("\"{other}\" is neither true nor false")),
        };
        let owner = if cells[4].is_empty() { "trace" } else { cells[4] };
        let at = SimTime(at.0);
        let order = Order {
            owner: Owner::account(owner),
            pickup: stop(cells[1])?,
            dropoff: stop(cells[2])?,
            package: Package {
                id: format!("trace-{number}"),
                size: size_of(weight_kg),
                weight_kg,
                tag: Some(cells[7].to_owned()).filter(|tag| !tag.is_empty()),
            },
            expedited,
            confirmation: ConfirmationRequired::None,
            deadline: cells[6].to_owned(),
            not_before: at,
        };
        Ok(ScriptedRequest { at, order })
    });
    requests.unwrap_or_default()
}

/// What `row` makes of each line's cells, which come in the order of `columns` and then `more`,
/// of which a file may lack some: their cells are empty. `None` where it cannot be read at all.
fn read<T>(
    file: &At<String>,
    base_dir: &Path,
    columns: &[&str],
    more: &[&str],
    log: &mut Log,
    mut row: impl FnMut(&[&str]) -> Result<T, String>,
) -> Option<Vec<T>> {
    let open = || {
        ReaderBuilder::new()
            .trim(Trim::All)
            .from_path(base_dir.join(&file.value))
    };
    let opened = open().and_then(|mut reader: Reader<_>| Ok((reader.headers()?.clone(), reader)));
    let (head, mut reader) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            log.error(
                &file.span,
                format!("the file \"{}\" cannot be read: {error}", file.value),
                "paths are relative to the scenario file",
            );
            return None;
        }
    };
    let place = |name: &&str| head.iter().position(|column| column.eq_ignore_ascii_case(name));
    if let Some(missing) = columns.iter().find(|name| place(name).is_none()) {
        log.error(
            &file.span,
            format!("the file \"{}\" has no column `{missing}`", file.value),
            format!("name the columns in its first line: {}", columns.join(",")),
        );
        return None;
    }
    let places: Vec<Option<usize>> = columns.iter().chain(more).map(place).collect();
    let (mut rows, mut mistakes) = (Vec::new(), 0);
    for record in reader.records() {
        let made = record
            .map_err(|error| (None, error.to_string()))
            .and_then(|record| {
                let line = record.position().map(csv::Position::line);
                row(&cells(&record, &places)).map_err(|what| (line, what))
            });
        match made {
            Ok(made) => rows.push(made),
            Err((line, what)) => {
                let at = line.map_or(String::new(), |line| format!(" line {line}"));
                let message = format!("the file \"{}\"{at}: {what}", file.value);
                log.error(&file.span, message, "correct that line, or leave it out");
                mistakes += 1;
            }
        }
        if mistakes == MOST_MISTAKES {
            break;
        }
    }
    Some(rows)
}

fn cells<'a>(record: &'a StringRecord, places: &[Option<usize>]) -> Vec<&'a str> {
    let cell = |place: &Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
    places.iter().map(cell).collect()
}
