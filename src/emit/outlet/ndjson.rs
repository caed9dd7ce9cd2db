//! Lines of JSON, to a file or the standard output.

use std::io::ErrorKind;
use std::os::fd::AsFd;

use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};

use super::Broken;
use super::destination::Place;
use crate::emit::Record;
use crate::emit::tally::Sent;

/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 16;

pub struct Lines {
    to: BufWriter<File>,
}

impl Lines {
    pub fn open(place: &Place) -> Result<Self, String> {
        let opened = match place {
            Place::StandardOutput => own_standard_output(),
            Place::File(path) => std::fs::File::create(path),
        };
        let to = File::from_std(opened.map_err(|error| error.to_string())?);
        Ok(Lines {
            to: BufWriter::with_capacity(AT_ONCE, to),
        })
    }

    pub async fn send(&mut self, records: &[Record]) -> Result<Sent, Broken> {
        let mut sent = Sent::default();
        match self.write(records, &mut sent).await {
            Ok(()) => Ok(sent),
            Err(error) => over(sent, error, records.len()),
        }
    }

    async fn write(&mut self, records: &[Record], sent: &mut Sent) -> std::io::Result<()> {
        for record in records {
            self.to.write_all(&record.json).await?;
            self.to.write_all(b"\n").await?;
            sent.records += 1;
            sent.bytes += record.json.len() as u64 + 1;
        }
        // Whoever reads along sees a beat when it is over.
        self.to.flush().await
    }

    pub async fn close(mut self) -> Result<Sent, Broken> {
        match self.to.shutdown().await {
            Ok(()) => Ok(Sent::default()),
            Err(error) => over(Sent::default(), error, 0),
        }
    }
}

fn own_standard_output() -> std::io::Result<std::fs::File> {
    Ok(std::io::stdout().as_fd().try_clone_to_owned()?.into())
}

/// Who reads from a pipe may stop reading, and has all that they wanted. A disk that is full is
/// something else.
fn over(sent: Sent, error: std::io::Error, asked: usize) -> Result<Sent, Broken> {
    if error.kind() == ErrorKind::BrokenPipe {
        return Err(Broken);
    }
    let lost = (asked as u64).saturating_sub(sent.records).max(1);
    Ok(Sent {
        failed: lost,
        failure: Some(error.to_string()),
        ..sent
    })
}
