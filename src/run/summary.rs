//! What a run comes to: totals over its events, in the shape that `run --json` prints.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use crate::engine::{Engine, digest};
use crate::sim::energy::PowerModel;
use crate::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use crate::sim::ids::DeliveryId;
use crate::sim::promise::Kept;
use crate::sim::separation::Counts;
use crate::sim::time::Tick;
use crate::sim::world::World;

use super::deliveries::{Deliveries, DeliveryRow, Fulfilment};
use super::fleet_use::{FleetUse, Use};
use super::quality::{Jumps, Quality, Spread, TimeToGo};

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    pub scenario: String,
    pub seed: u64,
    pub policy: &'static str,
    pub sim_seconds: f64,
    pub wall_seconds: f64,
    pub real_time_factor: f64,
    pub ticks: Tick,
    pub drones: u32,
    pub airborne_mean: f64,
    pub fleet_use: FleetUse,
    pub deliveries: DeliveryTotals,
    pub fulfilment: Fulfilment,
    pub eta: EtaQuality,
    pub energy: EnergyTotals,
    pub separation: SeparationTotals,
    pub peak_rss_bytes: Option<u64>,
    pub digest: String,
}

/// Each request is in exactly one of the five behind `requested`, which is their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryTotals {
    pub requested: u64,
    pub completed: u64,
    pub cancelled: u64,
    pub failed: u64,
    pub third_party: u64,
    pub in_progress: u64,
}

/// `None` where no delivery was completed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EtaQuality {
    /// Shares of the trip's length.
    pub quote_error_p50: Option<f64>,
    pub quote_error_p95: Option<f64>,
    pub quote_bias_seconds: Option<f64>,
    /// Over a minute after the first quote.
    pub late_share: Option<f64>,
    pub at_quote: Spread,
    pub at_pickup: Spread,
    pub by_time_to_go: Vec<TimeToGo>,
    pub jumps: Jumps,
}

/// Over flights that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnergyTotals {
    pub model: String,
    pub total_wh: f64,
    pub wh_per_km: Option<f64>,
    /// Flights that went below the reserve, and which share of all they are.
    pub reserve_dips: u64,
    pub reserve_dip_share: Option<f64>,
}

/// Rates and means are `None` where there is nothing to make them of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeparationTotals {
    /// Of all drones, those still up too.
    pub flight_hours: f64,
    pub conflicts: u64,
    pub losses: u64,
    /// Drones that came too close to any other around a hub.
    pub terminal_losses: u64,
    /// Share of conflicts that did not become losses.
    pub prevention_rate: Option<f64>,
    /// Over losses: how deep they went on average, from 0 at the minima to 1 in the same place.
    pub severity: Option<f64>,
    /// Over losses: the mean of the least horizontal distances.
    pub closest_metres: Option<f64>,
    pub added_metres_per_flight_hour: Option<f64>,
    /// Of take-offs that were held against others' intents.
    pub mean_delay_seconds: Option<f64>,
}

impl SeparationTotals {
    pub(super) fn of(counts: &Counts) -> Self {
        SeparationTotals {
            flight_hours: counts.flight_hours(),
            conflicts: counts.conflicts,
            losses: counts.losses,
            terminal_losses: counts.terminal_losses,
            prevention_rate: counts.prevention_rate(),
            severity: counts.severity(),
            closest_metres: counts.closest_m(),
            added_metres_per_flight_hour: counts.added_m_per_flight_hour(),
            mean_delay_seconds: counts.mean_delay_s(),
        }
    }
}

/// A listener that adds up what it hears.
#[derive(Default)]
pub struct Tally {
    deliveries: DeliveryTotals,
    /// Deliveries that third-party transport has at the moment.
    with_carrier: BTreeSet<DeliveryId>,
    quality: Quality,
    rows: Deliveries,
    fleet_use: Use,
    ticks: u64,
    airborne_sum: u64,
    energy_wh: f64,
    distance_m: f64,
    flights: u64,
    reserve_dips: u64,
}

impl Tally {
    /// With a row for each delivery, where they are asked for.
    pub fn new(keeps_rows: bool) -> Self {
        Tally {
            rows: Deliveries::new(keeps_rows),
            ..Tally::default()
        }
    }

    /// A row for each delivery, where they are kept, and how what was promised of those that were
    /// completed held.
    pub fn into_rows(self) -> (Vec<DeliveryRow>, Vec<Kept>) {
        (self.rows.into_rows(), self.quality.into_kept())
    }

    pub fn hear(&mut self, events: &[Event], airborne: usize) {
        self.ticks += 1;
        self.airborne_sum += airborne as u64;
        self.fleet_use.hear(events, airborne);
        for event in events {
            match &event.happening {
                Happening::Delivery(id, kind) => {
                    self.quality.hear(event.at, *id, kind);
                    self.rows.hear(event.at, *id, kind);
                    self.count(*id, kind);
                }
                Happening::Drone(_, kind) => self.add_flight(kind),
                Happening::Hub(..)
                | Happening::Supervisor(_)
                | Happening::Account(_)
                | Happening::Package(_) => {}
            }
        }
    }

    fn count(&mut self, id: DeliveryId, event: &DeliveryEvent) {
        let deliveries = &mut self.deliveries;
        // Which of the buckets it was in; the event says which one it goes to.
        let leave = |deliveries: &mut DeliveryTotals, with_carrier: &mut BTreeSet<DeliveryId>| {
            let bucket = match with_carrier.remove(&id) {
                true => &mut deliveries.third_party,
                false => &mut deliveries.in_progress,
            };
            *bucket -= 1;
        };
        match event {
            DeliveryEvent::Accepted { .. } => {
                deliveries.requested += 1;
                deliveries.in_progress += 1;
            }
            // What third-party transport brought stays in its bucket.
            DeliveryEvent::Completed { .. } if self.with_carrier.remove(&id) => {}
            DeliveryEvent::Completed { .. } => {
                deliveries.completed += 1;
                deliveries.in_progress -= 1;
            }
            DeliveryEvent::Failed { .. } => {
                leave(deliveries, &mut self.with_carrier);
                deliveries.failed += 1;
            }
            DeliveryEvent::HandedToCarrier { .. } => {
                leave(deliveries, &mut self.with_carrier);
                deliveries.third_party += 1;
                self.with_carrier.insert(id);
            }
            // The carrier could not, and somebody else is looked for.
            DeliveryEvent::Delayed { .. } | DeliveryEvent::Assigned { .. } => {
                leave(deliveries, &mut self.with_carrier);
                deliveries.in_progress += 1;
            }
            DeliveryEvent::Cancelled => {
                leave(deliveries, &mut self.with_carrier);
                deliveries.cancelled += 1;
            }
            _ => {}
        }
    }

    fn add_flight(&mut self, event: &DroneEvent) {
        match event {
            DroneEvent::Landed {
                energy_wh,
                distance_m,
                ..
            }
            | DroneEvent::Lost {
                energy_wh,
                distance_m,
                ..
            } => {
                self.flights += 1;
                self.energy_wh += energy_wh;
                self.distance_m += distance_m;
            }
            DroneEvent::LowBattery => self.reserve_dips += 1,
            DroneEvent::TakenOff { .. }
            | DroneEvent::Fault(_)
            | DroneEvent::Holding
            | DroneEvent::Diverted
            | DroneEvent::Added { .. }
            | DroneEvent::Withdrawn
            | DroneEvent::LossOfSeparation(_)
            | DroneEvent::CameTooClose { .. }
            | DroneEvent::WeatherAlarm(_) => {}
        }
    }

    pub fn deliveries(&self) -> DeliveryTotals {
        self.deliveries
    }

    pub fn summary(&self, engine: &Engine, wall: Duration) -> Summary {
        let counts = engine.separation().counts();
        self.summary_at(
            engine.world(),
            engine.tick_number(),
            counts,
            engine.digest(),
            wall,
        )
    }

    /// The same of a world that somebody else has run.
    pub fn summary_at(
        &self,
        world: &World,
        ticks: Tick,
        counts: &Counts,
        digest: &[u8; 32],
        wall: Duration,
    ) -> Summary {
        let sim_seconds = world.time_of(ticks).as_secs();
        let wall_seconds = wall.as_secs_f64();
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Summary {
            scenario: world.name.clone(),
            seed: world.seed,
            policy: world.dispatch.policy.as_str(),
            sim_seconds,
            wall_seconds,
            real_time_factor: ratio(sim_seconds, wall_seconds),
            ticks,
            drones: world.drone_count(),
            airborne_mean: ratio(self.airborne_sum as f64, self.ticks as f64),
            fleet_use: self.fleet_use.summary(world.drone_count(), self.ticks),
            deliveries: self.deliveries,
            fulfilment: self.rows.fulfilment(),
            eta: self.eta(),
            energy: self.energy(world),
            separation: SeparationTotals::of(counts),
            peak_rss_bytes: peak_rss_bytes(),
            digest: digest::hex(digest),
        }
    }

    fn eta(&self) -> EtaQuality {
        let at_quote = self.quality.at_quote();
        EtaQuality {
            quote_error_p50: at_quote.p50_share,
            quote_error_p95: at_quote.p95_share,
            quote_bias_seconds: at_quote.bias_seconds,
            late_share: self.quality.late_share(),
            at_quote,
            at_pickup: self.quality.at_pickup(),
            by_time_to_go: self.quality.by_time_to_go().collect(),
            jumps: self.quality.jumps(),
        }
    }

    fn energy(&self, world: &World) -> EnergyTotals {
        let km = self.distance_m / 1_000.0;
        EnergyTotals {
            model: power_models(world),
            total_wh: self.energy_wh,
            wh_per_km: (km > 0.0).then(|| self.energy_wh / km),
            reserve_dips: self.reserve_dips,
            reserve_dip_share: (self.flights > 0).then(|| self.reserve_dips as f64 / self.flights as f64),
        }
    }
}

/// The models that this world's fleets fly by, `+` between several.
fn power_models(world: &World) -> String {
    let name = |power: &PowerModel| match power {
        PowerModel::LiftToDrag(_) => "lift_to_drag",
        PowerModel::Multirotor(_) => "multirotor",
        PowerModel::Hybrid { .. } => "hybrid",
    };
    let mut names: Vec<_> = world
        .fleets
        .iter()
        .map(|fleet| name(&world.model(fleet.model).power))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join("+")
}

/// The most memory that this process ever held; `None` where the system does not tell.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::event::Etas;
    use crate::sim::geo::LatLon;
    use crate::sim::time::SimTime;
    use crate::sim::workflow::{FailureReason, WaitingFor};

    #[test]
    fn what_the_carrier_has_or_brought_is_its_own_until_it_fails() {
        let mut tally = Tally::default();
        let (id, location) = (DeliveryId::new(1, [0; 10]), LatLon { lat: 0.0, lon: 0.0 });
        let etas = Etas {
            pickup: SimTime::START,
            delivery: SimTime::START,
        };
        tally.deliveries.requested = 1;
        tally.deliveries.in_progress = 1;
        let mut buckets = |event| {
            tally.count(id, &event);
            let DeliveryTotals {
                completed,
                failed,
                third_party,
                in_progress,
                ..
            } = tally.deliveries;
            [completed, failed, third_party, in_progress]
        };
        let reason = FailureReason::CarrierFailed;
        let waiting_for = WaitingFor::ThirdParty;
        assert_eq!(buckets(DeliveryEvent::HandedToCarrier { etas }), [0, 0, 1, 0]);
        assert_eq!(buckets(DeliveryEvent::Delayed { waiting_for }), [0, 0, 0, 1]);
        assert_eq!(buckets(DeliveryEvent::Delayed { waiting_for }), [0, 0, 0, 1]);
        assert_eq!(buckets(DeliveryEvent::HandedToCarrier { etas }), [0, 0, 1, 0]);
        assert_eq!(buckets(DeliveryEvent::Completed { location }), [0, 0, 1, 0]);

        let mut other = Tally::default();
        other.deliveries.in_progress = 1;
        other.count(id, &DeliveryEvent::HandedToCarrier { etas });
        other.count(id, &DeliveryEvent::Failed { reason });
        let DeliveryTotals {
            failed, third_party, ..
        } = other.deliveries;
        assert_eq!((failed, third_party), (1, 0));
    }
}
