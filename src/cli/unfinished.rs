//! A file that is of no use before it is whole: who ends the program ends it too.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Failure;
use super::signals::on_signal;

/// The file that is being made, if one is.
pub(super) struct Unfinished(Arc<Mutex<Option<PathBuf>>>);

impl Unfinished {
    /// From now on a signal ends the program, and what it has not finished is gone.
    pub(super) fn heed_signals() -> Result<Self, Failure> {
        let file = Arc::default();
        let doomed: Arc<Mutex<Option<PathBuf>>> = Arc::clone(&file);
        on_signal(move |status| {
            // Held to the end: nothing is begun or settled any more.
            let file = doomed.lock();
            if let Some(path) = file.as_deref() {
                discard(path);
                eprintln!("ended before {} was whole; it is removed", path.display());
            }
            std::process::exit(status.into());
        })?;
        Ok(Unfinished(file))
    }

    /// Begins the file at this place.
    pub(super) fn begin<T, E>(&self, path: &Path, create: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let mut file = self.0.lock();
        let created = create()?;
        *file = Some(path.to_owned());
        Ok(created)
    }

    /// What becomes of it at last; afterwards it is there, or is not.
    pub(super) fn settle<T>(&self, settle: impl FnOnce() -> T) -> T {
        let mut file = self.0.lock();
        let settled = settle();
        *file = None;
        settled
    }
}

/// Devices and pipes stay.
pub(super) fn discard(path: &Path) {
    if std::fs::metadata(path).is_ok_and(|known| known.is_file()) {
        let _was_never_there = std::fs::remove_file(path);
    }
}
