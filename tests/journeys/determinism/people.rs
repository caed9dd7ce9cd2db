//! People who want something again and again, by nothing but what has happened so far: in worlds
//! that go the same way they want the same, in the same ticks.

use std::collections::BTreeMap;
use std::sync::Arc;

use skyhaul::sim::account::{Account, AccountChange, AccountStatus};
use skyhaul::sim::actor::{Actor, SINGLE_ACTORS};
use skyhaul::sim::command::{AccountWrite, Command, DeliveryWrite, PackageChange, PackageWrite};
use skyhaul::sim::event::{DeliveryEvent, Event, Happening, SupervisorEvent};
use skyhaul::sim::fault::{Fault, StepFault, Victim};
use skyhaul::sim::ids::{DeliveryId, DroneId};
use skyhaul::sim::order::{
    Confirmation, ConfirmationRequired, Contact, ContainerSize, Owner, Package, Reschedule, StoredPackage,
};
use skyhaul::sim::time::{SimDuration, SimTime, Tick};
use skyhaul::sim::workflow::Step;
use skyhaul::sim::world::World;
use skyhaul::wire::event::name_of;

#[derive(Clone, Default)]
pub struct People {
    events: usize,
    /// What happened how often, by its name.
    pub happened: BTreeMap<&'static str, usize>,
}

impl People {
    /// What they want in the tick after the one in which this happened.
    pub fn hear(&mut self, world: &World, tick: Tick, events: &[Event]) -> Vec<Command> {
        let mut wanted = Vec::new();
        for event in events {
            self.events += 1;
            match &event.happening {
                Happening::Delivery(id, happening) => {
                    self.count(name_of(happening));
                    let of_it = self.about(world, *id, happening);
                    wanted.extend(of_it.map(|write| Command::Delivery(*id, write)));
                }
                Happening::Supervisor(SupervisorEvent::DeadLettered { id, .. }) => {
                    self.count("DeadLettered");
                    wanted.push(Command::RetryDeadLetter(*id));
                }
                Happening::Supervisor(SupervisorEvent::Resolved { .. }) => self.count("Resolved"),
                Happening::Supervisor(SupervisorEvent::ActorPanicked { actor }) => self.count(actor.kind()),
                Happening::Account(_) => self.count("Account"),
                Happening::Package(_) => self.count("Package"),
                _ => {}
            }
        }
        if tick.is_multiple_of(40) {
            wanted.extend(self.now_and_then(tick / 40));
        }
        wanted
    }

    fn count(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    /// What somebody wants of a delivery of which this is news.
    fn about(&self, world: &World, id: DeliveryId, event: &DeliveryEvent) -> Option<DeliveryWrite> {
        let change = |change| Some(DeliveryWrite::Reschedule(Arc::new(change)));
        match (event, self.events % 24) {
            (DeliveryEvent::Accepted { .. }, 0..=9) => change(Reschedule {
                confirmation: Some(ConfirmationRequired::Picture),
                ..Reschedule::default()
            }),
            (DeliveryEvent::AwaitingConfirmation { required }, 0..=15) => {
                let at = world.places[0].location;
                Some(DeliveryWrite::Confirm(Arc::new(Confirmation {
                    kind: *required,
                    given_at: world.time_of(1),
                    location: at,
                    blob_hash: [7; 32],
                })))
            }
            (_, 20) => Some(DeliveryWrite::Cancel),
            (_, 21) => change(Reschedule {
                expedited: Some(true),
                deadline: Some(format!("soon, {id}")),
                ..Reschedule::default()
            }),
            (DeliveryEvent::Accepted { order }, 16..=19) => change(Reschedule {
                not_before: Some(order.not_before + SimDuration::from_secs(60.0)),
                pickup: Some(order.dropoff),
                dropoff: Some(order.pickup),
                ..Reschedule::default()
            }),
            (_, 23) => {
                let shop = Owner::account(format!("shop-{}", self.events % 7));
                Some(DeliveryWrite::Entrust(Arc::new(shop)))
            }
            (_, 22) => Some(DeliveryWrite::NotifyMe(Arc::new(Contact {
                email: Some("ada@example.org".to_owned()),
                sms: None,
            }))),
            _ => None,
        }
    }

    /// Operators break things, clerks write; by turns, whatever happens.
    fn now_and_then(&self, turn: u64) -> Vec<Command> {
        let number = turn as usize;
        let shop = format!("shop-{}", turn % 7);
        let account = match turn % 2 {
            0 => AccountWrite::Register(Account::on_first_use(&shop)),
            _ => {
                let status = Some(AccountStatus::Suspended);
                let change = AccountChange {
                    status,
                    ..AccountChange::default()
                };
                AccountWrite::Change(shop, change)
            }
        };
        let package = PackageWrite {
            package: Package {
                id: format!("box-{}", turn % 5),
                size: ContainerSize::Medium,
                weight_kg: turn as f64 / 10.0,
                tag: None,
            },
            owner: None,
        };
        let known = StoredPackage {
            package: package.package.clone(),
            owner: None,
            at: SimTime::START,
        };
        let change = PackageChange {
            known,
            size: None,
            weight_kg: None,
            tag: Some(format!("turn {turn}")),
        };
        let step = Step::ALL[number % Step::ALL.len()];
        let fault = match turn % 5 {
            0 => Fault::Step(step, StepFault::Fail, None),
            1 => Fault::Step(step, StepFault::AnswerLost, Some(SimDuration::from_secs(2.0))),
            2 => Fault::Step(step, StepFault::Slow(SimDuration::from_secs(1.0)), None),
            3 => Fault::LinkLost(DroneId(turn as u32 % 30), Some(SimDuration::from_secs(5.0))),
            _ => Fault::Panic(match turn % 3 {
                0 => Victim::AnyDrone,
                1 => Victim::AnyDelivery,
                _ => Victim::Actor(single(number)),
            }),
        };
        vec![
            Command::Account(account),
            Command::Package(package),
            Command::ChangePackage(change),
            Command::Inject(fault),
        ]
    }
}

fn single(number: usize) -> Actor {
    SINGLE_ACTORS[number / 15 % SINGLE_ACTORS.len()]
}
