//! The package is on board, or at its drop-off: the drone's part in it.

use crate::sim::drone::DroneInput;
use crate::sim::geo::Point;

use super::{Context, DeliveryMessage, Drone, Effects, FleetMessage, Mail, Purpose};

impl Drone {
    pub(super) fn pick_up(&mut self, context: &Context, effects: &mut Effects) {
        if !self.moves(DroneInput::PickedUp) {
            return;
        }
        self.tell_delivery(effects, DeliveryMessage::PickedUp);
        if let Some(task) = self.state.task() {
            self.leave_zone(context, task.pickup, effects);
        }
    }

    pub(super) fn reach_dropoff(&mut self, context: &Context, effects: &mut Effects) {
        let task = self.state.task();
        let confirmed = task.is_some_and(|task| task.confirmed);
        if confirmed {
            self.tell_delivery(effects, DeliveryMessage::AtDoor);
            if self.moves(DroneInput::Delivered) {
                self.locate(Purpose::Replan, effects);
            }
            return;
        }
        self.is_done_at_door(false, effects);
        self.tell_delivery(effects, DeliveryMessage::Delivered);
        if let Some(task) = task.filter(|_| self.moves(DroneInput::Delivered)) {
            self.leave_zone(context, task.dropoff, effects);
        }
    }

    /// Its hub learns from when.
    pub(super) fn is_done_at_door(&self, confirmed: bool, effects: &mut Effects) {
        let drone = self.id;
        effects.send(Mail::Fleet(FleetMessage::AtDoor { drone, confirmed }));
    }

    /// It has handed over there. Who would not have left a zone sooner was not told of it, and has
    /// planned to go on through it.
    fn leave_zone(&self, context: &Context, at: Point, effects: &mut Effects) {
        let (world, now) = (&context.world, context.now);
        let fleet = world.fleet_of(self.id).expect("every drone belongs to a fleet");
        let heights_m = (0.0, world.model(fleet.model).handover_height_m);
        let is_open = world.airspace.lets_pass((now, now), (at, at), heights_m);
        if !is_open && self.link_lost_until.is_none() {
            self.locate(Purpose::Replan, effects);
        }
    }
}
