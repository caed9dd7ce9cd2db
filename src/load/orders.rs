//! What is ordered: requests as the scenario's own customers would send them, made from the
//! seed before the test begins, so that making them costs it nothing.

use super::phrase::{Part, Phrase, Place, head};
use super::request::Request;
use super::target::Target;
use crate::scenario::{Field, Route};
use crate::sim::demand;
use crate::sim::order::Order;
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimTime;
use crate::sim::units::kg_to_pounds;
use crate::sim::world::{Demand, DropoffSpread, PickupAt, World};
use crate::wire::api::delivery_requests::ExternalDelivery;
use crate::wire::place::rounded;

/// Different orders; after these they come again, with other packages.
const MOST_DRAWN: usize = 16_384;

/// Light parcels, as drones carry them today, kg; as where a scenario's demand is silent.
const USUAL_PAYLOAD_KG: (f64, f64) = (0.2, 1.1);

/// Stands where each body has its package's number.
const NUMBER: &str = "load-00000000";

/// The orders of a test, by number.
#[derive(Clone, Debug)]
pub struct Orders {
    /// One for all where no field of an order stands in it.
    heads: Vec<Phrase>,
    bodies: Vec<Phrase>,
}

/// Who orders what, and how many.
pub(super) struct Wanted<'a> {
    pub world: &'a World,
    /// With accounts these order by turns; without, whoever the scenario says.
    pub accounts: &'a [String],
    /// At least so many different ones, or as many as are drawn at all.
    pub count: usize,
    /// What sets this run apart from others.
    pub run: &'a str,
}

impl Orders {
    /// In this project's own words, or in those of another server.
    pub fn draw(wanted: &Wanted<'_>, target: &Target, route: Option<&Route>) -> Self {
        let Wanted {
            world,
            accounts,
            count,
            run,
        } = *wanted;
        let usual = usual_demand();
        let demand = world.demand.as_ref().unwrap_or(&usual);
        let mut stream = Stream::new(world.seed, 1, Purpose::Load);
        let drawn = (0..count.clamp(1, MOST_DRAWN)).map(|number| {
            let mut order = demand::draw_order(world, demand, &mut stream);
            if !accounts.is_empty() {
                order.owner.account.clone_from(&accounts[number % accounts.len()]);
            }
            order
        });
        let Some(route) = route else {
            return Orders {
                heads: vec![own_head(target)],
                bodies: drawn.map(|order| own_body(world, order)).collect(),
            };
        };
        let templates = std::iter::once(&route.path).chain(route.headers.iter().map(|(_, value)| value));
        let differs = templates
            .flat_map(|template| template.fields())
            .any(Field::is_of_order);
        let (mut heads, mut bodies) = (Vec::new(), Vec::new());
        for order in drawn {
            let value = |field| value_of(&order, field, run, target);
            if heads.is_empty() || differs {
                heads.push(head(target, route, &value));
            }
            let mut body = Phrase::default();
            if let Some(template) = &route.body {
                body.fill(template, Place::Body, &value);
            }
            bodies.push(body);
        }
        Orders { heads, bodies }
    }

    /// One request; each has a package of its own.
    pub fn write(&self, number: u64, request: &mut Request) {
        let of = |phrases: &[Phrase], out: &mut Vec<u8>| {
            phrases[(number % phrases.len() as u64) as usize].write(number, out);
        };
        of(&self.heads, &mut request.head);
        of(&self.bodies, &mut request.body);
    }
}

fn own_head(target: &Target) -> Phrase {
    let mut head = Phrase::default();
    let path = target.path("/api/deliveryrequests");
    head.text(format!("POST {path} HTTP/1.1\r\n").as_bytes());
    head.text(&target.lines());
    head.text(b"content-type: application/json\r\n");
    head
}

fn own_body(world: &World, mut order: Order) -> Phrase {
    order.package.id = NUMBER.to_owned();
    let request = ExternalDelivery::of(world, &order);
    let text = serde_json::to_string(&request).expect("string keys only");
    // An owner may be called anything; the package comes after the owner.
    let at = text.rfind(NUMBER).expect("it was written");
    let mut body = Phrase::default();
    body.text(&text.as_bytes()[..at]);
    body.part(Part::Package);
    body.text(&text.as_bytes()[at + NUMBER.len()..]);
    body
}

/// What each request fills in for itself is no business of this.
fn value_of(order: &Order, field: Field, run: &str, target: &Target) -> String {
    let degrees = |degrees: f64| rounded(degrees, 1e7).to_string();
    let (package, pickup, dropoff) = (&order.package, &order.pickup, &order.dropoff);
    match field {
        Field::Run => run.to_owned(),
        Field::Token => target.token().to_owned(),
        Field::Owner => order.owner.account.clone(),
        Field::Size => format!("{:?}", package.size),
        Field::Tag => package.tag.clone().unwrap_or_default(),
        Field::Expedited => order.expedited.to_string(),
        Field::WeightKg => rounded(package.weight_kg, 1e6).to_string(),
        Field::WeightPounds => rounded(kg_to_pounds(package.weight_kg), 1e6).to_string(),
        Field::PickupLatitude => degrees(pickup.location.lat),
        Field::PickupLongitude => degrees(pickup.location.lon),
        Field::PickupAltitude => pickup.altitude_m.to_string(),
        Field::DropoffLatitude => degrees(dropoff.location.lat),
        Field::DropoffLongitude => degrees(dropoff.location.lon),
        Field::DropoffAltitude => dropoff.altitude_m.to_string(),
        Field::Number | Field::Package | Field::Now | Field::Id => String::new(),
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
    use crate::scenario::Template;

    fn tiny(seed: u64) -> World {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/tiny.toml");
        let world = crate::scenario::load(&path).expect("it has no mistakes").world;
        World { seed, ..world }
    }

    fn draw(seed: u64, accounts: &[String], count: usize, route: Option<&Route>) -> Orders {
        let target = Target::parse("http://stub.example/v1", None).expect("it is one");
        let wanted = Wanted {
            world: &tiny(seed),
            accounts,
            count,
            run: "r1",
        };
        Orders::draw(&wanted, &target, route)
    }

    fn written(orders: &Orders, number: u64) -> (String, String) {
        let mut request = Request::default();
        orders.write(number, &mut request);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
        (text(request.head), text(request.body))
    }

    fn read(orders: &Orders, number: u64) -> ExternalDelivery {
        serde_json::from_str(&written(orders, number).1).expect("it is one")
    }

    #[test]
    fn orders_come_from_the_seed_and_each_has_its_own_package() {
        let of_seed = |seed| draw(seed, &[], 10, None);
        assert_eq!(written(&of_seed(1), 3), written(&of_seed(1), 3));
        assert_ne!(written(&of_seed(1), 3), written(&of_seed(2), 3));
        let (head, _) = written(&of_seed(1), 3);
        assert!(
            head.starts_with("POST /v1/api/deliveryrequests HTTP/1.1\r\nhost: stub.example\r\n"),
            "{head}"
        );
        let (first, again) = (read(&of_seed(1), 3), read(&of_seed(1), 13));
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
        let orders = draw(1, &accounts, 4, None);
        let owner = |number| {
            let read = read(&orders, number);
            (read.owner_id, read.package_info.package_id)
        };
        assert_eq!(owner(2), ("load-00000000".into(), "load-00000002".into()));
        assert_eq!(owner(3), ("\"quoted\"".into(), "load-00000003".into()));
    }

    #[test]
    fn another_server_is_asked_in_its_own_words() {
        let template = |text| Template::parse(text).expect("its fields are known");
        let route = Route {
            method: "PUT",
            path: template("/jobs/{run}-{package}?by={owner}"),
            headers: vec![("x-number".to_owned(), template("{number}"))],
            body: Some(template("{\"who\":\"{owner}\",\"kg\":{weight_kg}}")),
        };
        let orders = draw(1, &["an \"owner\"".to_owned()], 3, Some(&route));
        let (head, body) = written(&orders, 10);
        let line = "PUT /v1/jobs/r1-load-0000000a?by=an%20%22owner%22 HTTP/1.1\r\nhost: stub.example\r\n";
        assert!(head.starts_with(line), "{head}");
        assert!(
            head.ends_with("content-type: application/json\r\nx-number: 10\r\n"),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(&body).expect("it is JSON");
        assert_eq!(body["who"], "an \"owner\"");
        assert!(body["kg"].as_f64().is_some_and(|kg| kg > 0.0), "{body}");
    }
}
