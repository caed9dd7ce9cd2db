//! Where frames go to, by format.

use std::io::Write;

use crate::recording::origin::Origin;
use crate::recording::positions::FixedRow;
use crate::sim::time::SimTime;

use super::table::{Csv, Parquet};
use super::tracks::Tracks;
use super::{ExportError, Format};

pub(super) trait Sink {
    /// The frames come in order, each with the rows that are wanted of it.
    fn frame(&mut self, at: SimTime, rows: &[FixedRow]) -> Result<(), ExportError>;

    /// Frames are missing here.
    fn gap(&mut self) -> Result<(), ExportError> {
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}

/// `from` and `to`: what is exported at most.
pub(super) fn open<'a>(
    format: Format,
    origin: &'a Origin,
    from: SimTime,
    to: SimTime,
    out: impl Write + Send + 'a,
) -> Result<Box<dyn Sink + 'a>, ExportError> {
    Ok(match format {
        Format::Geojson => Box::new(Tracks::geojson(origin, out)?),
        Format::Czml => Box::new(Tracks::czml(origin, from, to, out)?),
        Format::Gpx => Box::new(Tracks::gpx(origin, out)?),
        Format::Csv => Box::new(Csv::begin(origin, out)?),
        Format::Parquet => Box::new(Parquet::begin(origin, out)?),
    })
}
