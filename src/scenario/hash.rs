//! A world's fingerprint: what the simulation depends on, in a form that comments,
//! formatting and the order of keys do not touch.
//!
//! Every struct is taken apart by name, so that a new field does not compile until it is
//! decided whether it belongs here.

use serde::Serialize;

use crate::sim::account::AccountRules;
use crate::sim::carrier::Carrier;
use crate::sim::catalogue;
use crate::sim::energy::PowerModel;
use crate::sim::geo::Area;
use crate::sim::separation::Rules;
use crate::sim::time::SimTime;
use crate::sim::weather::{Limits, Weather};
use crate::sim::workflow::WorkflowRules;
use crate::sim::world::{
    Battery, Demand, DispatchRules, DropoffSpread, Fleet, HeightReference, Hub, Model, PickupAt, Place,
    PolicyKind, Positioning, Recipient, ScriptedRequest, UnknownPlaces, World, Zone,
};

const ALWAYS: (SimTime, SimTime) = (SimTime::START, SimTime::NEVER);

/// Not the seed, which may be chosen for each run, and not the description or what
/// onlookers are shown.
pub(super) fn of(world: &World) -> [u8; 32] {
    let World {
        name,
        description: _,
        seed: _,
        start_unix_us,
        duration,
        tick,
        area,
        unknown_places,
        density_shown: _,
        hubs,
        models,
        fleets,
        fleet_index: _,
        roster: _,
        places,
        zones,
        airspace: _,
        weather,
        demand,
        scripted,
        dispatch,
        accounts,
        carrier,
        recipient,
        separation,
        faults,
        workflow,
        scenario_hash: _,
    } = world;
    let mut hash = Canonical::default();
    hash.add(&(name, start_unix_us, duration, tick));
    hash.add_area(area);
    hash.add(&match unknown_places {
        UnknownPlaces::Refuse => 0_u8,
        UnknownPlaces::Scatter => 1,
    });
    hash.add_all(hubs, Canonical::add_hub);
    hash.add_all(models, Canonical::add_model);
    hash.add_all(
        fleets,
        |hash,
         Fleet {
             hub,
             model,
             count,
             aloft,
             cycles,
         }| {
            hash.add(&(hub, model, count, aloft));
            // What is as it always was leaves the hash as it was.
            if *cycles != (0.0, 0.0) {
                hash.add(&("cycles", cycles));
            }
        },
    );
    hash.add_all(places, |hash, Place { name, location }| {
        hash.add(&(name, location))
    });
    hash.add_all(zones, Canonical::add_zone);
    hash.add_weather(weather);
    hash.add_all(demand.as_slice(), Canonical::add_demand);
    hash.add_all(scripted, |hash, ScriptedRequest { at, order }| {
        hash.add(&(at, order))
    });
    let DispatchRules {
        policy,
        batch_every,
        positioning,
        backlog,
        scheduled,
        max_wait,
        when_full,
    } = dispatch;
    hash.add(&(backlog, max_wait, when_full));
    // Worlds from before these were simulated keep their hash.
    if *scheduled != DispatchRules::SCHEDULED {
        hash.add(&("scheduled", scheduled));
    }
    if *positioning != Positioning::default() {
        hash.add(&("positioning", positioning));
    }
    if *policy != PolicyKind::default() {
        hash.add(&(policy.as_str(), batch_every));
    }
    if *carrier != Carrier::default() {
        hash.add(carrier);
    }
    if *accounts != AccountRules::default() {
        hash.add(accounts);
    }
    if !faults.is_empty() {
        hash.add(faults);
    }
    hash.add_workflow(workflow);
    if *recipient != Recipient::default() {
        let Recipient {
            confirm_after,
            never,
            patience,
            redeliver_after,
        } = recipient;
        hash.add(&(confirm_after, never, patience, redeliver_after));
    }
    if *separation != Rules::default() {
        hash.add(&("separation", separation));
    }
    hash.0.finalize().into()
}

#[derive(Default)]
struct Canonical(blake3::Hasher);

impl Canonical {
    /// Postcard's format is fixed and tells lengths, so that no two values look alike.
    fn add(&mut self, value: &impl Serialize) {
        let bytes = postcard::to_stdvec(value).expect("a value in memory can be written");
        self.0.update(&bytes);
    }

    fn add_all<T>(&mut self, items: &[T], mut add: impl FnMut(&mut Self, &T)) {
        self.add(&items.len());
        for item in items {
            add(self, item);
        }
    }

    fn add_weather(&mut self, weather: &Weather) {
        // Shifts come later.
        let Weather {
            mean,
            rain,
            shifts: _,
            gust_mps,
            gust_time_s,
            forecast_error,
            air_density_kgpm3,
        } = weather;
        let (east_mps, north_mps) = mean.at(0, SimTime::START);
        self.add(&(east_mps, north_mps, air_density_kgpm3));
        // Worlds from before the rest was simulated keep their hash.
        let steady = Weather {
            rain: rain.clone(),
            ..Weather::steady(east_mps, north_mps, *air_density_kgpm3)
        };
        if *weather != steady {
            self.add(&(mean, gust_mps, gust_time_s, forecast_error));
        }
        if !rain.is_nothing() {
            self.add(&("rain", rain));
        }
    }

    fn add_area(&mut self, area: &Area) {
        // The frame follows from the bounds.
        let Area {
            bounds,
            frame: _,
            land,
            ground_m,
            geoid_m,
        } = area;
        self.add(&(bounds, ground_m, geoid_m, land.is_some()));
        if let Some(land) = land {
            self.add_all(&land.0, Canonical::add_polygon);
        }
    }

    /// Defaults add nothing: stores of worlds that were made before there was a choice stay theirs.
    fn add_workflow(&mut self, workflow: &WorkflowRules) {
        if *workflow == WorkflowRules::default() {
            return;
        }
        let WorkflowRules {
            step_timeout,
            retries,
            backoff,
            backoff_max,
            breaker_failures,
            breaker_pause,
            dead_letters,
        } = workflow;
        self.add(&(step_timeout, retries, backoff, backoff_max));
        self.add(&(breaker_failures, breaker_pause, dead_letters));
    }

    fn add_polygon(&mut self, polygon: &geo::Polygon) {
        let rings: Vec<_> = std::iter::once(polygon.exterior())
            .chain(polygon.interiors())
            .collect();
        self.add_all(&rings, |hash, ring| {
            hash.add_all(&ring.0, |hash, corner| hash.add(&(corner.x, corner.y)));
        });
    }

    fn add_hub(&mut self, hub: &Hub) {
        // The point follows from the location.
        let Hub {
            key,
            name,
            location,
            at: _,
            pads,
            chargers,
            turnaround,
        } = hub;
        self.add(&(key, name, location, pads, chargers));
        // What is as it always was leaves the hash as it was.
        if *turnaround != Hub::TURNAROUND {
            self.add(&("turnaround", turnaround));
        }
    }

    fn add_model(&mut self, model: &Model) {
        let Model {
            key,
            empty_mass_kg,
            max_payload_kg,
            cruise_airspeed_mps,
            climb_mps,
            descent_mps,
            acceleration_mps2,
            vertical_acceleration_mps2,
            max_bank_rad,
            yaw_rate_radps,
            handover_height_m,
            handover_s,
            battery,
            power,
            limits,
            rotor_count,
        } = model;
        let Battery {
            capacity_wh,
            reserve,
            charge_power_w,
            swap_s,
            cycles_to_80,
        } = battery;
        self.add(&(
            key,
            empty_mass_kg,
            max_payload_kg,
            cruise_airspeed_mps,
            climb_mps,
            descent_mps,
        ));
        self.add(&(
            acceleration_mps2,
            vertical_acceleration_mps2,
            max_bank_rad,
            yaw_rate_radps,
        ));
        self.add(&(
            handover_height_m,
            handover_s,
            capacity_wh,
            reserve,
            charge_power_w,
            power,
        ));
        // What is as it always was leaves the hash as it was.
        if swap_s.is_some() {
            self.add(&("swap", swap_s));
        }
        if cycles_to_80.is_some() {
            self.add(&("cycles_to_80", cycles_to_80));
        }
        // Worlds from before these were simulated keep their hash.
        let of_catalogue = catalogue::model(key).map(|model| (model.limits, model.rotor_count));
        let rotors = if matches!(power, PowerModel::LiftToDrag(_)) {
            0
        } else {
            4
        };
        if (*limits, *rotor_count) != of_catalogue.unwrap_or((Limits::NONE, rotors)) {
            self.add(&("limits", limits, rotor_count));
        }
    }

    fn add_zone(&mut self, zone: &Zone) {
        let Zone {
            name,
            polygon,
            floor_m,
            ceiling_m,
            reference,
            from,
            until,
        } = zone;
        let above_sea = *reference == HeightReference::Amsl;
        self.add(&(name, floor_m, ceiling_m, above_sea));
        self.add_polygon(polygon);
        // Worlds from before zones had times keep their hash.
        if (*from, *until) != ALWAYS {
            self.add(&(from, until));
        }
    }

    fn add_demand(&mut self, demand: &Demand) {
        let Demand {
            rate_per_s,
            profile,
            pickup,
            preparation,
            dropoff,
            dropoff_points,
            within_m,
            payload_kg,
            expedited,
        } = demand;
        let pickup = match pickup {
            PickupAt::Places => 0_u8,
            PickupAt::Hub => 1,
        };
        let dropoff = match dropoff {
            DropoffSpread::Land => 0_u8,
            DropoffSpread::Area => 1,
            DropoffSpread::Places => 2,
            DropoffSpread::Points => 3,
        };
        self.add(&(rate_per_s, profile, pickup, dropoff, payload_kg, expedited));
        if preparation.is_some() || !dropoff_points.is_empty() {
            self.add(&(preparation, dropoff_points));
        }
        if within_m.is_some() {
            self.add(within_m);
        }
    }
}
