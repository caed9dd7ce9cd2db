//! Rows as tables: CSV and Parquet, with the same columns.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use serde::Serialize;

use crate::recording::origin::Origin;
use crate::recording::positions::FixedRow;
use crate::sim::time::SimTime;
use crate::wire::columns::Columns;
use crate::wire::time::rfc3339_unix_us;

use super::ExportError;
use super::sinks::Sink;

const COLUMNS: [&str; 12] = [
    "time",
    "elapsed_s",
    "drone",
    "latitude",
    "longitude",
    "height_m",
    "heading_deg",
    "ground_speed_mps",
    "vertical_speed_mps",
    "battery",
    "payload_kg",
    "status",
];

/// In the order of the columns.
#[derive(Serialize)]
struct CsvRow<'a> {
    time: &'a str,
    elapsed_s: f64,
    drone: String,
    latitude: f64,
    longitude: f64,
    height_m: f64,
    heading_deg: f64,
    ground_speed_mps: f64,
    vertical_speed_mps: f64,
    battery: f64,
    payload_kg: f64,
    status: &'static str,
}

pub(super) struct Csv<'a, W: Write> {
    origin: &'a Origin,
    out: csv::Writer<W>,
}

impl<'a, W: Write> Csv<'a, W> {
    pub(super) fn begin(origin: &'a Origin, out: W) -> Result<Self, ExportError> {
        // The names stand there also where no row follows.
        let mut out = csv::WriterBuilder::new().has_headers(false).from_writer(out);
        out.write_record(COLUMNS).map_err(std::io::Error::from)?;
        Ok(Csv { origin, out })
    }
}

impl<W: Write> Sink for Csv<'_, W> {
    fn frame(&mut self, at: SimTime, rows: &[FixedRow]) -> Result<(), ExportError> {
        let time = rfc3339_unix_us(self.origin.unix_us(at));
        for row in rows {
            let place = row.at();
            let row = CsvRow {
                time: &time,
                elapsed_s: at.as_secs(),
                drone: row.drone.to_string(),
                latitude: place.lat,
                longitude: place.lon,
                height_m: row.height_m(),
                heading_deg: row.heading_deg(),
                ground_speed_mps: row.ground_speed_mps(),
                vertical_speed_mps: row.vertical_speed_mps(),
                battery: row.battery(),
                payload_kg: row.payload_kg(),
                status: row.status.as_str(),
            };
            self.out.serialize(row).map_err(std::io::Error::from)?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        Ok(self.out.flush()?)
    }
}

const SCHEMA: &str = "
message positions {
  required int64 time (TIMESTAMP(MICROS, true));
  required double elapsed_s;
  required binary drone (STRING);
  required double latitude;
  required double longitude;
  required double height_m;
  required double heading_deg;
  required double ground_speed_mps;
  required double vertical_speed_mps;
  required double battery;
  required double payload_kg;
  required binary status (STRING);
}";

/// Rows of a group, which is held until it is full.
const GROUP_ROWS: usize = 1 << 17;

pub(super) struct Parquet<'a, W: Write + Send> {
    origin: &'a Origin,
    rows: Vec<(SimTime, FixedRow)>,
    out: SerializedFileWriter<W>,
}

impl<'a, W: Write + Send> Parquet<'a, W> {
    pub(super) fn begin(origin: &'a Origin, out: W) -> Result<Self, ExportError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        Ok(Parquet {
            origin,
            rows: Vec::new(),
            out: SerializedFileWriter::new(out, schema, Arc::new(properties))?,
        })
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.out.next_row_group()?;
        let mut columns = Columns { group: &mut group };
        let text = |text: &str| ByteArray::from(text);
        columns.required::<Int64Type, _>(&rows, |(at, _)| self.origin.unix_us(*at))?;
        columns.required::<DoubleType, _>(&rows, |(at, _)| at.as_secs())?;
        columns.required::<ByteArrayType, _>(&rows, |(_, row)| text(&row.drone.to_string()))?;
        let of_row: [fn(&FixedRow) -> f64; 8] = [
            |row| row.at().lat,
            |row| row.at().lon,
            FixedRow::height_m,
            FixedRow::heading_deg,
            FixedRow::ground_speed_mps,
            FixedRow::vertical_speed_mps,
            FixedRow::battery,
            FixedRow::payload_kg,
        ];
        for value in of_row {
            columns.required::<DoubleType, _>(&rows, |(_, row)| value(row))?;
        }
        columns.required::<ByteArrayType, _>(&rows, |(_, row)| text(row.status.as_str()))?;
        group.close()?;
        Ok(())
    }
}

impl<W: Write + Send> Sink for Parquet<'_, W> {
    fn frame(&mut self, at: SimTime, rows: &[FixedRow]) -> Result<(), ExportError> {
        self.rows.extend(rows.iter().map(|row| (at, *row)));
        match self.rows.len() >= GROUP_ROWS {
            true => self.write_group(),
            false => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.write_group()?;
        self.out.close()?;
        Ok(())
    }
}
