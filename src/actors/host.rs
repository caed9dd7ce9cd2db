//! What makes an actix actor of a role: one `Round` in, effects out.
//!
//! A host adds nothing to its role's decisions. A panic in a step is caught: the message that
//! brought it about is dropped with whatever it had done so far, and the role goes on from the
//! state before it. A real panic is a function of state and message, so execution of the journal
//! repeats it, and its end, too.
//!
//! A panic may leave a state half-changed, so one from before is kept ([`Role::MEMORY`]). A small
//! role is copied before each message. Copying a big one that often is too dear: it is copied once
//! in so many messages, which are kept since, and taken again without effects where one panics.
//! The longer it is, the more messages, so that the copy costs each of them the same.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, Handler, Message};

use super::owed::Owed;
use super::{Context, Effects, Mail};
use crate::sim::world::World;

/// A pure decider: state and message in, new state and effects out.
pub trait Role: Clone + Sized + Unpin + Send + 'static {
    type Message: Clone + Send + 'static;

    /// So many messages are kept beside a copy of the state before they are forgotten and another
    /// is made; 0 for a role that is copied in no time.
    const MEMORY: usize;

    /// How many entries a copy of it takes; of those roles that hold many.
    fn entries(&self) -> usize {
        0
    }

    /// What is in the envelope; `None` where it was addressed to somebody else.
    fn open(mail: Mail) -> Option<Self::Message>;

    fn step(&mut self, context: &Context, message: Self::Message, effects: &mut Effects);
}

/// Messages kept of each of the world's big roles.
pub const MEMORY_OF_BIG_ROLES: usize = 16_384;
/// Entries of a big role that are copied for each message; the more, the fewer messages are kept.
const COPIED_A_MESSAGE: usize = 4;

pub struct Host<R: Role> {
    /// Apart from the actor's task: that is laid out in steps of 128 bytes, and without the role
    /// of a drone or a delivery it takes one step less.
    role: Box<R>,
    past: Option<Box<Past<R>>>,
}

/// A big role's state some time ago, and what it has taken since.
struct Past<R: Role> {
    role: R,
    since: Vec<(Arc<Context>, R::Message)>,
    /// So many are kept.
    memory: usize,
}

impl<R: Role> Host<R> {
    pub fn new(role: R) -> Self {
        Host {
            role: Box::new(role),
            past: None,
        }
    }

    /// Takes a message, or none of it.
    fn take(
        &mut self,
        context: &Arc<Context>,
        message: R::Message,
        effects: &mut Effects,
    ) -> Result<(), Panicked> {
        let before = effects.0.len();
        if R::MEMORY == 0 {
            let role = R::clone(&self.role);
            return self.attempt(context, message, effects).inspect_err(|_| {
                *self.role = role;
                effects.0.truncate(before);
            });
        }
        let is_over = |past: &mut Box<Past<R>>| past.is_full() || !past.is_of(&context.world);
        let room = self.past.take_if(is_over).map(|past| past.forget());
        self.past
            .get_or_insert_with(|| Box::new(Past::of(&self.role, room.unwrap_or_default())));
        let kept = message.clone();
        let taken = self.attempt(context, message, effects);
        let Some(past) = &mut self.past else { return taken };
        match &taken {
            Ok(()) => past.since.push((Arc::clone(context), kept)),
            Err(_) => {
                *self.role = past.again();
                effects.0.truncate(before);
            }
        }
        taken
    }

    fn attempt(
        &mut self,
        context: &Context,
        message: R::Message,
        effects: &mut Effects,
    ) -> Result<(), Panicked> {
        let step = AssertUnwindSafe(|| self.role.step(context, message, effects));
        catch_unwind(step).map_err(|cause| Panicked {
            words: describe(cause.as_ref()),
            owed: None,
            dropped: None,
        })
    }

    /// A fault that somebody injected: a panic as any other.
    fn suffer(&mut self) -> Panicked {
        let panic = AssertUnwindSafe(|| panic!("an injected fault"));
        let words = catch_unwind(panic).map_or_else(|cause| describe(cause.as_ref()), |()| String::new());
        if let Some(past) = &self.past {
            *self.role = past.again();
        }
        Panicked {
            words,
            owed: None,
            dropped: None,
        }
    }
}

impl<R: Role> Past<R> {
    fn of(role: &R, since: Vec<(Arc<Context>, R::Message)>) -> Self {
        Past {
            memory: memory_for(role),
            role: role.clone(),
            since,
        }
    }

    fn is_full(&self) -> bool {
        self.since.len() >= self.memory
    }

    /// Whether its messages were taken in this world: each keeps the world that it was taken in,
    /// and none but the newest is to be kept.
    fn is_of(&self, world: &Arc<World>) -> bool {
        let first = self.since.first();
        first.is_none_or(|(context, _)| Arc::ptr_eq(&context.world, world))
    }

    /// Leaves its room for messages. The copy goes before the next is made, which then takes its
    /// place: in new memory a copy of a million entries takes several times as long.
    fn forget(self) -> Vec<(Arc<Context>, R::Message)> {
        let Past { mut since, .. } = self;
        since.clear();
        since
    }

    /// The state after all that it has taken since, none of which panicked.
    fn again(&self) -> R {
        let mut role = self.role.clone();
        for (context, message) in &self.since {
            role.step(context, message.clone(), &mut Effects::default());
        }
        role
    }
}

fn memory_for<R: Role>(role: &R) -> usize {
    R::MEMORY.max(role.entries() / COPIED_A_MESSAGE)
}

impl<R: Role> Actor for Host<R> {
    type Context = actix::Context<Self>;
}

/// All messages for one actor in one round, sorted by (sender, index).
pub struct Round {
    pub context: Arc<Context>,
    pub mail: Vec<Mail>,
}

/// What an actor answers to a round.
#[derive(Debug, Default)]
pub struct Answer {
    pub effects: Effects,
    /// Messages that it could not take.
    pub panics: Vec<Panicked>,
}

/// The actor's step panicked.
#[derive(Debug, Clone, PartialEq)]
pub struct Panicked {
    /// What it said.
    pub words: String,
    /// By the message that it was about, which is dropped. An injected panic drops none.
    pub owed: Option<Owed>,
    /// The message, where it is to be read again.
    pub dropped: Option<Box<Mail>>,
}

impl Message for Round {
    type Result = Answer;
}

impl<R: Role> Handler<Round> for Host<R> {
    type Result = actix::MessageResult<Round>;

    fn handle(&mut self, round: Round, _: &mut Self::Context) -> Self::Result {
        let mut answer = Answer::default();
        for mail in round.mail {
            if let Mail::Poison(_) = mail {
                answer.panics.push(self.suffer());
                continue;
            }
            let owed = mail.owed();
            let again = matches!(owed, Some(Owed::Again)).then(|| mail.clone());
            if let Some(message) = R::open(mail)
                && let Err(panicked) = self.take(&round.context, message, &mut answer.effects)
            {
                let dropped = again.map(Box::new);
                answer.panics.push(Panicked {
                    owed,
                    dropped,
                    ..panicked
                });
            }
        }
        actix::MessageResult(answer)
    }
}

/// Asks for the actor's state as bytes, for a snapshot.
pub struct Save;

impl Message for Save {
    type Result = Vec<u8>;
}

impl<R: Role + serde::Serialize> Handler<Save> for Host<R> {
    type Result = Vec<u8>;

    fn handle(&mut self, _: Save, _: &mut Self::Context) -> Vec<u8> {
        postcard::to_stdvec(&*self.role).expect("a role holds only plain values, which always serialise")
    }
}

/// The actor has nothing left to do.
pub struct Retire;

impl Message for Retire {
    type Result = ();
}

impl<R: Role> Handler<Retire> for Host<R> {
    type Result = ();

    fn handle(&mut self, _: Retire, context: &mut Self::Context) {
        context.stop();
    }
}

fn describe(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without words".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actors::Effect;
    use crate::actors::testing::world;
    use crate::sim::command::{Decision, ReplyTo};
    use crate::sim::time::SimTime;

    /// Adds up what it hears; over 13 it panics, half-way through.
    #[derive(Clone, Debug, PartialEq)]
    struct Adder<const MEMORY: usize>(Vec<u64>);

    impl<const MEMORY: usize> Role for Adder<MEMORY> {
        type Message = u64;
        const MEMORY: usize = MEMORY;

        fn open(_: Mail) -> Option<u64> {
            None
        }

        fn step(&mut self, _: &Context, number: u64, effects: &mut Effects) {
            self.0.push(number);
            effects.reply(ReplyTo(number), Decision::Done);
            assert_ne!(number, 13, "thirteen");
        }
    }

    fn after<const MEMORY: usize>(numbers: impl Iterator<Item = u64>) -> (Vec<u64>, Vec<Effect>, usize) {
        let context = Arc::new(Context {
            world: Arc::new(world(1, 1)),
            tick: 1,
            now: SimTime::START,
        });
        let mut host = Host::new(Adder::<MEMORY>(Vec::new()));
        let mut effects = Effects::default();
        let taken = numbers.map(|number| host.take(&context, number, &mut effects));
        let panics = taken.filter(Result::is_err).count();
        (host.role.0.clone(), effects.0, panics)
    }

    #[test]
    fn a_panic_leaves_nothing_of_its_message_and_all_of_the_others() {
        let numbers = || (1..=40).map(|number| if number % 7 == 0 { 13 } else { number });
        let others: Vec<u64> = numbers().filter(|number| *number != 13).collect();
        let said: Vec<Effect> = others
            .iter()
            .map(|number| Effect::Reply(ReplyTo(*number), Decision::Done))
            .collect();
        let expected = (others, said, 6);
        assert_eq!(after::<0>(numbers()), expected, "copied before each message");
        assert_eq!(after::<8>(numbers()), expected, "copied once in eight");
        assert_eq!(after::<1_000>(numbers()), expected, "copied once");
    }

    #[test]
    fn a_world_that_another_has_replaced_is_let_go_of() {
        let context = || {
            Arc::new(Context {
                world: Arc::new(world(1, 1)),
                tick: 1,
                now: SimTime::START,
            })
        };
        let mut host = Host::new(Adder::<1_000>(Vec::new()));
        let mut effects = Effects::default();
        let mut worlds = Vec::new();
        for number in 1..=5 {
            let context = context();
            worlds.push(Arc::downgrade(&context.world));
            host.take(&context, number, &mut effects).unwrap();
            host.take(&context, 13, &mut effects).unwrap_err();
        }
        assert_eq!(host.role.0, [1, 2, 3, 4, 5]);
        let kept = worlds.iter().filter(|world| world.strong_count() > 0);
        assert_eq!(kept.count(), 1);
    }
}
