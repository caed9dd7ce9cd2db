//! What each hub's board says: its queues, and which types the weather keeps there. Changes of
//! these and all other events of a hub are numbered here.
//!
//! Queues are read off the docks and the pads once a message is dealt with, and told where they
//! are others than were told last.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::sim::event::{HubEvent, HubQueues};
use crate::sim::ids::{HubId, ModelId};
use crate::sim::time::SimTime;
use crate::sim::weather::Breach;
use crate::sim::world::World;

use super::{Context, Effects, Fleet};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Board {
    hubs: Vec<HubBoard>,
    /// Hubs whose queues may have changed with the message that is being dealt with.
    #[serde(skip)]
    changed: BTreeSet<HubId>,
    /// Hubs whose lines are to hear when they are expected, and since when. It is over with the
    /// tick; what a panic loses is asked for anew in the next.
    #[serde(skip)]
    to_hear: BTreeMap<HubId, SimTime>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct HubBoard {
    /// Number of the hub's last event; 0 before its first.
    seq: u32,
    queues: HubQueues,
    stops: Vec<(ModelId, Breach)>,
}

impl Board {
    /// As snapshots before format 7 have it: numbers alone. The rest is what it is then.
    pub fn restored(seqs: Vec<u32>) -> Self {
        let of = |seq| HubBoard {
            seq,
            ..HubBoard::default()
        };
        Board {
            hubs: seqs.into_iter().map(of).collect(),
            ..Board::default()
        }
    }

    pub fn hub_count(&self) -> usize {
        self.hubs.len()
    }

    /// Makes room for all hubs of the world, which may have become more.
    pub fn grow(&mut self, world: &World) {
        self.hubs.resize(world.hubs.len(), HubBoard::default());
    }

    pub fn changed(&mut self, hub: HubId) {
        self.changed.insert(hub);
    }

    /// Whether nobody has asked in this tick yet that the hub's line hear when it is expected.
    pub fn is_first_to_ask(&mut self, now: SimTime, hub: HubId) -> bool {
        self.to_hear.insert(hub, now) != Some(now)
    }

    pub fn are_told(&mut self, hub: HubId) {
        self.to_hear.remove(&hub);
    }

    /// Numbers an event of the hub.
    pub fn tell(&mut self, context: &Context, hub: HubId, event: HubEvent, effects: &mut Effects) {
        effects.emit_hub(context, &mut self.hubs[hub.index()].seq, hub, event);
    }

    /// The types that the weather keeps at the hub.
    pub fn stops(&self, hub: HubId) -> &[(ModelId, Breach)] {
        &self.hubs[hub.index()].stops
    }

    pub fn is_stopped(&self, hub: HubId, model: ModelId) -> bool {
        self.stops(hub).iter().any(|(stopped, _)| *stopped == model)
    }

    /// The types that stay at the hub from now on; tells of those that did not, and of those that
    /// may fly again.
    pub fn set_stops(
        &mut self,
        context: &Context,
        hub: HubId,
        stops: Vec<(ModelId, Breach)>,
        effects: &mut Effects,
    ) {
        let before = std::mem::replace(&mut self.hubs[hub.index()].stops, stops.clone());
        for event in differences(&before, &stops) {
            self.tell(context, hub, event, effects);
        }
    }
}

fn differences(was: &[(ModelId, Breach)], is: &[(ModelId, Breach)]) -> Vec<HubEvent> {
    let mut events = Vec::new();
    for &(model, breach) in is.iter().filter(|stop| !was.contains(stop)) {
        events.push(HubEvent::GroundStopped { model, breach });
    }
    let flies = |(model, _): &&(ModelId, Breach)| is.iter().all(|(stopped, _)| stopped != model);
    for &(model, _) in was.iter().filter(flies) {
        events.push(HubEvent::GroundStopLifted { model });
    }
    events
}

impl Fleet {
    /// Number of each hub's last event; 0 before its first.
    pub fn hub_seqs(&self) -> impl Iterator<Item = (HubId, u32)> + '_ {
        let numbered = (0..).map(HubId).zip(&self.board.hubs);
        numbered.map(|(hub, board)| (hub, board.seq))
    }

    /// As they were told last.
    pub fn hub_queues(&self) -> impl Iterator<Item = (HubId, HubQueues)> + '_ {
        let numbered = (0..).map(HubId).zip(&self.board.hubs);
        numbered.map(|(hub, board)| (hub, board.queues))
    }

    /// Types that the weather keeps at a hub, where any are.
    pub fn hub_stops(&self) -> impl Iterator<Item = (HubId, Vec<(ModelId, Breach)>)> + '_ {
        let numbered = (0..).map(HubId).zip(&self.board.hubs);
        let stopped = numbered.filter(|(_, board)| !board.stops.is_empty());
        stopped.map(|(hub, board)| (hub, board.stops.clone()))
    }

    fn queues(&self, hub: HubId) -> HubQueues {
        let (charging, queued) = self.docks.queues(hub);
        let pads = self.pads.of(hub);
        HubQueues {
            charging,
            queued,
            holding: pads.holding(),
            departing: self.departing(hub),
            beside_pads: pads.beside(),
        }
    }

    /// What is so by now everybody was told, one way or the other.
    pub(super) fn note_what_is_known(&mut self, world: &World, now: SimTime) {
        for (hub, stops) in world.hub_ids().zip(world.ground_stops(now)) {
            let queues = self.queues(hub);
            let board = &mut self.board.hubs[hub.index()];
            (board.queues, board.stops) = (queues, stops);
        }
    }

    /// Tells of all queues that have changed.
    pub(super) fn tell_queues(&mut self, context: &Context, effects: &mut Effects) {
        let mut changed = std::mem::take(&mut self.board.changed);
        changed.append(&mut self.docks.take_changed());
        for hub in changed {
            let queues = self.queues(hub);
            if std::mem::replace(&mut self.board.hubs[hub.index()].queues, queues) != queues {
                self.board
                    .tell(context, hub, HubEvent::QueuesChanged(queues), effects);
            }
        }
    }
}
