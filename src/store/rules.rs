//! The rules that every back end keeps, whatever its rows look like: what may follow the
//! journal's end, what a batch looks like in bytes, and what a hole means.

use super::{Epoch, IngestBatch, Snapshot, StoreError, TickRow};
use crate::sim::command::Command;
use crate::sim::notice::Notice;
use crate::sim::time::Tick;

/// The first byte of a batch; the rest is the commands in postcard.
const BATCH_FORMAT: u8 = 1;

/// Where the journal ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub last_seq: u64,
    pub last_tick: Tick,
    pub admitted_through: u64,
}

/// How a row stands to what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It continues what is kept.
    New,
    /// Its number is taken: it must equal what is kept there.
    Repeated,
}

impl Head {
    /// From the last batch and the last tick that are kept; 0 where there is none.
    pub fn new(last_stored: u64, last_tick: Tick, admitted_through: u64) -> Self {
        // Batches may all be pruned; then the last tick has admitted every one of them.
        Head {
            last_seq: last_stored.max(admitted_through),
            last_tick,
            admitted_through,
        }
    }

    /// Where this batch belongs; a new one moves the end. It must not be empty.
    pub fn take_batch(&mut self, batch: &IngestBatch) -> Result<Standing, StoreError> {
        if batch.first_seq <= self.last_seq {
            return Ok(Standing::Repeated);
        }
        if batch.first_seq != self.last_seq + 1 {
            return Err(StoreError::OutOfOrder {
                what: format!("command {}", batch.first_seq),
            });
        }
        self.last_seq = batch.next_seq() - 1;
        Ok(Standing::New)
    }

    /// Where this tick belongs; a new one moves the end.
    pub fn take_tick(&mut self, row: &TickRow) -> Result<Standing, StoreError> {
        if row.tick <= self.last_tick {
            return Ok(Standing::Repeated);
        }
        let follows = row.tick == self.last_tick + 1
            && (self.admitted_through..=self.last_seq).contains(&row.admitted_through);
        if !follows {
            return Err(StoreError::tick_out_of_order(row.tick));
        }
        self.last_tick = row.tick;
        self.admitted_through = row.admitted_through;
        Ok(Standing::New)
    }

    /// Where this snapshot belongs, after one at the tick `previous`.
    pub fn take_snapshot(&self, previous: Option<Tick>, snapshot: &Snapshot) -> Result<Standing, StoreError> {
        match previous {
            Some(tick) if tick == snapshot.tick => Ok(Standing::Repeated),
            Some(tick) if tick > snapshot.tick => Err(StoreError::tick_out_of_order(snapshot.tick)),
            _ if snapshot.tick > self.last_tick => Err(StoreError::tick_out_of_order(snapshot.tick)),
            _ => Ok(Standing::New),
        }
    }
}

/// What is repeated must be what is kept.
pub(super) fn same(equal: bool, what: impl FnOnce() -> String) -> Result<(), StoreError> {
    if equal {
        Ok(())
    } else {
        Err(StoreError::Corrupt {
            what: format!("{} differ from those kept", what()),
        })
    }
}

/// A hole at the very start of what was asked for is pruning, a later one is damage.
pub(super) fn hole(what: &'static str, asked: u64, at: u64) -> StoreError {
    if asked == at {
        StoreError::Pruned { what, asked }
    } else {
        StoreError::Corrupt {
            what: format!("{what} have a hole at {at}"),
        }
    }
}

/// Whether these ticks follow `tick` without a hole.
pub(super) fn check_whole(tick: Tick, rows: &[TickRow]) -> Result<(), StoreError> {
    for (expected, row) in (tick + 1..).zip(rows) {
        if row.tick != expected {
            return Err(hole("ticks", tick + 1, expected));
        }
    }
    Ok(())
}

/// Gathers commands from `seq` on out of batches in their order.
pub(super) struct Gathering {
    seq: u64,
    limit: usize,
    expected: Option<u64>,
    commands: Vec<(u64, Command)>,
}

impl Gathering {
    pub fn new(seq: u64, limit: usize) -> Self {
        Gathering {
            seq,
            limit,
            expected: None,
            commands: Vec::new(),
        }
    }

    pub fn is_full(&self) -> bool {
        self.commands.len() >= self.limit
    }

    pub fn add(&mut self, first_seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let continues = self
            .expected
            .map_or(first_seq <= self.seq, |expected| first_seq == expected);
        if !continues {
            return Err(hole("commands", self.seq, self.expected.unwrap_or(self.seq)));
        }
        let batch = decode_batch(first_seq, bytes)?;
        self.expected = Some(first_seq + batch.len() as u64);
        let numbered = (first_seq..).zip(batch);
        self.commands
            .extend(numbered.filter(|(number, _)| *number >= self.seq));
        Ok(())
    }

    pub fn finish(mut self) -> Vec<(u64, Command)> {
        self.commands.truncate(self.limit);
        self.commands
    }
}

/// The keys of a batch with what was asked for under them, in their order.
pub(super) fn keys_of(batch: &IngestBatch) -> impl Iterator<Item = (&str, &[u8])> {
    batch.commands.iter().filter_map(|command| match command {
        Command::RequestDelivery {
            id,
            idempotency_key: Some(key),
            ..
        } => Some((key.as_str(), &id.as_bytes()[..])),
        _ => None,
    })
}

pub(super) fn encode_batch(commands: &[Command]) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(commands, vec![BATCH_FORMAT]).map_err(|cause| StoreError::Corrupt {
        what: format!("commands that cannot be encoded: {cause}"),
    })
}

fn decode_batch(first_seq: u64, bytes: &[u8]) -> Result<Vec<Command>, StoreError> {
    let corrupt = |cause: String| StoreError::Corrupt {
        what: format!("batch at command {first_seq}: {cause}"),
    };
    match bytes.split_first() {
        Some((&BATCH_FORMAT, rest)) => postcard::from_bytes(rest).map_err(|cause| corrupt(cause.to_string())),
        Some((format, _)) => Err(corrupt(format!("unknown format {format}"))),
        None => Err(corrupt("empty".to_owned())),
    }
}

/// The first byte of a notice; the rest is the notice in postcard.
const NOTICE_FORMAT: u8 = 1;

pub(super) fn encode_notice(notice: &Notice) -> Result<Vec<u8>, StoreError> {
    postcard::to_extend(notice, vec![NOTICE_FORMAT]).map_err(|cause| StoreError::Corrupt {
        what: format!("a notice that cannot be encoded: {cause}"),
    })
}

pub(super) fn decode_notice(number: u64, bytes: &[u8]) -> Result<Notice, StoreError> {
    let decoded = match bytes.split_first() {
        Some((&NOTICE_FORMAT, rest)) => postcard::from_bytes(rest).ok(),
        _ => None,
    };
    decoded.ok_or_else(|| StoreError::Corrupt {
        what: format!("notice {number} cannot be read"),
    })
}

/// The epoch of a world that begins now: in milliseconds, since who followed another world at
/// the same address, which left nothing behind to count on from, must not take this one for it.
pub(super) fn new_epoch() -> Epoch {
    Epoch(wall_ms())
}

/// Milliseconds since 1970, by the wall clock.
pub(super) fn wall_ms() -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "epochs and the age of keys, which the simulation never sees"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    since.as_secs() * 1_000 + u64::from(since.subsec_millis())
}
