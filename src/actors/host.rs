//! What makes an actix actor of a role: one `Round` in, effects out.
//!
//! A host adds nothing to its role's decisions. A panic in a step is caught and told to
//! the engine by the actor's name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::{Actor, ActorContext, Handler, Message};

use super::{Context, Effects, Mail};

/// A pure decider: state and message in, new state and effects out.
pub trait Role: Sized + Unpin + Send + 'static {
    type Message: Send + 'static;

    /// What is in the envelope; `None` where it was addressed to somebody else.
    fn open(mail: Mail) -> Option<Self::Message>;

    fn step(&mut self, context: &Context, message: Self::Message, effects: &mut Effects);
}

pub struct Host<R: Role> {
    role: R,
}

impl<R: Role> Host<R> {
    pub fn new(role: R) -> Self {
        Host { role }
    }
}

impl<R: Role> Actor for Host<R> {
    type Context = actix::Context<Self>;
}

/// All messages for one actor in one round, sorted by (sender, index).
pub struct Round {
    pub context: Arc<Context>,
    pub mail: Vec<Mail>,
}

/// The actor's step panicked; what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panicked(pub String);

impl Message for Round {
    type Result = Result<Effects, Panicked>;
}

impl<R: Role> Handler<Round> for Host<R> {
    type Result = Result<Effects, Panicked>;

    fn handle(&mut self, round: Round, _: &mut Self::Context) -> Self::Result {
        let step = AssertUnwindSafe(|| {
            let mut effects = Effects::default();
            for message in round.mail.into_iter().filter_map(R::open) {
                self.role.step(&round.context, message, &mut effects);
            }
            effects
        });
        catch_unwind(step).map_err(|cause| Panicked(describe(cause.as_ref())))
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
        postcard::to_stdvec(&self.role).expect("a role holds only plain values, which always serialise")
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
