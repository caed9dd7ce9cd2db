//! A day of delivery history as Parquet: one row a delivery that ended on it, with its events
//! as a list. Written a group of rows at a time, so that no more than one is in memory.
//!
//! Times are microseconds of UTC, places degrees (WGS 84) and metres above the ground, weights
//! kilograms, energy watt-hours.

use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::columns::Columns;
use super::place::Location;

/// `application/vnd.apache.parquet`
pub const MEDIA_TYPE: &str = "application/vnd.apache.parquet";

const SCHEMA: &str = "
message delivery_history {
  required binary delivery_id (STRING);
  required binary account_id (STRING);
  required binary user_id (STRING);
  required binary stage (STRING);
  optional binary drone_id (STRING);
  optional binary carrier (STRING);
  optional double price;
  required int64 accepted (TIMESTAMP(MICROS, true));
  required int64 ended (TIMESTAMP(MICROS, true));
  optional int64 first_quoted (TIMESTAMP(MICROS, true));
  required double pickup_latitude;
  required double pickup_longitude;
  required double pickup_altitude;
  required double dropoff_latitude;
  required double dropoff_longitude;
  required double dropoff_altitude;
  required binary deadline (STRING);
  required boolean expedited;
  required binary confirmation_required (STRING);
  required binary package_id (STRING);
  required binary package_size (STRING);
  required double package_kg;
  optional binary package_tag (STRING);
  optional double energy_wh;
  required double flown_m;
  required double airborne_s;
  required group events (LIST) {
    repeated group list {
      required group element {
        required int32 seq;
        required binary kind (STRING);
        required binary stage (STRING);
        required int64 time (TIMESTAMP(MICROS, true));
        required double latitude;
        required double longitude;
        required double altitude;
        optional int64 pickup_eta (TIMESTAMP(MICROS, true));
        optional int64 delivery_eta (TIMESTAMP(MICROS, true));
        required binary event (JSON);
      }
    }
  }
}";

/// A delivery that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct DayRow {
    pub delivery_id: String,
    pub account_id: String,
    pub user_id: String,
    pub stage: &'static str,
    pub drone_id: Option<String>,
    pub carrier: Option<String>,
    /// In the scenario's money.
    pub price: Option<f64>,
    pub accepted_us: i64,
    pub ended_us: i64,
    /// The drop-off as it was quoted first.
    pub first_quoted_us: Option<i64>,
    pub pickup: Location,
    pub dropoff: Location,
    pub deadline: String,
    pub expedited: bool,
    pub confirmation_required: String,
    pub package_id: String,
    pub package_size: String,
    pub package_kg: f64,
    pub package_tag: Option<String>,
    pub energy_wh: Option<f64>,
    pub flown_m: f64,
    pub airborne_s: f64,
    pub events: Vec<DayEvent>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DayEvent {
    pub seq: i32,
    pub kind: &'static str,
    pub stage: &'static str,
    pub time_us: i64,
    pub place: Location,
    pub pickup_eta_us: Option<i64>,
    pub delivery_eta_us: Option<i64>,
    /// As the WebSocket tells it.
    pub event: String,
}

/// A file in the making; what is written of it is taken out as it grows.
pub struct DayFile {
    writer: SerializedFileWriter<Vec<u8>>,
}

impl DayFile {
    /// # Errors
    /// None that the caller could do anything about.
    pub fn begin() -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("skyhaul ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        Ok(DayFile { writer })
    }

    /// Writes a group; answers with the bytes that the file has more by now.
    ///
    /// # Errors
    /// None that the caller could do anything about.
    pub fn write(&mut self, rows: &[DayRow]) -> Result<Vec<u8>, ParquetError> {
        let mut group = self.writer.next_row_group()?;
        write_columns(&mut Columns { group: &mut group }, rows)?;
        group.close()?;
        self.take()
    }

    /// The last bytes.
    ///
    /// # Errors
    /// None that the caller could do anything about.
    pub fn finish(mut self) -> Result<Vec<u8>, ParquetError> {
        self.writer.finish()?;
        self.take()
    }

    /// Offsets are counted by the writer, not by what its sink holds.
    fn take(&mut self) -> Result<Vec<u8>, ParquetError> {
        self.writer.flush()?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

/// In the order of the schema.
fn write_columns(to: &mut Columns<'_, '_, Vec<u8>>, rows: &[DayRow]) -> Result<(), ParquetError> {
    let text = |text: &str| ByteArray::from(text);
    to.required::<ByteArrayType, _>(rows, |row| text(&row.delivery_id))?;
    to.required::<ByteArrayType, _>(rows, |row| text(&row.account_id))?;
    to.required::<ByteArrayType, _>(rows, |row| text(&row.user_id))?;
    to.required::<ByteArrayType, _>(rows, |row| text(row.stage))?;
    to.optional::<ByteArrayType, _>(rows, |row| row.drone_id.as_deref().map(text))?;
    to.optional::<ByteArrayType, _>(rows, |row| row.carrier.as_deref().map(text))?;
    to.optional::<DoubleType, _>(rows, |row| row.price)?;
    to.required::<Int64Type, _>(rows, |row| row.accepted_us)?;
    to.required::<Int64Type, _>(rows, |row| row.ended_us)?;
    to.optional::<Int64Type, _>(rows, |row| row.first_quoted_us)?;
    for place in [|row: &DayRow| row.pickup, |row: &DayRow| row.dropoff] {
        to.required::<DoubleType, _>(rows, |row| place(row).latitude)?;
        to.required::<DoubleType, _>(rows, |row| place(row).longitude)?;
        to.required::<DoubleType, _>(rows, |row| place(row).altitude)?;
    }
    to.required::<ByteArrayType, _>(rows, |row| text(&row.deadline))?;
    to.required::<BoolType, _>(rows, |row| row.expedited)?;
    to.required::<ByteArrayType, _>(rows, |row| text(&row.confirmation_required))?;
    to.required::<ByteArrayType, _>(rows, |row| text(&row.package_id))?;
    to.required::<ByteArrayType, _>(rows, |row| text(&row.package_size))?;
    to.required::<DoubleType, _>(rows, |row| row.package_kg)?;
    to.optional::<ByteArrayType, _>(rows, |row| row.package_tag.as_deref().map(text))?;
    to.optional::<DoubleType, _>(rows, |row| row.energy_wh)?;
    to.required::<DoubleType, _>(rows, |row| row.flown_m)?;
    to.required::<DoubleType, _>(rows, |row| row.airborne_s)?;
    to.listed::<Int32Type, _, _>(rows, events, |event| event.seq)?;
    to.listed::<ByteArrayType, _, _>(rows, events, |event| text(event.kind))?;
    to.listed::<ByteArrayType, _, _>(rows, events, |event| text(event.stage))?;
    to.listed::<Int64Type, _, _>(rows, events, |event| event.time_us)?;
    to.listed::<DoubleType, _, _>(rows, events, |event| event.place.latitude)?;
    to.listed::<DoubleType, _, _>(rows, events, |event| event.place.longitude)?;
    to.listed::<DoubleType, _, _>(rows, events, |event| event.place.altitude)?;
    to.listed_optional::<Int64Type, _, _>(rows, events, |event| event.pickup_eta_us)?;
    to.listed_optional::<Int64Type, _, _>(rows, events, |event| event.delivery_eta_us)?;
    to.listed::<ByteArrayType, _, _>(rows, events, |event| text(&event.event))
}

fn events(row: &DayRow) -> &[DayEvent] {
    &row.events
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{ListAccessor, RowAccessor};

    /// The column that holds them.
    const EVENTS: usize = 26;

    fn row(number: usize) -> DayRow {
        let place = Location {
            altitude: 1.5,
            latitude: 37.7,
            longitude: -122.4,
        };
        let event = |seq: usize| DayEvent {
            seq: seq as i32,
            kind: "EtaChanged",
            stage: "HeadedToPickup",
            time_us: seq as i64,
            place,
            pickup_eta_us: seq.is_multiple_of(2).then_some(7),
            delivery_eta_us: Some(9),
            event: format!("{{\"seq\":{seq}}}"),
        };
        DayRow {
            delivery_id: format!("delivery-{number}"),
            account_id: "cafe".into(),
            user_id: "ada".into(),
            stage: "Completed",
            drone_id: number.is_multiple_of(2).then(|| "d-1".to_owned()),
            carrier: None,
            price: number.is_multiple_of(3).then_some(12.25),
            accepted_us: 1,
            ended_us: 1_780_000_000_000_000 + number as i64,
            first_quoted_us: None,
            pickup: place,
            dropoff: place,
            deadline: String::new(),
            expedited: true,
            confirmation_required: "None".into(),
            package_id: "p".into(),
            package_size: "Small".into(),
            package_kg: 0.5,
            package_tag: None,
            energy_wh: Some(12.5),
            flown_m: 900.0,
            airborne_s: 60.0,
            events: (1..=number % 4).map(event).collect(),
        }
    }

    #[test]
    fn a_file_in_pieces_reads_as_what_was_written() {
        let rows: Vec<_> = (0..25).map(row).collect();
        let mut file = DayFile::begin().unwrap();
        let mut bytes = Vec::new();
        for some in rows.chunks(10) {
            let piece = file.write(some).unwrap();
            assert!(!piece.is_empty());
            bytes.extend(piece);
        }
        bytes.extend(file.finish().unwrap());
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 3);
        let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), rows.len());
        for (read, row) in read.iter().zip(&rows) {
            assert_eq!(read.get_string(0).unwrap(), &row.delivery_id);
            assert_eq!(read.get_string(4).ok(), row.drone_id.as_ref());
            assert_eq!(read.get_double(6).ok(), row.price);
            let events = read.get_list(EVENTS).unwrap();
            assert_eq!(events.len(), row.events.len());
            for (number, event) in row.events.iter().enumerate() {
                let read = events.get_group(number).unwrap();
                assert_eq!(read.get_int(0).unwrap(), event.seq);
                assert_eq!(read.get_double(4).unwrap(), event.place.latitude);
                assert_eq!(read.get_string(9).unwrap(), &event.event);
            }
        }
        let empty = DayFile::begin().unwrap().finish().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(empty)).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
