//! The package service: what is to be carried.
//!
//! Owns the packages of requests that are not over, and those that clients put by themselves
//! (`shelf`). Hears from the scheduler which to keep and which to let go of, and answers; asked
//! twice it answers the same. A delivery that is over says so, and waits for no answer. Bound:
//! one package for each request that is not over, and the shelf's. After a panic it goes on from
//! before the message that brought it about.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::command::{PackageChange, PackageWrite, ReplyTo};
use crate::sim::ids::DeliveryId;
use crate::sim::order::{Order, Package};
use crate::sim::workflow::{Step, StepAnswer};

use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::shelf::Shelf;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Packages {
    held: BTreeMap<DeliveryId, Package>,
    shelf: Shelf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PackageMessage {
    /// From the scheduler: the order's package is on its way.
    Create { id: DeliveryId, order: Arc<Order> },
    /// From the scheduler: as if it had never been asked.
    Undo { id: DeliveryId },
    /// From the delivery's actor: it is over.
    LetGo { id: DeliveryId },
    /// From outside: a package by itself.
    Put {
        write: Box<PackageWrite>,
        reply_to: ReplyTo,
    },
    /// From outside: something about a package, which stands by itself from then on.
    Change {
        change: Box<PackageChange>,
        reply_to: ReplyTo,
    },
}

impl Packages {
    /// Whose packages are held.
    pub fn held(&self) -> impl Iterator<Item = DeliveryId> + '_ {
        self.held.keys().copied()
    }

    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }
}

impl Role for Packages {
    type Message = PackageMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn entries(&self) -> usize {
        self.held.len() + self.shelf.count()
    }

    fn open(mail: Mail) -> Option<PackageMessage> {
        match mail {
            Mail::Packages(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: PackageMessage, effects: &mut Effects) {
        let step = Step::Package;
        match message {
            PackageMessage::Create { id, order } => {
                self.held.insert(id, order.package.clone());
                let answer = StepAnswer::Done;
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
            PackageMessage::Put { write, reply_to } => {
                let decision = self.shelf.put(context, *write, effects);
                effects.reply(reply_to, decision);
            }
            PackageMessage::Change { change, reply_to } => {
                let decision = self.shelf.change(context, &change, effects);
                effects.reply(reply_to, decision);
            }
            PackageMessage::Undo { id } => {
                self.held.remove(&id);
                effects.send(Mail::Scheduler(SchedulerMessage::Undone { id, step }));
            }
            PackageMessage::LetGo { id } => {
                self.held.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::testing::{Bench, id, order, sent, world};

    #[test]
    fn asked_twice_it_holds_one_package_and_answers_the_same() {
        let mut bench = Bench::new(world(1, 1), |_| Packages::default());
        let order = Arc::new(order(&bench.context.world));
        let create = || PackageMessage::Create {
            id: id(1),
            order: Arc::clone(&order),
        };
        let first = bench.tell(create());
        assert_eq!(first, bench.tell(create()));
        assert!(bench.role.held().eq([id(1)]));
        for _ in 0..2 {
            let undone = bench.tell(PackageMessage::Undo { id: id(1) });
            let (id, step) = (id(1), Step::Package);
            let expected = Mail::Scheduler(SchedulerMessage::Undone { id, step });
            assert_eq!(sent(&undone), [&expected]);
            assert_eq!(bench.role.held().count(), 0);
        }
    }

    #[test]
    fn what_is_over_is_let_go_of_without_a_word() {
        let mut bench = Bench::new(world(1, 1), |_| Packages::default());
        let order = Arc::new(order(&bench.context.world));
        bench.tell(PackageMessage::Create { id: id(1), order });
        assert!(bench.tell(PackageMessage::LetGo { id: id(1) }).is_empty());
        assert_eq!(bench.role.held().count(), 0);
    }
}
