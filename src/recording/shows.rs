//! Shows of a recording's moments for single sessions, each with a reader, a read side and a clock
//! of its own: as many at a time as there is memory for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use crate::sim::time::SimTime;
use crate::view::commands::{Answer, Commands, PaceChange};
use crate::view::pasts::{NoShow, Pasts, Show};
use crate::view::{Excerpt, View};

use super::file::Recording;
use super::playback::{Playback, Played, Programme};
use super::projector::NotShown;

/// Each holds the state of a whole world.
const SHOWS_MOST: usize = 16;

/// Room for shows; one that is open has a place until it ends.
#[derive(Clone, Default)]
pub(super) struct Room(Arc<AtomicUsize>);

pub(super) struct Place(Arc<AtomicUsize>);

impl Room {
    pub fn take(&self) -> Result<Place, NoShow> {
        let taken = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < SHOWS_MOST).then_some(taken + 1)
        });
        match taken {
            Ok(_) => Ok(Place(Arc::clone(&self.0))),
            Err(_) => Err(NoShow::Full { most: SHOWS_MOST }),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Shows of a file that is whole, within what of it is played for all.
pub struct Shows {
    common: Weak<View>,
    path: PathBuf,
    room: Room,
}

impl Shows {
    pub fn of(playback: &Playback) -> Self {
        Shows {
            common: Arc::downgrade(playback.view()),
            path: playback.path().to_owned(),
            room: Room::default(),
        }
    }
}

impl Pasts for Shows {
    fn open(&self, at: SimTime, change: PaceChange) -> Answer<'_, Arc<dyn Show>, NoShow> {
        Box::pin(async move {
            let common = self.common.upgrade().ok_or(NoShow::Unreadable)?;
            let Excerpt { from, to, .. } = common.excerpt().ok_or(NoShow::Unreadable)?;
            check(at, from, to)?;
            let programme = Programme {
                from,
                to,
                ..Programme::of(change)
            };
            let path = self.path.clone();
            let begin = move || Playback::open(Recording::open(&path)?, programme, at, None);
            let show = open(self.room.take()?, move || (from, to), begin).await?;
            Ok(show.with_timeline_of(&common))
        })
    }
}

/// Opens it on a thread where that may take its time. `span`: from when to when it may go.
pub(super) async fn open(
    place: Place,
    span: impl Fn() -> (SimTime, SimTime) + Send + Sync + 'static,
    begin: impl FnOnce() -> Result<(Arc<Playback>, Played), NotShown> + Send + 'static,
) -> Result<OwnShow, NoShow> {
    let opened = tokio::task::spawn_blocking(begin).await;
    let (playback, _) = opened.map_err(|_| NoShow::Unreadable)?.map_err(|error| {
        tracing::error!(%error, "a moment of the recording cannot be shown");
        NoShow::Unreadable
    })?;
    Ok(OwnShow {
        playback,
        span: Box::new(span),
        _place: place,
    })
}

pub(super) struct OwnShow {
    playback: Arc<Playback>,
    span: Box<dyn Fn() -> (SimTime, SimTime) + Send + Sync>,
    _place: Place,
}

impl OwnShow {
    /// There is one timeline of a recording, whoever looks at which moment of it.
    pub fn with_timeline_of(self, common: &View) -> Arc<dyn Show> {
        if let Some(timeline) = common.timeline() {
            self.playback.view().set_timeline(timeline);
        }
        Arc::new(self)
    }
}

impl Show for OwnShow {
    fn view(&self) -> &Arc<View> {
        self.playback.view()
    }

    fn change(&self, change: PaceChange) -> Answer<'_, (), NoShow> {
        Box::pin(async move {
            let (from, to) = (self.span)();
            change.seek.map_or(Ok(()), |at| check(at, from, to))?;
            let changed = self.playback.control(change).await;
            changed.map_err(|_busy_or_broken| NoShow::Unreadable)
        })
    }

    fn is_over(&self) -> bool {
        self.playback.is_over()
    }
}

pub(super) fn check(at: SimTime, from: SimTime, to: SimTime) -> Result<(), NoShow> {
    match (from..=to).contains(&at) {
        true => Ok(()),
        false => Err(NoShow::Outside { from, to }),
    }
}
