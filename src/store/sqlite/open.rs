//! From a folder to an open store: the lock, whose store it is, and starting over.
//!
//! A new database is built under another name and moved into place, so that a half-made one
//! never exists under the real name, and starting over never loses the old epoch.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{OnDisk, SqliteStore, file_id, migrate, schema, undo};
use crate::store::rules::new_epoch;
use crate::store::{Epoch, Identity, SNAPSHOT_FORMATS, StoreError};

/// The database's name in its folder.
pub const DATABASE: &str = "skyhaul.db";
/// The write-ahead log's.
pub const LOG: &str = "skyhaul.db-wal";
pub(super) const NEW_DATABASE: &str = "skyhaul.db.new";
const LOCK: &str = "skyhaul.lock";
/// A second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// What SQLite adds to a database's name for the files beside it.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Pages that the write-ahead log gathers before they move into the database.
const CHECKPOINT_PAGES: u32 = 4000;
/// What a large snapshot may leave of the write-ahead log on disk, bytes.
const LOG_BYTES_KEPT: u32 = 64 << 20;
/// Pages of the database in memory, KiB: the newest of history and of each of its indexes,
/// where the next rows go. SQLite's own 2 MiB would be read again and again.
const CACHE_KIB: i32 = 32 << 10;
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(500);
pub(super) const STATEMENTS_CACHED: usize = 32;

/// Opens the store in `dir`, which is made if missing, for this process alone.
///
/// With `fresh` the store's own files are replaced by those of an empty one whose epoch is
/// above the old; other files in the folder are never touched.
///
/// # Errors
/// `Locked`, `OtherWorld`, `NewerFormat`, `OtherSnapshot`, `NotAStore`, `Unwritable`, `Corrupt`, and the
/// retryable ones.
pub fn open(dir: &Path, identity: &Identity, fresh: bool) -> Result<SqliteStore, StoreError> {
    make_folder(dir)?;
    let lock = take_lock(dir)?;
    let path = dir.join(DATABASE);
    match (is_store(&path)?, fresh) {
        (false, _) => create(dir, identity, new_epoch())?,
        (true, true) => create(dir, identity, epoch_above(&path))?,
        (true, false) => {}
    }

    let mut conn = connect(&path)?;
    let found = schema::read_format(&conn)?;
    if found > schema::FORMAT {
        return Err(StoreError::NewerFormat {
            place: dir.display().to_string(),
            found,
            known: schema::FORMAT,
        });
    }
    let (held, epoch) = schema::read_world(&conn)?;
    if held != *identity {
        return Err(StoreError::OtherWorld {
            place: dir.display().to_string(),
            held,
            asked: *identity,
        });
    }
    // From here on the store is rewritten: no program that made it could read it any more.
    if let Some(found) =
        schema::read_snapshot_format(&conn)?.filter(|found| !SNAPSHOT_FORMATS.contains(found))
    {
        return Err(StoreError::OtherSnapshot {
            place: dir.display().to_string(),
            found,
        });
    }
    migrate::to_newest(&mut conn, found)?;
    undo::put_back(&mut conn)?;
    let file = file_id(&path).map_err(|cause| unwritable(&path, &cause))?;
    Ok(SqliteStore {
        conn,
        identity: held,
        epoch,
        on_disk: Some(OnDisk {
            path,
            file,
            _lock: lock,
        }),
    })
}

/// A store that ends with the process, for tests and for `--data :memory:`.
pub fn in_memory(identity: &Identity) -> Result<SqliteStore, StoreError> {
    let mut conn = Connection::open_in_memory()?;
    let epoch = new_epoch();
    schema::create(&mut conn, identity, epoch)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(SqliteStore {
        conn,
        identity: *identity,
        epoch,
        on_disk: None,
    })
}

pub(super) fn make_folder(dir: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|cause| match dir.is_file() {
            true => unwritable(dir, &io::Error::other("it is a file, where a folder is wanted")),
            false => unwritable(dir, &cause),
        })
}

/// The operating system drops the lock with the process, however that ends; the file stays,
/// since removing it would let two servers lock two files of the same name.
pub(super) fn take_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join(LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|cause| unwritable(&path, &cause))?;
    match try_for_a_while(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok();
            let pid = pid.and_then(|_| text.trim().parse::<u32>().ok());
            let holder = pid.map(|pid| format!("process {pid}"));
            return Err(StoreError::Locked {
                place: dir.display().to_string(),
                holder,
            });
        }
        Err(TryLockError::Error(cause)) => return Err(unwritable(&path, &cause)),
    }
    file.set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(|cause| unwritable(&path, &cause))?;
    Ok(file)
}

/// A process that ends, or that is about to become another program, may hold it for a moment
/// longer than its store.
fn try_for_a_while(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            result => return result,
        }
    }
    file.try_lock()
}

/// Whether a store is there; an empty file counts as none.
pub(super) fn is_store(path: &Path) -> Result<bool, StoreError> {
    const HEADER_BYTES: u64 = 100;
    const APPLICATION_ID_AT: usize = 68;
    let mut header = Vec::new();
    match File::open(path).and_then(|file| file.take(HEADER_BYTES).read_to_end(&mut header)) {
        Ok(_) => {}
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(cause) => return Err(unwritable(path, &cause)),
    }
    if header.is_empty() {
        return Ok(false);
    }
    let ours = header.starts_with(b"SQLite format 3\0")
        && header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4)
            == Some(&schema::APPLICATION_ID.to_be_bytes()[..]);
    if ours {
        Ok(true)
    } else {
        Err(StoreError::NotAStore {
            place: path.display().to_string(),
        })
    }
}

/// Builds an empty store and puts it in the place of whatever store was there.
fn create(dir: &Path, identity: &Identity, epoch: Epoch) -> Result<(), StoreError> {
    let path = dir.join(DATABASE);
    let new = dir.join(NEW_DATABASE);
    remove_database(&new)?;
    let mut conn = Connection::open(&new)?;
    schema::create(&mut conn, identity, epoch)?;
    conn.close().map_err(|(_, cause)| cause)?;

    let put_in_place = || {
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        // A log left beside the old database would be replayed into the new one.
        remove_companions(&path)?;
        fs::rename(&new, &path)?;
        sync_folder(dir)
    };
    put_in_place().map_err(|cause| unwritable(&path, &cause))
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    if conn.is_readonly("main")? {
        return Err(unwritable(path, &io::ErrorKind::PermissionDenied.into()));
    }
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "cache_size", -CACHE_KIB)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    Ok(conn)
}

/// An epoch that no listener of the old store has seen. Closing the connection also moves
/// what the write-ahead log holds into the old database, so its epoch outlives its log.
fn epoch_above(path: &Path) -> Epoch {
    match connect(path).and_then(|conn| schema::read_world(&conn)) {
        Ok((_, epoch)) => new_epoch().max(epoch.next()),
        Err(error) => {
            tracing::warn!(%error, "the old store's epoch cannot be read, the new one's is the time of day");
            new_epoch()
        }
    }
}

pub(super) fn remove_database(path: &Path) -> Result<(), StoreError> {
    remove_companions(path)
        .and_then(|()| remove_if_there(path))
        .map_err(|cause| unwritable(path, &cause))
}

fn remove_companions(path: &Path) -> io::Result<()> {
    COMPANIONS
        .iter()
        .try_for_each(|suffix| remove_if_there(&companion(path, suffix)))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// `skyhaul.db` and `-wal` make `skyhaul.db-wal`.
fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Makes names durable, as flushing a file makes its content.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

pub(super) fn unwritable(path: &Path, cause: &io::Error) -> StoreError {
    StoreError::Unwritable {
        place: path.display().to_string(),
        cause: cause.to_string(),
    }
}
