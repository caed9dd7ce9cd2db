//! Runs as Parquet, for one's own analysis: one row a run with what its summary says, and its
//! deliveries as a list.
//!
//! Times are seconds of simulated time from the scenario's start, payloads kilograms.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::sim::time::SimTime;
use crate::wire::columns::Columns;

use super::{DeliveryRow, Ended, SeparationTotals, Summary};

const SCHEMA: &str = "
message runs {
  required binary scenario (STRING);
  required int64 seed (INTEGER(64, false));
  required binary policy (STRING);
  required double sim_seconds;
  required double wall_seconds;
  required int64 ticks;
  required int64 drones;
  required double airborne_mean;
  required int64 requested;
  required int64 completed;
  required int64 cancelled;
  required int64 failed;
  required int64 third_party;
  required int64 in_progress;
  optional double fulfilment_mean_s;
  optional double fulfilment_p50_s;
  optional double fulfilment_p95_s;
  optional double expedited_mean_s;
  optional double expedited_p95_s;
  optional double quote_error_p50;
  optional double quote_error_p95;
  optional double quote_bias_s;
  optional double late_share;
  required double energy_wh;
  optional double wh_per_km;
  required int64 reserve_dips;
  required double flight_hours;
  required int64 conflicts;
  required int64 losses;
  required int64 terminal_losses;
  optional double prevention_rate;
  optional double severity;
  optional double closest_m;
  optional double added_m_per_flight_hour;
  optional double mean_delay_s;
  required binary digest (STRING);
  required group deliveries (LIST) {
    repeated group list {
      required group element {
        required binary delivery_id (STRING);
        required binary outcome (STRING);
        required boolean expedited;
        required double payload_kg;
        required double accepted_s;
        optional double quoted_s;
        optional double quoted_delivery_s;
        optional double picked_up_s;
        optional double ended_s;
      }
    }
  }
}";

/// Writes them, a row group a run.
///
/// # Errors
/// A sink that takes no more.
pub fn write_runs(runs: &[Ended], to: impl Write + Send) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("skyhaul ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(to, schema, Arc::new(properties))?;
    for run in runs {
        let mut group = writer.next_row_group()?;
        write_columns(&mut Columns { group: &mut group }, std::slice::from_ref(run))?;
        group.close()?;
    }
    writer.close().map(|_| ())
}

/// In the order of the schema.
fn write_columns<W: Write + Send>(to: &mut Columns<'_, '_, W>, runs: &[Ended]) -> Result<(), ParquetError> {
    let text = |text: &str| ByteArray::from(text);
    to.required::<ByteArrayType, _>(runs, |run| text(&run.summary.scenario))?;
    to.required::<Int64Type, _>(runs, |run| run.summary.seed.cast_signed())?;
    to.required::<ByteArrayType, _>(runs, |run| text(run.summary.policy))?;
    to.required::<DoubleType, _>(runs, |run| run.summary.sim_seconds)?;
    to.required::<DoubleType, _>(runs, |run| run.summary.wall_seconds)?;
    to.required::<Int64Type, _>(runs, |run| run.summary.ticks.cast_signed())?;
    to.required::<Int64Type, _>(runs, |run| i64::from(run.summary.drones))?;
    to.required::<DoubleType, _>(runs, |run| run.summary.airborne_mean)?;
    let counts: [fn(&Summary) -> u64; 6] = [
        |run| run.deliveries.requested,
        |run| run.deliveries.completed,
        |run| run.deliveries.cancelled,
        |run| run.deliveries.failed,
        |run| run.deliveries.third_party,
        |run| run.deliveries.in_progress,
    ];
    for count in counts {
        to.required::<Int64Type, _>(runs, |run| count(&run.summary).cast_signed())?;
    }
    let figures: [fn(&Summary) -> Option<f64>; 9] = [
        |run| run.fulfilment.all.mean_seconds,
        |run| run.fulfilment.all.p50_seconds,
        |run| run.fulfilment.all.p95_seconds,
        |run| run.fulfilment.expedited.mean_seconds,
        |run| run.fulfilment.expedited.p95_seconds,
        |run| run.eta.quote_error_p50,
        |run| run.eta.quote_error_p95,
        |run| run.eta.quote_bias_seconds,
        |run| run.eta.late_share,
    ];
    for figure in figures {
        to.optional::<DoubleType, _>(runs, |run| figure(&run.summary))?;
    }
    to.required::<DoubleType, _>(runs, |run| run.summary.energy.total_wh)?;
    to.optional::<DoubleType, _>(runs, |run| run.summary.energy.wh_per_km)?;
    to.required::<Int64Type, _>(runs, |run| run.summary.energy.reserve_dips.cast_signed())?;
    write_separation(to, runs)?;
    to.required::<ByteArrayType, _>(runs, |run| text(&run.summary.digest))?;
    to.listed::<ByteArrayType, _, _>(runs, rows, |row| text(&row.id.to_string()))?;
    to.listed::<ByteArrayType, _, _>(runs, rows, |row| text(row.outcome.as_str()))?;
    to.listed::<BoolType, _, _>(runs, rows, |row| row.expedited)?;
    to.listed::<DoubleType, _, _>(runs, rows, |row| row.payload_kg)?;
    to.listed::<DoubleType, _, _>(runs, rows, |row| row.accepted.as_secs())?;
    to.listed_optional::<DoubleType, _, _>(runs, rows, |row| row.quoted.map(|(at, _)| at.as_secs()))?;
    to.listed_optional::<DoubleType, _, _>(runs, rows, |row| row.quoted.map(|(_, eta)| eta.as_secs()))?;
    to.listed_optional::<DoubleType, _, _>(runs, rows, |row| row.picked_up.map(SimTime::as_secs))?;
    to.listed_optional::<DoubleType, _, _>(runs, rows, |row| row.ended.map(SimTime::as_secs))
}

fn write_separation<W: Write + Send>(
    to: &mut Columns<'_, '_, W>,
    runs: &[Ended],
) -> Result<(), ParquetError> {
    to.required::<DoubleType, _>(runs, |run| run.summary.separation.flight_hours)?;
    let counts: [fn(&SeparationTotals) -> u64; 3] = [
        |separation| separation.conflicts,
        |separation| separation.losses,
        |separation| separation.terminal_losses,
    ];
    for count in counts {
        to.required::<Int64Type, _>(runs, |run| count(&run.summary.separation).cast_signed())?;
    }
    let figures: [fn(&SeparationTotals) -> Option<f64>; 5] = [
        |separation| separation.prevention_rate,
        |separation| separation.severity,
        |separation| separation.closest_metres,
        |separation| separation.added_metres_per_flight_hour,
        |separation| separation.mean_delay_seconds,
    ];
    for figure in figures {
        to.optional::<DoubleType, _>(runs, |run| figure(&run.summary.separation))?;
    }
    Ok(())
}

fn rows(run: &Ended) -> &[DeliveryRow] {
    &run.deliveries
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::{ListAccessor, RowAccessor};

    use super::*;
    use crate::run::{Outcome, run};
    use crate::scenario;

    #[test]
    fn a_file_of_runs_reads_as_what_was_written() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tiny.toml");
        let mut world = scenario::load(&file).unwrap().world;
        world.demand.as_mut().unwrap().rate_per_s = 0.02;
        let ended = run(world.into(), 1, 6_000, true, |_| ()).unwrap();
        let of = |outcome| {
            ended
                .deliveries
                .iter()
                .filter(|row| row.outcome == outcome)
                .count() as u64
        };
        let totals = ended.summary.deliveries;
        assert!(totals.completed > 0 && totals.requested == ended.deliveries.len() as u64);
        assert_eq!(
            [
                of(Outcome::Completed),
                of(Outcome::InProgress),
                of(Outcome::ThirdParty)
            ],
            [totals.completed, totals.in_progress, totals.third_party]
        );

        let mut bytes = Vec::new();
        let none = Ended {
            deliveries: Vec::new(),
            ..ended.clone()
        };
        write_runs(&[ended.clone(), none], &mut bytes).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        let list = read[0].len() - 1;
        assert_eq!(read[0].get_string(list - 1).unwrap(), &ended.summary.digest);
        assert_eq!(read[0].get_long(9).unwrap(), totals.completed.cast_signed());
        let deliveries = read[0].get_list(list).unwrap();
        assert_eq!(deliveries.len(), ended.deliveries.len());
        for (number, row) in ended.deliveries.iter().enumerate() {
            let read = deliveries.get_group(number).unwrap();
            assert_eq!(read.get_string(0).unwrap(), &row.id.to_string());
            assert_eq!(read.get_string(1).unwrap(), row.outcome.as_str());
            assert_eq!(read.get_double(4).unwrap(), row.accepted.as_secs());
            assert_eq!(read.get_double(8).ok(), row.ended.map(SimTime::as_secs));
        }
        assert_eq!(read[1].get_list(list).unwrap().len(), 0);
    }
}
