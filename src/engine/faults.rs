//! Faults that strike, who panics of many, and what is done about a panic.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::actors::delivery::DeliveryMessage;
use crate::actors::drone::DroneMessage;
use crate::actors::fleet::FleetMessage;
use crate::actors::host::Panicked;
use crate::actors::owed::Owed;
use crate::actors::scheduler::SchedulerMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::transport::TransportMessage;
use crate::actors::{Address, Context, Mail};
use crate::sim::ageing::share_left_without_a_cell;
use crate::sim::command::{Decision, Objection, ReplyTo};
use crate::sim::fault::{Fault, FlightFault, Victim, WindShift};
use crate::sim::ids::DroneId;
use crate::sim::limp::AfterRotorOut;
use crate::sim::random::{Purpose, Stream};
use crate::sim::time::SimTime;
use crate::sim::weather::{SHIFTS_MOST, Shift, Turn};
use crate::sim::world::Model;

use super::wakes::Wakes;
use super::{Decided, Engine};

/// Faults that are not an actor's: most strike once a tick is flown, the wind's before.
#[derive(Default)]
pub(super) struct Broken {
    pub in_flight: Vec<Mail>,
    pub panics: Vec<(Victim, ReplyTo)>,
    pub winds: Vec<(WindShift, ReplyTo)>,
}

/// Tells whom it hits; what happens once the tick is flown goes to `broken`.
pub(super) fn inject(fault: Fault, reply_to: ReplyTo, mail: &mut Vec<Mail>, broken: &mut Broken) {
    match fault {
        Fault::InFlight(drone, fault) => {
            let mail = Mail::Drone(drone, DroneMessage::Fault { fault, reply_to });
            broken.in_flight.push(mail);
        }
        Fault::LinkLost(drone, duration) => {
            let mail = Mail::Drone(drone, DroneMessage::LoseLink { duration, reply_to });
            broken.in_flight.push(mail);
        }
        Fault::WindShift(shift) => broken.winds.push((shift, reply_to)),
        Fault::Panic(victim) => broken.panics.push((victim, reply_to)),
        Fault::HubClosed(hub, duration) => mail.push(Mail::Fleet(FleetMessage::Close {
            hub,
            duration,
            reply_to,
        })),
        Fault::CarrierDown(duration) => {
            mail.push(Mail::Transport(TransportMessage::Down { duration, reply_to }));
        }
        Fault::Step(step, fault, lasts) => mail.push(Mail::Scheduler(SchedulerMessage::Trouble {
            step,
            fault,
            lasts,
            reply_to,
        })),
    }
}

/// Tells of a panic, and gives whoever sent the message that was dropped what is owed to them.
pub(super) fn make_good(
    context: &Context,
    who: Address,
    panicked: Panicked,
    mail: &mut Vec<Mail>,
    wakes: &mut Wakes,
    decided: &mut Decided,
) {
    let (actor, Panicked { words, owed, dropped }) = (who, panicked);
    tracing::error!(
        ?actor,
        tick = context.tick,
        words,
        "an actor panicked; it goes on without the message"
    );
    decided.panics.push(actor);
    if owed != Some(Owed::Silence) {
        mail.push(Mail::Supervisor(SupervisorMessage::Panicked { actor }));
    }
    match owed {
        Some(Owed::Decision(reply_to)) => {
            let decision = Decision::Refused(Objection::Stumbled);
            decided.replies.push((reply_to, decision));
        }
        Some(Owed::Request { id, order }) => {
            mail.push(Mail::Scheduler(SchedulerMessage::TurnAway { id, order }));
        }
        Some(Owed::Word(delivery)) => mail.push(Mail::Delivery(delivery, DeliveryMessage::NoWord)),
        Some(Owed::Again) => {
            let at = context.now + context.world.workflow.step_timeout;
            if let Some(mail) = dropped {
                wakes.set(at, *mail);
            }
        }
        Some(Owed::Silence) | None => {}
    }
}

impl Engine {
    /// Of a drone in the air.
    pub(super) fn break_down(
        &mut self,
        context: &Context,
        drone: DroneId,
        what: FlightFault,
        mail: &mut Vec<Mail>,
        decided: &mut Decided,
    ) {
        match what {
            FlightFault::BatteryCell => {
                self.sky.wear(drone, share_left_without_a_cell());
                self.tell_health(drone, mail, decided);
            }
            FlightFault::LinkLost => {}
            FlightFault::RotorOut => {
                let model = self
                    .world
                    .fleet_of(drone)
                    .map(|fleet| self.world.model(fleet.model));
                match model.map(Model::after_rotor_out) {
                    Some(AfterRotorOut::Limps) => self.sky.limp(&self.world, drone),
                    Some(AfterRotorOut::Glides) => {}
                    Some(AfterRotorOut::Falls) | None => self.bring_down(context, drone, mail),
                }
            }
        }
    }

    /// From this tick on the wind is another.
    pub(super) fn shift_wind(&mut self, shift: WindShift, reply_to: ReplyTo, decided: &mut Decided) {
        let (from, tick) = (self.world.time_of(self.tick), self.tick);
        let under_way = self.world.weather.shifts.iter();
        if under_way.filter(|shift| from < shift.until).count() >= SHIFTS_MOST {
            let refused = Decision::Refused(Objection::NoEffect);
            return decided.replies.push((reply_to, refused));
        }
        let world = Arc::make_mut(&mut self.world);
        let cell = shift
            .at
            .map(|at| world.weather.cell_of(world.area.point(at)) as u32);
        world.weather.shift(Shift {
            from,
            until: shift.lasts.map_or(SimTime::NEVER, |lasts| from + lasts),
            cell,
            turn: shift.turn.unwrap_or_else(|| Turn::drawn(world.seed, tick)),
        });
        decided.replies.push((reply_to, Decision::Done));
    }

    fn bring_down(&mut self, context: &Context, drone: DroneId, mail: &mut Vec<Mail>) {
        if let Some((at, log)) = self.sky.bring_down(&self.world, drone, context.now) {
            let at = self.world.area.frame.to_latlon(at);
            mail.push(Mail::Drone(drone, DroneMessage::Down { at, log }));
        }
    }

    /// Somebody is to panic; of many, the one that is drawn for this tick.
    pub(super) fn poison(
        &self,
        victim: Victim,
        reply_to: ReplyTo,
        mail: &mut Vec<Mail>,
        decided: &mut Decided,
    ) {
        let census = self.census();
        let mut stream = Stream::new(self.world.seed, self.tick, Purpose::Victim);
        let mut drawn_of = |count: usize| match u32::try_from(count) {
            Ok(0) | Err(_) => 0,
            Ok(count) => stream.below(count),
        };
        let who = match victim {
            Victim::Actor(actor) => Some(actor),
            Victim::AnyDrone => Some(Address::Drone(DroneId(drawn_of(census.drones)))),
            Victim::AnyDelivery => {
                let number = drawn_of(census.deliveries) as usize;
                self.cast.delivery_number(number).map(Address::Delivery)
            }
        };
        let decision = match who.filter(|who| self.cast.is_alive(*who)) {
            Some(who) => {
                mail.push(Mail::Poison(who));
                Decision::Done
            }
            None => Decision::Refused(Objection::NoEffect),
        };
        decided.replies.push((reply_to, decision));
    }
}
