//! Two recordings held against each other: what each came to in the time that both have, and from
//! when on they differ.
//!
//! A branch has nothing of what was before it. Where the other recording was the same world then,
//! as its digest says, what that tells counts for both.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::Summary;
use super::compare::{Metric, metric};
use super::summary::Tally;
use crate::recording::{NotShown, Recording, Told};
use crate::sim::event::{DeliveryEvent, DroneEvent, Event, Happening};
use crate::sim::ids::DeliveryId;
use crate::sim::separation::Counts;
use crate::sim::time::{SimTime, Tick};

/// What can be told of a recording: a summary has more, which only the world itself knows.
const MEASURES: [Metric; 16] = [
    metric("requested", "requested", 1.0, |run| {
        Some(run.deliveries.requested as f64)
    }),
    metric("completed", "completed", 1.0, |run| {
        Some(run.deliveries.completed as f64)
    }),
    metric("thirdParty", "third party", 1.0, |run| {
        Some(run.deliveries.third_party as f64)
    }),
    metric("failed", "failed", 1.0, |run| Some(run.deliveries.failed as f64)),
    metric("cancelled", "cancelled", 1.0, |run| {
        Some(run.deliveries.cancelled as f64)
    }),
    metric("inProgress", "in progress", 1.0, |run| {
        Some(run.deliveries.in_progress as f64)
    }),
    metric("fulfilmentMeanSeconds", "to the door, mean s", 1.0, |run| {
        run.fulfilment.all.mean_seconds
    }),
    metric("fulfilmentP95Seconds", "to the door, p95 s", 1.0, |run| {
        run.fulfilment.all.p95_seconds
    }),
    metric("lateShare", "late, %", 100.0, |run| run.eta.late_share),
    metric("quoteErrorP50", "quote error, p50 %", 100.0, |run| {
        run.eta.quote_error_p50
    }),
    metric("quoteErrorP95", "quote error, p95 %", 100.0, |run| {
        run.eta.quote_error_p95
    }),
    metric("quoteBiasSeconds", "quote bias, s", 1.0, |run| {
        run.eta.quote_bias_seconds
    }),
    metric("airborneMean", "in the air, mean", 1.0, |run| {
        Some(run.airborne_mean)
    }),
    metric("totalWh", "energy, Wh", 1.0, |run| Some(run.energy.total_wh)),
    metric("whPerKm", "energy, Wh/km", 1.0, |run| run.energy.wh_per_km),
    metric("losses", "losses of separation", 1.0, |run| {
        Some(run.separation.losses as f64)
    }),
];

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measure {
    pub name: &'static str,
    /// For people, with its unit.
    pub title: &'static str,
    /// What values are shown times of: shares as per cent.
    pub scale: f64,
    pub values: [Option<f64>; 2],
    /// The second minus the first.
    pub difference: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Against {
    /// Simulated seconds since the beginning: the time that is counted.
    pub from_seconds: f64,
    pub to_seconds: f64,
    pub seeds: [u64; 2],
    pub policies: [String; 2],
    /// The first moment that both recorded and in which they are not the same world; `None` where
    /// they never part.
    pub parts_at_seconds: Option<f64>,
    pub parts_at_tick: Option<Tick>,
    pub measures: Vec<Measure>,
}

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
pub fn against(first: &Recording, second: &Recording) -> Result<Against, NotCompared> {
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
    Ok(Against {
        from_seconds: start.as_secs(),
        to_seconds: to.as_secs(),
        seeds: [first, second].map(|recording| recording.origin.seed),
        policies: [first, second].map(|recording| recording.origin.policy.clone()),
        parts_at_seconds: parts.map(|(at, _)| at.as_secs()),
        parts_at_tick: parts.map(|(_, tick)| tick),
        measures: MEASURES.iter().map(|metric| measure(metric, &of_each)).collect(),
    })
}

fn measure(metric: &Metric, summaries: &[Summary; 2]) -> Measure {
    let values = summaries.each_ref().map(metric.read);
    let [one, other] = values;
    Measure {
        name: metric.name,
        title: metric.title,
        scale: metric.scale,
        values,
        difference: one.zip(other).map(|(one, other)| other - one),
    }
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
