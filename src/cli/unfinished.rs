//! A file that is of no use before it is whole: it is made beside its name, `NAME.part`, and has the
//! name once it is whole. Whatever goes wrong leaves what was there before, and a failure or a signal
//! no other file either; only who is killed leaves the part, and what is whole but cannot have its
//! name stays one. A part that is there already is somebody else's.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Failure;
use super::signals::on_signal;

/// Links that are followed from one to the next, as the system does.
const LINKS_MOST: usize = 40;

pub(super) struct Unfinished {
    /// As it was asked for.
    name: PathBuf,
    out: PathBuf,
    /// Where it is made; devices and pipes are written to as they are.
    beside: Option<PathBuf>,
    /// The part, once it was created and until it has its name.
    part: Arc<Mutex<Option<PathBuf>>>,
}

impl Unfinished {
    /// Nothing is there yet.
    pub fn at(name: &Path) -> Self {
        let is_file = std::fs::metadata(name).map_or(true, |known| known.is_file());
        // What a link leads to is replaced, not the link.
        let out = name.canonicalize().unwrap_or_else(|_| led_to(name));
        let beside = is_file.then(|| {
            let mut beside = out.clone().into_os_string();
            beside.push(".part");
            PathBuf::from(beside)
        });
        Unfinished {
            name: name.to_owned(),
            out,
            beside,
            part: Arc::default(),
        }
    }

    pub fn name(&self) -> &Path {
        &self.name
    }

    /// Where it is made, and where it is in the end.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        self.beside.as_deref().into_iter().chain([self.out.as_path()])
    }

    /// From now on a signal ends the program, and what it has not finished is gone.
    pub fn heed_signals(&self) -> Result<(), Failure> {
        let (part, name) = (Arc::clone(&self.part), self.name.clone());
        on_signal(move |status| {
            // Held to the end: nothing is begun or finished any more.
            let mut part = part.lock();
            if let Some(path) = part.take() {
                discard(&path);
                eprintln!("ended before {} was whole; nothing is left of it", name.display());
            }
            std::process::exit(status.into());
        })
    }

    /// Begins it, as an empty file.
    ///
    /// # Errors
    /// A place where it cannot be, or where somebody else's is.
    pub fn create(&self) -> io::Result<File> {
        let Some(beside) = &self.beside else {
            return File::create(&self.out);
        };
        let mut part = self.part.lock();
        let file = File::create_new(beside).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => io::Error::new(error.kind(), taken(beside)),
            _ => error,
        })?;
        *part = Some(beside.clone());
        Ok(file)
    }

    /// It is whole, and is kept whatever comes.
    ///
    /// # Errors
    /// A place where it cannot have its name.
    pub fn finish(self) -> Result<(), Failure> {
        let mut part = self.part.lock();
        let Some(path) = part.take() else {
            return Ok(());
        };
        std::fs::rename(&path, &self.out).map_err(|error| {
            let (name, part) = (self.name.display(), path.display());
            Failure::failed(
                format!("{name} cannot have its name: {error}; all of it is in {part}"),
                format!("take it from {part}"),
            )
        })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.part.lock().take() {
            discard(&path);
        }
    }
}

fn taken(part: &Path) -> String {
    format!(
        "{} is there already; whoever makes it is still at it, or was killed, and then it can be removed",
        part.display()
    )
}

/// Where a link leads to at which there is nothing yet.
fn led_to(name: &Path) -> PathBuf {
    let mut place = name.to_owned();
    for _ in 0..LINKS_MOST {
        let Ok(next) = place.read_link() else { break };
        place = place.parent().unwrap_or(Path::new("")).join(next);
    }
    place
}

fn discard(path: &Path) {
    let _was_never_there = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// What stands in a folder under which names.
    fn left(folder: &Path) -> Vec<(String, String)> {
        let mut left: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (entry.file_name().into_string().unwrap(), text)
            })
            .collect();
        left.sort();
        left
    }

    fn begun(unfinished: &Unfinished, text: &str) {
        unfinished.create().unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn named(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn a_file_has_its_name_once_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        for (old, new) in [(None, "first"), (Some("first"), "second")] {
            let before: Vec<_> = old.map(|text| named("out", text)).into_iter().collect();
            let given_up = Unfinished::at(&out);
            begun(&given_up, "half");
            drop(given_up);
            assert_eq!(left(folder.path()), before);

            let unfinished = Unfinished::at(&out);
            begun(&unfinished, new);
            let half = [before, vec![named("out.part", new)]].concat();
            assert_eq!(left(folder.path()), half);
            unfinished.finish().unwrap();
            assert_eq!(left(folder.path()), [named("out", new)]);
        }
    }

    #[test]
    fn what_is_whole_is_kept_where_it_cannot_have_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let unfinished = Unfinished::at(&out);
        begun(&unfinished, "an hour's work");
        std::fs::create_dir(&out).unwrap();
        let failure = unfinished.finish().unwrap_err();
        let part = folder.path().join("out.part");
        assert_eq!(std::fs::read_to_string(&part).unwrap(), "an hour's work");
        let words = failure.cause + &failure.remedy;
        assert!(words.contains(part.to_str().unwrap()), "it says where: {words}");
    }

    #[test]
    fn a_part_that_is_there_already_is_somebody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let first = Unfinished::at(&out);
        begun(&first, "of the first");
        let second = Unfinished::at(&out);
        let refused = second.create().unwrap_err().to_string();
        assert!(refused.contains("out.part is there already"), "{refused}");
        drop(second);
        assert_eq!(left(folder.path()), [named("out.part", "of the first")]);
        first.finish().unwrap();
        assert_eq!(left(folder.path()), [named("out", "of the first")]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_the_new_file_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let [link, file] = ["link", "file"].map(|name| folder.path().join(name));
        std::os::unix::fs::symlink("file", &link).unwrap();
        // At first there is nothing where it leads to.
        for text in ["new", "newer"] {
            let unfinished = Unfinished::at(&link);
            begun(&unfinished, text);
            unfinished.finish().unwrap();
            assert!(link.is_symlink());
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }

        let null = Unfinished::at(Path::new("/dev/null"));
        begun(&null, "nothing");
        null.finish().unwrap();
        assert!(Path::new("/dev/null").exists());
    }
}
