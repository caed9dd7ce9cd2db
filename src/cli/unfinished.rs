//! A file that is of no use before it is whole: it is made beside its name, `NAME.part`, and has the
//! name once it is whole. Whatever goes wrong leaves what was there before, and a failure or a signal
//! no other file either; only who is killed leaves the part.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::Failure;
use super::signals::on_signal;

pub(super) struct Unfinished {
    /// As it was asked for.
    name: PathBuf,
    out: PathBuf,
    /// Devices and pipes are written to as they are.
    beside: Option<PathBuf>,
    /// The part that there is, if there is one.
    part: Arc<Mutex<Option<PathBuf>>>,
}

impl Unfinished {
    /// Nothing is there yet.
    pub fn at(name: &Path) -> Self {
        let is_file = std::fs::metadata(name).map_or(true, |known| known.is_file());
        // What a link leads to is replaced, not the link.
        let out = name.canonicalize().unwrap_or_else(|_| name.to_owned());
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

    /// Where it is made.
    pub fn place(&self) -> &Path {
        self.beside.as_deref().unwrap_or(&self.out)
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

    /// Begins it, at the place where it is made.
    pub fn begin<T, E>(&self, create: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
        let mut part = self.part.lock();
        let created = create(self.place());
        // Who creates it may have failed at its first bytes.
        part.clone_from(&self.beside);
        created
    }

    /// The same as an empty file.
    pub fn create(&self) -> io::Result<File> {
        self.begin(|place| File::create(place))
    }

    /// It is whole.
    ///
    /// # Errors
    /// A place where it cannot have its name.
    pub fn finish(self) -> io::Result<()> {
        let mut part = self.part.lock();
        if let Some(path) = part.as_deref() {
            std::fs::rename(path, &self.out)?;
            *part = None;
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.part.lock().take() {
            discard(&path);
        }
    }
}

fn discard(path: &Path) {
    let _was_never_there = std::fs::remove_file(path);
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_file_has_its_name_once_it_is_whole_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        for (old, new) in [(None, "first"), (Some("first"), "second")] {
            let before: Vec<_> = old.map(|text| named("out", text)).into_iter().collect();
            let given_up = Unfinished::at(&out);
            given_up.begin(|path| std::fs::write(path, "half")).unwrap();
            drop(given_up);
            assert_eq!(left(folder.path()), before);

            let unfinished = Unfinished::at(&out);
            unfinished.begin(|path| std::fs::write(path, new)).unwrap();
            let half = [before, vec![named("out.part", new)]].concat();
            assert_eq!(left(folder.path()), half);
            unfinished.finish().unwrap();
            assert_eq!(left(folder.path()), [named("out", new)]);
        }
    }

    #[test]
    fn who_fails_at_the_first_bytes_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::at(&folder.path().join("out"));
        let begun = unfinished.begin(|path| {
            std::fs::write(path, "")?;
            Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(begun.is_err());
        drop(unfinished);
        assert_eq!(left(folder.path()), []);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_the_new_file_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let [link, file] = ["link", "file"].map(|name| folder.path().join(name));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let unfinished = Unfinished::at(&link);
        unfinished.begin(|path| std::fs::write(path, "new")).unwrap();
        unfinished.finish().unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");

        let null = Unfinished::at(Path::new("/dev/null"));
        let place = null.begin(|path| Ok::<_, io::Error>(path.to_owned()));
        assert_eq!(place.unwrap(), Path::new("/dev/null"));
        null.finish().unwrap();
        assert!(Path::new("/dev/null").exists());
    }
}
