//! Files in rough conditions: whatever happened to their bytes, they are read as far as they are
//! whole or refused in words, and never believed.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::file::FileError;
use super::super::projector::{NotShown, Projector};
use super::super::{Fork, Recording};
use super::{SCENARIO, record};
use crate::sim::time::SimTime;

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| fs::read(&record(0.2).path).unwrap());

/// All that is done with recordings: each chunk read, some moments shown, a branch begun.
fn use_it(path: &Path) -> Result<(), NotShown> {
    let recording = Recording::open(path)?;
    recording.tell(drop)?;
    for chunk in recording.chunks() {
        recording.messages(chunk)?;
    }
    let fork = Fork::at(&recording, SimTime::from_secs(100.0))?;
    fork.tell(|_, _| {});
    let end = recording.end();
    let mut projector = Projector::open(recording, SimTime::START, 1, None)?;
    for at in [SimTime::from_secs(77.0), end] {
        projector.seek(at)?;
    }
    projector.back()?;
    Ok(())
}

fn outcome(bytes: &[u8]) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.mcap");
    fs::write(&path, bytes).unwrap();
    use_it(&path).map_err(|error| error.to_string())
}

#[test]
fn a_file_that_is_whole_is_used_whole() {
    assert_eq!(outcome(&WHOLE), Ok(()));
    assert!(SCENARIO.contains("box"));
}

#[test]
fn behind_a_damaged_index_every_chunk_is_found_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.mcap");
    let chunks_of = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let recording = Recording::open(&path).unwrap();
        let places = recording
            .chunks()
            .iter()
            .map(|chunk| (chunk.from_ns, chunk.until_ns));
        assert_eq!(recording.cut_off(), None, "nothing that was recorded is left out");
        (places.collect::<Vec<_>>(), recording.has_lost_index())
    };
    let (whole, is_lost) = chunks_of(&WHOLE);
    assert!(whole.len() > 3 && !is_lost);
    let (found, is_lost) = chunks_of(&[WHOLE.as_slice(), &[7; 100]].concat());
    assert!(found == whole && is_lost, "what was added is no part of it");
    for from_the_end in [60, 200, 400, 800] {
        let mut bytes = WHOLE.clone();
        let at = bytes.len() - from_the_end;
        bytes[at] ^= 4;
        let (found, is_lost) = chunks_of(&bytes);
        assert_eq!(found, whole, "{from_the_end} bytes from the end");
        assert!(is_lost);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_file_of_any_length_is_read_to_its_last_whole_chunk(share in 0.0..1.0_f64) {
        let length = (WHOLE.len() as f64 * share) as usize;
        if let Err(words) = outcome(&WHOLE[..length]) {
            let is_short = words == FileError::Empty.to_string() || words == FileError::Nothing.to_string();
            prop_assert!(is_short, "{length} bytes: {}", words);
        }
    }

    #[test]
    fn flipped_bytes_are_noticed_or_matter_to_nobody(
        at in 0.0..1.0_f64, from_the_end in any::<bool>(), flips in prop::collection::vec(1..=255_u8, 1..40),
    ) {
        let mut bytes = WHOLE.clone();
        // The index at the end is small, and as likely to be hit as all the rest.
        let reach = if from_the_end { bytes.len().min(6_000) } else { bytes.len() };
        let start = bytes.len() - reach + (at * reach as f64) as usize;
        for (byte, flip) in bytes[start..].iter_mut().zip(flips) {
            *byte ^= flip;
        }
        if let Err(words) = outcome(&bytes) {
            prop_assert!(!words.is_empty() && words.lines().count() == 1, "{}", words);
        }
    }
}
