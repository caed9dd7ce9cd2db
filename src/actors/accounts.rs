//! The account service: who may order.
//!
//! Owns the accounts of businesses and customers, at most `[accounts] capacity`, and the
//! numbering of each one's events. Hears the scheduler's question whether the account that
//! orders is active, and answers it; an owner whom nobody registered is made at the first
//! question, or refused, as the scenario says. Asked twice it answers by what is true then.
//! What is asked for an account outside of a request's workflow passes the same step here on its
//! way. Hears from outside whom to register and what to change. A request that has passed its
//! account step goes on whatever becomes of the account.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sim::account::{Account, AccountChange, AccountStatus, UnknownAccounts};
use crate::sim::command::{AccountWrite, Decision, Objection, ReplyTo};
use crate::sim::event::AccountEvent;
use crate::sim::ids::DeliveryId;
use crate::sim::order::Order;
use crate::sim::workflow::{FailureReason, Step, StepAnswer};
use crate::sim::world::World;

use super::host::{MEMORY_OF_BIG_ROLES, Role};
use super::scheduler::SchedulerMessage;
use super::{Context, Effects, Mail};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Accounts {
    accounts: BTreeMap<String, Kept>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    account: Account,
    /// Number of its last event.
    seq: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AccountMessage {
    /// From the scheduler: may the order's account order?
    Check { id: DeliveryId, order: Arc<Order> },
    /// From outside.
    Write {
        write: Box<AccountWrite>,
        reply_to: ReplyTo,
    },
    /// Outside of a workflow: where this account may order, that goes on to whoever it is for; else
    /// its sender is refused.
    Vouch {
        account: String,
        mail: Box<Mail>,
        reply_to: ReplyTo,
        otherwise: Objection,
    },
}

impl Accounts {
    /// Those that are there at the start have no events.
    pub fn new(world: &World) -> Self {
        let keep = |account: &Account| {
            let account = account.clone();
            (account.id.clone(), Kept { account, seq: 0 })
        };
        Accounts {
            accounts: world.accounts.listed.iter().map(keep).collect(),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Account> {
        self.accounts.values().map(|kept| &kept.account)
    }

    fn check(&mut self, context: &Context, id: &str, effects: &mut Effects) -> StepAnswer {
        match self.accounts.get(id).map(|kept| kept.account.status) {
            Some(AccountStatus::Active) => StepAnswer::Done,
            Some(AccountStatus::Suspended) => StepAnswer::Refused(FailureReason::AccountSuspended),
            None => match context.world.accounts.unknown {
                UnknownAccounts::Refuse => StepAnswer::Refused(FailureReason::AccountUnknown),
                UnknownAccounts::Create => match self.register(context, Account::on_first_use(id), effects) {
                    Ok(()) => StepAnswer::Done,
                    Err(_) => StepAnswer::Refused(FailureReason::AccountsFull),
                },
            },
        }
    }

    fn register(
        &mut self,
        context: &Context,
        account: Account,
        effects: &mut Effects,
    ) -> Result<(), Objection> {
        if self.accounts.contains_key(&account.id) {
            return Err(Objection::AccountExists);
        }
        if self.accounts.len() >= context.world.accounts.capacity {
            return Err(Objection::AccountsFull);
        }
        let mut kept = Kept { account, seq: 0 };
        kept.emit(context, AccountEvent::Registered, effects);
        #[cfg(test)]
        super::testing::stumble_over(&kept.account.name);
        self.accounts.insert(kept.account.id.clone(), kept);
        Ok(())
    }

    fn change(
        &mut self,
        context: &Context,
        id: &str,
        change: AccountChange,
        effects: &mut Effects,
    ) -> Result<(), Objection> {
        let kept = self.accounts.get_mut(id).ok_or(Objection::NoSuchAccount)?;
        let before = kept.account.clone();
        change.apply(&mut kept.account);
        if kept.account != before {
            kept.emit(context, AccountEvent::Changed, effects);
        }
        Ok(())
    }

    fn write(&mut self, context: &Context, write: AccountWrite, reply_to: ReplyTo, effects: &mut Effects) {
        let done = match write {
            AccountWrite::Register(account) => self.register(context, account, effects),
            AccountWrite::Change(id, change) => self.change(context, &id, change, effects),
        };
        let decision = done.map_or_else(Decision::Refused, |()| Decision::Done);
        effects.reply(reply_to, decision);
    }
}

impl Kept {
    fn emit(&mut self, context: &Context, event: fn(Account) -> AccountEvent, effects: &mut Effects) {
        effects.emit_account(context, &mut self.seq, event(self.account.clone()));
    }
}

impl Role for Accounts {
    type Message = AccountMessage;
    const MEMORY: usize = MEMORY_OF_BIG_ROLES;

    fn entries(&self) -> usize {
        self.accounts.len()
    }

    fn open(mail: Mail) -> Option<AccountMessage> {
        match mail {
            Mail::Accounts(message) => Some(message),
            _ => None,
        }
    }

    fn step(&mut self, context: &Context, message: AccountMessage, effects: &mut Effects) {
        match message {
            AccountMessage::Check { id, order } => {
                let step = Step::Account;
                let answer = self.check(context, &order.owner.account, effects);
                effects.send(Mail::Scheduler(SchedulerMessage::Answered { id, step, answer }));
            }
            AccountMessage::Write { write, reply_to } => self.write(context, *write, reply_to, effects),
            AccountMessage::Vouch {
                account,
                mail,
                reply_to,
                otherwise,
            } => match self.check(context, &account, effects) {
                StepAnswer::Done => effects.send(*mail),
                _ => effects.refuse(reply_to, otherwise),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::Effect;
    use crate::actors::testing::{Bench, events, id, order, sent, world};
    use crate::actors::transport::TransportMessage;
    use crate::sim::account::{AccountKind, AccountRules};
    use crate::sim::event::Happening;

    fn bench(rules: AccountRules) -> Bench<Accounts> {
        let mut world = world(1, 1);
        world.accounts = rules;
        Bench::new(world, Accounts::new)
    }

    impl Bench<Accounts> {
        fn check(&mut self, account: &str) -> (StepAnswer, Vec<(u32, AccountEvent)>) {
            let mut order = order(&self.context.world);
            order.owner.account = account.to_owned();
            let order = Arc::new(order);
            let effects = self.tell(AccountMessage::Check { id: id(1), order });
            let [Mail::Scheduler(SchedulerMessage::Answered { answer, .. })] = sent(&effects)[..] else {
                panic!("{effects:?}")
            };
            (*answer, told(&effects))
        }

        fn write(&mut self, write: AccountWrite) -> (Decision, Vec<(u32, AccountEvent)>) {
            let reply_to = ReplyTo(7);
            let write = Box::new(write);
            let effects = self.tell(AccountMessage::Write { write, reply_to });
            let Some(Effect::Reply(ReplyTo(7), decision)) = effects.last() else {
                panic!("{effects:?}")
            };
            (decision.clone(), told(&effects))
        }

        fn set(&mut self, status: AccountStatus) -> (Decision, Vec<(u32, AccountEvent)>) {
            let status = Some(status);
            let change = AccountChange {
                status,
                ..AccountChange::default()
            };
            self.write(AccountWrite::Change("shop".into(), change))
        }
    }

    fn told(effects: &[Effect]) -> Vec<(u32, AccountEvent)> {
        let event = |(seq, happening): (u32, &Happening)| match happening {
            Happening::Account(event) => (seq, AccountEvent::clone(event)),
            other => panic!("{other:?}"),
        };
        events(effects).into_iter().map(event).collect()
    }

    #[test]
    fn an_unknown_owner_is_made_at_the_first_request_and_known_from_then_on() {
        let mut bench = bench(AccountRules::default());
        let made = Account::on_first_use("shop");
        let first = bench.check("shop");
        assert_eq!(
            first,
            (
                StepAnswer::Done,
                vec![(1, AccountEvent::Registered(made.clone()))]
            )
        );
        assert_eq!(bench.check("shop"), (StepAnswer::Done, vec![]));
        let exists = Decision::Refused(Objection::AccountExists);
        assert_eq!(bench.write(AccountWrite::Register(made)).0, exists);
    }

    #[test]
    fn unknown_owners_are_refused_where_the_scenario_says_so() {
        let account = Account {
            name: "The shop".into(),
            kind: AccountKind::Business,
            ..Account::on_first_use("shop")
        };
        let mut bench = bench(AccountRules {
            unknown: UnknownAccounts::Refuse,
            listed: vec![account],
            ..AccountRules::default()
        });
        assert_eq!(bench.check("shop"), (StepAnswer::Done, vec![]));
        let refused = StepAnswer::Refused(FailureReason::AccountUnknown);
        assert_eq!(bench.check("baker"), (refused, vec![]));
        let (decision, _) = bench.write(AccountWrite::Register(Account::on_first_use("baker")));
        assert_eq!(decision, Decision::Done);
        assert_eq!(bench.check("baker").0, StepAnswer::Done);
    }

    #[test]
    fn a_suspended_account_orders_nothing_until_it_is_active_again() {
        let mut bench = bench(AccountRules::default());
        let unknown = Decision::Refused(Objection::NoSuchAccount);
        assert_eq!(bench.set(AccountStatus::Suspended), (unknown, vec![]));
        bench.check("shop");
        let (done, events) = bench.set(AccountStatus::Suspended);
        assert_eq!(done, Decision::Done);
        assert!(
            matches!(events[..], [(2, AccountEvent::Changed(_))]),
            "{events:?}"
        );
        assert_eq!(bench.set(AccountStatus::Suspended).1, [], "nothing happened");
        let refused = StepAnswer::Refused(FailureReason::AccountSuspended);
        assert_eq!(bench.check("shop"), (refused, vec![]));
        bench.set(AccountStatus::Active);
        assert_eq!(bench.check("shop").0, StepAnswer::Done);
    }

    #[test]
    fn what_is_asked_outside_of_a_workflow_goes_on_where_the_account_may_order() {
        let mut bench = bench(AccountRules::default());
        let reply_to = ReplyTo(7);
        let mail = Mail::Transport(TransportMessage::Carries { id: id(1), reply_to });
        let vouch = || AccountMessage::Vouch {
            account: "shop".into(),
            mail: Box::new(mail.clone()),
            reply_to,
            otherwise: Objection::NotCarried,
        };
        let effects = bench.tell(vouch());
        assert_eq!(sent(&effects), [&mail]);
        let made = Account::on_first_use("shop");
        assert_eq!(told(&effects), [(1, AccountEvent::Registered(made))]);
        bench.set(AccountStatus::Suspended);
        let refused = Decision::Refused(Objection::NotCarried);
        assert_eq!(bench.tell(vouch()), [Effect::Reply(reply_to, refused)]);
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let mut bench = bench(AccountRules {
            capacity: 1,
            ..AccountRules::default()
        });
        bench.check("shop");
        let full = StepAnswer::Refused(FailureReason::AccountsFull);
        assert_eq!(bench.check("baker"), (full, vec![]));
        let (decision, _) = bench.write(AccountWrite::Register(Account::on_first_use("baker")));
        assert_eq!(decision, Decision::Refused(Objection::AccountsFull));
        assert_eq!(bench.check("shop").0, StepAnswer::Done, "who is there stays");
    }
}
