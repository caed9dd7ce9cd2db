//! Who comes too close to whom hears of it, and so do the operators, in numbers.

use std::collections::BTreeSet;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::actors::drone::DroneMessage;
use crate::actors::{Context, Mail};
use crate::sim::event::Proximity;
use crate::sim::flight::FlightPlan;
use crate::sim::ids::DroneId;
use crate::sim::separation::{self, Advice, Conflict, Loss, Pair, Party, Separation, Strategic};
use crate::sim::time::SimTime;

use super::metrics::Float;
use super::{Decided, Engine};

impl Engine {
    /// Counts losses of separation and conflicts after the sky's step, and asks who can to make
    /// way, each at most once in a tick.
    pub(super) fn keep_apart(&mut self, now: SimTime, mail: &mut Vec<Mail>) {
        let seen = self
            .separation
            .look(&self.world, &self.sky, now, self.pool.as_ref());
        for loss in seen.losses {
            mail.extend([(0, 1), (1, 0)].map(|(own, other)| self.too_close(&loss, own, other)));
        }
        let mut asked = BTreeSet::new();
        for conflict in seen.conflicts {
            let is_asked = conflict.bodies.iter().any(|body| asked.contains(&body.drone));
            if is_asked {
                continue;
            }
            let Some(parties) = self.parties(&conflict) else {
                continue;
            };
            let own = separation::yields(&parties[0], &parties[1]);
            if let Some(advice) = own.and_then(|own| self.advice(&conflict, &parties, own, false)) {
                let drone = conflict.bodies[usize::from(advice.own)].drone;
                asked.insert(drone);
                mail.push(Mail::Drone(drone, DroneMessage::MakeWay(Box::new(advice))));
            }
        }
    }

    /// The one cannot; the other may be able to, unless it has got another plan in this tick.
    pub(super) fn ask_other(
        &self,
        declines: DroneId,
        conflict: &Conflict,
        decided: &Decided,
        mail: &mut Vec<Mail>,
    ) {
        let other = usize::from(conflict.bodies[0].drone == declines);
        let drone = conflict.bodies[other].drone;
        if decided.planned.contains(&drone) {
            return;
        }
        let parties = self.parties(conflict);
        let advice = parties.and_then(|parties| self.advice(conflict, &parties, other, true));
        if let Some(advice) = advice {
            mail.push(Mail::Drone(drone, DroneMessage::MakeWay(Box::new(advice))));
        }
    }

    fn parties(&self, conflict: &Conflict) -> Option<[Party; 2]> {
        let [one, other] = conflict.bodies.map(|body| self.sky.party(&self.world, body));
        let parties = [one?, other?];
        // What climbs and descends where, intents have seen to: who breaks its own for such a
        // one is in others' way later.
        let is_planned = self.world.separation.strategic == Strategic::GroundDelay;
        let on_course = |party: &Party| party.course.is_some();
        (!is_planned || parties.iter().all(on_course)).then_some(parties)
    }

    /// What the one that is to make way must know.
    fn advice(&self, conflict: &Conflict, parties: &[Party; 2], own: usize, is_last: bool) -> Option<Advice> {
        let party = &parties[own];
        let model = self.world.model(self.world.fleet_of(party.body.drone)?.model);
        let rates = [model.climb_mps, model.descent_mps];
        Some(Advice {
            conflict: *conflict,
            own: own as u8,
            fix: party.fix,
            course: party.course?,
            free: self.separation.free_levels(&self.world, &party.body, rates),
            is_last,
        })
    }

    pub(super) fn make_way(
        &mut self,
        context: &Context,
        drone: DroneId,
        pair: Pair,
        plan: FlightPlan,
        decided: &mut Decided,
    ) {
        let before_m = self.sky.way_left_m(drone);
        match self.sky.fly(&self.world, drone, plan, context.now) {
            Ok(()) => {
                let after_m = self.sky.way_left_m(drone);
                let added_m = before_m.zip(after_m).map_or(0.0, added_m);
                self.separation.resolved(pair, added_m);
                decided.planned.insert(drone);
                decided.grounded.push(drone);
            }
            Err(discontinuous) => {
                tracing::error!(%drone, %discontinuous, "a plan to make way was refused");
            }
        }
    }

    fn too_close(&self, loss: &Loss, own: usize, other: usize) -> Mail {
        let proximity = Proximity {
            other: loss.drones[other],
            location: self.world.area.frame.to_latlon(loss.at[own]),
            distance_m: loss.closeness.horizontal_m,
            height_difference_m: loss.closeness.vertical_m,
        };
        let height_m = loss.heights_m[own];
        Mail::Drone(loss.drones[own], DroneMessage::TooClose { proximity, height_m })
    }
}

/// What separation has come to since the world began: gauges, since a world goes on where its
/// last snapshot had it.
#[derive(Clone)]
pub(super) struct SeparationMetrics {
    conflicts: Gauge,
    losses: Gauge,
    terminal_losses: Gauge,
    under_way: Gauge,
    flight_hours: Float,
    prevention_rate: Float,
    severity: Float,
    closest_m: Float,
    added_m: Float,
    delay_s: Float,
}

impl SeparationMetrics {
    pub fn register(registry: &mut Registry) -> Self {
        let mut count = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let conflicts = count(
            "skyhaul_separation_conflicts",
            "Predicted losses of separation, once in each encounter",
        );
        let losses = count(
            "skyhaul_separation_losses",
            "Losses of separation outside of terminal volumes, once in each encounter",
        );
        let terminal_losses = count(
            "skyhaul_separation_terminal_losses",
            "Drones that came too close to any other around a hub, until they kept clear of all",
        );
        let under_way = count(
            "skyhaul_separation_encounters",
            "Pairs of drones that are too close, or may be",
        );
        let mut figure = |name: &str, help: &str| {
            let gauge = Float::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        SeparationMetrics {
            conflicts,
            losses,
            terminal_losses,
            under_way,
            flight_hours: figure(
                "skyhaul_separation_flight_hours",
                "Time in the air, of all drones",
            ),
            prevention_rate: figure(
                "skyhaul_separation_prevention_ratio",
                "Share of conflicts that did not become losses",
            ),
            severity: figure(
                "skyhaul_separation_severity_ratio",
                "How deep losses went on average, from 0 at the minima to 1 in the same place",
            ),
            closest_m: figure(
                "skyhaul_separation_closest_meters",
                "The mean of losses' least horizontal distances",
            ),
            added_m: figure(
                "skyhaul_separation_added_meters_per_flight_hour",
                "What making way added to ways",
            ),
            delay_s: figure(
                "skyhaul_separation_delay_seconds",
                "By how much take-offs were put off, on average",
            ),
        }
    }

    pub fn show(&self, separation: &Separation) {
        let counts = separation.counts();
        self.conflicts.set(counts.conflicts.cast_signed());
        self.losses.set(counts.losses.cast_signed());
        self.terminal_losses.set(counts.terminal_losses.cast_signed());
        self.under_way.set(separation.under_way() as i64);
        self.flight_hours.set(counts.flight_hours());
        for (gauge, figure) in [
            (&self.prevention_rate, counts.prevention_rate()),
            (&self.severity, counts.severity()),
            (&self.closest_m, counts.closest_m()),
            (&self.added_m, counts.added_m_per_flight_hour()),
            (&self.delay_s, counts.mean_delay_s()),
        ] {
            gauge.set(figure.unwrap_or(f64::NAN));
        }
    }
}

/// What making way adds to the way that is left. Who goes on at another level has a longer or a
/// shorter way down: what is saved so was no doing of resolution's, and makes good for no other's
/// way round.
fn added_m((before_m, after_m): (f64, f64)) -> f64 {
    (after_m - before_m).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn making_way_adds_to_the_way_or_nothing() {
        assert_eq!(added_m((4_000.0, 4_040.0)), 40.0);
        assert_eq!(
            added_m((4_000.0, 3_960.0)),
            0.0,
            "from a lower level it has less to come down"
        );
    }
}
