//! Batteries that wear, and those that are swapped.

use super::super::super::energy::{energy_after, time_to_full};
use super::*;

const CYCLES: f64 = 4.0;

fn home() -> Errand {
    Errand {
        home: Point::default(),
        ..errand((0.0, 0.0), (2_000.0, 0.0))
    }
}

/// One drone, and what its flights took until it was back from them.
struct Life {
    world: World,
    sky: Sky,
    tick: u64,
    flown_wh: f64,
}

impl Life {
    fn of(swap_s: Option<f64>) -> Life {
        let mut model = wing();
        model.battery.cycles_to_80 = Some(CYCLES);
        model.battery.swap_s = swap_s;
        let world = world(model, 1, 1.0, (0.0, 0.0));
        Life {
            sky: Sky::new(&world),
            world,
            tick: 0,
            flown_wh: 0.0,
        }
    }

    fn now(&self) -> SimTime {
        self.world.time_of(self.tick)
    }

    fn battery(&self) -> Battery {
        self.world.models[0].battery
    }

    fn energy_wh(&self) -> f64 {
        self.sky.energy_wh(&self.world, DRONE, self.now()).unwrap()
    }

    fn take_off(&mut self) {
        let mission = plan_delivery(&self.world.models[0], &self.world.air(self.now()), &home());
        let (plan, now) = (mission.unwrap().plan, self.now());
        self.sky.fly(&self.world, DRONE, plan, now).unwrap();
    }

    /// Answers what the rest of the flight took.
    fn land(&mut self) -> f64 {
        loop {
            self.tick += 1;
            for event in self.sky.step(&self.world, self.now(), None) {
                if let FlightEventKind::Landed(log) = event.kind {
                    self.flown_wh += log.energy_wh;
                    return log.energy_wh;
                }
            }
        }
    }

    /// On a charger, for as long as its own battery takes to be full.
    fn charge(&mut self) {
        let own = self.sky.healths().charged(&self.battery(), DRONE);
        let now = self.now();
        self.sky.set_charging(&self.world, DRONE, true, now);
        self.tick += time_to_full(&own, self.energy_wh()) as u64 + 1;
        let now = self.now();
        self.sky.set_charging(&self.world, DRONE, false, now);
    }
}

#[test]
fn what_is_flown_is_what_is_taken_out_and_what_wears_the_battery() {
    let mut life = Life::of(None);
    let capacity_wh = life.battery().capacity_wh;
    while life.flown_wh < CYCLES * capacity_wh {
        let before_wh = life.energy_wh();
        life.take_off();
        let took_wh = life.land();
        assert!((before_wh - life.energy_wh() - took_wh).abs() < 1e-9);
        life.charge();
        let full_wh = capacity_wh * life.sky.health(DRONE);
        assert!((life.energy_wh() - full_wh).abs() < 1e-9, "it is full");
    }
    let full_cycles = life.flown_wh / capacity_wh;
    let expected = 1.0 - 0.2 * full_cycles / CYCLES;
    assert!((life.sky.health(DRONE) - expected).abs() < 1e-9);
    assert!((0.7..=0.8).contains(&expected), "{full_cycles} cycles");
}

#[test]
fn a_cell_that_gives_out_is_gone_for_good_and_was_not_flown() {
    let mut life = Life::of(None);
    let capacity_wh = life.battery().capacity_wh;
    life.sky.wear(DRONE, 0.8);
    assert_eq!(life.sky.health(DRONE), 1.0, "it strikes in the air");
    life.take_off();
    let whole_wh = life.land();
    life.charge();
    let health = life.sky.health(DRONE);
    life.take_off();
    let before_wh = life.energy_wh();
    life.sky.wear(DRONE, 0.8);
    assert!((life.energy_wh() - 0.8 * before_wh).abs() < 1e-9);
    assert!((life.land() - whole_wh).abs() < 1e-6, "the way costs what it did");
    life.charge();
    let after = 0.8 * health - 0.2 * whole_wh / capacity_wh / CYCLES;
    assert!((life.energy_wh() - after * capacity_wh).abs() < 1e-6);
}

#[test]
fn a_swapped_battery_is_as_new() {
    let mut life = Life::of(Some(90.0));
    let battery = life.battery();
    life.take_off();
    life.sky.wear(DRONE, 0.8);
    life.land();
    assert_eq!(life.sky.health(DRONE), 0.8);
    let landed_wh = life.energy_wh();
    let now = life.now();
    life.sky.set_charging(&life.world, DRONE, true, now);
    life.tick += 60;
    let now = life.now();
    life.sky.set_charging(&life.world, DRONE, false, now);
    assert_eq!(
        (life.sky.health(DRONE), life.energy_wh()),
        (0.8, landed_wh),
        "too early"
    );
    life.charge();
    assert_eq!(
        (life.sky.health(DRONE), life.energy_wh()),
        (1.0, battery.capacity_wh)
    );
    assert_eq!(
        energy_after(&battery, landed_wh, 90.0),
        battery.capacity_wh,
        "as the fleet reckons"
    );
}
