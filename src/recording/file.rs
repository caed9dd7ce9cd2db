//! A recording as a file that is read: its chunks by their times, and the messages in them.
//!
//! Only the index is kept in memory; a chunk is read when somebody wants it. A file without its
//! end, as a crash leaves it, is read as far as its last whole chunk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mcap::McapError;
use mcap::records::Record;

use crate::sim::time::{SimDuration, SimTime};

use super::index::{Index, ends_whole, index_is_as_written, is_foreign, records};
use super::layout::{FORMAT, Topic};
use super::origin::Origin;
use super::positions::Misfit;
use super::recorder::Recorder;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("it cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    #[error("it is empty")]
    Empty,
    #[error("it is no MCAP file")]
    NoMcap,
    #[error("it is an MCAP file, but not a recording of this program")]
    Foreign,
    #[error("it was recorded by a newer version ({version}, format {format}; this one reads {FORMAT})")]
    Newer { version: String, format: u32 },
    #[error("it ends before anything whole was recorded")]
    Nothing,
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl From<McapError> for FileError {
    fn from(error: McapError) -> Self {
        match error {
            McapError::Io(error) if error.kind() != std::io::ErrorKind::Other => {
                FileError::Damaged(error.to_string())
            }
            other => FileError::Damaged(other.to_string()),
        }
    }
}

impl From<prost::DecodeError> for FileError {
    fn from(error: prost::DecodeError) -> Self {
        unlike(&error)
    }
}

impl From<postcard::Error> for FileError {
    fn from(error: postcard::Error) -> Self {
        unlike(&error)
    }
}

/// Decoders speak to who wrote them.
fn unlike(error: &dyn std::fmt::Display) -> FileError {
    tracing::debug!(%error, "a message of a recording cannot be read");
    FileError::Damaged("a message in it is not as it was written".to_owned())
}

impl From<Misfit> for FileError {
    fn from(misfit: Misfit) -> Self {
        FileError::Damaged(misfit.to_string())
    }
}

/// Where a chunk is, and what is in it.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub(super) offset: u64,
    /// Of the whole record.
    pub(super) length: u64,
    /// Simulated, since 1970.
    pub from_ns: u64,
    pub until_ns: u64,
    pub topics: BTreeSet<Topic>,
}

/// One message of a chunk.
pub struct Message {
    pub topic: Topic,
    pub time_ns: u64,
    pub data: Vec<u8>,
}

pub struct Recording {
    pub path: PathBuf,
    file: File,
    pub origin: Origin,
    chunks: Vec<Chunk>,
    topics: BTreeMap<u16, Topic>,
    /// How much of a file without its end is left out, in bytes.
    cut_off: Option<u64>,
    has_lost_index: bool,
    growth: Option<Growth>,
}

/// Of a file that is still being written.
struct Growth {
    recorder: Arc<Recorder>,
    /// Up to here its chunks are known.
    known_bytes: u64,
}

impl Recording {
    /// # Errors
    /// See [`FileError`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        if length == 0 {
            return Err(FileError::Empty);
        }
        if is_foreign(&mut file, length)? {
            return Err(FileError::Foreign);
        }
        let is_whole = ends_whole(&mut file, length)? && index_is_as_written(&file, length)?;
        let index = match is_whole {
            true => Index::of_summary(&mut file, length)?,
            false => Index::of_scan(&mut file, length)?,
        };
        let origin = index.origin(&file)?;
        let has_frames = |chunk: &Chunk| chunk.topics.contains(&Topic::Positions);
        if !index.chunks.iter().any(has_frames) {
            return Err(FileError::Nothing);
        }
        Ok(Recording {
            path: path.to_owned(),
            file,
            origin,
            chunks: index.chunks,
            topics: index.topics,
            cut_off: index.cut_off,
            has_lost_index: index.is_found,
            growth: None,
        })
    }

    /// One that is being written, as far as it is; [`Recording::grow`] reads on.
    ///
    /// # Errors
    /// See [`FileError`].
    pub(super) fn open_growing(path: &Path, recorder: Arc<Recorder>) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        let known_bytes = recorder.progress().readable_bytes();
        let index = Index::of_scan(&mut file, known_bytes)?;
        Ok(Recording {
            path: path.to_owned(),
            origin: index.origin(&file)?,
            file,
            chunks: index.chunks,
            topics: index.topics,
            cut_off: None,
            has_lost_index: false,
            growth: Some(Growth {
                recorder,
                known_bytes,
            }),
        })
    }

    /// Another reader of the same file, as far as that is by now.
    ///
    /// # Errors
    /// See [`FileError`].
    pub(super) fn another(&self) -> Result<Self, FileError> {
        match &self.growth {
            Some(growth) => Self::open_growing(&self.path, Arc::clone(&growth.recorder)),
            None => Self::open(&self.path),
        }
    }

    /// More was written than this reader knows of.
    pub(super) fn is_behind(&self) -> bool {
        let is_more = |growth: &Growth| growth.recorder.progress().readable_bytes() > growth.known_bytes;
        self.growth.as_ref().is_some_and(is_more)
    }

    /// Finds chunks that were written since; answers whether there are any.
    ///
    /// # Errors
    /// See [`FileError`].
    pub(super) fn grow(&mut self) -> Result<bool, FileError> {
        let Some(growth) = &mut self.growth else {
            return Ok(false);
        };
        let readable_bytes = growth.recorder.progress().readable_bytes();
        let known_bytes = std::mem::replace(&mut growth.known_bytes, readable_bytes);
        if readable_bytes == known_bytes {
            return Ok(false);
        }
        let mut index = Index {
            topics: self.topics.clone(),
            ..Index::default()
        };
        index.scan(&mut self.file, known_bytes, readable_bytes)?;
        self.chunks.extend(index.chunks);
        Ok(true)
    }

    /// In the order of their times.
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The first moment that can be shown, that of the first whole state: a branch begins later
    /// than its world, and so does what was recorded of a world that had gone on for a while.
    pub fn begin(&self) -> SimTime {
        let has_state = |chunk: &&Chunk| chunk.topics.contains(&Topic::Keyframes);
        let first = self.chunks.iter().find(has_state).map(|chunk| chunk.from_ns);
        first.map_or(SimTime::START, |first| self.origin.at(first))
    }

    /// The last moment that can be shown: events may go on for up to a frame's time after it.
    pub fn last_frame(&self) -> SimTime {
        let with_frames = self.chunks.iter().rev();
        let mut with_frames = with_frames.filter(|chunk| chunk.topics.contains(&Topic::Positions));
        // One that is damaged is left out of what is played.
        let last = with_frames.find_map(|chunk| {
            let messages = self.messages(chunk).ok()?;
            let last = messages.iter().rfind(|message| message.topic == Topic::Positions);
            last.map(|message| message.time_ns)
        });
        last.map_or_else(|| self.end(), |last| self.origin.at(last))
    }

    /// The moment of the last message.
    pub fn end(&self) -> SimTime {
        let last = self.chunks.iter().map(|chunk| chunk.until_ns).max();
        self.origin.at(last.unwrap_or(0))
    }

    /// Simulated time from one recorded frame to the next.
    pub fn frame_period(&self) -> SimDuration {
        let period_us = (1e6 / self.origin.hz) as u64;
        SimDuration(period_us.max(self.origin.tick_us))
    }

    /// Bytes at the end that are left out, since the file was not ended.
    pub fn cut_off(&self) -> Option<u64> {
        self.cut_off
    }

    /// All that was recorded is there, but the index at the end is not as it was written, or
    /// something was added behind it.
    pub fn has_lost_index(&self) -> bool {
        self.has_lost_index
    }

    /// # Errors
    /// A file that was changed, or is damaged.
    pub fn messages(&self, chunk: &Chunk) -> Result<Vec<Message>, FileError> {
        let mut messages = Vec::new();
        for record in records(&self.file, chunk)? {
            if let Record::Message { header, data } = record {
                let Some(&topic) = self.topics.get(&header.channel_id) else {
                    continue;
                };
                messages.push(Message {
                    topic,
                    time_ns: header.log_time,
                    data: data.into_owned(),
                });
            }
        }
        Ok(messages)
    }
}
