//! What is recorded is what is read again: rows digit for digit, files as far as they are whole.

mod rough;
mod showing;

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use prost::Message;

use super::file::{Chunk, FileError};
use super::layout::{self, Topic};
use super::positions::{Decoder, Encoder, FixedRow};
use super::projector::Projector;
use super::{Fork, Origin, Recorded, Recorder, Recording, Sources};
use crate::sim::drone::DroneStatus;
use crate::sim::geo::LatLon;
use crate::sim::ids::DroneId;
use crate::sim::time::SimTime;
use crate::sim::world::World;
use crate::view::frame::DroneRow;
use crate::wire::stream::positions::{Place, Row};

const SCENARIO: &str = r#"
name = "box"
seed = 3
start = "2026-06-01T18:00:00Z"
duration = "5m"
tick = "1s"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
ground = 20
geoid = -32
[[hub]]
id = "mission"
location = [37.7599, -122.4148]
[[fleet]]
hub = "mission"
model = "wing"
count = 12
[demand]
rate = "240/h"
pickup = { at = "hub" }
dropoff = { spread = "area" }
payload = { min = 0.2, max = 1.0 }
"#;

fn row(number: u32, parts: (f64, f64, f32, f32, f32)) -> DroneRow {
    let (lat, lon, height_m, heading_deg, battery) = parts;
    DroneRow {
        drone: DroneId(number),
        status: DroneStatus::Cruising,
        at: LatLon { lat, lon },
        height_m,
        heading_deg,
        ground_speed_mps: height_m / 4.0,
        vertical_speed_mps: 3.0 - height_m / 20.0,
        battery,
        payload_kg: battery,
    }
}

fn shown(row: &DroneRow) -> Row {
    Row::from(Place {
        drone: row.drone,
        at: row.at,
        height_m: row.height_m.into(),
        heading_deg: row.heading_deg.into(),
        ground_speed_mps: row.ground_speed_mps.into(),
        battery: row.battery.into(),
        status: row.status,
    })
}

prop_compose! {
    fn any_row()(number in 0..40_u32, lat in -90.0..90.0_f64, lon in -180.0..180.0_f64,
                 height in 0.0..122.0_f32, heading in 0.0..360.0_f32, battery in 0.0..1.0_f32) -> DroneRow {
        row(number, (lat, lon, height, heading, battery))
    }
}

proptest! {
    #[test]
    fn rows_look_the_same_to_listeners_before_and_after(row in any_row()) {
        prop_assert_eq!(shown(&row), shown(&FixedRow::from(&row).shown()));
    }

    #[test]
    fn frames_are_read_as_they_were_whoever_comes_and_goes(
        frames in prop::collection::vec((prop::collection::vec(any_row(), 0..20), any::<bool>()), 1..12),
    ) {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        for (tick, (rows, anew)) in frames.into_iter().enumerate() {
            let mut rows: Vec<FixedRow> = rows.iter().map(FixedRow::from).collect();
            rows.sort_by_key(|row| row.drone);
            rows.dedup_by_key(|row| row.drone);
            let message = encoder.encode(tick as u64, SimTime::START, rows.clone(), anew || tick == 0);
            let bytes = message.encode_to_vec();
            let read = layout::Positions::decode(bytes.as_slice()).unwrap();
            prop_assert_eq!(decoder.decode(&read).unwrap(), rows);
        }
    }
}

#[test]
fn positions_that_do_not_fit_together_are_refused() {
    let rows = vec![FixedRow::from(&row(4, (37.0, -122.0, 50.0, 90.0, 0.5)))];
    let message = Encoder::default().encode(1, SimTime::START, rows, true);
    let spoilt = |spoil: fn(&mut layout::Positions)| {
        let mut message = message.clone();
        spoil(&mut message);
        Decoder::default().decode(&message).is_err()
    };
    assert!(spoilt(|message| message.latitude.clear()));
    assert!(spoilt(|message| message.status.push(3)));
    assert!(spoilt(|message| message.status[0] = 77));
    assert!(spoilt(|message| message.drone[0] = u32::MAX));
    assert!(!spoilt(|_| {}));
}

/// A recorded run, in a folder that goes with it.
struct Run {
    folder: tempfile::TempDir,
    path: PathBuf,
    recorded: Recorded,
    digest: [u8; 32],
    /// At every tick: rows as listeners see them, and how many events there were so far.
    seen: Vec<(Vec<Row>, u64)>,
    /// At every tick.
    digests: Vec<[u8; 32]>,
}

fn world() -> World {
    crate::scenario::parse_with_files(SCENARIO, &Default::default())
        .unwrap()
        .world
}

fn record(hz: f64) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.mcap");
    let sources = Sources {
        toml: SCENARIO.to_owned(),
        ..Sources::default()
    };
    let world = world();
    let recorder = Recorder::create(&path, Origin::of(&world, sources, hz)).unwrap();
    let (mut seen, mut digests) = (Vec::new(), Vec::new());
    let engine = super::run(Arc::new(world), 1, 300, &recorder, hz, |engine, _| {
        let rows = crate::engine::publication::airborne_rows(engine.world(), engine.sky());
        let mut rows: Vec<Row> = rows.iter().map(shown).collect();
        rows.sort_by_key(|row| row.drone);
        seen.push((rows, engine.events_through()));
        digests.push(*engine.digest());
        ControlFlow::Continue(())
    })
    .unwrap();
    let recorded = recorder.finish().unwrap();
    Run {
        folder,
        path,
        recorded,
        digest: *engine.digest(),
        seen,
        digests,
    }
}

#[test]
fn a_run_is_in_its_recording_frame_by_frame_and_event_by_event() {
    let run = record(1.0);
    let recording = Recording::open(&run.path).unwrap();
    assert_eq!(recording.cut_off(), None);
    assert_eq!(
        recording.origin.world().unwrap().scenario_hash,
        world().scenario_hash
    );
    let (mut decoder, mut frames, mut events, mut digest) = (Decoder::default(), 0, 0, Vec::new());
    for chunk in recording.chunks() {
        for message in recording.messages(chunk).unwrap() {
            match message.topic {
                Topic::Positions => {
                    let positions = layout::Positions::decode(message.data.as_slice()).unwrap();
                    let rows = decoder.decode(&positions).unwrap();
                    let rows: Vec<Row> = rows.iter().map(|row| shown(&row.shown())).collect();
                    frames += 1;
                    if positions.tick > 0 {
                        assert_eq!(
                            rows,
                            run.seen[positions.tick as usize - 1].0,
                            "tick {}",
                            positions.tick
                        );
                    }
                }
                Topic::Events => {
                    events += 1;
                    let event: serde_json::Value = serde_json::from_slice(&message.data).unwrap();
                    assert_eq!(event["seq"], events);
                }
                Topic::Journal => {
                    let journal = layout::Journal::decode(message.data.as_slice()).unwrap();
                    digest = journal.digest;
                }
                _ => {}
            }
        }
    }
    assert_eq!(frames, 301, "the first moment and every tick");
    assert_eq!(run.recorded.frames, frames);
    let (last, events_through) = run.seen.last().unwrap();
    assert!(!last.is_empty() && *events_through > 100, "something happened");
    assert_eq!(events, *events_through);
    assert_eq!(digest, run.digest);
    assert_eq!(
        run.recorded.keyframes, 31,
        "the first state and one every ten seconds"
    );
}

#[test]
fn fewer_frames_a_second_are_every_so_many_ticks() {
    let run = record(0.1);
    assert_eq!(run.recorded.frames, 31);
}

#[test]
fn a_file_without_its_end_is_read_to_its_last_whole_chunk() {
    let run = record(1.0);
    let whole = fs::read(&run.path).unwrap();
    let cut = run.folder.path().join("cut.mcap");
    let mut most = 0;
    // Somewhere in each part of it, the index at its end included.
    for share in (1..=40).map(|part| whole.len() * part / 41) {
        fs::write(&cut, &whole[..share]).unwrap();
        match Recording::open(&cut) {
            Ok(recording) => {
                assert!(recording.cut_off().is_some() || recording.has_lost_index());
                let chunks = recording.chunks();
                let all = chunks
                    .iter()
                    .map(|chunk| recording.messages(chunk).unwrap().len());
                let all: usize = all.sum();
                assert!(all >= most, "more of the file has no less in it");
                most = all;
            }
            Err(error) => assert!(matches!(error, FileError::Nothing), "{error}"),
        }
    }
    assert!(most > 300);
}

#[test]
fn files_that_are_no_recordings_are_told_apart() {
    let run = record(0.1);
    let whole = fs::read(&run.path).unwrap();
    let file = run.folder.path().join("other.mcap");
    let open = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let recording = Recording::open(&file)?;
        for chunk in recording.chunks() {
            recording.messages(chunk)?;
        }
        Ok::<_, FileError>(())
    };
    assert!(matches!(open(b""), Err(FileError::Empty)));
    assert!(matches!(open(b"name = \"box\""), Err(FileError::NoMcap)));
    assert!(matches!(open(&whole[..6]), Err(FileError::Nothing)));
    let mut foreign = mcap::Writer::new(std::io::Cursor::new(Vec::new())).unwrap();
    foreign.finish().unwrap();
    let foreign = foreign.into_inner().into_inner();
    assert!(matches!(open(&foreign), Err(FileError::Foreign)));
    let mut spoilt = whole.clone();
    let middle = whole.len() / 2;
    spoilt[middle..middle + 64]
        .iter_mut()
        .for_each(|byte| *byte ^= 0x55);
    assert!(matches!(open(&spoilt), Err(FileError::Damaged(_))));
    assert!(open(&whole).is_ok());
}

#[test]
fn a_recording_of_a_newer_version_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.mcap");
    let mut origin = Origin::of(&world(), Sources::default(), 1.0);
    origin.format += 1;
    Recorder::create(&path, origin).unwrap().finish().unwrap();
    let Err(error) = Recording::open(&path) else {
        panic!("it was read");
    };
    assert!(matches!(error, FileError::Newer { .. }), "{error}");
}

/// Recorded before states could be differences (format 1).
const FORMAT_1: &[u8] = include_bytes!("format-1.mcap");

#[test]
fn a_recording_of_an_earlier_format_is_shown_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("earlier.mcap");
    fs::write(&path, FORMAT_1).unwrap();
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.origin.format, 1);
    let end = recording.end();
    let fork = Fork::at(&recording, end).unwrap();
    assert!(fork.is_inside());
    let branch = Recorder::create(&folder.path().join("branch.mcap"), recording.origin.clone()).unwrap();
    let engine = fork.run(None, 1, &branch, 1.0, |_, _| ControlFlow::Continue(()));
    assert_eq!(engine.unwrap().tick_number(), fork.end());
    let mut projector = Projector::open(Recording::open(&path).unwrap(), end, 1, None).unwrap();
    assert_eq!(projector.view().clock().at, end);
    assert!(!projector.view().frame().rows().is_empty());
    assert!(projector.back().unwrap());
}

#[test]
fn a_damaged_chunk_is_passed_over_and_the_rest_is_as_it_was() {
    let run = record(1.0);
    let chunk = {
        let recording = Recording::open(&run.path).unwrap();
        let mut chunks = recording.chunks().iter();
        let is_hit = |chunk: &&Chunk| {
            chunk.topics.contains(&Topic::Positions)
                && recording.origin.at(chunk.from_ns) > SimTime::from_secs(120.0)
        };
        chunks.find(is_hit).unwrap().clone()
    };
    let mut bytes = fs::read(&run.path).unwrap();
    let middle = (chunk.offset + chunk.length / 2) as usize;
    bytes[middle..middle + 8]
        .iter_mut()
        .for_each(|byte| *byte ^= 0x55);
    fs::write(&run.path, bytes).unwrap();
    let mut projector =
        Projector::open(Recording::open(&run.path).unwrap(), SimTime::START, 1, None).unwrap();
    let mut shown = Vec::new();
    while projector.forward().unwrap() {
        let tick = projector.view().clock().tick as usize;
        let frame = projector.view().frame();
        let mut rows: Vec<Row> = frame.rows().iter().map(self::shown).collect();
        rows.sort_by_key(|row| row.drone);
        assert_eq!(rows, run.seen[tick - 1].0, "tick {tick}");
        shown.push(tick);
    }
    assert_eq!(shown.last(), Some(&300));
    assert!(
        (280..300).contains(&shown.len()),
        "some frames are missing: {shown:?}"
    );
    let back = std::iter::from_fn(|| projector.back().unwrap().then_some(()));
    assert!((280..=300).contains(&back.count()));
}
