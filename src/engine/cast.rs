//! The actors of the world by their addresses: who is there, who was touched, how to ask.
//!
//! Knows nothing of what messages mean.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use actix::dev::Request;
use actix::{Actor, Addr, ArbiterHandle, MailboxError};

use crate::actors::delivery::Delivery;
use crate::actors::drone::Drone;
use crate::actors::fleet::Fleet;
use crate::actors::host::{Host, Panicked, Retire, Role, Round, Save};
use crate::actors::scheduler::Scheduler;
use crate::actors::{Address, Context, Effects, Mail};
use crate::sim::ids::DeliveryId;

use super::Halted;

pub struct Cast {
    arbiters: Vec<ArbiterHandle>,
    scheduler: Addr<Host<Scheduler>>,
    fleet: Addr<Host<Fleet>>,
    drones: Vec<Addr<Host<Drone>>>,
    deliveries: BTreeMap<DeliveryId, Addr<Host<Delivery>>>,
    /// Those whose state may differ from the last snapshot.
    touched: BTreeSet<Address>,
}

/// The states that a world starts with.
pub struct Roles {
    pub scheduler: Scheduler,
    pub fleet: Fleet,
    pub drones: Vec<Drone>,
    pub deliveries: Vec<(DeliveryId, Delivery)>,
}

/// How many actors of each kind are alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    pub drones: usize,
    pub deliveries: usize,
}

fn start<R: Role>(arbiter: &ArbiterHandle, role: R) -> Addr<Host<R>> {
    Host::start_in_arbiter(arbiter, move |_| Host::new(role))
}

impl Cast {
    /// Spreads the actors over the arbiters, of which there is at least one.
    pub fn start(arbiters: Vec<ArbiterHandle>, roles: Roles) -> Self {
        let on = |index: usize| &arbiters[index % arbiters.len()];
        let drones = roles
            .drones
            .into_iter()
            .map(|drone| start(on(drone.id.index()), drone))
            .collect();
        let deliveries = roles.deliveries.into_iter();
        let deliveries = deliveries
            .map(|(id, delivery)| (id, start(on(shard(id)), delivery)))
            .collect();
        Cast {
            scheduler: start(on(0), roles.scheduler),
            fleet: start(on(1), roles.fleet),
            drones,
            deliveries,
            touched: BTreeSet::new(),
            arbiters,
        }
    }

    pub fn census(&self) -> Census {
        Census {
            drones: self.drones.len(),
            deliveries: self.deliveries.len(),
        }
    }

    pub fn start_delivery(&mut self, id: DeliveryId, delivery: Delivery) {
        let arbiter = &self.arbiters[shard(id) % self.arbiters.len()];
        self.deliveries.insert(id, start(arbiter, delivery));
        self.touched.insert(Address::Delivery(id));
    }

    pub fn end_delivery(&mut self, id: DeliveryId) {
        if let Some(actor) = self.deliveries.remove(&id) {
            actor.do_send(Retire);
        }
    }

    /// Hands each addressee its mail, all at once, and gathers the answers in the order of
    /// addresses. `mail` is sorted by address, and by sender within each.
    ///
    /// # Errors
    /// The first actor, in order, that panicked or is gone.
    pub async fn ask(&mut self, context: &Arc<Context>, mail: Vec<Mail>) -> Result<Vec<Effects>, Halted> {
        let mut asked = Vec::new();
        let mut mail = mail.into_iter().peekable();
        while let Some(first) = mail.next() {
            let to = first.to();
            let mut pile = Pile::new(first);
            while let Some(next) = mail.next_if(|next| next.to() == to) {
                pile.push(next);
            }
            if let Some(answer) = self.hand_over(context, pile) {
                self.touched.insert(to);
                asked.push((to, answer));
            }
        }
        let mut answers = Vec::with_capacity(asked.len());
        for (to, answer) in asked {
            answers.push(
                answer
                    .received()
                    .await
                    .map_err(|cause| Halted::Actor { who: to, cause })?,
            );
        }
        Ok(answers)
    }

    /// `None` where the addressee has ended: mail for it came too late to matter.
    fn hand_over(&self, context: &Arc<Context>, pile: Pile) -> Option<Answer> {
        let context = Arc::clone(context);
        Some(match pile {
            Pile::Scheduler(mail) => Answer::Scheduler(self.scheduler.send(Round { context, mail })),
            Pile::Fleet(mail) => Answer::Fleet(self.fleet.send(Round { context, mail })),
            Pile::Drone(id, mail) => {
                Answer::Drone(self.drones.get(id.index())?.send(Round { context, mail }))
            }
            Pile::Delivery(id, mail) => {
                Answer::Delivery(self.deliveries.get(&id)?.send(Round { context, mail }))
            }
        })
    }

    /// The states of all that were touched since the last call; `None` for the ended.
    ///
    /// # Errors
    /// An actor that is gone.
    pub async fn save_touched(&mut self) -> Result<Vec<(Address, Option<Vec<u8>>)>, Halted> {
        let mut saved = Vec::new();
        for address in std::mem::take(&mut self.touched) {
            let state = match address {
                Address::Scheduler => Some(SaveRequest::Scheduler(self.scheduler.send(Save))),
                Address::Fleet => Some(SaveRequest::Fleet(self.fleet.send(Save))),
                Address::Drone(id) => self
                    .drones
                    .get(id.index())
                    .map(|drone| SaveRequest::Drone(drone.send(Save))),
                Address::Delivery(id) => self
                    .deliveries
                    .get(&id)
                    .map(|delivery| SaveRequest::Delivery(delivery.send(Save))),
            };
            let state = match state {
                Some(request) => Some(request.received().await.map_err(|_| Halted::gone(address))?),
                None => None,
            };
            saved.push((address, state));
        }
        Ok(saved)
    }
}

/// Any spread will do, as long as it does not change: the last byte is random.
fn shard(id: DeliveryId) -> usize {
    id.as_bytes()[15].into()
}

/// All of a round's mail for one addressee.
enum Pile {
    Scheduler(Vec<<Scheduler as Role>::Message>),
    Fleet(Vec<<Fleet as Role>::Message>),
    Drone(crate::sim::ids::DroneId, Vec<<Drone as Role>::Message>),
    Delivery(DeliveryId, Vec<<Delivery as Role>::Message>),
}

impl Pile {
    fn new(mail: Mail) -> Self {
        match mail {
            Mail::Scheduler(message) => Pile::Scheduler(vec![message]),
            Mail::Fleet(message) => Pile::Fleet(vec![message]),
            Mail::Drone(id, message) => Pile::Drone(id, vec![message]),
            Mail::Delivery(id, message) => Pile::Delivery(id, vec![message]),
        }
    }

    fn push(&mut self, mail: Mail) {
        match (self, mail) {
            (Pile::Scheduler(pile), Mail::Scheduler(message)) => pile.push(message),
            (Pile::Fleet(pile), Mail::Fleet(message)) => pile.push(message),
            (Pile::Drone(_, pile), Mail::Drone(_, message)) => pile.push(message),
            (Pile::Delivery(_, pile), Mail::Delivery(_, message)) => pile.push(message),
            _ => unreachable!("mail of one pile has one address"),
        }
    }
}

type RoundRequest<R> = Request<Host<R>, Round<<R as Role>::Message>>;

enum Answer {
    Scheduler(RoundRequest<Scheduler>),
    Fleet(RoundRequest<Fleet>),
    Drone(RoundRequest<Drone>),
    Delivery(RoundRequest<Delivery>),
}

impl Answer {
    async fn received(self) -> Result<Effects, String> {
        let answer: Result<Result<Effects, Panicked>, MailboxError> = match self {
            Answer::Scheduler(request) => request.await,
            Answer::Fleet(request) => request.await,
            Answer::Drone(request) => request.await,
            Answer::Delivery(request) => request.await,
        };
        match answer {
            Ok(Ok(effects)) => Ok(effects),
            Ok(Err(Panicked(words))) => Err(words),
            Err(gone) => Err(gone.to_string()),
        }
    }
}

enum SaveRequest {
    Scheduler(Request<Host<Scheduler>, Save>),
    Fleet(Request<Host<Fleet>, Save>),
    Drone(Request<Host<Drone>, Save>),
    Delivery(Request<Host<Delivery>, Save>),
}

impl SaveRequest {
    async fn received(self) -> Result<Vec<u8>, MailboxError> {
        match self {
            SaveRequest::Scheduler(request) => request.await,
            SaveRequest::Fleet(request) => request.await,
            SaveRequest::Drone(request) => request.await,
            SaveRequest::Delivery(request) => request.await,
        }
    }
}
