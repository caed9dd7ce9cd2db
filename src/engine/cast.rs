//! The actors of the world by their addresses: who is there, who was touched, how to ask.
//!
//! Knows nothing of what messages mean.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use actix::{Actor, Addr, ArbiterHandle, MailboxError};

use crate::actors::accounts::Accounts;
use crate::actors::delivery::Delivery;
use crate::actors::drone::Drone;
use crate::actors::fleet::Fleet;
use crate::actors::host::{Answer, Host, Panicked, Retire, Role, Round, Save};
use crate::actors::packages::Packages;
use crate::actors::scheduler::Scheduler;
use crate::actors::supervisor::Supervisor;
use crate::actors::transport::Transport;
use crate::actors::{Address, Context, Effects, Mail};
use crate::sim::ids::{DeliveryId, DroneId};

use super::Halted;

pub struct Cast {
    arbiters: Vec<ArbiterHandle>,
    scheduler: Addr<Host<Scheduler>>,
    fleet: Addr<Host<Fleet>>,
    drones: Vec<Addr<Host<Drone>>>,
    deliveries: BTreeMap<DeliveryId, Addr<Host<Delivery>>>,
    accounts: Addr<Host<Accounts>>,
    packages: Addr<Host<Packages>>,
    transport: Addr<Host<Transport>>,
    supervisor: Addr<Host<Supervisor>>,
    /// Those whose state may differ from the last snapshot.
    touched: BTreeSet<Address>,
}

/// The states that a world starts with.
pub struct Roles {
    pub scheduler: Scheduler,
    pub fleet: Fleet,
    pub drones: Vec<Drone>,
    pub deliveries: Vec<(DeliveryId, Delivery)>,
    pub accounts: Accounts,
    pub packages: Packages,
    pub transport: Transport,
    pub supervisor: Supervisor,
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
            accounts: start(on(0), roles.accounts),
            packages: start(on(1), roles.packages),
            transport: start(on(0), roles.transport),
            supervisor: start(on(1), roles.supervisor),
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

    /// Their states are to be in the next snapshot, whatever happens to them until then.
    pub fn touch(&mut self, addresses: impl IntoIterator<Item = Address>) {
        self.touched.extend(addresses);
    }

    /// The next drone.
    pub fn start_drone(&mut self, id: DroneId) {
        let arbiter = &self.arbiters[id.index() % self.arbiters.len()];
        self.drones.push(start(arbiter, Drone::docked(id)));
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
    /// The first actor, in order, that is gone.
    pub async fn ask(&mut self, context: &Arc<Context>, mail: Vec<Mail>) -> Result<Answers, Halted> {
        let mut asked = Vec::new();
        let mut undeliverable = Vec::new();
        let mut mail = mail.into_iter().peekable();
        while let Some(first) = mail.next() {
            let to = first.to();
            let mut pile = vec![first];
            while let Some(next) = mail.next_if(|next| next.to() == to) {
                pile.push(next);
            }
            if !self.is_alive(to) {
                undeliverable.extend(pile);
                continue;
            }
            let round = Round {
                context: Arc::clone(context),
                mail: pile,
            };
            if let Some(answer) = self.hand_over(to, round) {
                self.touched.insert(to);
                asked.push((to, answer));
            }
        }
        let mut effects = Vec::with_capacity(asked.len());
        let mut panics = Vec::new();
        for (to, answer) in asked {
            let answer = answer.await.map_err(|_| Halted::gone(to))?;
            effects.push(answer.effects);
            panics.extend(answer.panics.into_iter().map(|panicked| (to, panicked)));
        }
        Ok(Answers {
            effects,
            undeliverable,
            panics,
        })
    }

    pub fn deliveries(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.deliveries.keys().copied()
    }

    /// The `number`th delivery's, if there are so many.
    pub fn delivery_number(&self, number: usize) -> Option<DeliveryId> {
        self.deliveries.keys().nth(number).copied()
    }

    /// Whether anybody is there to read.
    pub fn is_alive(&self, address: Address) -> bool {
        match address {
            Address::Drone(id) => id.index() < self.drones.len(),
            Address::Delivery(id) => self.deliveries.contains_key(&id),
            Address::Scheduler
            | Address::Fleet
            | Address::Accounts
            | Address::Packages
            | Address::Transport
            | Address::Supervisor => true,
        }
    }

    fn hand_over(&self, to: Address, round: Round) -> Option<Pending<Result<Answer, MailboxError>>> {
        Some(match to {
            Address::Scheduler => asked(&self.scheduler, round),
            Address::Fleet => asked(&self.fleet, round),
            Address::Drone(id) => asked(self.drones.get(id.index())?, round),
            Address::Delivery(id) => asked(self.deliveries.get(&id)?, round),
            Address::Accounts => asked(&self.accounts, round),
            Address::Packages => asked(&self.packages, round),
            Address::Transport => asked(&self.transport, round),
            Address::Supervisor => asked(&self.supervisor, round),
        })
    }

    /// The states of all that were touched since the last call; `None` for the ended.
    ///
    /// # Errors
    /// An actor that is gone.
    pub async fn save_touched(&mut self) -> Result<Vec<(Address, Option<Vec<u8>>)>, Halted> {
        let mut saved = Vec::new();
        for address in std::mem::take(&mut self.touched) {
            let state = match self.save(address) {
                Some(state) => Some(state.await.map_err(|_| Halted::gone(address))?),
                None => None,
            };
            saved.push((address, state));
        }
        Ok(saved)
    }

    pub fn save(&self, address: Address) -> Option<Pending<Result<Vec<u8>, MailboxError>>> {
        Some(match address {
            Address::Scheduler => Box::pin(self.scheduler.send(Save)),
            Address::Fleet => Box::pin(self.fleet.send(Save)),
            Address::Drone(id) => Box::pin(self.drones.get(id.index())?.send(Save)),
            Address::Delivery(id) => Box::pin(self.deliveries.get(&id)?.send(Save)),
            Address::Accounts => Box::pin(self.accounts.send(Save)),
            Address::Packages => Box::pin(self.packages.send(Save)),
            Address::Transport => Box::pin(self.transport.send(Save)),
            Address::Supervisor => Box::pin(self.supervisor.send(Save)),
        })
    }
}

/// What a round brought.
pub struct Answers {
    /// Of all that were asked, in the order of their addresses.
    pub effects: Vec<Effects>,
    /// Mail whose addressee has ended.
    pub undeliverable: Vec<Mail>,
    /// Who panicked, and over what.
    pub panics: Vec<(Address, Panicked)>,
}

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

fn asked<R: Role>(actor: &Addr<Host<R>>, round: Round) -> Pending<Result<Answer, MailboxError>> {
    Box::pin(actor.send(round))
}

/// Any spread will do, as long as it does not change: the last byte is random.
fn shard(id: DeliveryId) -> usize {
    id.as_bytes()[15].into()
}
