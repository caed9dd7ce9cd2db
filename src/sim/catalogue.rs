//! The built-in aircraft, each reproducing its published range.
//!
//! Masses, payloads, cruise speeds, rotor sizes and ranges are those of makers,
//! regulators and papers as `flight.md` lists them. Figures marked "derived" are
//! published nowhere: they are plausible for the size, and the battery is chosen last so
//! that the stated range leaves just the reserve. Wind limits are the makers' for the two
//! that are on sale, and derived for the others: operators stop at 15 to 25 knots, aircraft
//! with wings later than those without.

use super::energy::{PowerModel, Rotors, Wing};
use super::weather::Limits;
use super::world::{Battery, Model};

const KEYS: [&str; 7] = [
    "m100",
    "m600",
    "matternet-m2",
    "wing",
    "zipline-p2",
    "mk27",
    "prism-v2",
];

/// The built-in types' keys, as scenarios name them.
pub fn keys() -> &'static [&'static str] {
    &KEYS
}

/// The built-in type of this key.
pub fn model(key: &str) -> Option<Model> {
    let model = match key {
        "m100" => m100(),
        "m600" => m600(),
        "matternet-m2" => matternet_m2(),
        "wing" => wing(),
        "zipline-p2" => zipline_p2(),
        "mk27" => mk27(),
        "prism-v2" => prism_v2(),
        _ => return None,
    };
    Some(model)
}

/// Handling that no source states for these types, but for the climb of the two by DJI (5 m/s) and
/// the 20 to 40 s that a hand-over takes: all of it derived from what autopilots of such aircraft
/// are set to.
fn multirotor(key: &str, rotors: Rotors) -> Model {
    Model {
        key: key.to_owned(),
        empty_mass_kg: 0.0,
        max_payload_kg: 0.0,
        cruise_airspeed_mps: 0.0,
        climb_mps: 5.0,
        descent_mps: 3.0,
        acceleration_mps2: 2.0,
        vertical_acceleration_mps2: 1.5,
        max_bank_rad: DEGREES_30,
        yaw_rate_radps: 1.0,
        handover_height_m: 0.0,
        handover_s: 30.0,
        battery: battery(0.0, 0.0),
        power: PowerModel::Multirotor(rotors),
        limits: Limits::NONE,
        rotor_count: 0,
    }
}

/// Mean wind and gusts at 10 m, m/s, and rain, mm/h.
fn limits(wind_mps: f64, gust_mps: f64, rain_mmph: f64) -> Limits {
    Limits {
        wind_mps,
        gust_mps,
        rain_mmph,
    }
}

fn hybrid(key: &str, rotors: Rotors, wing: Wing) -> Model {
    Model {
        acceleration_mps2: 2.5, // derived
        power: PowerModel::Hybrid { rotors, wing },
        ..multirotor(key, rotors)
    }
}

const DEGREES_30: f64 = std::f64::consts::FRAC_PI_6;

fn battery(capacity_wh: f64, charge_power_w: f64) -> Battery {
    Battery {
        capacity_wh,
        reserve: 0.2, // as `flight.md` has it
        charge_power_w,
        swap_s: None,
        cycles_to_80: None,
    }
}

fn disc_area_m2(rotors: f64, diameter_m: f64) -> f64 {
    rotors * std::f64::consts::FRAC_PI_4 * diameter_m * diameter_m
}

/// DJI Matrice 100 as flown by Rodrigues et al. 2021.
fn m100() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(4.0, 0.33),
        efficiency: 0.55,    // derived: middle of the published 0.5 to 0.6
        drag_area_m2: 0.05,  // derived: published with the check in MJ/km
        electronics_w: 10.0, // derived
    };
    Model {
        empty_mass_kg: 3.1, // 3.6 kg at most, less the payload
        max_payload_kg: 0.5,
        cruise_airspeed_mps: 8.0,        // flown at 4 to 12
        battery: battery(99.9, 100.0),   // TB47D; charging derived
        limits: limits(10.0, 14.0, 0.0), // maker: 10 m/s, not in rain; gusts derived
        rotor_count: 4,
        ..multirotor("m100", rotors)
    }
}

/// DJI Matrice 600; no range is stated, but how long it hovers.
fn m600() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(6.0, 0.53),
        efficiency: 0.6,     // derived
        drag_area_m2: 0.12,  // derived
        electronics_w: 30.0, // derived
    };
    Model {
        empty_mass_kg: 9.6, // 15.1 kg at most, less the payload
        max_payload_kg: 5.5,
        cruise_airspeed_mps: 18.0,
        battery: battery(599.4, 600.0), // six TB47S; charging derived
        limits: limits(8.0, 12.0, 0.0), // maker: 8 m/s, not in rain; gusts derived
        rotor_count: 6,
        ..multirotor("m600", rotors)
    }
}

/// Matternet M2: lands on a station for its package.
fn matternet_m2() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(4.0, 0.66), // derived
        efficiency: 0.65,                      // derived
        drag_area_m2: 0.06,                    // derived
        electronics_w: 30.0,                   // derived
    };
    Model {
        empty_mass_kg: 11.0, // 13 kg at most, less the payload
        max_payload_kg: 2.0,
        cruise_airspeed_mps: 20.0,       // the certificate's limit
        battery: battery(330.0, 400.0),  // derived
        limits: limits(10.0, 15.0, 2.5), // derived: light rain
        rotor_count: 4,                  // maker
        ..multirotor("matternet-m2", rotors)
    }
}

/// Wing: lowers its package on a tether.
fn wing() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(12.0, 0.18), // diameter derived
        efficiency: 0.6,                        // derived
        drag_area_m2: 0.05,                     // derived
        electronics_w: 20.0,                    // derived
    };
    let wing = Wing {
        efficiency: 0.5,     // derived
        lift_to_drag: 8.0,   // derived
        electronics_w: 20.0, // derived
    };
    Model {
        empty_mass_kg: 4.8,
        max_payload_kg: 1.13,
        cruise_airspeed_mps: 29.0,
        handover_height_m: 7.0,
        battery: battery(135.0, 170.0),  // derived
        limits: limits(11.0, 16.0, 7.5), // derived: "flies in the rain" (Wing) up to a moderate one
        rotor_count: 12,
        ..hybrid("wing", rotors, wing)
    }
}

/// Zipline Platform 2: stays high and lowers a droid.
fn zipline_p2() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(5.0, 0.8), // derived
        efficiency: 0.65,                     // derived
        drag_area_m2: 0.1,                    // derived
        electronics_w: 50.0,                  // derived
    };
    let wing = Wing {
        efficiency: 0.6,     // derived
        lift_to_drag: 10.0,  // derived
        electronics_w: 50.0, // derived
    };
    Model {
        empty_mass_kg: 20.0, // derived
        max_payload_kg: 3.6,
        cruise_airspeed_mps: 29.0, // of 27 to 31
        handover_height_m: 90.0,
        handover_s: 40.0,                // derived: the longest that tethers take
        battery: battery(510.0, 600.0),  // derived
        limits: limits(12.5, 18.0, 7.5), // derived
        rotor_count: 5,                  // derived
        ..hybrid("zipline-p2", rotors, wing)
    }
}

/// Amazon MK27 as planned in 2019: comes down low and drops its package.
fn mk27() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(6.0, 1.0), // derived
        efficiency: 0.65,                     // derived
        drag_area_m2: 0.3,                    // derived
        electronics_w: 80.0,                  // derived
    };
    let wing = Wing {
        efficiency: 0.6,     // derived
        lift_to_drag: 7.0,   // derived
        electronics_w: 80.0, // derived
    };
    Model {
        empty_mass_kg: 37.73, // 40 kg at most, less the payload
        max_payload_kg: 2.27,
        cruise_airspeed_mps: 31.0,
        handover_height_m: 4.0,             // derived
        handover_s: 20.0,                   // derived: it drops what others lower
        battery: battery(1_090.0, 1_200.0), // derived
        limits: limits(10.5, 15.0, 0.0),    // derived; rain: what its successor was built for
        rotor_count: 6,                     // derived
        ..hybrid("mk27", rotors, wing)
    }
}

/// DroneUp Prism V2.
fn prism_v2() -> Model {
    let rotors = Rotors {
        disc_area_m2: disc_area_m2(8.0, 0.7), // derived
        efficiency: 0.65,                     // derived
        drag_area_m2: 0.15,                   // derived
        electronics_w: 50.0,                  // derived
    };
    Model {
        empty_mass_kg: 20.5,             // 25 kg at most, less the payload
        max_payload_kg: 4.5,             // derived: ten pounds
        cruise_airspeed_mps: 18.0,       // derived
        handover_height_m: 25.0,         // derived: lowers on a winch
        handover_s: 40.0,                // derived: as long as the longest tether
        battery: battery(555.0, 600.0),  // derived
        limits: limits(10.0, 15.0, 2.5), // derived
        rotor_count: 8,                  // derived
        ..multirotor("prism-v2", rotors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::air::Air;
    use crate::sim::airspace::OPEN;
    use crate::sim::flight::{Errand, Mission, plan_delivery};
    use crate::sim::geo::Point;
    use crate::sim::time::SimTime;
    use crate::sim::units::{AIR_DENSITY_KGPM3, wh_to_joules};
    use crate::sim::weather::Weather;

    static STILL: Weather = Weather::steady(0.0, 0.0, AIR_DENSITY_KGPM3);

    fn still() -> Air<'static> {
        Air::forecast(&STILL, &OPEN, 0, SimTime::START)
    }

    /// Out from the hub to this far east, and back.
    fn out_and_back(model: &Model, radius_m: f64, payload_kg: f64) -> Mission {
        let hub = Point::default();
        let errand = Errand {
            hub,
            pickup: hub,
            dropoff: Point { x: radius_m, y: 0.0 },
            home: hub,
            payload_kg,
        };
        plan_delivery(model, &still(), &errand).expect("the payload is within the type's limit")
    }

    #[test]
    fn stated_ranges_are_reproduced_within_a_tenth() {
        let radii_km = [
            ("wing", 9.7),
            ("zipline-p2", 16.0),
            ("mk27", 14.0),
            ("matternet-m2", 10.0),
            ("prism-v2", 8.0),
        ];
        for (key, radius_km) in radii_km {
            let model = model(key).unwrap();
            let usable = model.battery.capacity_wh * (1.0 - model.battery.reserve);
            let (mut near, mut far) = (100.0, 100_000.0);
            while far - near > 1.0 {
                let middle = 0.5 * (near + far);
                let mission = out_and_back(&model, middle, model.max_payload_kg);
                let in_reach = mission.energy_wh <= usable;
                (near, far) = if in_reach { (middle, far) } else { (near, middle) };
            }
            let reach_km = near / 1_000.0;
            let ratio = reach_km / radius_km;
            assert!((0.9..1.1).contains(&ratio), "{key} reaches {reach_km} km");
        }
    }

    #[test]
    fn m100_uses_as_much_as_was_measured() {
        // Rodrigues et al. 2022: about 0.08 MJ/km, take-off and landing included. The
        // way out of an errand, less its hover, is such a flight.
        let mut model = model("m100").unwrap();
        model.handover_s = 0.0;
        let one_way = |payload| out_and_back(&model, 2_000.0, payload).energy_wh / 2.0;
        let mj_per_km = wh_to_joules(one_way(0.5)) / 2.0 / 1e6;
        assert!((0.04..0.10).contains(&mj_per_km), "{mj_per_km}");
        assert!(one_way(0.5) > one_way(0.0));
    }

    #[test]
    fn m600_hovers_about_as_long_as_its_maker_says() {
        // Empty 35 minutes, at its greatest mass 16, and a tenth of the battery is left then.
        let model = model("m600").unwrap();
        let minutes = |payload_kg: f64| {
            let mass_kg = model.empty_mass_kg + payload_kg;
            let watts = model.power.hover_w(&model, mass_kg, AIR_DENSITY_KGPM3);
            0.9 * model.battery.capacity_wh / watts * 60.0
        };
        for (payload_kg, stated) in [(0.0, 35.0), (model.max_payload_kg, 16.0)] {
            let ratio = minutes(payload_kg) / stated;
            assert!((0.8..1.2).contains(&ratio), "{payload_kg} kg: {ratio}");
        }
    }

    #[test]
    fn every_key_has_its_model() {
        for key in keys() {
            assert_eq!(model(key).unwrap().key, *key);
        }
        assert!(model("b747").is_none());
    }
}
