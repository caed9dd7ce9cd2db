//! With both means of keeping drones apart on, in a small world that is crowded for its minima.

use std::sync::Arc;

use skyhaul::engine::digest::hex;
use skyhaul::engine::headless;
use skyhaul::sim::separation::Counts;
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;

use super::digest_of;
use crate::support::server::{Running, kept_in};
use crate::support::worlds::busy_where;

fn crowded() -> World {
    let apart = "[separation]\nhorizontal = 250\nvertical = 18\nterminal = 60\nlook_ahead = \"30s\"\n\
                 tactical = [\"level\", \"slow\", \"hold\"]\nstrategic = \"ground_delay\"\n\n[demand]\n\
                 rate = \"480/h\"";
    busy_where("[demand]\nrate = \"240/h\"", apart)
}

const END: u64 = 7_000;

/// In which tick somebody makes way first, though ways are kept free, what separation comes to, and
/// with which digest all ends.
fn undisturbed() -> (Option<Tick>, Counts, String) {
    let mut first = None;
    let engine = headless::run(crowded().into(), 1, END, |engine, outcome| {
        if engine.separation().counts().resolutions > 0 {
            first.get_or_insert(outcome.tick);
        }
        true
    });
    let engine = engine.expect("the world goes on");
    (first, *engine.separation().counts(), hex(engine.digest()))
}

#[test]
fn any_number_of_threads_while_drones_make_way() {
    let (_, counts, alone) = undisturbed();
    assert!(counts.conflicts > 0 && counts.resolutions > 0, "{counts:?}");
    assert!(counts.departures > 0 && counts.delay_s > 0.0, "{counts:?}");
    assert_eq!(digest_of(crowded(), 2, END), alone);
    assert_eq!(digest_of(crowded(), 3, END), alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_resumed_while_drones_make_way() {
    let run = tokio::task::spawn_blocking(undisturbed);
    let (first, _, alone) = run.await.expect("the run ends");
    let first = first.expect("somebody makes way");
    // While it does, too.
    let mut stops = [1_250, 2_617, first, first + 50, END];
    stops.sort_unstable();
    let folder = tempfile::TempDir::new().unwrap();
    let world = Arc::new(crowded());
    for until in stops {
        let server = Running::start(Arc::clone(&world), kept_in(folder.path())).await;
        let clock = server.client().run_to(until).await;
        if until == END {
            assert_eq!(clock["digest"], alone.as_str());
        }
        server.stop().await;
    }
}
