//! A server that is killed again and again while it moves a day of history out: the file is whole
//! and has each delivery of that day once, and the store has the others.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use skyhaul::sim::time::Tick;
use tempfile::TempDir;

use super::place::Place;
use crate::support::child::Child;
use crate::support::operator::Operator;
use crate::support::world::BUSY;

const DAY: &str = "2026-06-01";
const MIDNIGHT: &str = "2026-06-02T00:00:00Z";
/// Ten minutes to midnight, two until history is old, and the snapshot after.
const TICKS: Tick = 7_900;
/// More than the store lets go of at once.
const MANY: usize = 1_000;

/// Nearly all requests come to nothing at once: much history in no time.
fn scenario(folder: &Path) -> PathBuf {
    let changed = [
        ("2026-06-01T18:00:00Z", "2026-06-01T23:50:00Z"),
        ("max_wait = \"5m\"", "max_wait = \"1s\"\nbacklog = 2"),
        ("rate = \"300/h\"", "rate = \"9000/h\""),
    ];
    let text = changed.iter().fold(BUSY.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    });
    let path = folder.join("busy.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Ids in the order of their ends.
async fn ended(server: &Operator, query: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server
            .json(&format!("/api/deliveryhistory?limit=1000{query}{cursor}"))
            .await;
        let items = page["items"].as_array().unwrap().iter();
        ids.extend(items.map(|item| item["delivery"]["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// Whether it is answered with the file that it is in.
async fn is_moved(server: &Operator, id: &str) -> bool {
    let path = format!("/api/deliveryhistory/{id}");
    let (status, body) = server.ask(Method::GET, &path, &Value::Null).await.unwrap();
    let named = body["detail"]
        .as_str()
        .is_some_and(|detail| detail.contains(&format!("{DAY}.parquet")));
    assert_eq!(status == StatusCode::GONE, named, "{id}: {status} {body}");
    assert!(named || status == StatusCode::OK, "{id}: {status} {body}");
    named
}

fn ids_in(file: &Path) -> Vec<String> {
    let reader = SerializedFileReader::new(File::open(file).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| row.unwrap().get_string(0).unwrap().clone())
        .collect()
}

/// When the server dies.
#[derive(Clone, Copy, Debug)]
enum Dies {
    /// While it writes the file.
    Writing,
    /// When the file has its name, and the store may have let go of nothing yet.
    Written,
    /// When the store has let go of the first ones.
    LettingGo,
}

async fn until(dies: Dies, server: &Operator, files: &Path, first: &str) {
    let file = files.join(format!("{DAY}.parquet"));
    let unfinished = files.join(format!("{DAY}.parquet.new"));
    let has_come = async || {
        let so_far = match dies {
            Dies::Writing => unfinished.exists() || file.exists(),
            Dies::Written => file.exists(),
            Dies::LettingGo => is_moved(server, first).await,
        };
        so_far.then_some(())
    };
    server.until("the day is moved", has_come).await;
}

async fn moved_once(place: &Place, folder: &Path) {
    let (scenario, data, files) = (scenario(folder), place.data(), folder.join("days"));
    let mut child = Child::spawn(&scenario, data, &["--paused"]);
    let server = child.serving().await;
    server.run_until(TICKS).await;
    let old = ended(&server, &format!("&to={MIDNIGHT}")).await;
    let all = ended(&server, "").await;
    assert!(
        old.len() > MANY && all.len() > old.len(),
        "{} of {}",
        old.len(),
        all.len()
    );
    assert_eq!(all[..old.len()], old);
    child.kill();

    let where_to = files.to_str().unwrap();
    let moving = ["--paused", "--keep-history", "2m", "--history-dir", where_to];
    for dies in [Dies::Writing, Dies::Written, Dies::LettingGo] {
        let mut child = Child::spawn(&scenario, data, &moving);
        let server = child.serving().await;
        until(dies, &server, &files, &old[0]).await;
        child.kill();

        // Whatever it came to, nothing is lost: what the store has no more is in the file.
        let mut child = Child::spawn(&scenario, data, &["--paused"]);
        let server = child.serving().await;
        let left = ended(&server, "").await;
        let gone = all.len() - left.len();
        assert!(gone <= old.len(), "{dies:?}");
        assert_eq!(all[gone..], left, "{dies:?}: the oldest go first");
        for id in [&old[0], &old[old.len() / 2], &old[old.len() - 1]] {
            assert_eq!(is_moved(&server, id).await, !left.contains(id), "{dies:?}");
        }
        if gone > 0 {
            assert_eq!(ids_in(&files.join(format!("{DAY}.parquet"))), old, "{dies:?}");
        }
        child.kill();
    }

    for _ in ["moves the rest", "finds it moved"] {
        let mut child = Child::spawn(&scenario, data, &moving);
        let server = child.serving().await;
        let all_moved = async || is_moved(&server, &old[old.len() - 1]).await.then_some(());
        server.until("all of the day is moved", all_moved).await;
        let rest_only = async || (ended(&server, "").await == all[old.len()..]).then_some(());
        server.until("the others are left", rest_only).await;
        for id in &old {
            assert!(is_moved(&server, id).await, "{id} is told from memory");
        }
        assert_eq!(ids_in(&files.join(format!("{DAY}.parquet"))), old);
        child.kill();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_moved_out_of_a_folder_under_kills_is_whole_and_once() {
    let folder = TempDir::new().unwrap();
    moved_once(&Place::Folder(folder.path().join("data")), folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_moved_out_of_a_database_under_kills_is_whole_and_once() {
    let folder = TempDir::new().unwrap();
    moved_once(&Place::database(), folder.path()).await;
}
