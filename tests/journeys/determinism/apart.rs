//! With both means of keeping drones apart on, in a small world that is crowded for its minima.

use skyhaul::engine::headless;
use skyhaul::sim::world::World;

use super::{UNTIL, digest_of, undisturbed_in};
use crate::support::server::{Running, kept_in};
use crate::support::worlds::busy_where;

fn crowded() -> World {
    let apart = "[separation]\nhorizontal = 250\nvertical = 18\nterminal = 60\nlook_ahead = \"30s\"\n\
                 tactical = [\"level\", \"slow\", \"hold\"]\nstrategic = \"ground_delay\"\n\n[demand]\n\
                 rate = \"480/h\"";
    busy_where("[demand]\nrate = \"240/h\"", apart)
}

/// By then some have met, though ways are kept free.
const IN_EACH_OTHERS_WAY: u64 = 7_000;

#[test]
fn any_number_of_threads_while_drones_make_way() {
    let engine = headless::run(crowded().into(), 1, IN_EACH_OTHERS_WAY, |_, _| true).unwrap();
    let counts = engine.separation().counts();
    assert!(counts.conflicts > 0 && counts.resolutions > 0, "{counts:?}");
    assert!(counts.departures > 0 && counts.delay_s > 0.0, "{counts:?}");
    let alone = digest_of(crowded(), 1, IN_EACH_OTHERS_WAY);
    assert_eq!(digest_of(crowded(), 2, IN_EACH_OTHERS_WAY), alone);
    assert_eq!(digest_of(crowded(), 3, IN_EACH_OTHERS_WAY), alone);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_and_resumed_while_drones_make_way() {
    let folder = tempfile::TempDir::new().unwrap();
    let world = std::sync::Arc::new(crowded());
    let alone = undisturbed_in(&world, UNTIL).await;
    for until in [1_250, 2_617, UNTIL] {
        let server = Running::start(crowded(), kept_in(folder.path())).await;
        let operator = server.client();
        operator.run_to(until).await;
        if until == UNTIL {
            assert_eq!(operator.simulation().await["digest"], alone);
        }
        server.stop().await;
    }
}
