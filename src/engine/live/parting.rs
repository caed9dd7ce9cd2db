//! Whoever is told of all that happens leaves: with how the world stands at that moment.

use std::sync::Arc;

use crate::engine::controls::Reply;
use crate::engine::witness::Standing;
use crate::engine::{Halted, publication};
use crate::store::Snapshot;

use super::{Course, Live, Outlet};

impl Live {
    /// Answers when they have left. A store that takes nothing is not waited for.
    pub(super) async fn dismiss(
        &mut self,
        outlet: &Outlet,
        course: &mut Course,
        reply: Reply<()>,
    ) -> Result<(), Halted> {
        if reply.is_awaited() && !*self.stalls.borrow() {
            self.take_in(outlet, course).await?;
            let taken = tokio::select! {
                taken = self.part() => taken?,
                // What it waits for will never be published.
                () = outlet.closed() => None,
            };
            // The world goes on, and what this one took is in no later one.
            course.snapshot = match (course.snapshot.take(), taken) {
                (Some(earlier), Some(taken)) => Some(earlier.followed_by(taken)),
                (earlier, taken) => earlier.or(taken),
            };
        }
        reply.say(Ok(()));
        Ok(())
    }

    /// What was accepted until now has its tick, as far as one takes it in, before somebody who is
    /// told of it leaves; in a world that stands still it waits.
    pub(super) async fn take_in(&mut self, outlet: &Outlet, course: &mut Course) -> Result<(), Halted> {
        let is_told = self.stand.lock().is_some();
        let is_moving = !self.stands_still(course) && !*self.stalls.borrow();
        match is_told && is_moving && !self.inbox.is_empty() {
            true => self.advance(outlet, course).await,
            false => Ok(()),
        }
    }

    /// The state that was taken for who left, if anybody did.
    pub(super) async fn part(&mut self) -> Result<Option<Snapshot>, Halted> {
        let wish = self
            .stand
            .lock()
            .as_ref()
            .and_then(|witness| witness.wants_last());
        if wish.is_none() {
            return Ok(None);
        }
        let snapshot = self.state(wish).await?;
        let engine = &self.engine;
        let standing = Standing {
            at: engine.world().time_of(snapshot.tick),
            digest: *engine.digest(),
            admitted_through: engine.admitted_through(),
            next_event: engine.events_through() + 1,
            world: Arc::clone(engine.world()),
            airborne: publication::airborne_rows(engine.world(), engine.sky()),
        };
        let leaving = self.stand.lock().take();
        if let Some(mut witness) = leaving {
            witness.last(&snapshot, standing, &self.view);
        }
        Ok(Some(snapshot))
    }
}
