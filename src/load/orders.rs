//! What is ordered: bodies as the scenario's own customers would send them, made from the
//! seed before the test begins, so that making them costs it nothing.

use crate::sim::demand;
use crate::sim::order::Order;
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimTime;
use crate::sim::world::{Demand, DropoffSpread, PickupAt, World};
use crate::wire::api::delivery_requests::ExternalDelivery;

/// Different orders; after these they come again, with other packages.
const MOST_DRAWN: usize = 16_384;

/// Light parcels, as drones carry them today, kg; as where a scenario's demand is silent.
const USUAL_PAYLOAD_KG: (f64, f64) = (0.2, 1.1);

/// Stands where each body has its package's number.
const NUMBER: &str = "load-00000000";

/// The orders of a test, by number.
#[derive(Clone, Debug)]
pub struct Orders {
    bodies: Vec<Body>,
}

#[derive(Clone, Debug)]
struct Body {
    text: String,
    /// Where the package's number stands.
    number_at: usize,
}

impl Orders {
    /// At least `count` of them, or as many as are drawn at all. With accounts these order by
    /// turns; without, whoever the scenario says.
    pub fn draw(world: &World, accounts: &[String], seed: u64, count: usize) -> Self {
        let usual = usual_demand();
        let demand = world.demand.as_ref().unwrap_or(&usual);
        let mut stream = Stream::new(seed, 1, Purpose::Load);
        let draw = |number: usize| {
            let mut order = demand::draw_order(world, demand, &mut stream);
            if !accounts.is_empty() {
                order.owner.account.clone_from(&accounts[number % accounts.len()]);
            }
            Body::of(world, order)
        };
        Orders {
            bodies: (0..count.clamp(1, MOST_DRAWN)).map(draw).collect(),
        }
    }

    /// The body of one request; each has a package of its own.
    pub fn body(&self, number: u64) -> String {
        let body = &self.bodies[(number % self.bodies.len() as u64) as usize];
        let mut text = body.text.clone();
        let own = format!("load-{:08x}", number as u32);
        text.replace_range(body.number_at..body.number_at + NUMBER.len(), &own);
        text
    }
}

impl Body {
    fn of(world: &World, mut order: Order) -> Self {
        order.package.id = NUMBER.to_owned();
        let request = ExternalDelivery::of(world, &order);
        let text = serde_json::to_string(&request).expect("string keys only");
        // An owner may be called anything; the package comes after the owner.
        let number_at = text.rfind(NUMBER).expect("it was written");
        Body { text, number_at }
    }
}

/// Where the scenario has no customers of its own.
fn usual_demand() -> Demand {
    Demand {
        rate_per_s: 0.0,
        profile: vec![(SimTime::START, 1.0)],
        pickup: PickupAt::Places,
        preparation: None,
        dropoff: DropoffSpread::Land,
        dropoff_points: Vec::new(),
        within_m: None,
        payload_kg: USUAL_PAYLOAD_KG,
        expedited: 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn tiny() -> World {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tiny.toml");
        crate::scenario::load(&path).expect("it has no mistakes").world
    }

    #[test]
    fn orders_come_from_the_seed_and_each_has_its_own_package() {
        let world = tiny();
        let draw = |seed| Orders::draw(&world, &[], seed, 10);
        assert_eq!(draw(1).body(3), draw(1).body(3));
        assert_ne!(draw(1).body(3), draw(2).body(3));
        let (first, again) = (draw(1).body(3), draw(1).body(13));
        let read = |text: &str| serde_json::from_str::<ExternalDelivery>(text).expect("it is one");
        let (first, again) = (read(&first), read(&again));
        assert_eq!(first.pickup_location, again.pickup_location);
        assert_eq!(first.package_info.package_id, "load-00000003");
        assert_eq!(again.package_info.package_id, "load-0000000d");
        // The scenario's 0.2 to 1.0 kg, in the reference's pounds.
        let pounds = first.package_info.weight;
        assert!((0.44..=2.21).contains(&pounds), "{pounds}");
    }

    #[test]
    fn accounts_order_by_turns_whatever_they_are_called() {
        let accounts = ["load-00000000".to_owned(), "\"quoted\"".to_owned()];
        let orders = Orders::draw(&tiny(), &accounts, 1, 4);
        let owner = |number| {
            let read: ExternalDelivery = serde_json::from_str(&orders.body(number)).expect("it is one");
            (read.owner_id, read.package_info.package_id)
        };
        assert_eq!(owner(2), ("load-00000000".into(), "load-00000002".into()));
        assert_eq!(owner(3), ("\"quoted\"".into(), "load-00000003".into()));
    }
}
