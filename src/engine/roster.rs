//! Drones, hubs and zones that operators add and withdraw: the world of the next tick, and who
//! is told.

use std::sync::Arc;

use crate::actors::Mail;
use crate::actors::drone::DroneMessage;
use crate::actors::fleet::FleetMessage;
use crate::sim::command::{Decision, ReplyTo};
use crate::sim::ids::{DroneId, HubId};
use crate::sim::roster::{Change, RosterWrite, Verdict};
use crate::sim::time::SimTime;
use crate::sim::world::World;

use super::{Decided, Engine};

impl Engine {
    /// Before anything of this tick is decided. Whoever has the world as it was keeps that.
    pub(super) fn change_roster(
        &mut self,
        write: RosterWrite,
        reply_to: ReplyTo,
        mail: &mut Vec<Mail>,
        decided: &mut Decided,
    ) {
        let decision = match self.world.judge(&write) {
            Err(objection) => Decision::Refused(objection),
            Ok(Verdict::Stands(decision)) => decision,
            Ok(Verdict::ToDo) => {
                let change = write.change.clone();
                let decision = Arc::make_mut(&mut self.world).change(write);
                self.follow(&change, &decision, mail, decided);
                decision
            }
        };
        decided.replies.push((reply_to, decision));
    }

    /// Whether zones begin or cease to count in this tick, a forecast takes another's place, or
    /// stations have seen weather come or go; the first tick is news too.
    pub(super) fn air_changes(&self, now: SimTime) -> bool {
        let before = self.world.time_of(self.tick - 1);
        let World {
            airspace,
            weather,
            seed,
            ..
        } = &*self.world;
        let is_first = self.tick == 1;
        let limits = self.world.models.iter().map(|model| &model.limits);
        is_first
            || airspace.changes_at(before, now)
            || weather.forecast_changes(*seed, before, now)
            || weather.observations_change(limits, before, now)
    }

    /// Those in the air hear of zones that have been laid in their way; of those that were announced
    /// long before when they begin to count, and who has come to be later than planned when they
    /// begin.
    pub(super) fn close_ways(&self, now: SimTime, laid: &[String], mail: &mut Vec<Mail>) {
        let World { zones, airspace, .. } = &*self.world;
        let number = |name: &String| zones.iter().position(|zone| zone.name == *name);
        let laid: Vec<usize> = laid.iter().filter_map(number).collect();
        let before = self.world.time_of(self.tick - 1);
        let closed = self
            .sky
            .closed_ways(&self.world, now, &airspace.come(&laid, before, now));
        let message = |drone| Mail::Drone(drone, DroneMessage::WayClosed);
        mail.extend(closed.into_iter().map(message));
    }

    /// The rest of the engine follows what became of the world.
    fn follow(&mut self, change: &Change, decision: &Decision, mail: &mut Vec<Mail>, decided: &mut Decided) {
        match (change, decision) {
            (Change::AddDrones { .. }, Decision::Drones { first, count }) => {
                self.sky.grow(&self.world);
                let (first, count) = (*first, *count);
                mail.push(Mail::Fleet(FleetMessage::Joined { first, count }));
                for drone in (first.0..first.0 + count).map(DroneId) {
                    self.cast.start_drone(drone);
                    mail.push(Mail::Drone(drone, DroneMessage::Joined));
                    decided.grounded.push(drone);
                }
            }
            (Change::AddHub { .. }, _) => {
                let hub = HubId((self.world.hubs.len() - 1) as u16);
                mail.push(Mail::Fleet(FleetMessage::HubJoined { hub }));
            }
            (Change::WithdrawDrone(drone), _) => {
                let drone = *drone;
                mail.push(Mail::Fleet(FleetMessage::Leave { drone }));
                mail.push(Mail::Drone(drone, DroneMessage::Leave));
            }
            (Change::WithdrawHub { hub, .. }, _) => {
                let hub = *hub;
                mail.push(Mail::Fleet(FleetMessage::LeaveHub { hub }));
                let drones = self.world.drones_of(hub);
                let away = drones.filter(|drone| self.sky.grounded(*drone).is_none());
                mail.extend(away.map(|drone| Mail::Drone(drone, DroneMessage::Leave)));
            }
            (Change::AddZone(zone), _) => {
                decided.air_changed = true;
                decided.laid.push(zone.name.clone());
            }
            (Change::RemoveZone(_), _) => decided.air_changed = true,
            (Change::AddDrones { .. }, _) => {}
        }
    }
}
