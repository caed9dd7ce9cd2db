//! The tick in numbers, for the operators.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::sim::actor::SINGLE_ACTORS;
use crate::sim::event::{DroneEvent, Event, Happening};
use crate::view::reading::Pace;

use super::separation::SeparationMetrics;
use super::telemetry::Phase;
use super::{Engine, Outcome};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

pub(super) type Float = Gauge<f64, AtomicU64>;

#[derive(Clone)]
pub struct Metrics {
    phases: Family<PhaseLabel, Histogram, fn() -> Histogram>,
    ticks: Counter,
    rounds: Counter,
    panics: Family<KindLabel, Counter>,
    events: Counter,
    flights: Counter,
    reserve_dips: Counter,
    carried_over: Gauge,
    tick_slip_seconds: Float,
    real_time_factor: Float,
    actors: Family<KindLabel, Gauge>,
    airborne: Gauge,
    alarms: Gauge,
    separation: SeparationMetrics,
}

fn tick_times() -> Histogram {
    // 20 µs to 5 s.
    Histogram::new(exponential_buckets(20e-6, 2.0, 19))
}

impl Metrics {
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Metrics {
            phases: Family::new_with_constructor(tick_times),
            ticks: Counter::default(),
            rounds: Counter::default(),
            panics: Family::default(),
            events: Counter::default(),
            flights: Counter::default(),
            reserve_dips: Counter::default(),
            carried_over: Gauge::default(),
            tick_slip_seconds: Float::default(),
            real_time_factor: Float::default(),
            actors: Family::default(),
            airborne: Gauge::default(),
            alarms: Gauge::default(),
            separation: SeparationMetrics::register(registry),
        };
        let seconds = Unit::Seconds;
        let phases = metrics.phases.clone();
        registry.register_with_unit(
            "skyhaul_tick_phase",
            "Wall time of a tick's phases",
            seconds,
            phases,
        );
        registry.register("skyhaul_ticks", "Ticks since the start", metrics.ticks.clone());
        registry.register(
            "skyhaul_rounds",
            "Rounds of actors' messages",
            metrics.rounds.clone(),
        );
        let panics = metrics.panics.clone();
        registry.register(
            "skyhaul_actor_panics",
            "Messages that actors panicked over, by kind",
            panics,
        );
        registry.register("skyhaul_events", "Committed events", metrics.events.clone());
        registry.register(
            "skyhaul_flights",
            "Flights that ended, in a landing or not",
            metrics.flights.clone(),
        );
        registry.register(
            "skyhaul_reserve_dips",
            "Flights whose battery went below the reserve in the air",
            metrics.reserve_dips.clone(),
        );
        let carried = "Messages that the last tick left for the next";
        registry.register(
            "skyhaul_carried_over_messages",
            carried,
            metrics.carried_over.clone(),
        );
        let slip = "How late the last tick began";
        registry.register_with_unit(
            "skyhaul_tick_slip",
            slip,
            Unit::Seconds,
            metrics.tick_slip_seconds.clone(),
        );
        let factor = "Simulated seconds per wall second over the last few seconds";
        registry.register(
            "skyhaul_real_time_factor",
            factor,
            metrics.real_time_factor.clone(),
        );
        registry.register("skyhaul_actors", "Actors alive by kind", metrics.actors.clone());
        registry.register(
            "skyhaul_airborne_drones",
            "Drones in the air",
            metrics.airborne.clone(),
        );
        registry.register(
            "skyhaul_alarms",
            "Alarms that actors have set",
            metrics.alarms.clone(),
        );
        metrics
    }

    pub fn observe(&self, outcome: &Outcome, engine: &Engine, pace: &Pace) {
        for (phase, time) in Phase::ALL.into_iter().zip(outcome.times) {
            self.observe_phase(phase.as_str(), time);
        }
        self.ticks.inc();
        self.rounds.inc_by(outcome.rounds as u64);
        for actor in &outcome.panics {
            let kind = actor.kind();
            self.panics.get_or_create(&KindLabel { kind }).inc();
        }
        self.events.inc_by(outcome.events.len() as u64);
        self.count_flights(&outcome.events);
        self.carried_over.set(outcome.carried_over as i64);
        self.tick_slip_seconds.set(pace.tick_slip_ms / 1_000.0);
        self.real_time_factor.set(pace.real_time_factor);
        self.show(engine);
    }

    fn count_flights(&self, events: &[Event]) {
        for event in events {
            match event.happening {
                Happening::Drone(_, DroneEvent::Landed { .. } | DroneEvent::Lost { .. }) => {
                    self.flights.inc();
                }
                Happening::Drone(_, DroneEvent::LowBattery) => {
                    self.reserve_dips.inc();
                }
                _ => {}
            }
        }
    }

    /// How many there are of everything, before the first tick too.
    pub fn show(&self, engine: &Engine) {
        self.airborne.set(engine.sky().airborne_count() as i64);
        self.alarms.set(engine.alarms() as i64);
        self.separation.show(engine.separation());
        let census = engine.census();
        let many = [("drone", census.drones), ("delivery", census.deliveries)];
        let single = SINGLE_ACTORS.into_iter().map(|actor| (actor.kind(), 1));
        for (kind, count) in many.into_iter().chain(single) {
            self.actors.get_or_create(&KindLabel { kind }).set(count as i64);
        }
    }

    /// Until the store took the tick: longer where it is the slower of the two.
    pub fn observe_commit_wait(&self, time: Duration) {
        self.observe_phase("commit_wait", time);
    }

    fn observe_phase(&self, phase: &'static str, time: Duration) {
        self.phases
            .get_or_create(&PhaseLabel { phase })
            .observe(time.as_secs_f64());
    }
}
