//! The event log: every committed event by its global number, and by its number within
//! its subject.
//!
//! It keeps the newest events: a fixed number of them whatever their age, and beyond that
//! those that are young enough, up to a bound. Drones and hubs have an index each, which
//! holds exactly what the log holds of them. Readers pull by cursor, a portion at a time;
//! one whose cursor has been overtaken is told so. Events of deliveries are kept longer,
//! with the delivery's record.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::sim::event::{Event, Happening};
use crate::sim::ids::{DeliveryId, DroneId, HubId};
use crate::sim::time::{SimDuration, SimTime, Tick};

use super::View;

/// Whose events a reader follows; each numbers them from 1 without holes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Every event of the world, by its global number.
    All,
    Delivery(DeliveryId),
    Drone(DroneId),
    Hub(HubId),
}

/// What a reader missed of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum EventsAfter {
    /// The events that follow the number asked for, in order, as many as were asked for
    /// at most; empty where there are none.
    Next(Vec<Numbered>),
    /// Some are no longer kept: the reader needs to look at the subject anew.
    Gone,
}

/// An event with its number among those of the subject that was asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbered {
    pub seq: u64,
    pub event: Arc<Event>,
}

/// How much of the past is kept.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Events kept whatever their age.
    pub least: usize,
    /// Never more than this.
    pub most: usize,
    /// Between the two bounds events are kept until they are this old.
    pub age: SimDuration,
}

impl Window {
    pub const DEFAULT: Window = Window {
        least: 10_000,
        most: 200_000,
        age: SimDuration(3_600_000_000),
    };
}

/// What the log holds, for the operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogReading {
    /// Number of the last event ever; 0 before the first.
    pub last: u64,
    pub kept: usize,
    pub bound: usize,
    /// Drones and hubs that the log has events of.
    pub subjects: usize,
}

pub(super) struct EventLog {
    window: Window,
    /// Global number of the last event.
    last: u64,
    /// The newest events; the last of them has the number `last`.
    kept: VecDeque<Arc<Event>>,
    drones: BTreeMap<DroneId, VecDeque<Arc<Event>>>,
    hubs: BTreeMap<HubId, VecDeque<Arc<Event>>>,
}

impl EventLog {
    /// A log whose last event has this number, and that holds nothing yet.
    pub(super) fn after(last: u64, window: Window) -> Self {
        EventLog {
            window,
            last,
            kept: VecDeque::new(),
            drones: BTreeMap::new(),
            hubs: BTreeMap::new(),
        }
    }

    /// The same with these events, which have the numbers up to and including its last.
    pub(super) fn holding(last: u64, past: Vec<Arc<Event>>, window: Window) -> Self {
        let mut log = EventLog::after(last.saturating_sub(past.len() as u64), window);
        for event in past {
            log.append(event);
        }
        log
    }

    pub(super) fn append(&mut self, event: Arc<Event>) {
        let now = event.at;
        self.last += 1;
        if let Some(index) = self.index(&event) {
            index.push_back(Arc::clone(&event));
        }
        self.kept.push_back(event);
        while self.has_too_many(now) {
            self.drop_oldest();
        }
    }

    fn has_too_many(&self, now: SimTime) -> bool {
        let is_old = |oldest: &Arc<Event>| now.since(oldest.at) > self.window.age;
        self.kept.len() > self.window.most
            || self.kept.len() > self.window.least && self.kept.front().is_some_and(is_old)
    }

    /// A subject's events stand in the log in their own order, so its oldest goes too.
    fn drop_oldest(&mut self) {
        let Some(oldest) = self.kept.pop_front() else {
            return;
        };
        let Some(index) = self.index(&oldest) else { return };
        index.pop_front();
        if index.is_empty() {
            match oldest.happening {
                Happening::Drone(drone, _) => drop(self.drones.remove(&drone)),
                Happening::Hub(hub, _) => drop(self.hubs.remove(&hub)),
                Happening::Delivery(..)
                | Happening::Supervisor(_)
                | Happening::Account(_)
                | Happening::Package(_) => {}
            }
        }
    }

    /// Where the event's subject has its events; a delivery has them elsewhere, and nobody follows
    /// one account or package.
    fn index(&mut self, event: &Event) -> Option<&mut VecDeque<Arc<Event>>> {
        match event.happening {
            Happening::Drone(drone, _) => Some(self.drones.entry(drone).or_default()),
            Happening::Hub(hub, _) => Some(self.hubs.entry(hub).or_default()),
            Happening::Delivery(..)
            | Happening::Supervisor(_)
            | Happening::Account(_)
            | Happening::Package(_) => None,
        }
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The moment from which on every event is kept; `None` where there was none yet.
    pub(super) fn oldest(&self) -> Option<SimTime> {
        self.kept.front().map(|event| event.at)
    }

    pub(super) fn all_after(&self, seq: u64, limit: usize) -> EventsAfter {
        EventsAfter::from_kept(&self.kept, seq, self.last, limit)
    }

    /// `last` is the number of the drone's last event, kept or not.
    pub(super) fn of_drone_after(&self, drone: DroneId, seq: u64, last: u64, limit: usize) -> EventsAfter {
        let kept = self.drones.get(&drone).unwrap_or(&NOTHING);
        EventsAfter::from_kept(kept, seq, last, limit)
    }

    /// `last` is the number of the hub's last event, kept or not.
    pub(super) fn of_hub_after(&self, hub: HubId, seq: u64, last: u64, limit: usize) -> EventsAfter {
        let kept = self.hubs.get(&hub).unwrap_or(&NOTHING);
        EventsAfter::from_kept(kept, seq, last, limit)
    }

    fn reading(&self) -> LogReading {
        LogReading {
            last: self.last,
            kept: self.kept.len(),
            bound: self.window.most,
            subjects: self.drones.len() + self.hubs.len(),
        }
    }
}

static NOTHING: VecDeque<Arc<Event>> = VecDeque::new();

impl EventsAfter {
    /// Picks from what is kept of a subject whose last event, the last of `kept` too, has
    /// the number `last`.
    pub(super) fn from_kept<'a, I>(kept: I, after: u64, last: u64, limit: usize) -> Self
    where
        I: IntoIterator<Item = &'a Arc<Event>, IntoIter: ExactSizeIterator>,
    {
        let kept = kept.into_iter();
        let Some(missed) = last.checked_sub(after) else {
            return EventsAfter::Gone;
        };
        let missed = usize::try_from(missed).unwrap_or(usize::MAX);
        let Some(first) = kept.len().checked_sub(missed) else {
            return EventsAfter::Gone;
        };
        let next = kept.skip(first).take(limit).zip(after + 1..);
        EventsAfter::Next(
            next.map(|(event, seq)| Numbered {
                seq,
                event: Arc::clone(event),
            })
            .collect(),
        )
    }
}

impl View {
    /// At most `limit` events of a subject that follow number `seq`.
    pub fn events_after(&self, subject: Subject, seq: u64, limit: usize) -> EventsAfter {
        match subject {
            Subject::All => self.log.read().all_after(seq, limit),
            Subject::Delivery(id) => self.delivery_events_after(id, seq, limit),
            Subject::Drone(drone) => {
                let now = self.now.read();
                let last = now.drones.seq(drone).into();
                self.log.read().of_drone_after(drone, seq, last, limit)
            }
            Subject::Hub(hub) => {
                let now = self.now.read();
                let last = now.hubs.get(hub.index()).map_or(0, |state| state.seq.into());
                self.log.read().of_hub_after(hub, seq, last, limit)
            }
        }
    }

    /// The newest tick, and the number of the last event up to and including it.
    pub fn events_so_far(&self) -> (Tick, SimTime, u64) {
        let now = self.now.read();
        let last = self.log.read().last();
        (now.tick, now.at, last)
    }

    pub fn log(&self) -> LogReading {
        self.log.read().reading()
    }

    /// The first tick whose events listeners may still ask for.
    pub fn keeps_events_from(&self) -> Tick {
        let oldest = self.log.read().oldest();
        oldest.map_or_else(|| self.now.read().tick, |at| at.0 / self.world().tick.0.max(1))
    }
}
