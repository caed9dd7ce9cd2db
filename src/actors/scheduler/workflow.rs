//! One request's workflow, as the scheduler keeps it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::actors::book::Book;
use crate::actors::delivery::DeliveryMessage;
use crate::sim::delivery::Bearer;
use crate::sim::event::Etas;
use crate::sim::fault::StepFault;
use crate::sim::order::Order;
use crate::sim::time::{SimDuration, SimTime};
use crate::sim::workflow::{Held, Step, WorkflowState};

/// Messages for a delivery that has not begun: a van has no more to say until it does.
const MOST_EARLY: usize = 8;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Workflow {
    /// Handed on to the delivery's actor.
    pub book: Book,
    pub state: WorkflowState,
    pub held: Held,
    /// Whether a drone of this world could ever do it; looked at when that matters first.
    pub servable: Option<bool>,
    pub found: Option<Found>,
    /// The number of its state: an answer to an earlier question that comes late says another.
    pub turn: u64,
    pub asked_at: SimTime,
    /// Whether it is to be looked at in the next tick.
    pub is_watched: bool,
    /// Its entry in the agenda.
    pub due: Option<SimTime>,
    /// What becomes of the answer that it waits for.
    pub strike: Option<StepFault>,
    /// What its bearer said before the delivery began.
    pub early: Vec<DeliveryMessage>,
    /// When a van was last let go of: what it said in that tick is about nothing any more.
    #[serde(skip)]
    pub van_left_at: Option<SimTime>,
    /// Its end was told and the supervisor had it: only what is held is left of it.
    pub is_letter: bool,
}

/// Who will bear it, and when that was said.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Found {
    pub bearer: Bearer,
    etas: Etas,
    at: SimTime,
}

impl Found {
    pub fn new(bearer: Bearer, etas: Etas, at: SimTime) -> Self {
        Found { bearer, etas, at }
    }

    /// A drone leaves once the delivery begins, as much later as that is. A van has left.
    pub fn etas(&self, now: SimTime) -> Etas {
        let later = match self.bearer {
            Bearer::Drone(_) => now - self.at,
            Bearer::Carrier => SimDuration::ZERO,
        };
        Etas {
            pickup: self.etas.pickup + later,
            delivery: self.etas.delivery + later,
        }
    }
}

impl Workflow {
    pub fn new(book: Book, now: SimTime) -> Self {
        Workflow {
            book,
            state: WorkflowState::Asking {
                step: Step::Account,
                attempt: 1,
            },
            held: Held::default(),
            servable: None,
            found: None,
            turn: 0,
            asked_at: now,
            is_watched: false,
            due: None,
            strike: None,
            early: Vec::new(),
            van_left_at: None,
            is_letter: false,
        }
    }

    pub fn order(&self) -> Arc<Order> {
        Arc::clone(&self.book.order)
    }

    /// Keeps what a van said before the delivery began; nobody else has anything to say until
    /// then, but those whose delivery is over.
    pub fn hears_early(&mut self, now: SimTime, message: DeliveryMessage) {
        use DeliveryMessage as Message;
        let is_a_vans = matches!(
            message,
            Message::PickedUp | Message::EtaMoved(_) | Message::Delivered | Message::CarrierFailed
        );
        let has_a_van = self.held.has(Step::ThirdParty) && self.van_left_at != Some(now);
        if is_a_vans && has_a_van && self.early.len() < MOST_EARLY {
            self.early.push(message);
        }
    }

    /// There is no van any more, nor anything that it said.
    pub fn van_leaves(&mut self, now: SimTime) {
        self.early.clear();
        self.van_left_at = Some(now);
    }
}
