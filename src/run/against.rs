//! Two recordings held against each other: what each came to in the time that both have, and from
//! when on they differ.
//!
//! A branch has nothing of what was before it. Where the other recording was the same world then,
//! as its digest says, what that tells counts for both.

use std::collections::BTreeSet;
use std::time::Duration;

use super::compare::METRICS;
use super::summary::Tally;
use super::{SeparationTotals, Summary};
use crate::recording::{NotShown, Recording, Told};
use crate::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use crate::sim::ids::DeliveryId;
use crate::sim::separation::Counts;
use crate::sim::time::{SimTime, Tick};
use crate::view::branches::{Compared, Comparison};

#[derive(Debug, thiserror::Error)]
pub enum NotCompared {
    /// Of the first, or the second.
    #[error("{error}")]
    NotRead { second: bool, error: NotShown },
    #[error("they have no time in common: one ends at {ends_s:.0} s, the other begins at {begins_s:.0} s")]
    Apart { ends_s: f64, begins_s: f64 },
}

/// # Errors
/// See [`NotCompared`].
pub fn against(first: &Recording, second: &Recording) -> Result<Comparison, NotCompared> {
    let (from, to) = (first.begin().max(second.begin()), first.end().min(second.end()));
    if from >= to {
        return Err(NotCompared::Apart {
            ends_s: to.as_secs(),
            begins_s: from.as_secs(),
        });
    }
    let of = |second| move |error: NotShown| NotCompared::NotRead { second, error };
    let one = digests(first, from, to).map_err(of(false))?;
    let other = digests(second, from, to).map_err(of(true))?;
    let parts = part(&one, &other);
    let have_begun_alike = parts.is_none_or(|(at, _)| at > from);
    let older = if first.begin() <= second.begin() {
        first
    } else {
        second
    };
    let before = have_begun_alike.then_some(older);
    let start = before.map_or(from, Recording::begin);
    let of_each = [
        summary(before, first, start, from, to).map_err(of(false))?,
        summary(before, second, start, from, to).map_err(of(true))?,
    ];
    let (of_each, is_told) = separated(of_each, [first, second], before, start, to)?;
    Ok(Comparison {
        from: start,
        to,
        parts_at: parts,
        recordings: [first, second].map(|recording| Compared {
            file: file_name(recording),
            seed: recording.origin.seed,
            policy: recording.origin.policy.clone(),
        }),
        measures: METRICS
            .iter()
            .map(|metric| metric.measure(&of_each, is_told))
            .collect(),
    })
}

/// With all that came of encounters, and whether both can tell; events tell of losses alone.
fn separated(
    mut of_each: [Summary; 2],
    recordings: [&Recording; 2],
    before: Option<&Recording>,
    start: SimTime,
    to: SimTime,
) -> Result<([Summary; 2], bool), NotCompared> {
    let mut counted = Vec::new();
    for (recording, second) in recordings.into_iter().zip([false, true]) {
        let of = |error: NotShown| NotCompared::NotRead { second, error };
        let begun = before.unwrap_or(recording).separation_at(start).map_err(of)?;
        let through = recording.separation_at(to).map_err(of)?;
        counted.extend(begun.zip(through).map(|(begun, through)| through.since(&begun)));
    }
    let is_told = counted.len() == of_each.len();
    if is_told {
        for (summary, counts) in of_each.iter_mut().zip(&counted) {
            summary.separation = SeparationTotals::of(counts);
        }
    }
    Ok((of_each, is_told))
}

fn file_name(recording: &Recording) -> String {
    let name = recording.path.file_name().unwrap_or(recording.path.as_os_str());
    name.to_string_lossy().into_owned()
}

type Digests = Vec<(SimTime, Tick, [u8; 32])>;

/// The first moment that both have, and in which they are not the same.
fn part(one: &Digests, other: &Digests) -> Option<(SimTime, Tick)> {
    let mut others = other.iter().peekable();
    for (at, tick, digest) in one {
        while others.next_if(|(other, ..)| other < at).is_some() {}
        match others.peek() {
            Some((same, _, other)) if same == at && other != digest => return Some((*at, *tick)),
            _ => {}
        }
    }
    None
}

fn digests(recording: &Recording, from: SimTime, to: SimTime) -> Result<Digests, NotShown> {
    let mut digests = Vec::new();
    recording.tell(|told| {
        if (from..=to).contains(&told.at) {
            digests.push((told.at, told.tick, told.digest));
        }
    })?;
    Ok(digests)
}

/// What one came to from `start` on, with what `before` tells of the time up to `from`.
fn summary(
    before: Option<&Recording>,
    recording: &Recording,
    start: SimTime,
    from: SimTime,
    to: SimTime,
) -> Result<Summary, NotShown> {
    let world = recording.origin.world()?;
    let tick_us = recording.origin.tick_us.max(1);
    let mut count = Count {
        through: start.0 / tick_us,
        tick_s: tick_us as f64 / 1e6,
        ..Count::default()
    };
    if let Some(before) = before {
        before.tell(|told| {
            if told.at <= from {
                count.hear(&told);
            }
        })?;
    }
    recording.tell(|told| {
        if told.at > from && told.at <= to {
            count.hear(&told);
        }
    })?;
    let ticks = to.0 / tick_us;
    Ok(count
        .tally
        .summary_at(&world, ticks, &count.separation, &count.digest, Duration::ZERO))
}

#[derive(Default)]
struct Count {
    tally: Tally,
    /// Deliveries whose beginning was told.
    known: BTreeSet<DeliveryId>,
    separation: Counts,
    through: Tick,
    tick_s: f64,
    airborne: usize,
    digest: [u8; 32],
}

impl Count {
    fn hear(&mut self, told: &Told) {
        // Ticks in which nothing happened are not told.
        while self.through + 1 < told.tick {
            self.through += 1;
            self.pass(&[]);
        }
        self.through = told.tick;
        self.digest = told.digest;
        self.airborne = told.airborne.unwrap_or(self.airborne);
        let mut heard = Vec::with_capacity(told.events.len());
        for event in &told.events {
            if self.is_whole(event) {
                heard.push(Event::clone(event));
            }
        }
        self.pass(&heard);
    }

    fn pass(&mut self, events: &[Event]) {
        self.tally.hear(events, self.airborne);
        self.separation.airborne_s += self.airborne as f64 * self.tick_s;
        for event in events {
            if let Happening::Drone(drone, DroneEvent::LossOfSeparation(of)) = &event.happening {
                self.separation.losses += u64::from(*drone < of.other);
            }
            // Both of a pair tell of it.
            if let Happening::Drone(drone, DroneEvent::CameTooClose { proximity, .. }) = &event.happening {
                self.separation.losses += u64::from(*drone < proximity.other);
            }
        }
    }

    /// Of a delivery that was there before, nobody knows what it was counted as.
    fn is_whole(&mut self, event: &Event) -> bool {
        match &event.happening {
            Happening::Delivery(id, DeliveryEvent::Accepted { .. }) => {
                self.known.insert(*id);
                true
            }
            Happening::Delivery(id, _) => self.known.contains(id),
            _ => true,
        }
    }
}
