//! How far each hub's deliveries came from what was planned for them, and so what the next quotes
//! of that hub count on besides their plans.
//!
//! Of each flight the planned time at the door is kept until it is there; the hub's mean error
//! moves by a tenth of each new one. Both are bounded, so that one odd flight spoils no quotes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::sim::ids::{DroneId, HubId};
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::{Context, Fleet};

/// A new error's share in the mean.
const SHARE: f64 = 0.1;
/// A flight that is further off than this was another one than planned, seconds.
const ODD_S: f64 = 300.0;
/// A tick's worth of error is none.
const LEAST_S: f64 = 0.5;
/// No quote is moved further than this, seconds.
const MOST_S: f64 = 60.0;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct History {
    /// By hub: the mean of actual minus planned, seconds.
    mean_s: Vec<f64>,
    /// Flights on their way to the door, with where they came from and when they should be there.
    planned: BTreeMap<DroneId, (HubId, SimTime)>,
}

impl History {
    /// Makes room for all hubs of the world, which may have become more.
    pub fn grow(&mut self, world: &World) {
        self.mean_s.resize(world.hubs.len(), 0.0);
    }

    pub fn mean_s(&self, hub: HubId) -> f64 {
        self.mean_s[hub.index()]
    }

    /// What quotes of the hub count on besides their plans, seconds: nothing where its flights are
    /// as planned.
    pub fn lean_s(&self, hub: HubId) -> f64 {
        let mean_s = self.mean_s(hub);
        if mean_s.abs() < LEAST_S { 0.0 } else { mean_s }
    }

    pub fn sets_out(&mut self, drone: DroneId, hub: HubId, planned: SimTime) {
        self.planned.insert(drone, (hub, planned));
    }

    pub fn arrives(&mut self, drone: DroneId, now: SimTime) {
        let Some((hub, planned)) = self.planned.remove(&drone) else {
            return;
        };
        let error_s = now.as_secs() - planned.as_secs();
        if error_s.abs() <= ODD_S {
            let mean_s = &mut self.mean_s[hub.index()];
            *mean_s = (*mean_s + SHARE * (error_s - *mean_s)).clamp(-MOST_S, MOST_S);
        }
    }

    /// It does not go there any more.
    pub fn gives_up(&mut self, drone: DroneId) {
        self.planned.remove(&drone);
    }
}

impl Fleet {
    pub(super) fn arrived(&mut self, context: &Context, drone: DroneId) {
        self.history.arrives(drone, context.now);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::actors::Mail;
    use crate::actors::drone::DroneMessage;
    use crate::actors::fleet::FleetMessage;
    use crate::actors::fleet::tests::quoted;
    use crate::actors::testing::{Bench, id, order, sent, world};

    #[test]
    fn a_hubs_errors_move_its_mean_and_odd_ones_do_not() {
        let (drone, hub, secs) = (DroneId(1), HubId(0), SimTime::from_secs);
        let mut history = History::default();
        history.grow(&world(1, 1));
        let mut fly = |planned, actual| {
            history.sets_out(drone, hub, secs(planned));
            history.arrives(drone, secs(actual));
            history.mean_s(hub)
        };
        assert_eq!(fly(100.0, 120.0), 2.0);
        assert!((fly(100.0, 92.0) - 1.0).abs() < 1e-12);
        assert!(
            (fly(100.0, 600.0) - 1.0).abs() < 1e-12,
            "another flight than planned"
        );
        for _ in 0..200 {
            fly(100.0, 390.0);
        }
        assert_eq!(fly(100.0, 390.0), 60.0);
        history.sets_out(drone, hub, secs(100.0));
        history.gives_up(drone);
        history.arrives(drone, secs(100.0));
        assert_eq!(history.mean_s(hub), 60.0);
    }

    #[test]
    fn who_came_late_from_a_hub_makes_its_next_quote_later() {
        let mut bench = Bench::new(world(3, 3), |world| Fleet::new(world, &[]));
        let order = Arc::new(order(&bench.context.world));
        let assign = |number| FleetMessage::Assign {
            id: id(number),
            order: Arc::clone(&order),
        };
        let first = quoted(&bench.tell(assign(1)));
        let effects = bench.tell(FleetMessage::Depart {
            id: id(1),
            told: first,
        });
        let [Mail::Drone(drone, DroneMessage::Mission { .. })] = sent(&effects)[..] else {
            panic!("{effects:?}")
        };
        let drone = *drone;
        bench.wait(first.delivery.as_secs() + 40.0);
        bench.tell(FleetMessage::Arrived { drone });
        let (now, second) = (bench.context.now, quoted(&bench.tell(assign(2))));
        let later = |etas: SimTime| etas.since(now).as_secs();
        assert!((later(second.delivery) - first.delivery.as_secs() - 4.0).abs() < 1e-3);
        assert!((later(second.pickup) - first.pickup.as_secs()).abs() < 1e-3);
        let effects = bench.tell(FleetMessage::Depart {
            id: id(2),
            told: second,
        });
        let [_, Mail::Drone(_, DroneMessage::Lean { seconds, there })] = sent(&effects)[..] else {
            panic!("{effects:?}")
        };
        assert!((seconds - 4.0).abs() < 1e-3 && *there < second.delivery);
    }
}
