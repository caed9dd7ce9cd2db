//! `skyhaul backup`: a copy of a data folder, while its server runs or not.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::auth::KEY_FILE;
use crate::store::{self, HISTORY_FOLDER, sqlite};

#[derive(clap::Args)]
pub struct Args {
    /// The server's data folder
    #[arg(long, value_name = "DIR", env = "SKYHAUL_DATA", hide_env_values = true, default_value = "./data", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    data: String,
    /// The folder to make; `skyhaul serve --data OUT` starts from it
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

pub fn backup(args: Args) -> Result<(), Failure> {
    if !store::is_folder(&args.data) {
        return Err(Failure::bad_input(
            format!("{} is not a folder", store::shown(&args.data)),
            "a database is backed up with pg_dump, at any time; what is in memory cannot be",
        ));
    }
    let from = Path::new(&args.data);
    let tick = sqlite::backup(from, &args.out).map_err(|error| {
        let remedy = error.remedy().unwrap_or("see whether the server still works");
        Failure::bad_input(error.to_string(), remedy)
    })?;
    // After the database: it names no file that is not complete.
    copy_beside(from, &args.out).map_err(|cause| {
        Failure::failed(
            format!("what lies beside the store cannot be copied: {cause}"),
            "see whether the disk has room, remove what was copied, and try again",
        )
    })?;
    println!("{}: the world up to tick {tick}", args.out.display());
    Ok(())
}

/// The key of tokens, so that links go on working, and the days that were moved out.
fn copy_beside(from: &Path, to: &Path) -> io::Result<()> {
    copy_if_there(&from.join(KEY_FILE), &to.join(KEY_FILE))?;
    let days = match fs::read_dir(from.join(HISTORY_FOLDER)) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
        days => days?,
    };
    let folder = to.join(HISTORY_FOLDER);
    fs::create_dir_all(&folder)?;
    for day in days {
        let day = day?;
        if day
            .path()
            .extension()
            .is_some_and(|extension| extension == "parquet")
        {
            copy_if_there(&day.path(), &folder.join(day.file_name()))?;
        }
    }
    Ok(())
}

/// With its permissions.
fn copy_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::copy(from, to) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        copied => copied.and_then(|_| fs::File::open(to)?.sync_all()),
    }
}
