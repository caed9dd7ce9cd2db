//! A copy of a store in a folder, made while a server uses it: as it was at one moment, with
//! all that was committed before it began.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::open::{
    BUSY_TIMEOUT, DATABASE, NEW_DATABASE, is_store, make_folder, remove_database, sync_folder, take_lock,
    unwritable,
};
use super::rows;
use crate::sim::time::Tick;
use crate::store::StoreError;

/// Copies the store in `from` to the folder `to`, which is made if missing and holds no store
/// yet; answers with the last tick that is in the copy. Who writes is not held up.
///
/// # Errors
/// `NoStore` where there is nothing to copy, `BadLocation` where something is at `to`; `Locked`,
/// `NotAStore`, `Unwritable`, and the retryable ones.
pub fn backup(from: &Path, to: &Path) -> Result<Tick, StoreError> {
    let source = from.join(DATABASE);
    if !is_store(&source)? {
        return Err(StoreError::NoStore {
            place: from.display().to_string(),
        });
    }
    make_folder(to)?;
    let _lock = take_lock(to)?;
    let (copy, unfinished) = (to.join(DATABASE), to.join(NEW_DATABASE));
    if copy.exists() {
        return Err(StoreError::BadLocation {
            place: to.display().to_string(),
            cause: "a store is there already, and a backup replaces none".to_owned(),
        });
    }
    remove_database(&unfinished)?;
    let running = Connection::open_with_flags(
        &source,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    running.busy_timeout(BUSY_TIMEOUT)?;
    // A reader sees one moment of the database, however long it reads.
    running.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])?;
    drop(running);
    let last_tick = rows::read_head(&Connection::open(&unfinished)?)?.last_tick;

    // Without the last step there is no store at `to`, rather than half of one.
    let put_in_place = || {
        fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
        File::open(&unfinished)?.sync_all()?;
        fs::rename(&unfinished, &copy)?;
        sync_folder(to)
    };
    put_in_place().map_err(|cause| unwritable(&copy, &cause))?;
    Ok(last_tick)
}
