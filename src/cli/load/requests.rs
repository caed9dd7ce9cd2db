//! Every single request in a file, written beside the test by a thread of its own, so that a
//! slow disk is not what the test measures.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use serde::Serialize;

use super::Failure;
use super::files::unwritten;
use crate::load::{How, Sample, Samples};

/// Many at a time, and so many of these may wait to be written.
const MOST_WAITING: usize = 256;

/// The file, and who writes it.
pub(super) struct Requests {
    path: PathBuf,
    writer: JoinHandle<io::Result<()>>,
}

impl Requests {
    /// `stages` are their names. Whoever is to be heard gets the sender.
    pub fn create(path: &Path, stages: Vec<String>) -> Result<(Self, Samples), Failure> {
        let file = File::create(path).map_err(|error| {
            Failure::bad_input(
                format!("{} cannot be written: {error}", path.display()),
                "give another file",
            )
        })?;
        let (sender, samples) = sync_channel(MOST_WAITING);
        let writer = std::thread::spawn(move || write(file, &stages, &samples));
        let path = path.to_owned();
        Ok((Requests { path, writer }, sender))
    }

    /// Once nobody sends any more.
    pub fn finish(self) -> Result<(), Failure> {
        let written = self.writer.join();
        let written = written.unwrap_or_else(|_| Err(io::Error::other("its writer broke")));
        written.map_err(|error| unwritten(&self.path, &error))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    number: u64,
    /// Null in the warm-up.
    stage: Option<&'a str>,
    due_seconds: f64,
    late_ms: f64,
    ms: f64,
    end: End,
}

#[derive(Serialize)]
#[serde(untagged)]
enum End {
    Status(u16),
    Word(&'static str),
}

fn write(file: File, stages: &[String], samples: &Receiver<Vec<Sample>>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    for sample in samples.iter().flatten() {
        let stage = sample.part.stage().and_then(|stage| stages.get(stage));
        let line = Line {
            number: sample.number,
            stage: stage.map(String::as_str),
            due_seconds: sample.due.as_secs_f64(),
            late_ms: sample.late.as_secs_f64() * 1e3,
            ms: sample.took.as_secs_f64() * 1e3,
            end: match sample.end {
                How::Status(status) => End::Status(status),
                How::Word(word) => End::Word(word),
            },
        };
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}
