//! Where the chunks of a file are: as its end tells, or, where it has none, as they come.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use mcap::MAGIC;
use mcap::read::{LinearReader, parse_record};
use mcap::records::{Record, op};
use mcap::sans_io::summary_reader::{SummaryReadEvent, SummaryReader};

use super::file::{Chunk, FileError};
use super::layout::{FORMAT, PROFILE, Topic};
use super::origin::Origin;

/// All that is in a chunk, checked against its checksum. Several may read at once.
pub(super) fn records(file: &File, chunk: &Chunk) -> Result<Vec<Record<'static>>, FileError> {
    let mut bytes = vec![0; chunk.length as usize];
    file.read_exact_at(&mut bytes, chunk.offset)?;
    let body = bytes.get(RECORD_HEAD as usize..).unwrap_or_default();
    let Record::Chunk { header, data } = parse_record(op::CHUNK, body)? else {
        return Err(FileError::Damaged("a chunk is none".to_owned()));
    };
    if header.compression != "zstd" || header.uncompressed_size > CHUNK_MOST {
        return Err(FileError::Damaged("a chunk is none of ours".to_owned()));
    }
    // Checked whole, before anything in it is believed.
    let data = zstd::bulk::decompress(&data, header.uncompressed_size as usize)
        .map_err(|error| FileError::Damaged(error.to_string()))?;
    if crc32fast::hash(&data) != header.uncompressed_crc {
        return Err(FileError::Damaged("a chunk is not as it was written".to_owned()));
    }
    let records = LinearReader::sans_magic(&data).map(|record| record.map(Record::into_owned));
    Ok(records.collect::<Result<_, _>>()?)
}

/// No chunk of ours is longer, uncompressed.
const CHUNK_MOST: u64 = 1 << 32;

/// An op-code and a length.
const RECORD_HEAD: u64 = 9;
/// No head of ours is longer.
const HEADER_MOST: usize = 4_096;

pub(super) fn is_foreign(file: &mut File, length: u64) -> Result<bool, FileError> {
    let mut magic = vec![0; MAGIC.len().min(length as usize)];
    file.read_exact(&mut magic)?;
    if !MAGIC.starts_with(&magic) {
        return Err(FileError::NoMcap);
    }
    let Some((op::HEADER, body)) = read_record(file, MAGIC.len() as u64, length, HEADER_MOST)? else {
        return Err(FileError::Nothing);
    };
    match parse_record(op::HEADER, &body)? {
        Record::Header(header) => Ok(header.profile != PROFILE),
        _ => Ok(true),
    }
}

pub(super) fn ends_whole(file: &mut File, length: u64) -> Result<bool, FileError> {
    let Some(at) = length.checked_sub(MAGIC.len() as u64) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(at))?;
    let mut magic = vec![0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    Ok(magic == MAGIC)
}

/// The footer without its checksum, from its op-code on, and with it.
const FOOTER_CHECKED: usize = 25;
const FOOTER: u64 = 29;

/// Whether the index at the end is as its checksum says. One flipped bit could hide a chunk.
pub(super) fn index_is_as_written(file: &File, length: u64) -> Result<bool, FileError> {
    let Some(footer_at) = length.checked_sub(MAGIC.len() as u64 + FOOTER) else {
        return Ok(false);
    };
    let mut footer = [0; FOOTER as usize];
    file.read_exact_at(&mut footer, footer_at)?;
    let (checked, crc) = footer.split_at(FOOTER_CHECKED);
    let mut start = [0; 8];
    start.copy_from_slice(&checked[RECORD_HEAD as usize..][..8]);
    let Some(size) = footer_at.checked_sub(u64::from_le_bytes(start)) else {
        return Ok(false);
    };
    let mut bytes = vec![0; size as usize];
    file.read_exact_at(&mut bytes, footer_at - size)?;
    bytes.extend_from_slice(checked);
    Ok(crc32fast::hash(&bytes).to_le_bytes() == crc)
}

/// `None` where the file ends before it does.
fn read_record(
    file: &mut File,
    at: u64,
    length: u64,
    most: usize,
) -> Result<Option<(u8, Vec<u8>)>, FileError> {
    let Some((op, size)) = read_head(file, at, length)? else {
        return Ok(None);
    };
    if size > most as u64 {
        return Err(FileError::Damaged(format!("a record at byte {at} is too long")));
    }
    let mut body = vec![0; size as usize];
    file.read_exact(&mut body)?;
    Ok(Some((op, body)))
}

/// `None` where the file ends before the record does.
fn read_head(file: &mut File, at: u64, length: u64) -> Result<Option<(u8, u64)>, FileError> {
    if at + RECORD_HEAD > length {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut head = [0; RECORD_HEAD as usize];
    file.read_exact(&mut head)?;
    let [op, size @ ..] = head;
    let size = u64::from_le_bytes(size);
    let fits = (at + RECORD_HEAD)
        .checked_add(size)
        .is_some_and(|end| end <= length);
    Ok(fits.then_some((op, size)))
}

#[derive(Default)]
pub(super) struct Index {
    pub chunks: Vec<Chunk>,
    pub topics: BTreeMap<u16, Topic>,
    pub cut_off: Option<u64>,
    /// All chunks were found, and none by the index at the end.
    pub is_found: bool,
}

impl Index {
    pub fn origin(&self, file: &File) -> Result<Origin, FileError> {
        /// What stands in every format.
        #[derive(serde::Deserialize)]
        struct Version {
            format: u32,
            version: String,
        }
        let first = self.chunks.first().ok_or(FileError::Nothing)?;
        let scenario = records(file, first)?.into_iter().find_map(|record| match record {
            Record::Message { header, data } => {
                let is_it = self.topics.get(&header.channel_id) == Some(&Topic::Scenario);
                is_it.then(|| data.into_owned())
            }
            _ => None,
        });
        let scenario = scenario.ok_or_else(|| FileError::Damaged("its scenario is missing".to_owned()))?;
        let unread = |error: serde_json::Error| FileError::Damaged(format!("its scenario: {error}"));
        let Version { format, version } = serde_json::from_slice(&scenario).map_err(unread)?;
        if format > FORMAT {
            return Err(FileError::Newer { version, format });
        }
        serde_json::from_slice(&scenario).map_err(unread)
    }

    pub fn of_summary(file: &mut File, length: u64) -> Result<Self, FileError> {
        let mut reader = SummaryReader::new();
        while let Some(event) = reader.next_event() {
            match event? {
                SummaryReadEvent::ReadRequest(need) => {
                    let read = file.read(reader.insert(need))?;
                    reader.notify_read(read);
                }
                SummaryReadEvent::SeekRequest(to) => {
                    let at = file.seek(to)?;
                    reader.notify_seeked(at);
                }
            }
        }
        let summary = reader
            .finish()
            .ok_or_else(|| FileError::Damaged("it has no index".to_owned()))?;
        let topics: BTreeMap<u16, Topic> = (summary.channels.iter())
            .filter_map(|(id, channel)| Some((*id, Topic::of_name(&channel.topic)?)))
            .collect();
        let mut chunks = Vec::with_capacity(summary.chunk_indexes.len());
        for index in &summary.chunk_indexes {
            let end = index.chunk_start_offset.checked_add(index.chunk_length);
            if end.is_none_or(|end| end > length) {
                return Err(FileError::Damaged("its index points beyond its end".to_owned()));
            }
            let ids = index.message_index_offsets.keys();
            chunks.push(Chunk {
                offset: index.chunk_start_offset,
                length: index.chunk_length,
                from_ns: index.message_start_time,
                until_ns: index.message_end_time,
                topics: ids.filter_map(|id| topics.get(id).copied()).collect(),
            });
        }
        Ok(Index {
            chunks,
            topics,
            cut_off: None,
            is_found: false,
        })
    }

    /// From record to record, as far as they are whole.
    pub fn of_scan(file: &mut File, length: u64) -> Result<Self, FileError> {
        let mut index = Index::default();
        let whole = index.scan(file, MAGIC.len() as u64, length)?;
        index.cut_off = (!index.is_found).then_some(length - whole);
        Ok(index)
    }

    /// The same between these bytes; answers up to where all is whole.
    pub fn scan(&mut self, file: &mut File, from: u64, length: u64) -> Result<u64, FileError> {
        // The channels that each chunk has messages of.
        let mut of_chunks: Vec<Vec<u16>> = Vec::new();
        let mut at = from;
        // Up to here all is whole.
        let mut whole = at;
        while let Some((op, size)) = read_head(file, at, length)? {
            match op {
                op::CHUNK => {
                    let mut head = [0; 16];
                    if size < 16 {
                        break;
                    }
                    file.read_exact(&mut head)?;
                    let [from_ns, until_ns] = times(head);
                    self.chunks.push(Chunk {
                        offset: at,
                        length: RECORD_HEAD + size,
                        from_ns,
                        until_ns,
                        topics: BTreeSet::new(),
                    });
                    of_chunks.push(Vec::new());
                    whole = at + RECORD_HEAD + size;
                }
                op::MESSAGE_INDEX => {
                    let mut body = vec![0; size as usize];
                    file.read_exact(&mut body)?;
                    if let (Record::MessageIndex(of_channel), Some(last)) =
                        (parse_record(op, &body)?, of_chunks.last_mut())
                    {
                        last.push(of_channel.channel_id);
                    }
                }
                // Whatever comes then is an index that cannot be trusted.
                op::DATA_END => {
                    self.is_found = true;
                    break;
                }
                op::HEADER..op::DATA_END => {}
                _ => return Err(FileError::Damaged(format!("what is at byte {at} is no record"))),
            }
            at += RECORD_HEAD + size;
        }
        self.find_topics(file, &of_chunks)?;
        Ok(whole)
    }

    /// The first chunk names all channels. The last one may have no index behind it any more: then
    /// only it can tell.
    fn find_topics(&mut self, file: &File, of_chunks: &[Vec<u16>]) -> Result<(), FileError> {
        let Some(first) = self.chunks.first() else {
            return Err(FileError::Nothing);
        };
        if self.topics.is_empty() {
            for record in records(file, first)? {
                if let Record::Channel(channel) = record
                    && let Some(topic) = Topic::of_name(&channel.topic)
                {
                    self.topics.insert(channel.id, topic);
                }
            }
        }
        for (chunk, ids) in self.chunks.iter_mut().zip(of_chunks) {
            chunk.topics = ids.iter().filter_map(|id| self.topics.get(id).copied()).collect();
            if ids.is_empty() {
                let held = records(file, chunk)?
                    .into_iter()
                    .filter_map(|record| match record {
                        Record::Message { header, .. } => self.topics.get(&header.channel_id).copied(),
                        _ => None,
                    });
                chunk.topics = held.collect();
            }
        }
        Ok(())
    }
}

/// Of a chunk's first message and of its last.
fn times(head: [u8; 16]) -> [u64; 2] {
    let mut halves = [[0; 8]; 2];
    for (half, bytes) in halves.iter_mut().zip(head.chunks_exact(8)) {
        half.copy_from_slice(bytes);
    }
    halves.map(u64::from_le_bytes)
}
