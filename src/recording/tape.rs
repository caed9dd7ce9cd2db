//! The file while it is written: channels, chunks, and when a chunk is closed.
//!
//! Bytes are only ever added to the file, so whatever happens to the program, all chunks but the
//! last one can be read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

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
    sequences: BTreeMap<Topic, u32>,
    /// In the chunk that is open.
    open_bytes: u64,
}

impl Tape {
    /// A new file, or an old one anew.
    ///
    /// # Errors
    /// A place where nothing can be written.
    pub fn create(path: &Path) -> Result<Self, TapeError> {
        Self::on(File::create(path)?)
    }

    /// A new file, where there is none yet.
    ///
    /// # Errors
    /// See [`Tape::create`].
    pub fn create_new(path: &Path) -> Result<Self, TapeError> {
        Self::on(File::create_new(path)?)
    }

    fn on(file: File) -> Result<Self, TapeError> {
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
        let mut writer = options.create(file)?;
        let mut channels = BTreeMap::new();
        let descriptors = descriptors();
        for topic in Topic::ALL {
            let (schema, encoding) = match topic.message() {
                Some(name) => (writer.add_schema(name, "protobuf", &descriptors)?, "protobuf"),
                None => {
                    let name = format!("skyhaul.{}", topic.name());
                    let schema = writer.add_schema(&name, "jsonschema", ANY_OBJECT.as_bytes())?;
                    (schema, "json")
                }
            };
            let channel = writer.add_channel(schema, topic.name(), encoding, &BTreeMap::new())?;
            channels.insert(topic, channel);
        }
        Ok(Tape {
            writer,
            length,
            channels,
            sequences: BTreeMap::new(),
            open_bytes: 0,
        })
    }

    /// `time_ns`: simulated, since 1970.
    ///
    /// # Errors
    /// A disk that takes no more; as for all here.
    pub fn write(&mut self, topic: Topic, time_ns: u64, message: &[u8]) -> Result<(), TapeError> {
        let sequence = self.sequences.entry(topic).or_default();
        let header = MessageHeader {
            channel_id: self.channels[&topic],
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
