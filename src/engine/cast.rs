//! The actors of the world by their addresses: who is there, who was touched, how to ask.
//!
//! Knows nothing of what messages mean.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;

use actix::{Actor, Addr, ArbiterHandle, MailboxError};
use serde::Serialize;

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
    /// Deliveries of which no snapshot knows: nobody need hear of their end either, so that runs
    /// without snapshots keep nothing of those that are over.
    unsaved: BTreeSet<DeliveryId>,
}

/// So many are asked for their states before the first answers: one by one, each would cost a turn
/// of both threads.
const SAVED_AT_ONCE: usize = 4_096;

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
            unsaved: BTreeSet::new(),
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

    /// All that are alive.
    pub fn touch_all(&mut self) {
        let drones = (0..self.drones.len() as u32).map(|drone| Address::Drone(DroneId(drone)));
        let deliveries = self.deliveries.keys().map(|id| Address::Delivery(*id));
        let others = [
            Address::Scheduler,
            Address::Fleet,
            Address::Accounts,
            Address::Packages,
            Address::Transport,
            Address::Supervisor,
        ];
        let all: Vec<Address> = drones.chain(deliveries).chain(others).collect();
        self.touch(all);
    }

    /// The next drone.
    pub fn start_drone(&mut self, id: DroneId) {
        let arbiter = &self.arbiters[id.index() % self.arbiters.len()];
        self.drones.push(start(arbiter, Drone::docked(id)));
    }

    pub fn start_delivery(&mut self, id: DeliveryId, delivery: Delivery) {
        let arbiter = &self.arbiters[shard(id) % self.arbiters.len()];
        self.deliveries.insert(id, start(arbiter, delivery));
        // One of that id that ended since the last snapshot was touched then.
        if self.touched.insert(Address::Delivery(id)) {
            self.unsaved.insert(id);
        }
    }

    pub fn end_delivery(&mut self, id: DeliveryId) {
        let Some(actor) = self.deliveries.remove(&id) else {
            return;
        };
        actor.do_send(Retire);
        match self.unsaved.remove(&id) {
            true => self.touched.remove(&Address::Delivery(id)),
            false => self.touched.insert(Address::Delivery(id)),
        };
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
            let Some(seat) = self.seat(to) else {
                undeliverable.extend(pile);
                continue;
            };
            let round = Round {
                context: Arc::clone(context),
                mail: pile,
            };
            asked.push((to, seat.ask(round)));
            self.touched.insert(to);
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
        self.seat(address).is_some()
    }

    /// Where mail for this address is read; `None` where nobody is there.
    fn seat(&self, address: Address) -> Option<&dyn Seat> {
        Some(match address {
            Address::Scheduler => &self.scheduler,
            Address::Fleet => &self.fleet,
            Address::Drone(id) => self.drones.get(id.index())?,
            Address::Delivery(id) => self.deliveries.get(&id)?,
            Address::Accounts => &self.accounts,
            Address::Packages => &self.packages,
            Address::Transport => &self.transport,
            Address::Supervisor => &self.supervisor,
        })
    }

    /// The states of all that were touched since the last call; `None` for the ended.
    ///
    /// # Errors
    /// An actor that is gone.
    pub async fn save_touched(&mut self) -> Result<Vec<(Address, Option<Vec<u8>>)>, Halted> {
        self.unsaved.clear();
        let touched = std::mem::take(&mut self.touched);
        let mut saved = Vec::with_capacity(touched.len());
        let mut touched = touched.into_iter().peekable();
        while touched.peek().is_some() {
            let asked = touched.by_ref().take(SAVED_AT_ONCE);
            let asked: Vec<_> = asked.map(|address| (address, self.save(address))).collect();
            for (address, state) in asked {
                let state = match state {
                    Some(state) => Some(state.await.map_err(|_| Halted::gone(address))?),
                    None => None,
                };
                saved.push((address, state));
            }
        }
        Ok(saved)
    }

    pub fn save(&self, address: Address) -> Option<Pending<Vec<u8>>> {
        Some(self.seat(address)?.save())
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

/// What an actor is asked, whatever its role.
trait Seat {
    fn ask(&self, round: Round) -> Pending<Answer>;
    fn save(&self) -> Pending<Vec<u8>>;
}

type Pending<T> = Pin<Box<dyn Future<Output = Result<T, MailboxError>>>>;

impl<R: Role + Serialize> Seat for Addr<Host<R>> {
    fn ask(&self, round: Round) -> Pending<Answer> {
        Box::pin(self.send(round))
    }

    fn save(&self) -> Pending<Vec<u8>> {
        Box::pin(self.send(Save))
    }
}

/// Any spread will do, as long as it does not change: the last byte is random.
fn shard(id: DeliveryId) -> usize {
    id.as_bytes()[15].into()
}
