//! What a killed server left behind, brought to life in this process: who holds what then, and
//! whether every delivery's past is whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use skyhaul::engine::audit::Audit;
use skyhaul::engine::digest::hex;
use skyhaul::engine::headless;
use skyhaul::engine::recovery::{Recovered, recover};
use skyhaul::sim::event::{DeliveryEvent, Event, Happening};
use skyhaul::sim::time::Tick;
use skyhaul::sim::world::World;
use skyhaul::store::{self, Identity};
use skyhaul::view::DeliveryFilter;
use tempfile::TempDir;

use super::place::Place;

/// More than there are.
const EVERYTHING: usize = 10_000_000;

pub struct PostMortem {
    pub tick: Tick,
    pub digest: String,
    pub epoch: u64,
    pub audit: Audit,
}

/// Executes the journal once more and looks at everything. Panics where something is held for
/// what is over, or twice, or where a delivery's events have a hole or more than one end.
pub async fn post_mortem(place: &Place, world: &Arc<World>) -> PostMortem {
    let (copy, world) = (TempDir::new().unwrap(), Arc::clone(world));
    // Of a folder a copy is opened, so that the files stay as the crash left them.
    let data = place.copied_to(copy.path());
    let look = move || actix::System::new().block_on(look(&data, world));
    let found = tokio::task::spawn_blocking(look).await.unwrap();
    assert_eq!(found.audit.wrong, Vec::<String>::new(), "at tick {}", found.tick);
    found
}

async fn look(data: &str, world: Arc<World>) -> PostMortem {
    let identity = Identity {
        scenario_hash: world.scenario_hash,
        seed: world.seed,
    };
    let mut store = store::open(data, &identity, false).unwrap();
    let arbiters = headless::arbiters(1);
    let recovered = recover(store.as_mut(), world, 1, arbiters).await.unwrap();
    let Recovered { engine, view, .. } = &recovered;
    let all = view.deliveries(&DeliveryFilter::default(), None, EVERYTHING);
    for delivery in all.items {
        check_past(&delivery.events);
    }
    let clock = view.clock();
    PostMortem {
        tick: clock.tick,
        digest: hex(&clock.digest),
        epoch: clock.epoch,
        audit: engine.audit().await.unwrap(),
    }
}

fn is_end(event: &Arc<Event>) -> bool {
    use DeliveryEvent::{Cancelled, Completed, Failed};
    matches!(
        event.happening,
        Happening::Delivery(_, Completed { .. } | Failed { .. } | Cancelled)
    )
}

fn check_past(events: &[Arc<Event>]) {
    for (seq, event) in (1..).zip(events) {
        assert_eq!(event.seq, seq, "a hole: {events:#?}");
    }
    let ends = events.iter().filter(|event| is_end(event)).count();
    assert!(ends <= 1, "it ends {ends} times: {events:#?}");
    // Who gave up can still ask to be told, but nothing else happens any more.
    let after = events.iter().skip_while(|event| !is_end(event)).skip(1);
    let mut after = after.map(|event| &event.happening);
    assert_eq!(after.next(), None, "it goes on after its end: {events:#?}");
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for event in events {
        if let Happening::Delivery(_, event) = &event.happening {
            *kinds.entry(skyhaul::wire::event::name_of(event)).or_default() += 1;
        }
    }
    for once in ["Accepted", "Created"] {
        assert!(kinds.get(once).is_none_or(|count| *count == 1), "{events:#?}");
    }
}
