//! What is old: days of history go out to files, and idempotency keys are forgotten.
//!
//! A day goes when all of it is older than history is to be kept, and nothing of it is in
//! memory alone. Its file is complete and on disk before the store is told to let go of the
//! first delivery; from then on those are answered with the name of the file. Whenever the
//! program dies in between, the next start goes on: before the store was told, the file is
//! written anew, from the same rows; after that, it is left as it is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::sim::calendar::Day;
use crate::sim::time::{SimDuration, SimTime};
use crate::store::writer::Refused;
use crate::store::{MovedDay, Writer};
use crate::view::archive::Unread;
use crate::view::day::{DayExport, NoDay};
use crate::view::{EndFilter, View};

/// How often it is looked whether something is old.
const EVERY: Duration = Duration::from_secs(1);
/// In so many of these looks, keys are forgotten in one.
const KEYS_EVERY: u64 = 60;
/// What the store lets go of at once, so that no tick waits long for it.
const AT_ONCE: usize = 1_000;

/// How long history is kept in the store, and where it goes then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// By the simulated clock.
    pub history: SimDuration,
    pub folder: PathBuf,
}

pub(super) struct Retention {
    pub view: Arc<View>,
    pub writer: Writer,
    pub keep: Option<Keep>,
}

/// Why a day stays for now.
#[derive(Debug, thiserror::Error)]
enum Stays {
    #[error(transparent)]
    NoDay(#[from] NoDay),
    #[error("the file cannot be written: {0}")]
    File(#[from] io::Error),
    #[error("the store does not let go: {0}")]
    Store(#[from] Refused),
}

impl From<Unread> for Stays {
    fn from(unread: Unread) -> Self {
        Stays::NoDay(unread.into())
    }
}

impl Retention {
    /// Until the server closes.
    pub(super) async fn run(self, mut closed: watch::Receiver<bool>) {
        let mut looks = interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut number: u64 = 0;
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                _ = closed.wait_for(|closed| *closed) => return,
            }
            number += 1;
            if number.is_multiple_of(KEYS_EVERY) {
                self.forget_keys().await;
            }
            if let Some(keep) = &self.keep
                && let Err(stays) = self.move_old_day(keep).await
            {
                tracing::warn!(%stays, "a day of history is not moved out yet");
            }
        }
    }

    /// Whoever does not answer is asked again at the next look.
    async fn forget_keys(&self) {
        while let Ok(AT_ONCE) = self.writer.forget_old_keys(AT_ONCE).await {}
    }

    /// The oldest, where that is old enough.
    async fn move_old_day(&self, keep: &Keep) -> Result<(), Stays> {
        let world = &self.view.world();
        let all = EndFilter {
            owner: None,
            only: None,
            from: SimTime::START,
            until: SimTime::NEVER,
        };
        let Some(oldest) = self.view.oldest_kept(&all).await? else {
            return Ok(());
        };
        let day = Day::of(world, oldest);
        let (from, until) = (day.begins(world), day.next().begins(world));
        let is_old = self.view.clock().at >= until + keep.history;
        if !(is_old && self.view.has_kept_all_before(until)) {
            return Ok(());
        }
        if !self.view.is_moved(day).await? {
            let bytes = self.write(day, &keep.folder).await?;
            tracing::info!(%day, bytes, folder = %keep.folder.display(), "a day of history is moved out");
        }
        let moved = MovedDay { day, from, until };
        self.writer.move_out(moved, 0).await?;
        self.view.moved_out_before(until);
        while self.writer.move_out(moved, AT_ONCE).await? > 0 {}
        Ok(())
    }

    /// Answers how long the file is. What is there under its name is whole at any time.
    async fn write(&self, day: Day, folder: &Path) -> Result<usize, Stays> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{day}.parquet"));
        let unfinished = folder.join(format!("{day}.parquet.new"));
        let mut file = File::create(&unfinished)?;
        let mut export = DayExport::of(&self.view, day)?;
        let mut length = 0;
        while let Some(bytes) = export.next(&self.view).await? {
            length += bytes.len();
            file.write_all(&bytes)?;
        }
        let folder = folder.to_owned();
        let durable = move || -> io::Result<()> {
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&folder)?.sync_all()
        };
        tokio::task::spawn_blocking(durable)
            .await
            .map_err(io::Error::other)??;
        Ok(length)
    }
}
