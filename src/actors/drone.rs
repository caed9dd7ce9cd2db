//! One drone.
//!
//! Owns its mission's state and the numbering of its events; where it is and what its
//! battery holds are the sky's. Hears of its assignment from the fleet, of its flight from
//! the sky, of changes from its delivery; tells its delivery and the fleet. Whether the
//! package is on board it alone knows: a delivery that is cancelled or changed asks it first.
//! Idle drones get no mail. After a panic it goes on from before the message
//! that brought it about.

mod approach;
mod before;
mod changes;
mod flying;
mod handover;
mod message;
mod roster;
#[cfg(test)]
mod tests;
mod trouble;
mod yielding;

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::drone::{DroneInput, DroneState, Task};
use crate::sim::event::{DroneEvent, Etas};
use crate::sim::fault::FlightFault;
use crate::sim::flight::FlightPlan;
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::sky::FlightLog;
use crate::sim::time::{SimDuration, SimTime};

use super::delivery::DeliveryMessage;
use super::fleet::FleetMessage;
use super::host::Role;
use super::{Context, Effect, Effects, Mail};

pub use before::DroneBefore3;
pub use message::{DroneMessage, Purpose, Trouble};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drone {
    pub id: DroneId,
    pub state: DroneState,
    /// Number of its last event.
    pub seq: u32,
    /// Until when nobody reaches it; [`SimTime::NEVER`] until it has landed.
    link_lost_until: Option<SimTime>,
    /// What older programs added to its times. Read from their snapshots, and not used.
    lean: Option<(f64, f64)>,
    /// The hub that it lands at, where that is not its own.
    refuge: Option<HubId>,
    /// Until when it waits for the weather to pass.
    waits_until: Option<SimTime>,
    /// It lost a rotor on this flight.
    limps: bool,
    /// Where it is to be, if that is not its own hub.
    station: Option<HubId>,
    /// When it last said that it goes elsewhere: in one tick it says so once.
    #[serde(skip)]
    diverted_at: Option<SimTime>,
}

impl Drone {
    pub fn docked(id: DroneId) -> Self {
        Drone {
            id,
            state: DroneState::Docked,
            seq: 0,
            link_lost_until: None,
            lean: None,
            refuge: None,
            waits_until: None,
            limps: false,
            station: None,
            diverted_at: None,
        }
    }

    /// In the air at the scenario's start, on the way home.
    pub fn returning(id: DroneId) -> Self {
        Drone {
            state: DroneState::Returning,
            ..Drone::docked(id)
        }
    }

    fn emit(&mut self, context: &Context, effects: &mut Effects, event: DroneEvent) {
        effects.emit_drone(context, &mut self.seq, self.id, event);
    }

    fn tell_diverted(&mut self, context: &Context, effects: &mut Effects) {
        if self.diverted_at.replace(context.now) != Some(context.now) {
            self.emit(context, effects, DroneEvent::Diverted);
        }
    }

    fn tell_delivery(&self, effects: &mut Effects, message: DeliveryMessage) {
        if let Some(task) = self.state.task() {
            effects.send(Mail::Delivery(task.delivery, message));
        }
    }

    fn locate(&self, purpose: Purpose, effects: &mut Effects) {
        effects.0.push(Effect::Locate(self.id, purpose));
    }

    /// Moves on, or says that the message came out of turn and changes nothing.
    fn moves(&mut self, input: DroneInput) -> bool {
        match self.state.next(input) {
            Ok(state) => {
                self.state = state;
                true
            }
            Err(forbidden) => {
                tracing::error!(drone = %self.id, %forbidden, "a message came out of turn");
                false
            }
        }
    }

    fn take_off(&mut self, context: &Context, task: Task, plan: FlightPlan, effects: &mut Effects) {
        if context.world.is_withdrawn(self.id) {
            return self.refuse_mission(context, task, effects);
        }
        if !self.moves(DroneInput::Assign(task)) {
            return;
        }
        #[cfg(test)]
        super::testing::stumble_for_a_while(super::testing::STUMBLING[1], task.delivery, context.now);
        effects.0.push(Effect::Fly(self.id, plan));
        let taken_off = DroneEvent::TakenOff {
            hub: self.home(&context.world),
            delivery: Some(task.delivery),
        };
        self.emit(context, effects, taken_off);
    }

    fn land(
        &mut self,
        context: &Context,
        hub: HubId,
        log: FlightLog,
        energy_left_wh: f64,
        effects: &mut Effects,
    ) {
        match self.state {
            DroneState::HeadedToPickup { .. } => self.tell_delivery(effects, DeliveryMessage::TurnedBack),
            DroneState::HeadedToDropoff { .. } | DroneState::AtDoor { .. } => {
                self.tell_delivery(effects, DeliveryMessage::TurnedBack);
                self.tell_delivery(effects, DeliveryMessage::Returned { hub });
            }
            DroneState::BringingBack { .. } => {
                self.tell_delivery(effects, DeliveryMessage::Returned { hub });
            }
            DroneState::Docked | DroneState::Returning | DroneState::Lost { .. } | DroneState::Withdrawn => {}
        }
        if !self.moves(DroneInput::Landed) {
            return;
        }
        (self.link_lost_until, self.lean) = (None, None);
        self.is_well();
        self.station = self.station.filter(|station| *station == hub);
        let landed = DroneEvent::Landed {
            hub,
            energy_wh: log.energy_wh,
            distance_m: log.distance_m,
            airborne_s: log.airborne_s,
        };
        self.emit(context, effects, landed);
        if context.world.is_withdrawn(self.id) {
            return self.retire(context, effects);
        }
        effects.send(Mail::Fleet(FleetMessage::Docked {
            drone: self.id,
            hub,
            energy_wh: energy_left_wh,
        }));
    }

    /// On the ground nothing breaks that flight would show.
    fn suffer(&mut self, context: &Context, fault: FlightFault, reply_to: ReplyTo, effects: &mut Effects) {
        if !self.state.is_in_the_air() {
            return effects.refuse(reply_to, Objection::NoEffect);
        }
        self.emit(context, effects, DroneEvent::Fault(fault));
        self.is_off_plan(effects);
        effects.0.push(Effect::Break(self.id, fault));
        if fault == FlightFault::RotorOut {
            self.lose_rotor(context, effects);
        }
        if fault == FlightFault::BatteryCell {
            self.locate(Purpose::CheckBattery, effects);
        }
        effects.reply(reply_to, Decision::Done);
    }

    fn lose_link(
        &mut self,
        context: &Context,
        duration: Option<SimDuration>,
        reply_to: ReplyTo,
        effects: &mut Effects,
    ) {
        let lost_for_good = self.link_lost_until == Some(SimTime::NEVER);
        if !self.state.is_in_the_air() || lost_for_good {
            return effects.refuse(reply_to, Objection::NoEffect);
        }
        self.emit(context, effects, DroneEvent::Fault(FlightFault::LinkLost));
        self.is_off_plan(effects);
        match duration {
            Some(duration) => {
                let due = context.now + duration;
                self.link_lost_until = Some(due);
                let back = DroneMessage::LinkBack { due };
                effects.wake_at(due, Mail::Drone(self.id, back));
                self.emit(context, effects, DroneEvent::Holding);
                self.locate(Purpose::Hold(duration), effects);
            }
            None => {
                self.link_lost_until = Some(SimTime::NEVER);
                self.turn_back(context, effects);
                self.locate(Purpose::Replan, effects);
            }
        }
        effects.reply(reply_to, Decision::Done);
    }

    fn hear_again(&mut self, due: SimTime, effects: &mut Effects) {
        if self.link_lost_until == Some(due) {
            self.link_lost_until = None;
            self.locate(Purpose::Replan, effects);
        }
    }

    /// Its delivery goes on without it, or with what it brings home.
    fn turn_back(&mut self, context: &Context, effects: &mut Effects) {
        if self.gives_up_errand(effects) {
            self.tell_diverted(context, effects);
        }
    }

    /// Whether it had one.
    fn gives_up_errand(&mut self, effects: &mut Effects) -> bool {
        if self.is_homeward() {
            return false;
        }
        self.tell_delivery(effects, DeliveryMessage::TurnedBack);
        self.moves(DroneInput::TurnBack)
    }

    fn is_homeward(&self) -> bool {
        matches!(
            self.state,
            DroneState::Returning | DroneState::BringingBack { .. }
        )
    }

    fn fall(&mut self, context: &Context, at: LatLon, log: FlightLog, effects: &mut Effects) {
        self.tell_delivery(effects, DeliveryMessage::DroneLost);
        if self.moves(DroneInput::Down { at }) {
            let drone = self.id;
            effects.send(Mail::Fleet(FleetMessage::Strayed { drone }));
            effects.send(Mail::Fleet(FleetMessage::Leave { drone }));
            let lost = DroneEvent::Lost {
                location: at,
                energy_wh: log.energy_wh,
                distance_m: log.distance_m,
                airborne_s: log.airborne_s,
            };
            self.emit(context, effects, lost);
            if context.world.is_withdrawn(self.id) {
                self.retire(context, effects);
            }
        }
    }

    fn tell_etas(&self, context: &Context, etas: Etas, effects: &mut Effects) {
        if let DroneState::HeadedToPickup { task } | DroneState::HeadedToDropoff { task } = self.state {
            let etas = self.as_told(context, task, etas);
            effects.send(Mail::Delivery(task.delivery, DeliveryMessage::EtaMoved(etas)));
        }
    }

    /// By its plan, with what the door is likely to add.
    fn as_told(&self, context: &Context, task: Task, planned: Etas) -> Etas {
        Etas {
            delivery: planned.delivery + context.world.recipient.expected(task.confirmed),
            ..planned
        }
    }

    /// What comes between it and its plan now is no error of its hub's.
    fn is_off_plan(&self, effects: &mut Effects) {
        let drone = self.id;
        effects.send(Mail::Fleet(FleetMessage::OffPlan { drone }));
    }
}

impl Role for Drone {
    type Message = DroneMessage;
    const MEMORY: usize = 0;

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Drone(_, message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: DroneMessage, effects: &mut Effects) {
        use DroneMessage as Message;
        match message {
            Message::Mission { task, plan } => self.take_off(context, *task, plan, effects),
            Message::PickedUp => self.pick_up(context, effects),
            Message::Delivered => self.reach_dropoff(context, effects),
            Message::Landed {
                hub,
                log,
                energy_left_wh,
            } => {
                self.land(context, hub, log, energy_left_wh, effects);
            }
            Message::LowBattery => {
                self.emit(context, effects, DroneEvent::LowBattery);
                self.locate(Purpose::CheckBattery, effects);
            }
            Message::Down { at, log } => self.fall(context, at, log, effects),
            Message::Fault { fault, reply_to } => self.suffer(context, fault, reply_to, effects),
            Message::LoseLink { duration, reply_to } => self.lose_link(context, duration, reply_to, effects),
            Message::LinkBack { due } => self.hear_again(due, effects),
            Message::Release { delivery } => self.hear_delivery(context, delivery, None, effects),
            Message::Redirect { task } => {
                self.hear_delivery(context, task.delivery, Some(task), effects);
            }
            Message::NotOnGround { delivery, task } => {
                self.change_errand(context, delivery, task, effects);
            }
            Message::Confirmed { delivery } => self.leave_door(delivery, DroneInput::Confirmed, effects),
            Message::BringBack { delivery } => self.leave_door(delivery, DroneInput::TurnBack, effects),
            Message::Located { fix, purpose } => self.located(context, (fix, None), purpose, effects),
            Message::LocatedAtHandover { fix, left_s, purpose } => {
                self.located(context, (Some(fix), Some(left_s)), purpose, effects);
            }
            Message::EtaMoved(etas) => self.tell_etas(context, etas, effects),
            Message::Joined => self.join(context, effects),
            Message::Leave => self.leave(context, effects),
            Message::Retire => self.retire(context, effects),
            Message::OverHub => self.locate(Purpose::Approach, effects),
            Message::AwaitPad { place, seconds } => {
                self.locate(Purpose::AwaitPad { place, seconds }, effects);
            }
            Message::ComeDown => self.come_down(effects),
            Message::TooClose { proximity, height_m } => {
                self.emit(context, effects, DroneEvent::CameTooClose { proximity, height_m });
            }
            Message::MakeWay(advice) => self.make_way(context, &advice, effects),
            Message::Lean { .. } => {}
            Message::WeatherAlarm { breach } => self.hear_alarm(context, breach, effects),
            Message::LookAgain { due } => self.look_again(due, effects),
            Message::Felt { around, trouble } => self.felt(context, around, trouble, effects),
            Message::FlyHome { from, plan } => self.fly_empty(context, from, None, plan, effects),
            Message::MoveTo { from, to, plan } => self.fly_empty(context, from, Some(to), plan, effects),
            // Who has lost its link flies on as planned, and plans anew when it hears again.
            Message::WayClosed => {
                if self.link_lost_until.is_none() {
                    self.is_off_plan(effects);
                    self.locate(Purpose::Replan, effects);
                }
            }
        }
    }
}
