//! For tests of the actors: a small world, and one message at a time.

use std::path::Path;
use std::sync::Arc;

use super::host::Role;
use super::{Context, Effect, Effects, Mail};
use crate::scenario;
use crate::sim::event::Happening;
use crate::sim::ids::DeliveryId;
use crate::sim::order::{ConfirmationRequired, ContainerSize, Order, Owner, Package, Stop};
use crate::sim::places::resolve_place;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::world::World;

/// One hub with as many chargers and drones as said; still air.
pub fn world(drones: u32, chargers: u32) -> World {
    let source = format!(
        r#"
name = "bench"
seed = 1
start = "2026-06-01T18:00:00Z"
duration = "1h"
[area]
bbox = [-122.52, 37.70, -122.35, 37.83]
[[hub]]
id = "mission"
name = "Mission"
location = [37.7599, -122.4148]
chargers = {chargers}
[[fleet]]
hub = "mission"
model = "wing"
count = {drones}
[[place]]
name = "Ferry Building"
location = [37.7955, -122.3937]
[[place]]
name = "Dolores Park"
location = [37.7596, -122.4269]
[dispatch]
backlog = 2
scheduled = 3
max_wait = "20m"
"#
    );
    scenario::parse(&source, "bench.toml", Path::new(""))
        .expect("the bench's world is right")
        .world
}

pub fn order(world: &World) -> Order {
    let stop = |name| -> Stop { resolve_place(world, name).expect("a listed place") };
    Order {
        owner: Owner::account("shop"),
        pickup: stop("Ferry Building"),
        dropoff: stop("Dolores Park"),
        package: Package {
            id: "p".into(),
            size: ContainerSize::Small,
            weight_kg: 0.5,
            tag: None,
        },
        expedited: false,
        confirmation: ConfirmationRequired::None,
        deadline: String::new(),
        not_before: SimTime::START,
    }
}

pub fn id(number: u64) -> DeliveryId {
    DeliveryId::new(number, [0; 10])
}

/// In an order's deadline or an account's name, what brings about a real panic half-way through
/// admitting the one or registering the other.
pub const STUMBLES: &str = "the actor stumbles over this";

/// Called where a program without mistakes has no panic to offer.
pub fn stumble_over(text: &str) {
    assert_ne!(text, STUMBLES);
}

/// The deliveries whose departure the fleet, and whose mission the drone, stumbles over for a while.
pub const STUMBLING: [u64; 2] = [1_313, 1_414];

/// Called where the one, or the other, is taken.
pub fn stumble_for_a_while(number: u64, delivery: DeliveryId, now: SimTime) {
    assert!(delivery != id(number) || now > SimTime::from_secs(15.0));
}

/// One actor on a bench, and its time.
pub struct Bench<R: Role> {
    pub role: R,
    pub context: Context,
}

impl<R: Role> Bench<R> {
    pub fn new(world: World, make: impl FnOnce(&World) -> R) -> Self {
        let role = make(&world);
        let context = Context {
            world: Arc::new(world),
            tick: 1,
            now: SimTime::START,
        };
        Bench { role, context }
    }

    pub fn tell(&mut self, message: R::Message) -> Vec<Effect> {
        let mut effects = Effects::default();
        self.role.step(&self.context, message, &mut effects);
        effects.0
    }

    pub fn wait(&mut self, seconds: f64) {
        self.context.now += SimDuration::from_secs(seconds);
    }
}

/// What of the effects is mail.
pub fn sent(effects: &[Effect]) -> Vec<&Mail> {
    let mail = effects.iter().filter_map(|effect| match effect {
        Effect::Send(mail) => Some(mail),
        _ => None,
    });
    mail.collect()
}

/// What of the effects is alarms.
pub fn alarms(effects: &[Effect]) -> Vec<(SimTime, &Mail)> {
    let alarms = effects.iter().filter_map(|effect| match effect {
        Effect::WakeAt(at, mail) => Some((*at, mail)),
        _ => None,
    });
    alarms.collect()
}

/// What of the effects is events, with their numbers.
pub fn events(effects: &[Effect]) -> Vec<(u32, &Happening)> {
    let events = effects.iter().filter_map(|effect| match effect {
        Effect::Emit(event) => Some((event.seq, &event.happening)),
        _ => None,
    });
    events.collect()
}
