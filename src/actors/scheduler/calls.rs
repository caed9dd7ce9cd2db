//! Asking the owners of the steps, and listening to them: time limits, injected faults, and the
//! breaker around the carrier.

use crate::actors::accounts::AccountMessage;
use crate::actors::fleet::FleetMessage;
use crate::actors::packages::PackageMessage;
use crate::actors::supervisor::SupervisorMessage;
use crate::actors::transport::TransportMessage;
use crate::actors::{Context, Effects, Mail};
use crate::sim::breaker::BreakerState;
use crate::sim::delivery::Bearer;
use crate::sim::dispatch;
use crate::sim::event::Etas;
use crate::sim::fault::StepFault;
use crate::sim::ids::DeliveryId;
use crate::sim::time::SimTime;
use crate::sim::workflow::{Step, StepAnswer, Then, WaitingFor, WorkflowInput, WorkflowState};

use super::message::Heard;
use super::workflow::Found;
use super::{Scheduler, SchedulerMessage};

impl Scheduler {
    pub(super) fn ask(
        &mut self,
        context: &Context,
        id: DeliveryId,
        step: Step,
        attempt: u32,
        effects: &mut Effects,
    ) {
        self.enter(id, WorkflowState::Asking { step, attempt });
        if step == Step::ThirdParty && !self.may_ask_carrier(context, effects) {
            return self.advance(context, id, WorkflowInput::Unavailable(step), effects);
        }
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        workflow.held = workflow.held.with(step);
        let order = workflow.order();
        let mail = match step {
            Step::Account => Mail::Accounts(AccountMessage::Check { id, order }),
            Step::Package => Mail::Packages(PackageMessage::Create { id, order }),
            Step::ThirdParty => Mail::Transport(TransportMessage::Carry { id, order }),
            Step::Drone => Mail::Fleet(FleetMessage::Assign { id, order }),
            // Its owner does not exist yet: whoever starts it answers for it.
            Step::Delivery => Mail::Scheduler(SchedulerMessage::Answered {
                id,
                step,
                answer: StepAnswer::Done,
            }),
        };
        self.call(context, id, mail, effects);
    }

    pub(super) fn undo(
        &mut self,
        context: &Context,
        id: DeliveryId,
        step: Step,
        attempt: u32,
        then: Then,
        effects: &mut Effects,
    ) {
        self.enter(id, WorkflowState::Undoing { step, attempt, then });
        let mail = match step {
            Step::Package => Mail::Packages(PackageMessage::Undo { id }),
            Step::ThirdParty => Mail::Transport(TransportMessage::Undo { id }),
            Step::Drone => Mail::Fleet(FleetMessage::Undo { id }),
            // They hold nothing.
            Step::Account | Step::Delivery => Mail::Scheduler(SchedulerMessage::Undone { id, step }),
        };
        self.call(context, id, mail, effects);
    }

    /// Asks the owner of the step that the workflow is at, unless a fault strikes.
    pub(super) fn call(&mut self, context: &Context, id: DeliveryId, mail: Mail, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        let (step, _) = workflow.state.at();
        workflow.strike = self.troubles.strike(step, context.now);
        workflow.asked_at = context.now;
        let fails = workflow.strike == Some(StepFault::Fail);
        // Who could not be taken off the queue stands there still: that is asked for again when
        // the time for an answer is over.
        let waits_on = matches!(workflow.state, WorkflowState::Withdrawing { .. });
        if fails && !waits_on {
            return self.advance(context, id, WorkflowInput::Unavailable(step), effects);
        }
        if !workflow.is_watched {
            workflow.is_watched = true;
            self.agenda.asked(context, id, effects);
        }
        match mail {
            _ if fails => {}
            // Nobody else is asked, and whatever becomes of it is heard at once.
            Mail::Scheduler(SchedulerMessage::Answered { step, answer, .. }) => {
                self.hear(context, id, Heard::Answer(step, answer), effects);
            }
            Mail::Scheduler(SchedulerMessage::Undone { step, .. }) => {
                self.hear(context, id, Heard::Undone(step), effects);
            }
            mail => effects.send(mail),
        }
    }

    /// Who was asked in the last tick and has not answered has its time limit from then on.
    pub(super) fn look(&mut self, context: &Context, effects: &mut Effects) {
        for id in self.agenda.take_asked() {
            let Some(workflow) = self.workflows.get_mut(&id) else {
                continue;
            };
            // Its owner has the rest of this tick.
            if workflow.asked_at == context.now {
                self.agenda.asked(context, id, effects);
                continue;
            }
            workflow.is_watched = false;
            let waiting_for = match workflow.state {
                WorkflowState::Asking { .. } | WorkflowState::Withdrawing { .. } => WaitingFor::Answer,
                WorkflowState::Undoing { .. } => WaitingFor::Compensation,
                _ => continue,
            };
            if workflow.due.is_none() {
                let limit = workflow.asked_at + context.world.workflow.step_timeout;
                self.due_at(context, id, limit, effects);
                self.wait_for(context, id, waiting_for, effects);
            }
        }
    }

    pub(super) fn awaits_drone(&self, id: DeliveryId) -> bool {
        let workflow = self.workflows.get(&id);
        workflow.is_some_and(|workflow| workflow.state == WorkflowState::AwaitingDrone)
    }

    /// Whether it waits for a drone, or for weather that one flies in.
    pub(super) fn tell_what_for(&mut self, context: &Context, id: DeliveryId, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get(&id) else {
            return;
        };
        let order = &workflow.book.order;
        let waiting_for = match dispatch::waits_for_weather(&context.world, context.now, order) {
            true => WaitingFor::Weather,
            false => WaitingFor::Drone,
        };
        self.wait_for(context, id, waiting_for, effects);
    }

    pub(super) fn alarm(&mut self, context: &Context, due: SimTime, effects: &mut Effects) {
        for id in self.agenda.take_due(context, due, effects) {
            let Some(workflow) = self.workflows.get_mut(&id) else {
                continue;
            };
            workflow.due = None;
            if let WorkflowState::Asking {
                step: Step::ThirdParty,
                ..
            } = workflow.state
            {
                self.carrier_failed(context, effects);
            }
            self.advance(context, id, WorkflowInput::Due, effects);
        }
    }

    /// An answer, unless a fault keeps it back. What nobody asked for, such as a drone for one
    /// that stands in the queue, no fault strikes.
    pub(super) fn hear(&mut self, context: &Context, id: DeliveryId, heard: Heard, effects: &mut Effects) {
        let Some(workflow) = self.workflows.get_mut(&id) else {
            return;
        };
        let is_asked = heard.step() == workflow.state.at().0;
        match workflow.strike.filter(|_| is_asked) {
            None | Some(StepFault::Fail) => self.take_in(context, id, heard, effects),
            Some(StepFault::AnswerLost) => {}
            Some(StepFault::Slow(delay)) => {
                let (turn, answer) = (workflow.turn, heard);
                let late = SchedulerMessage::Late { id, turn, answer };
                effects.wake_at(context.now + delay, Mail::Scheduler(late));
            }
        }
    }

    pub(super) fn take_in(&mut self, context: &Context, id: DeliveryId, heard: Heard, effects: &mut Effects) {
        if heard.step() == Step::ThirdParty {
            self.hear_carrier(context, heard, effects);
        }
        let input = match heard {
            Heard::Answer(step, StepAnswer::Done) => WorkflowInput::Done(step),
            Heard::Answer(step, StepAnswer::Unavailable) => WorkflowInput::Unavailable(step),
            Heard::Answer(step, StepAnswer::Refused(reason)) => WorkflowInput::Refused(step, reason),
            Heard::Answer(_, StepAnswer::Full) => WorkflowInput::CarrierFull,
            Heard::Answer(step, StepAnswer::Carried { etas }) => {
                self.found(context, id, Bearer::Carrier, etas);
                WorkflowInput::Done(step)
            }
            Heard::Assigned(drone, etas) => {
                self.found(context, id, Bearer::Drone(drone), etas);
                WorkflowInput::Done(Step::Drone)
            }
            Heard::Queued => WorkflowInput::Queued,
            Heard::NoRoom => WorkflowInput::NoRoom,
            Heard::Withdrawn => WorkflowInput::Withdrawn,
            Heard::Undone(step) => WorkflowInput::Undone(step),
        };
        self.advance(context, id, input, effects);
    }

    fn found(&mut self, context: &Context, id: DeliveryId, bearer: Bearer, etas: Etas) {
        if let Some(workflow) = self.workflows.get_mut(&id) {
            workflow.found = Some(Found::new(bearer, etas, context.now));
        }
    }
}

/// The carrier behind its breaker.
impl Scheduler {
    fn may_ask_carrier(&mut self, context: &Context, effects: &mut Effects) -> bool {
        let before = self.breaker.state();
        let limit = context.world.workflow.step_timeout;
        let may = self.breaker.admits(context.now, limit);
        self.tell_breaker(before, effects);
        may
    }

    fn hear_carrier(&mut self, context: &Context, heard: Heard, effects: &mut Effects) {
        match heard {
            Heard::Answer(_, StepAnswer::Unavailable) => self.carrier_failed(context, effects),
            // Who says no is well: also who is only full.
            Heard::Answer(..) => {
                let before = self.breaker.state();
                self.breaker.succeeded();
                self.tell_breaker(before, effects);
            }
            _ => {}
        }
    }

    fn carrier_failed(&mut self, context: &Context, effects: &mut Effects) {
        let before = self.breaker.state();
        let rules = &context.world.workflow;
        self.breaker
            .failed(context.now, rules.breaker_failures, rules.breaker_pause);
        self.tell_breaker(before, effects);
    }

    fn tell_breaker(&self, before: BreakerState, effects: &mut Effects) {
        let state = self.breaker.state();
        if state != before {
            effects.send(Mail::Supervisor(SupervisorMessage::BreakerMoved { state }));
        }
    }
}
