//! The file while it is written: channels, chunks, and when a chunk is closed.
//!
//! Bytes are only ever added to the file, so whatever happens to the program, all chunks but the
//! last one can be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use mcap::records::MessageHeader;
use mcap::write::NoSeek;
use mcap::{Compression, McapError, WriteOptions, Writer};

use super::layout::{PROFILE, Topic, descriptors};

/// Why nothing more can be written.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Mcap(McapError),
    #[error("the thread that writes it broke off")]
    Gone,
}

impl From<McapError> for TapeError {
    fn from(error: McapError) -> Self {
        match error {
            McapError::Io(error) => TapeError::Io(error),
            other => TapeError::Mcap(other),
        }
    }
}

/// What JSON channels hold: any object.
const ANY_OBJECT: &str = r#"{"type":"object"}"#;

pub struct Tape {
    writer: Writer<NoSeek<BufWriter<File>>>,
    /// To ask how long it is.
    length: File,
    channels: BTreeMap<Topic, u16>,
    /// By channel.
    sequences: BTreeMap<u16, u32>,
    /// In the chunk that is open.
    open_bytes: u64,
}

impl Tape {
    /// On an empty file.
    ///
    /// # Errors
    /// A place where nothing can be written.
    pub fn on(file: File) -> Result<Self, TapeError> {
        let length = file.try_clone()?;
        let file = NoSeek::new(BufWriter::new(file));
        let options = WriteOptions::new()
            .profile(PROFILE)
            .library(concat!("skyhaul ", env!("CARGO_PKG_VERSION")))
            .compression(Some(Compression::Zstd))
            .compression_level(3)
            .compression_threads(0)
            .chunk_size(None)
            .disable_seeking(true);
        let mut tape = Tape {
            writer: options.create(file)?,
            length,
            channels: BTreeMap::new(),
            sequences: BTreeMap::new(),
            open_bytes: 0,
        };
        let descriptors = descriptors();
        for topic in Topic::ALL {
            let channel = match topic.message() {
                Some(name) => tape.add_channel(topic.name(), name, &descriptors)?,
                None => tape.add_json_channel(topic.name())?,
            };
            tape.channels.insert(topic, channel);
        }
        Ok(tape)
    }

    /// Of protobuf messages that are described so.
    ///
    /// # Errors
    /// See [`Tape::write`].
    pub fn add_channel(&mut self, topic: &str, message: &str, descriptors: &[u8]) -> Result<u16, TapeError> {
        let schema = self.writer.add_schema(message, "protobuf", descriptors)?;
        Ok(self
            .writer
            .add_channel(schema, topic, "protobuf", &BTreeMap::new())?)
    }

    fn add_json_channel(&mut self, topic: &str) -> Result<u16, TapeError> {
        let name = format!("skyhaul.{topic}");
        let schema = self
            .writer
            .add_schema(&name, "jsonschema", ANY_OBJECT.as_bytes())?;
        Ok(self.writer.add_channel(schema, topic, "json", &BTreeMap::new())?)
    }

    /// `time_ns`: simulated, since 1970.
    ///
    /// # Errors
    /// A disk that takes no more; as for all here.
    pub fn write(&mut self, topic: Topic, time_ns: u64, message: &[u8]) -> Result<(), TapeError> {
        self.write_to(self.channels[&topic], time_ns, message)
    }

    /// The same on a channel that was added.
    ///
    /// # Errors
    /// See [`Tape::write`].
    pub fn write_to(&mut self, channel_id: u16, time_ns: u64, message: &[u8]) -> Result<(), TapeError> {
        let sequence = self.sequences.entry(channel_id).or_default();
        let header = MessageHeader {
            channel_id,
            sequence: *sequence,
            log_time: time_ns,
            publish_time: time_ns,
        };
        *sequence = sequence.wrapping_add(1);
        self.writer.write_to_known_channel(&header, message)?;
        self.open_bytes += message.len() as u64;
        Ok(())
    }

    pub fn open_bytes(&self) -> u64 {
        self.open_bytes
    }

    /// What was written so far can be read from now on, whatever happens.
    ///
    /// # Errors
    /// See [`Tape::write`].
    pub fn close_chunk(&mut self) -> Result<(), TapeError> {
        if self.open_bytes > 0 {
            self.writer.flush()?;
            self.open_bytes = 0;
        }
        Ok(())
    }

    /// Of chunks that are closed.
    ///
    /// # Errors
    /// See [`Tape::write`].
    pub fn written_bytes(&self) -> Result<u64, TapeError> {
        Ok(self.length.metadata()?.len())
    }

    /// Ends the file with its index; answers how long it is.
    ///
    /// # Errors
    /// See [`Tape::write`].
    pub fn finish(mut self) -> Result<u64, TapeError> {
        self.writer.finish()?;
        let mut buffered = self.writer.into_inner().into_inner();
        buffered.flush()?;
        let file = buffered.get_ref();
        file.sync_all()?;
        Ok(file.metadata()?.len())
    }
}
