//! Days that are older than history is kept go out to files: all of each, once, and whenever
//! the program dies in between.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use reqwest::StatusCode;
use serde_json::Value;
use skyhaul::server::{Keep, Options};
use skyhaul::sim::calendar::Day;
use skyhaul::sim::time::SimDuration;
use skyhaul::sim::world::World;
use skyhaul::store::{Identity, MovedDay, Store, sqlite};
use tempfile::TempDir;

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::server::{Running, kept_in};
use crate::support::worlds::busy_where;

const DAY: &str = "2026-06-01";
/// Ten minutes to midnight, ten after, and five more until history is old.
const TICKS: u64 = 15_600;

fn world() -> World {
    busy_where("2026-06-01T18:00:00Z", "2026-06-01T23:50:00Z")
}

fn keeping(folder: &Path, minutes: f64) -> Options {
    Options {
        recently_ended: 0,
        keep: Some(Keep {
            history: SimDuration::from_secs(60.0 * minutes),
            folder: folder.join("history"),
        }),
        ..kept_in(folder)
    }
}

fn ids_in(file: &Path) -> Vec<String> {
    let reader = SerializedFileReader::new(File::open(file).expect("the file is there")).expect("Parquet");
    let rows = reader
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row"));
    rows.map(|row| row.get_string(0).expect("an id").clone())
        .collect()
}

async fn ended(client: &Client, query: &str) -> Vec<String> {
    let (status, page) = client
        .get(&format!("/api/deliveryhistory?limit=1000{query}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let items = page["items"].as_array().expect("items").iter();
    items
        .filter_map(|item| item["delivery"]["id"].as_str().map(str::to_owned))
        .collect()
}

async fn until_gone(client: &Client, id: &str) -> Value {
    let gone = async {
        loop {
            let (status, body) = client.get(&format!("/api/deliveries/{id}")).await;
            if status == StatusCode::GONE {
                return body;
            }
            assert_eq!(status, StatusCode::OK, "{body}");
        }
    };
    let patience = PATIENCE.max(Duration::from_secs(30));
    tokio::time::timeout(patience, gone)
        .await
        .expect("it is moved in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_day_is_found_in_its_file_and_no_longer_in_the_store() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("history").join(format!("{DAY}.parquet"));
    // What a program left that died while it wrote.
    fs::create_dir_all(folder.path().join("history")).expect("a folder");
    fs::write(&file, "half a file").expect("a file");
    let running = Running::start(world(), keeping(folder.path(), 24.0 * 60.0)).await;
    let client = running.client();
    client.run_to(TICKS).await;
    let old = ended(&client, "&to=2026-06-02T00:00:00Z").await;
    let all = ended(&client, "").await;
    assert!(
        old.len() > 5 && all.len() > old.len() + 5,
        "{} of {}",
        old.len(),
        all.len()
    );
    let (status, export) = client
        .get(&format!("/api/deliveryhistory.parquet?date={DAY}"))
        .await;
    assert_eq!(status, StatusCode::OK, "{export}");
    for (query, status) in [("?date=2026-06-31", 422), ("", 422), ("?date=2026-07-01", 200)] {
        assert_eq!(
            client
                .get(&format!("/api/deliveryhistory.parquet{query}"))
                .await
                .0,
            status,
            "{query}"
        );
    }
    running.stop().await;
    assert_eq!(
        fs::read(&file).expect("still there"),
        b"half a file",
        "nothing is a day old"
    );

    for start in ["moves it", "finds it moved"] {
        let running = Running::start(world(), keeping(folder.path(), 2.0)).await;
        let client = running.client();
        let problem = until_gone(&client, &old[0]).await;
        let detail = problem["detail"].as_str().expect("words");
        assert!(detail.contains(&format!("{DAY}.parquet")), "{start}: {problem}");
        // Ids are answered for as soon as they are gone, the last of them a moment later.
        until_gone(&client, &old[old.len() - 1]).await;
        for id in &old {
            until_gone(&client, id).await;
            for path in ["deliveryhistory/", "deliveryrequests/"] {
                let (status, body) = client.get(&format!("/api/{path}{id}")).await;
                assert_eq!(status, StatusCode::GONE, "{start}: {body}");
            }
        }
        assert_eq!(ended(&client, "").await, all[old.len()..], "{start}");
        let (status, _) = client
            .get(&format!("/api/deliveryhistory.parquet?date={DAY}"))
            .await;
        assert_eq!(status, StatusCode::GONE, "{start}");
        assert_eq!(ids_in(&file), old, "{start}");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_file_was_complete_is_only_let_go_of() {
    let folder = TempDir::new().expect("a folder");
    let running = Running::start(world(), keeping(folder.path(), 24.0 * 60.0)).await;
    let client = running.client();
    client.run_to(TICKS).await;
    let old = ended(&client, "&to=2026-06-02T00:00:00Z").await;
    running.stop().await;
    // As a program leaves it that dies after the store let go of the first two.
    let world = world();
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let day: Day = DAY.parse().expect("a day");
    let moved = MovedDay {
        day,
        from: day.begins(&world),
        until: day.next().begins(&world),
    };
    let mut store = sqlite::open(folder.path(), &identity, false).expect("nobody else has it");
    assert_eq!(store.move_out(&moved, 2), Ok(2));
    drop(store);
    let running = Running::start(world, keeping(folder.path(), 2.0)).await;
    let client = running.client();
    for id in &old {
        until_gone(&client, id).await;
    }
    let known: BTreeSet<_> = ended(&client, "").await.into_iter().collect();
    assert!(old.iter().all(|id| !known.contains(id)));
    let file = folder.path().join("history").join(format!("{DAY}.parquet"));
    assert!(!file.exists(), "what is left would not be the day");
    running.stop().await;
}
