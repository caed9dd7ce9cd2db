//! `events`: every lifecycle event of the world, by its global number. The snapshot has no
//! subject: it only says after which number the events go on.

use crate::view::events::Subject;
use crate::wire::stream::ServerMessage;
use crate::wire::time::rfc3339;
use crate::ws::Shared;

use super::Speech;
use super::numbered::Cursor;

pub(super) struct Follow {
    cursor: Cursor,
    /// The next snapshot is of the moment that the view leapt to.
    begins_with_leap: bool,
}

impl Follow {
    /// `since` is the last event that the client saw.
    pub(super) fn open(shared: &Shared, since: Option<u64>) -> Self {
        Follow {
            cursor: Cursor::open(shared, Subject::All, since),
            begins_with_leap: false,
        }
    }

    pub(super) fn recovers(&self) -> bool {
        !self.cursor.wants_snapshot()
    }

    pub(super) fn start_over(&mut self) {
        self.cursor.start_over();
    }

    /// What happened since the view leapt is told too, where that is a while ago.
    pub(super) fn begin_with_leap(&mut self) {
        self.begins_with_leap = true;
    }

    pub(super) fn speak(&mut self, id: u64, speech: &mut Speech<'_>) {
        if self.cursor.wants_snapshot() {
            let view = &speech.shared.view;
            let (tick, at, seq) = match std::mem::take(&mut self.begins_with_leap) {
                true => view.leapt_to(),
                false => view.events_so_far(),
            };
            let sim_time = rfc3339(&view.world(), at);
            speech.say(&ServerMessage::Snapshot {
                id,
                seq: Some(seq),
                tick,
                sim_time: &sim_time,
                of: None,
            });
            self.cursor.covered(seq);
        }
        self.cursor.say_events(id, speech);
    }
}
