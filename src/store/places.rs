//! Where the tests of this room keep stores: the same story runs once in each place.

use tempfile::TempDir;

use super::faulty::{Tear, copy_as_after_crash};
use super::testing::WORLD;
use super::{Identity, Store, StoreError, postgres, sqlite};

#[path = "../../tests/journeys/support/postgres.rs"]
pub(super) mod cluster;

pub(super) trait Place {
    fn open_as(&self, identity: &Identity, fresh: bool) -> Result<Box<dyn Store>, StoreError>;

    /// How errors call it.
    fn words(&self) -> String;

    /// Who is said to hold it when this process does.
    fn holder(&self) -> String;

    /// What is left when the process of this store dies now.
    fn crash(&mut self, store: Box<dyn Store>);

    /// Lets the store, which nobody has open, say that it is of this format.
    fn set_format(&self, format: i64);

    fn newest_format(&self) -> i64;

    fn open(&self) -> Box<dyn Store> {
        self.open_as(&WORLD, false).unwrap()
    }

    fn refusal(&self, identity: &Identity, fresh: bool) -> StoreError {
        let opened = self.open_as(identity, fresh);
        opened.err().expect("the store must not open")
    }
}

pub(super) struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Folder(TempDir::new().unwrap())
    }

    fn connect(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.path().join(sqlite::DATABASE)).unwrap()
    }
}

impl Place for Folder {
    fn open_as(&self, identity: &Identity, fresh: bool) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(sqlite::open(self.0.path(), identity, fresh)?))
    }

    fn words(&self) -> String {
        self.0.path().display().to_string()
    }

    fn holder(&self) -> String {
        format!("process {}", std::process::id())
    }

    fn crash(&mut self, store: Box<dyn Store>) {
        let left = TempDir::new().unwrap();
        copy_as_after_crash(self.0.path(), left.path(), &Tear::None).unwrap();
        drop(store);
        self.0 = left;
    }

    fn set_format(&self, format: i64) {
        let database = self.connect();
        database.pragma_update(None, "user_version", format).unwrap();
    }

    fn newest_format(&self) -> i64 {
        sqlite::FORMAT
    }
}

pub(super) struct Database(pub String);

impl Database {
    pub fn new() -> Self {
        Database(cluster::shared().database())
    }
}

impl Place for Database {
    fn open_as(&self, identity: &Identity, fresh: bool) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(postgres::open(&self.0, identity, fresh)?))
    }

    fn words(&self) -> String {
        postgres::without_password(&self.0)
    }

    fn holder(&self) -> String {
        format!("process {} at 127.0.0.1", std::process::id())
    }

    fn crash(&mut self, store: Box<dyn Store>) {
        cut_off(&self.0);
        drop(store);
    }

    fn set_format(&self, format: i64) {
        cluster::shared().ask(&self.0, &format!("UPDATE skyhaul_store SET format = {format}"));
    }

    fn newest_format(&self) -> i64 {
        postgres::FORMAT
    }
}

/// Ends the sessions of whoever is connected to this database of the shared cluster.
pub(super) fn cut_off(url: &str) {
    cluster::shared().ask(
        url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}

/// Runs each story, a function of a place, as a test in each place.
macro_rules! in_each_place {
    (async $($story:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[tokio::test] async fn $story() { super::$story(crate::store::places::Folder::new()).await; })+
        }
        mod in_a_database {
            $(#[tokio::test] async fn $story() { super::$story(crate::store::places::Database::new()).await; })+
        }
    };
    ($($story:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[test] fn $story() { super::$story(crate::store::places::Folder::new()); })+
        }
        mod in_a_database {
            $(#[test] fn $story() { super::$story(crate::store::places::Database::new()); })+
        }
    };
}
pub(super) use in_each_place;
