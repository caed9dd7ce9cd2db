//! One drone.
//!
//! Owns its mission's state and the numbering of its events; where it is and what its
//! battery holds are the sky's. Hears of its assignment from the fleet and of its flight
//! from the sky; tells its delivery and the fleet. Idle drones get no mail. On a panic the
//! world halts at the last committed tick.

use serde::{Deserialize, Serialize};

use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::drone::{DroneInput, DroneState};
use crate::sim::event::{DroneEvent, Etas};
use crate::sim::fault::FlightFault;
use crate::sim::flight::FlightPlan;
use crate::sim::geo::LatLon;
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::sky::FlightLog;

use super::delivery::DeliveryMessage;
use super::fleet::FleetMessage;
use super::host::Role;
use super::{Context, Effect, Effects, Mail};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drone {
    pub id: DroneId,
    pub state: DroneState,
    /// Number of its last event.
    pub seq: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DroneMessage {
    /// From the fleet: fly this for that delivery.
    Mission {
        delivery: DeliveryId,
        plan: Box<FlightPlan>,
    },
    PickedUp,
    Delivered,
    /// At the hub, with this much left in the battery.
    Landed {
        hub: HubId,
        log: FlightLog,
        energy_left_wh: f64,
    },
    LowBattery,
    /// Down somewhere else, for good.
    Down {
        at: LatLon,
        log: FlightLog,
    },
    EtaMoved(Etas),
    /// From outside: something breaks.
    Fault {
        fault: FlightFault,
        reply_to: ReplyTo,
    },
}

impl Drone {
    pub fn docked(id: DroneId) -> Self {
        Drone {
            id,
            state: DroneState::Docked,
            seq: 0,
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

    fn tell_delivery(&self, effects: &mut Effects, message: DeliveryMessage) {
        if let Some(delivery) = self.state.delivery() {
            effects.send(Mail::Delivery(delivery, message));
        }
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

    fn take_off(
        &mut self,
        context: &Context,
        delivery: DeliveryId,
        plan: Box<FlightPlan>,
        effects: &mut Effects,
    ) {
        if !self.moves(DroneInput::Assign(delivery)) {
            return;
        }
        let fleet = context
            .world
            .fleet_of(self.id)
            .expect("every drone belongs to a fleet");
        effects.0.push(Effect::Fly(self.id, plan));
        let taken_off = DroneEvent::TakenOff {
            hub: fleet.hub,
            delivery: Some(delivery),
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
        if !self.moves(DroneInput::Landed) {
            return;
        }
        let landed = DroneEvent::Landed {
            hub,
            energy_wh: log.energy_wh,
            distance_m: log.distance_m,
            airborne_s: log.airborne_s,
        };
        self.emit(context, effects, landed);
        effects.send(Mail::Fleet(FleetMessage::Docked {
            drone: self.id,
            hub,
            energy_wh: energy_left_wh,
        }));
    }

    /// On the ground nothing breaks that flight would show.
    fn suffer(&mut self, context: &Context, fault: FlightFault, reply_to: ReplyTo, effects: &mut Effects) {
        if matches!(self.state, DroneState::Docked | DroneState::Lost { .. }) {
            return effects.refuse(reply_to, Objection::NoEffect);
        }
        self.emit(context, effects, DroneEvent::Fault(fault));
        effects.0.push(Effect::Break(self.id, fault));
        effects.reply(reply_to, Decision::Done);
    }

    fn fall(&mut self, context: &Context, at: LatLon, log: FlightLog, effects: &mut Effects) {
        self.tell_delivery(effects, DeliveryMessage::DroneLost);
        if self.moves(DroneInput::Down { at }) {
            let lost = DroneEvent::Lost {
                location: at,
                energy_wh: log.energy_wh,
                distance_m: log.distance_m,
                airborne_s: log.airborne_s,
            };
            self.emit(context, effects, lost);
        }
    }
}

impl Role for Drone {
    type Message = DroneMessage;

    fn open(mail: Mail) -> Option<Self::Message> {
        match mail {
            Mail::Drone(_, message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: DroneMessage, effects: &mut Effects) {
        match message {
            DroneMessage::Mission { delivery, plan } => self.take_off(context, delivery, plan, effects),
            DroneMessage::PickedUp => {
                if self.moves(DroneInput::PickedUp) {
                    self.tell_delivery(effects, DeliveryMessage::PickedUp);
                }
            }
            DroneMessage::Delivered => {
                self.tell_delivery(effects, DeliveryMessage::Delivered);
                self.moves(DroneInput::Delivered);
            }
            DroneMessage::Landed {
                hub,
                log,
                energy_left_wh,
            } => {
                self.land(context, hub, log, energy_left_wh, effects);
            }
            DroneMessage::LowBattery => self.emit(context, effects, DroneEvent::LowBattery),
            DroneMessage::Down { at, log } => self.fall(context, at, log, effects),
            DroneMessage::Fault { fault, reply_to } => self.suffer(context, fault, reply_to, effects),
            DroneMessage::EtaMoved(etas) => self.tell_delivery(effects, DeliveryMessage::EtaMoved(etas)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, events, id, sent, world};
    use crate::sim::event::Happening;

    fn flying(state: DroneState) -> Bench<Drone> {
        let drone = Drone {
            state,
            ..Drone::docked(DroneId(0))
        };
        Bench::new(world(1, 1), |_| drone)
    }

    fn down() -> DroneMessage {
        let at = LatLon {
            lat: 37.76,
            lon: -122.43,
        };
        let log = FlightLog {
            energy_wh: 50.0,
            distance_m: 900.0,
            airborne_s: 60.0,
        };
        DroneMessage::Down { at, log }
    }

    #[test]
    fn a_drone_that_falls_is_lost_and_takes_its_delivery_with_it() {
        let delivery = id(1);
        for state in [
            DroneState::HeadedToPickup { delivery },
            DroneState::HeadedToDropoff { delivery },
        ] {
            let mut bench = flying(state);
            let effects = bench.tell(down());
            assert_eq!(
                sent(&effects),
                [&Mail::Delivery(delivery, DeliveryMessage::DroneLost)]
            );
            assert!(matches!(
                events(&effects)[..],
                [(1, Happening::Drone(DroneId(0), DroneEvent::Lost { .. }))]
            ));
            assert!(matches!(bench.role.state, DroneState::Lost { .. }));
            assert!(bench.tell(down()).is_empty(), "it falls once");
        }
    }

    #[test]
    fn a_drone_that_falls_on_its_way_home_tells_nobody_but_its_listeners() {
        let mut bench = flying(DroneState::Returning);
        let effects = bench.tell(down());
        assert!(sent(&effects).is_empty());
        assert_eq!(events(&effects).len(), 1);
    }

    #[test]
    fn a_fault_breaks_a_drone_in_the_air_and_none_on_the_ground() {
        let (fault, reply_to) = (FlightFault::RotorOut, ReplyTo(7));
        let message = DroneMessage::Fault { fault, reply_to };
        let refused = Decision::Refused(Objection::NoEffect);
        assert_eq!(
            flying(DroneState::Docked).tell(message.clone()),
            [Effect::Reply(reply_to, refused)]
        );
        let effects = flying(DroneState::Returning).tell(message);
        assert!(matches!(
            effects[..],
            [
                Effect::Emit(_),
                Effect::Break(DroneId(0), FlightFault::RotorOut),
                Effect::Reply(ReplyTo(7), Decision::Done)
            ]
        ));
    }
}
