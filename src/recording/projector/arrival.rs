//! How a moment is come to from afar: by the last whole state before it, and what was recorded since.

use crate::recording::keyframe::last_state;
use crate::recording::layout::Topic;
use crate::sim::time::SimTime;
use crate::view::View;

use super::{NotShown, Place, Projector};

impl Projector {
    /// Shows the moment at this time, or the last before it, under a new epoch.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn seek(&mut self, at: SimTime) -> Result<(), NotShown> {
        let fresh = self.arrive(at)?;
        self.is_torn = false;
        self.forgotten = fresh.clock().tick;
        self.epoch += 1;
        self.view.take_over(fresh, self.epoch);
        Ok(())
    }

    /// Lists and counts as they were at the moment that is shown, which was reached backwards; it
    /// goes on backwards from where it is.
    ///
    /// # Errors
    /// A recording that cannot be read.
    pub fn recount(&mut self) -> Result<(), NotShown> {
        let (place, pending) = (std::mem::take(&mut self.place), std::mem::take(&mut self.pending));
        let (world, is_torn) = (self.world.clone(), self.is_torn);
        let fresh = self.arrive(self.view.clock().at);
        (self.place, self.pending) = (place, pending);
        (self.world, self.is_torn) = (world, is_torn);
        self.view.recount(fresh?);
        Ok(())
    }

    /// A read side that nobody sees yet, at this moment; what comes next is behind it.
    fn arrive(&mut self, at: SimTime) -> Result<View, NotShown> {
        let fresh = self.travel(at);
        // Whoever did not get there is not on the way any more either.
        self.bound_for = None;
        fresh
    }

    fn travel(&mut self, at: SimTime) -> Result<View, NotShown> {
        let chunks = self.recording.chunks();
        let began = |number: &&usize| self.recording.origin.at(chunks[**number].from_ns) <= at;
        let behind = self.keyframes.iter().filter(began).count().max(1);
        let (fresh, world, keyframe) =
            last_state(&self.recording, &self.keyframes[..behind], &self.scenario)?;
        self.world = world;
        let from = fresh.clock().tick;
        // The first chunk of moments behind the state.
        self.place = Place {
            chunk: self.chunks.partition_point(|number| *number < keyframe),
            ..Place::default()
        };
        self.bound_for = Some(at);
        self.pending.clear();
        self.load()?;
        while let Some(frame_at) = self.next_at()? {
            if frame_at > at {
                break;
            }
            let mut publications = std::mem::take(&mut self.pending);
            publications.push(self.take()?);
            // The frame of the state's own tick may follow it.
            publications.retain(|one| one.tick >= from);
            fresh.publish_last(publications);
        }
        Ok(fresh)
    }

    /// Whether a later chunk has the frame that is wanted: the next has one, and ends before.
    pub(super) fn is_passed(&self, chunk: usize) -> bool {
        let chunks = self.recording.chunks();
        let number = |later: usize| Some(&chunks[*self.chunks.get(chunk + later)?]);
        let (Some(bound_for), Some(next), Some(after)) = (self.bound_for, number(1), number(2)) else {
            return false;
        };
        let begins = self.recording.origin.at(after.from_ns);
        next.topics.contains(&Topic::Positions) && begins <= bound_for
    }
}
