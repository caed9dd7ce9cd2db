//! `[[slo]]`: what `skyhaul load` must find of a server.

use std::time::Duration as Span;

use toml::de::DeValue;

use super::audience::span;
use super::diagnostic::{At, Log};
use super::fields::Fields;
use super::kinds::{Choice, Either, Number, OneOf, Text};
use super::stages::Load;
use super::times::{Duration, LONGEST, SECOND};
use crate::sim::time::SimDuration;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// From when a request was due to its answer.
    Accept,
    /// From when it was due until its workflow was done.
    Schedule,
    /// From when it was due until a drone had the package.
    PickUp,
    /// From when it was due until the delivery was completed.
    Deliver,
    /// From when something happened to a delivery until a watcher was told.
    Seen,
    /// From when a frame of positions left the server until a watcher had it.
    Frame,
    /// The share of requests that were not accepted.
    Errors,
    /// The share of requests that began late.
    LateStart,
}

impl Measure {
    pub const ALL: [(&'static str, Measure); 8] = [
        ("accept", Measure::Accept),
        ("schedule", Measure::Schedule),
        ("pickup", Measure::PickUp),
        ("deliver", Measure::Deliver),
        ("seen", Measure::Seen),
        ("frame", Measure::Frame),
        ("errors", Measure::Errors),
        ("late_start", Measure::LateStart),
    ];

    pub fn as_str(self) -> &'static str {
        let named = Self::ALL.iter().find(|(_, measure)| *measure == self);
        named.map_or("", |(name, _)| name)
    }

    fn is_share(self) -> bool {
        matches!(self, Measure::Errors | Measure::LateStart)
    }
}

/// The most that is fine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Latency(Span),
    Share(f64),
}

/// One thing that must be found.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    pub measure: Measure,
    /// For latencies: this share of them must be within the limit.
    pub quantile: f64,
    pub max: Limit,
    /// Of this stage alone, by its place; of all of them where there is none.
    pub stage: Option<usize>,
    /// It must hold in each stretch of this length, and not only altogether.
    pub window: Option<Span>,
    /// The test is broken off once it was missed for so long.
    pub abort_after: Option<Span>,
}

/// An objective whose stage nobody has looked for yet.
pub(super) struct Written {
    objective: Objective,
    stage: Option<At<String>>,
}

pub(super) fn slo(f: &mut Fields<'_>) -> Option<Written> {
    let measure = f.required("op", "what is measured", Choice(&Measure::ALL));
    let quantile = f.or(
        "quantile",
        "which share of the measurements must be within `max`",
        Number(0.0..=1.0),
        "0.99",
    );
    let limit = Either {
        first: Duration(SimDuration(1)..=SimDuration(24 * 3_600 * SECOND)),
        takes_first: |value: &DeValue<'_>| matches!(value, DeValue::String(_)),
        second: Number(0.0..=1.0),
    };
    let max = f.required(
        "max",
        "the most that is fine: a duration, or a share for errors and late starts",
        limit,
    );
    let stage = f.optional(
        "stage",
        "of this stage of `load` alone: its name, or its number as text",
        Text,
    );
    let whole_seconds = || Duration(SimDuration(SECOND)..=LONGEST);
    let window = f.optional(
        "window",
        "it must hold in each stretch of this length, and not only altogether",
        whole_seconds(),
    );
    let abort_after = f.optional(
        "abort_after",
        "break the test off once this was missed for so long",
        whole_seconds(),
    );
    let (measure, max) = (measure?.value, max?);
    let limit = match (measure.is_share(), &max.value) {
        (false, OneOf::First(latency)) => Limit::Latency(span(*latency)),
        (true, OneOf::Second(share)) => Limit::Share(*share),
        _ => {
            f.log().error(
                &max.span,
                "`max` does not suit its `op`",
                "give a duration like \"50ms\", and for errors and late_start a share like 0.001",
            );
            return None;
        }
    };
    Some(Written {
        objective: Objective {
            measure,
            quantile: quantile.value,
            max: limit,
            stage: None,
            window: window.map(|window| span(window.value)),
            abort_after: abort_after.map(|after| span(after.value)),
        },
        stage,
    })
}

/// The objectives, each with the stage that it names.
pub(super) fn of_stages(
    written: Vec<At<Option<Written>>>,
    load: Option<&Load>,
    log: &mut Log,
) -> Vec<Objective> {
    let stages = load.map_or(&[][..], |load| &load.stages);
    let mut objectives = Vec::new();
    for Written { mut objective, stage } in written.into_iter().filter_map(|at| at.value) {
        if let Some(named) = &stage {
            let by_name = stages.iter().position(|stage| stage.name == named.value);
            let number = || named.value.parse::<usize>().ok()?.checked_sub(1);
            objective.stage = by_name.or_else(|| number().filter(|at| *at < stages.len()));
            // Where the stages themselves are wrong, that is said already.
            if objective.stage.is_none() && load.is_some() {
                let names: Vec<String> = stages.iter().map(|stage| format!("\"{}\"", stage.name)).collect();
                log.error(
                    &named.span,
                    format!("there is no stage \"{}\" in `load`", named.value),
                    format!("known: {}", names.join(", ")),
                );
            }
        }
        objectives.push(objective);
    }
    objectives
}
