//! A disk that is really full, small and the test's own: the clock stands still with a clear
//! word, and all goes on when there is room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use reqwest::StatusCode;
use skyhaul::wire::api::simulation::{Simulation, SimulationState};
use tempfile::TempDir;

use super::ledger::Ledger;
use crate::support::child::Child;
use crate::support::world::{busy, busy_file, undisturbed};

const MEGABYTES: u32 = 12;

/// Takes all room there is.
fn fill(disk: &Path) {
    let mut ballast = File::create(disk.join("ballast")).unwrap();
    // In smaller and smaller pieces, so that nothing is left between them.
    for size in [1 << 16, 1 << 12, 1] {
        while ballast.write_all(&vec![0xA5; size]).is_ok() {}
    }
}

fn is_stalled(clock: &Simulation) -> bool {
    clock.state == SimulationState::Stalled
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stalls_the_world_until_there_is_room_and_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let (scenario, data) = (busy_file(folder.path()), folder.path().join("data"));
    fs::create_dir(&data).unwrap();
    if !Child::may_have_a_disk(&data) {
        eprintln!("not tested: this machine gives no process a disk of its own");
        return;
    }
    let mut child = Child::spawn_on_a_small_disk(&scenario, &data, &["--speed", "100"], MEGABYTES);
    let server = child.serving().await;
    let disk = child.as_it_sees(&data);
    assert!(disk.join("skyhaul.db").exists() && !data.join("skyhaul.db").exists());
    let mut stood_at = Vec::new();
    for ticks in [300, 1_000] {
        let there = |clock: &Simulation| clock.tick > ticks;
        server.clock_where("the clock goes", there).await;
        fill(&disk);
        let stalled = server.clock_where("the outage shows", is_stalled).await;
        let refused = Ledger::default().new_request(true);
        for _ in 0..5 {
            let answer = server.send(&refused).await.unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key("Retry-After"));
            let ready = server.get("/readyz").await.unwrap().status();
            assert_eq!(ready, StatusCode::SERVICE_UNAVAILABLE);
            let clock = server.clock().await;
            assert_eq!((clock.tick, &clock.digest), (stalled.tick, &stalled.digest));
        }
        let log = child.log();
        assert!(
            log.contains("the disk is full") && log.contains("free space"),
            "{log}"
        );
        fs::remove_file(disk.join("ballast")).unwrap();
        server.get_ready().await;
        stood_at.push(stalled);
    }
    let end = server.pause().await;
    let end = server.run_until(end.tick + 700).await;
    stood_at.push(end);
    let never_disturbed = undisturbed(&busy(), stood_at.iter().map(|clock| clock.tick)).await;
    for clock in stood_at {
        assert_eq!(never_disturbed[&clock.tick], clock.digest, "tick {}", clock.tick);
    }
    let ledger = Ledger::default();
    let request = ledger.new_request(true);
    ledger.note(&request, server.order(&request).await);
    ledger.check(&server).await;
    child.kill();
}
