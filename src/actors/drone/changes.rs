//! What a delivery wants of its drone: that it does not come, or goes elsewhere, or leaves the
//! door. Whether the package is on board the drone alone knows; until it has taken off the fleet
//! answers for it.

use crate::sim::drone::{DroneInput, DroneState, Task};
use crate::sim::ids::DeliveryId;

use super::{Context, DeliveryMessage, Drone, Effects, FleetMessage, Mail, Purpose};

impl Drone {
    /// That it does not come, or goes there instead.
    pub(super) fn hear_delivery(
        &mut self,
        context: &Context,
        delivery: DeliveryId,
        task: Option<Box<Task>>,
        effects: &mut Effects,
    ) {
        let (drone, id) = (self.id, delivery);
        match self.state {
            DroneState::Docked => effects.send(Mail::Fleet(FleetMessage::Recall { drone, id, task })),
            _ => self.change_errand(context, delivery, task, effects),
        }
    }

    /// If it is on its way to this delivery's pick-up; else it says that it is too late.
    pub(super) fn change_errand(
        &mut self,
        context: &Context,
        delivery: DeliveryId,
        task: Option<Box<Task>>,
        effects: &mut Effects,
    ) {
        let before = matches!(self.state, DroneState::HeadedToPickup { task } if task.delivery == delivery);
        match task {
            _ if !before => effects.send(Mail::Delivery(delivery, DeliveryMessage::TooLate)),
            // Without its link it would not hear of it; somebody else goes.
            Some(task) if self.link_lost_until.is_none() => {
                self.locate(Purpose::Redirect(task), effects);
            }
            _ => self.release(context, effects),
        }
    }

    fn release(&mut self, context: &Context, effects: &mut Effects) {
        self.tell_delivery(effects, DeliveryMessage::Released);
        self.moves(DroneInput::TurnBack);
        self.tell_diverted(context, effects);
        if self.link_lost_until.is_none() {
            self.locate(Purpose::Replan, effects);
        }
    }

    pub(super) fn leave_door(&mut self, delivery: DeliveryId, input: DroneInput, effects: &mut Effects) {
        let waits = matches!(self.state, DroneState::AtDoor { task } if task.delivery == delivery);
        if waits && matches!(input, DroneInput::Confirmed) {
            self.is_done_at_door(true, effects);
        }
        if waits && self.moves(input) && self.link_lost_until.is_none() {
            self.locate(Purpose::Replan, effects);
        }
    }
}
