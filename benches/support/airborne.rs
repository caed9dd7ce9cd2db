//! A sky full of drones that go on flying: all in phases of their own, on deliveries of some
//! 8 km, and whoever lands is sent out again.

use skyhaul::sim::flight::{Errand, plan_delivery};
use skyhaul::sim::geo::Point;
use skyhaul::sim::ids::DroneId;
use skyhaul::sim::sky::{FlightEvent, FlightEventKind, Sky};
use skyhaul::sim::time::SimTime;
use skyhaul::sim::world::World;

use super::support::city;

/// Legs of this many metres.
const RADIUS_M: f64 = 2_700.0;
/// Drones take off in so many waves, so far apart: about one flight's time.
const WAVES: u32 = 100;
const APART_S: f64 = 3.6;

pub fn errand(world: &World, drone: DroneId) -> Errand {
    let fleet = world.fleet_of(drone).expect("it is one of the city's");
    let hub = world.hub(fleet.hub).at;
    let angle = f64::from(drone.0);
    let at = |angle: f64| Point {
        x: hub.x + RADIUS_M * libm::cos(angle),
        y: hub.y + RADIUS_M * libm::sin(angle),
    };
    Errand {
        hub,
        pickup: at(angle),
        dropoff: at(angle + 1.0),
        home: hub,
        payload_kg: 0.8,
    }
}

/// A world's sky, and how far its time has come.
pub struct Stand {
    pub world: World,
    pub sky: Sky,
    tick: u64,
}

impl Stand {
    /// All drones of a city in the air, in all phases of their flights.
    pub fn busy(drones: u32, tick: &str) -> Self {
        let threads = rayon::ThreadPoolBuilder::new()
            .build()
            .expect("threads can be had");
        let mut world = city(drones, tick);
        for model in &mut world.models {
            // Nobody waits for a charger here.
            model.battery.capacity_wh = 1e6;
        }
        let mut stand = Stand {
            sky: Sky::new(&world),
            world,
            tick: 0,
        };
        let ticks_apart = (APART_S / stand.world.tick.as_secs()).ceil() as u64;
        for wave in 0..WAVES {
            for drone in (wave..drones).step_by(WAVES as usize) {
                stand.send_out(DroneId(drone));
            }
            for _ in 0..ticks_apart {
                let events = stand.step(Some(&threads));
                stand.send_out_again(&events);
            }
        }
        assert_eq!(stand.sky.airborne_count(), drones as usize);
        stand
    }

    pub fn step(&mut self, threads: Option<&rayon::ThreadPool>) -> Vec<FlightEvent> {
        self.tick += 1;
        self.sky.step(&self.world, self.now(), threads)
    }

    /// At the end of the last step.
    pub fn now(&self) -> SimTime {
        self.world.time_of(self.tick)
    }

    fn send_out(&mut self, drone: DroneId) {
        let model = self.world.fleet_of(drone).expect("it is one of the city's").model;
        let errand = errand(&self.world, drone);
        let mission = plan_delivery(self.world.model(model), &self.world.air(SimTime::START), &errand);
        let plan = mission.expect("flyable in this wind").plan;
        let sent = self.sky.fly(&self.world, drone, plan, self.now());
        sent.expect("it begins at the hub");
    }

    pub fn send_out_again(&mut self, events: &[FlightEvent]) {
        for event in events {
            if matches!(event.kind, FlightEventKind::Landed(_)) {
                self.send_out(event.drone);
            }
        }
    }
}
