//! How a drone comes into a running world, and leaves it.
//!
//! One that is withdrawn brings what it has on board to its end; what it has not picked up yet
//! goes back, for another to carry. It is out of the world when it is down.

use crate::sim::drone::{DroneInput, DroneState, Task};
use crate::sim::event::DroneEvent;

use super::{Context, DeliveryMessage, Drone, Effect, Effects, FleetMessage, Mail, Purpose};

impl Drone {
    pub(super) fn join(&mut self, context: &Context, effects: &mut Effects) {
        if let Some(fleet) = context.world.fleet_of(self.id) {
            self.emit(context, effects, DroneEvent::Added { hub: fleet.hub });
        }
    }

    /// Where it is docked the fleet says when it may go.
    pub(super) fn leave(&mut self, context: &Context, effects: &mut Effects) {
        match self.state {
            DroneState::HeadedToPickup { .. } => {
                self.turn_back(context, effects);
                if self.link_lost_until.is_none() {
                    self.locate(Purpose::Replan, effects);
                }
            }
            DroneState::Lost { .. } => self.retire(context, effects),
            DroneState::HeadedToDropoff { .. }
            | DroneState::AtDoor { .. }
            | DroneState::BringingBack { .. }
            | DroneState::Returning
            | DroneState::Docked
            | DroneState::Withdrawn => {}
        }
    }

    /// It was kept for this before it was withdrawn: somebody else goes.
    pub(super) fn refuse_mission(&mut self, context: &Context, task: Task, effects: &mut Effects) {
        effects.send(Mail::Delivery(task.delivery, DeliveryMessage::TurnedBack));
        self.retire(context, effects);
    }

    pub(super) fn retire(&mut self, context: &Context, effects: &mut Effects) {
        if self.moves(DroneInput::Withdraw) {
            self.emit(context, effects, DroneEvent::Withdrawn);
            effects.0.push(Effect::Retire(self.id));
            effects.send(Mail::Fleet(FleetMessage::Left { drone: self.id }));
        }
    }
}
