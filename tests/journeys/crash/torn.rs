//! A machine that loses power while it writes: the log's end is cut off or garbage, and the
//! world goes on from the last tick before that.

use skyhaul::sim::random::{Purpose, Stream};
use skyhaul::store::faulty::{self, Tear};
use tempfile::TempDir;

use super::stand::{open, serve};
use crate::support::world::{busy, undisturbed};

const TICKS: u64 = 2_500;
const FURTHER: u64 = 3_100;

/// The log cut off, and overwritten, at places all over it.
fn tears(log_bytes: u64) -> Vec<Tear> {
    let mut chance = Stream::new(1, 0, Purpose::Demand);
    let mut tears = vec![Tear::None, Tear::CutAt(0)];
    for _ in 0..6 {
        tears.push(Tear::CutAt((log_bytes as f64 * chance.uniform()) as u64));
        tears.push(Tear::Overwritten {
            at: (log_bytes as f64 * chance.uniform()) as u64,
            with: chance.bytes::<64>().to_vec(),
        });
    }
    tears
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_log_costs_the_ticks_behind_the_tear_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let (torn_one, server) = serve(open(folder.path())).await;
    // The clock stands still from here on, and so do the files.
    let epoch = server.run_until(TICKS).await.epoch;

    let mut found = Vec::new();
    for tear in tears(faulty::log_bytes(folder.path())) {
        let copy = TempDir::new().unwrap();
        faulty::copy_as_after_crash(folder.path(), copy.path(), &tear).unwrap();
        let (stand, server) = serve(open(copy.path())).await;
        let clock = server.clock().await;
        assert_eq!(clock.epoch, epoch);
        let further = server.run_until(FURTHER).await;
        found.push((clock.tick, clock.digest));
        found.push((further.tick, further.digest));
        stand.stop().await.unwrap();
    }
    torn_one.stop().await.unwrap();

    let lost = found.iter().filter(|(tick, _)| *tick < TICKS).count();
    assert!(lost > 2, "the tears matter: {found:?}");
    assert_eq!(found[0].0, TICKS, "without a tear nothing is lost");
    let never_torn = undisturbed(&busy(), found.iter().map(|(tick, _)| *tick)).await;
    for (tick, digest) in found {
        assert_eq!(never_torn[&tick], digest, "tick {tick}");
    }
}
