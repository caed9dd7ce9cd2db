//! The key that signs tokens: given by the operator, kept in the data folder, or made for
//! the life of the process.
//!
//! In the folder it is the file `token.key`, readable by its owner alone. It is written
//! under another name first and linked into place, so that nobody ever reads half a key
//! and two programs that start at once agree on one.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jsonwebtoken::{DecodingKey, EncodingKey};

/// The key's name in the data folder.
pub const KEY_FILE: &str = "token.key";
/// The environment variable that gives a key instead.
pub const KEY_VARIABLE: &str = "SKYHAUL_TOKEN_KEY";

/// As long as what HS256 makes of it; a shorter one would be the weakest part.
const SHORTEST_KEY: usize = 32;
const LONGEST_KEY: u64 = 4096;
/// Of a key that is made here.
const KEY_BYTES: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the token key {source_name} has {bytes} bytes; at least {SHORTEST_KEY} are needed")]
    TooShort { source_name: String, bytes: usize },
    #[error("the token key {} can be read by others (mode {mode:04o})", path.display())]
    ReadableByOthers { path: PathBuf, mode: u32 },
    #[error("{} is not a file that could hold a token key", path.display())]
    NotAFile { path: PathBuf },
    #[error("the token key {} cannot be read or made: {cause}", path.display())]
    Unusable { path: PathBuf, cause: io::Error },
    #[error("the system gives no random bytes for a token key: {0}")]
    NoRandomness(getrandom::Error),
}

impl KeyError {
    /// What the user can do.
    pub fn remedy(&self) -> String {
        match self {
            KeyError::TooShort { .. } => {
                format!("give at least {SHORTEST_KEY} random bytes, e.g. those of `openssl rand -hex 32`")
            }
            KeyError::ReadableByOthers { path, .. } => format!(
                "if nobody has read it: chmod 600 {0}; else remove {0}, and all tokens end",
                path.display()
            ),
            KeyError::NotAFile { path } | KeyError::Unusable { path, .. } => format!(
                "see to it that {} can be read and written by you, or give {KEY_VARIABLE}",
                path.display()
            ),
            KeyError::NoRandomness(_) => format!("give {KEY_VARIABLE}"),
        }
    }
}

/// What signs tokens, and tells whether one was signed with it.
#[derive(Clone)]
pub struct TokenKey {
    pub(super) signing: EncodingKey,
    pub(super) verifying: DecodingKey,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(secret)")
    }
}

impl TokenKey {
    /// From the text of [`KEY_VARIABLE`].
    ///
    /// # Errors
    /// `TooShort`.
    pub fn given(text: &str) -> Result<Self, KeyError> {
        TokenKey::from_text(text, KEY_VARIABLE.to_owned())
    }

    /// One that nobody else has, for as long as the process lives.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn of_this_process() -> Result<Self, KeyError> {
        random_text(KEY_BYTES).and_then(|text| TokenKey::given(&text))
    }

    /// The key of a data folder, which is made where there is none, as is the folder.
    ///
    /// # Errors
    /// All of them.
    pub fn in_folder(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(KEY_FILE);
        if let Some(key) = read(&path)? {
            return Ok(key);
        }
        make(folder, &path)?;
        read(&path)?.ok_or_else(|| KeyError::Unusable {
            path,
            cause: io::ErrorKind::NotFound.into(),
        })
    }

    fn from_text(text: &str, source_name: String) -> Result<Self, KeyError> {
        let bytes = text.trim().as_bytes();
        if bytes.len() < SHORTEST_KEY {
            return Err(KeyError::TooShort {
                source_name,
                bytes: bytes.len(),
            });
        }
        Ok(TokenKey {
            signing: EncodingKey::from_secret(bytes),
            verifying: DecodingKey::from_secret(bytes),
        })
    }
}

/// `None` where there is no such file.
fn read(path: &Path) -> Result<Option<TokenKey>, KeyError> {
    let unusable = |cause| KeyError::Unusable {
        path: path.to_owned(),
        cause,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(unusable(cause)),
    };
    // Of the file that is open, not of whatever has its name by now.
    let metadata = file.metadata().map_err(unusable)?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::ReadableByOthers {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.take(LONGEST_KEY)
        .read_to_string(&mut text)
        .map_err(unusable)?;
    TokenKey::from_text(&text, path.display().to_string()).map(Some)
}

fn make(folder: &Path, path: &Path) -> Result<(), KeyError> {
    let text = random_text(KEY_BYTES)?;
    let unfinished = folder.join(format!("{KEY_FILE}.new-{}", random_text(8)?));
    let made = write_and_link(folder, path, &unfinished, &text);
    // Linked or not, its work is done; where it was never made there is nothing to remove.
    let _not_there = fs::remove_file(&unfinished);
    made.map_err(|cause| KeyError::Unusable {
        path: path.to_owned(),
        cause,
    })
}

fn write_and_link(folder: &Path, path: &Path, unfinished: &Path, text: &str) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(unfinished)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    match fs::hard_link(unfinished, path) {
        Ok(()) => File::open(folder)?.sync_all(),
        // Somebody was quicker: theirs is the key.
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(cause),
    }
}

/// Random bytes in hexadecimal digits, so that a key's file can be given as the variable.
fn random_text(bytes: usize) -> Result<String, KeyError> {
    let mut bytes = vec![0_u8; bytes];
    getrandom::fill(&mut bytes).map_err(KeyError::NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_gets_one_key_that_only_its_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        TokenKey::in_folder(&data).unwrap();
        let path = data.join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let first = fs::read_to_string(&path).unwrap();
        assert_eq!(first.trim().len(), 64);
        TokenKey::in_folder(&data).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), first, "it is kept");
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing is left over");
    }

    #[test]
    fn many_that_start_at_once_agree_on_one_key() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| TokenKey::in_folder(folder.path()).unwrap());
            }
        });
        let path = folder.path().join(KEY_FILE);
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.trim().len(), 64);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        TokenKey::in_folder(folder.path()).unwrap();
        let path = folder.path().join(KEY_FILE);
        for mode in [0o640, 0o604, 0o644, 0o660] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = TokenKey::in_folder(folder.path()).unwrap_err();
            assert!(matches!(refused, KeyError::ReadableByOthers { .. }), "{refused}");
        }
    }

    #[test]
    fn weak_keys_are_refused() {
        assert!(matches!(
            TokenKey::given(&"x".repeat(31)),
            Err(KeyError::TooShort { bytes: 31, .. })
        ));
        assert!(TokenKey::given(&"x".repeat(32)).is_ok());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(&path, "short\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(
            TokenKey::in_folder(folder.path()),
            Err(KeyError::TooShort { bytes: 5, .. })
        ));
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = TokenKey::given(&"secret-secret-".repeat(3)).unwrap();
        assert!(!format!("{key:?}").contains("secret-"), "{key:?}");
    }
}
