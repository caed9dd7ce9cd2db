//! `skyhaul export`: recordings for other programs.

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::Failure;
use super::recording::{not_onto, open, parse_drone, parse_elapsed, unread};
use super::unfinished::Unfinished;
use crate::recording::export::{ExportError, Filter, Format, export as write};
use crate::sim::geo::BoundingBox;
use crate::sim::ids::{DeliveryId, DroneId};
use crate::sim::time::SimTime;

#[derive(clap::Args)]
pub struct Args {
    /// The recording
    file: PathBuf,
    /// What is made of it
    #[arg(long, value_enum, env = "SKYHAUL_FORMAT")]
    format: FormatName,
    /// Where it goes; - is the standard output
    #[arg(long, value_name = "PATH", env = "SKYHAUL_OUT")]
    out: PathBuf,
    /// Only this drone, for example d-17
    #[arg(long, value_name = "ID", env = "SKYHAUL_DRONE", value_parser = parse_drone)]
    drone: Option<DroneId>,
    /// Only the flights for this delivery
    #[arg(long, value_name = "ID", env = "SKYHAUL_DELIVERY", value_parser = parse_delivery)]
    delivery: Option<DeliveryId>,
    /// From this elapsed simulated time on, HH:MM:SS
    #[arg(long, value_name = "T", env = "SKYHAUL_FROM", value_parser = parse_elapsed)]
    from: Option<SimTime>,
    /// Up to this elapsed simulated time, HH:MM:SS
    #[arg(long, value_name = "T", env = "SKYHAUL_TO", value_parser = parse_elapsed)]
    to: Option<SimTime>,
    /// Only what is in this box: west, south, east, north
    #[arg(long, value_name = "W,S,E,N", env = "SKYHAUL_BBOX", allow_hyphen_values = true, value_parser = parse_bbox)]
    bbox: Option<BoundingBox>,
    /// At most so many positions of a drone a simulated second
    #[arg(long, value_name = "N", env = "SKYHAUL_HZ", value_parser = super::recording::parse_record_hz)]
    hz: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatName {
    /// A feature a flight, heights above the ground, Unix milliseconds as the fourth coordinate
    Geojson,
    /// For Cesium; heights above the ellipsoid
    Czml,
    /// A row a position
    Csv,
    /// The same columns
    Parquet,
    /// The tracks of one drone or delivery, heights above the sea
    Gpx,
}

fn parse_delivery(text: &str) -> Result<DeliveryId, String> {
    text.parse().map_err(|_| "a delivery's id is wanted".to_owned())
}

fn parse_bbox(text: &str) -> Result<BoundingBox, String> {
    let wrong = || "four numbers are wanted: west,south,east,north".to_owned();
    let numbers: Result<Vec<f64>, _> = text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(corners @ &[west, south, east, north])
            if ![west, east].iter().all(|lon| lon.abs() <= 180.0)
                || ![south, north].iter().all(|lat| lat.abs() <= 90.0) =>
        {
            Err(format!(
                "{corners:?} is not on the map: degrees up to ±180 and ±90 are wanted"
            ))
        }
        Ok(&[west, south, east, north]) if west < east && south < north => Ok(BoundingBox {
            west,
            south,
            east,
            north,
        }),
        Ok([_, _, _, _]) => Err("west must be below east, and south below north".to_owned()),
        _ => Err(wrong()),
    }
}

pub fn export(args: Args) -> Result<(), Failure> {
    let filter = Filter {
        drone: args.drone,
        delivery: args.delivery,
        from: args.from.unwrap_or(SimTime::START),
        to: args.to.unwrap_or(SimTime::NEVER),
        bounds: args.bbox,
        hz: args.hz,
    };
    let format = match args.format {
        FormatName::Geojson => Format::Geojson,
        FormatName::Czml => Format::Czml,
        FormatName::Csv => Format::Csv,
        FormatName::Parquet => Format::Parquet,
        FormatName::Gpx => Format::Gpx,
    };
    check(&filter, format)?;
    let unfinished = Unfinished::at(&args.out);
    for place in unfinished.places() {
        not_onto(&args.file, place, "--out")?;
    }
    let recording = open(&args.file)?;
    let bar = ProgressBar::new(1_000).with_style(style());
    unfinished.heed_signals()?;
    let is_left = AtomicBool::new(false);
    let out = Reader {
        out: create(&unfinished)?,
        is_left: &is_left,
    };
    let exported = write(&recording, format, &filter, out, |done| bar.set_position(done));
    bar.finish_and_clear();
    if is_left.into_inner() {
        return Ok(());
    }
    let exported = exported.map_err(|error| describe(error, &args))?;
    unfinished.finish()?;
    eprintln!("{} positions of {} moments", exported.rows, exported.frames);
    Ok(())
}

fn style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {eta}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Whoever reads at the other end of a pipe may have had enough, as `head` has: that is no failure.
struct Reader<'a> {
    out: Box<dyn Write + Send>,
    is_left: &'a AtomicBool,
}

impl Reader<'_> {
    fn heed<T>(&self, written: io::Result<T>) -> io::Result<T> {
        let is_left = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
        if written.as_ref().is_err_and(is_left) {
            self.is_left.store(true, Ordering::Relaxed);
        }
        written
    }
}

impl Write for Reader<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes);
        self.heed(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.out.flush();
        self.heed(flushed)
    }
}

/// What cannot come to anything, before a file is made.
fn check(filter: &Filter, format: Format) -> Result<(), Failure> {
    if filter.from > filter.to {
        return Err(Failure::bad_input(
            "--from is after --to",
            "give the earlier time with --from",
        ));
    }
    if format == Format::Gpx && filter.drone.is_none() && filter.delivery.is_none() {
        return Err(Failure::bad_input(
            "GPX is for one drone",
            "give --drone or --delivery, or another --format",
        ));
    }
    Ok(())
}

fn create(unfinished: &Unfinished) -> Result<Box<dyn Write + Send>, Failure> {
    if unfinished.name() == Path::new("-") {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    }
    let file = unfinished.create();
    let file = file.map_err(|error| {
        Failure::bad_input(
            format!("{} cannot be written: {error}", unfinished.name().display()),
            "give another --out",
        )
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn unwritten(out: &Path, error: &dyn Display) -> Failure {
    Failure::failed(
        format!("{}: {error}", out.display()),
        "make room, or give another --out",
    )
}

fn describe(error: ExportError, args: &Args) -> Failure {
    match error {
        ExportError::File(error) => unread(&args.file, &error),
        ExportError::Write(_) | ExportError::Parquet(_) => unwritten(&args.out, &error),
        ExportError::Over(_) => Failure::bad_input(
            format!("--from is outside of {}: {error}", args.file.display()),
            "give an earlier time",
        ),
        ExportError::NotYet(_) => Failure::bad_input(
            format!("--to is outside of {}: {error}", args.file.display()),
            "give a later time",
        ),
        ExportError::NoDelivery(_) => Failure::bad_input(
            format!("{}: {error}", args.file.display()),
            "see its events for ids",
        ),
        ExportError::NoDrone(_) => Failure::bad_input(
            format!("--drone: {}: {error}", args.file.display()),
            "its drones are numbered from d-0 on",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_lies_on_the_map() {
        for fine in ["-123,37,-122,38", "-180,-90,180,90"] {
            assert!(parse_bbox(fine).is_ok(), "{fine}");
        }
        for wrong in [
            "-181,37,-122,38",
            "-123,37,1e9,38",
            "-123,-91,-122,38",
            "-123,37,-122,inf",
            "NaN,37,-122,38",
        ] {
            assert!(parse_bbox(wrong).is_err(), "{wrong}");
        }
    }
}
